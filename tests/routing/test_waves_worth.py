"""What a wave leaves on the shelves has the worth that single decisions pay for it, and the wave keeps it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from orderhub.kernel import clock
from routing import candidates
from routing.pricing.books import Book, Curve, Priced
from routing.waves import planning, worth
from tests import make, waves

FALLING = Curve(1, 4, (8.0, 6.0, 4.0, 2.0))


def test_units_given_up_cost_what_keeping_them_was_worth() -> None:
    book = Book(1, 1, {7: Priced({70: FALLING}, Curve(1, 2, (3.0, 1.0)))})
    shelves = worth.shelves(np.array([[3], [1]]), [7], [70, 71], book, 1.0)
    lines = ((7, 2),)

    assert shelves.given_up([]) == 0
    # The third and the second unit of the first shelf, and what both shelves together have from 4 to 2.
    total = FALLING.at(3) + FALLING.at(2) + sum(Curve(1, 2, (3.0, 1.0)).at(k) for k in (4, 3))
    assert shelves.given_up([(lines, ((0, 1),))]) == pytest.approx(total)
    assert shelves.given_up([(((7, 1),), ((1, 1),))]) == pytest.approx(Curve(1, 2, (3.0, 1.0)).at(4))


def test_worth_never_rises_and_is_multiplied_by_the_strategies_factor() -> None:
    book = Book(1, 1, {7: Priced({70: Curve(1, 3, (2.0, 5.0, 1.0))}, None)})

    keep = worth.shelves(np.array([[3]]), [7], [70], book, 2.0).keep

    assert keep is not None
    assert keep.local == {(0, 0): (4.0, 4.0, 2.0)}


@pytest.mark.parametrize(
    ("book", "factor"),
    [(None, 1.0), (Book(1, 1, note="off"), 1.0), (Book(1, 1, {7: Priced({70: FALLING}, None)}), 0.0)],
)
def test_without_prices_nothing_is_kept_back(book: Book | None, factor: float) -> None:
    shelves = worth.shelves(np.array([[3]]), [7], [70], book, factor)

    assert shelves.keep is None
    assert shelves.given_up([(((7, 1),), ((0, 1),))]) == 0


@pytest.mark.django_db
def test_a_wave_leaves_a_unit_where_it_is_worth_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lamp of Guangzhou is worth more to those who come than to Lei: the plans stay as they are."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    waves.schedule()
    mei, lei, _fang = waves.three_orders()
    site = {code: make.warehouse(code).pk for code in ("CAN", "HGH")}
    sku_id = lei.lines.get().sku_id
    merchant_id = lei.merchant_id
    releases_at = waves.RELEASE - timedelta(minutes=5)

    def priced(can: float, hgh: float) -> planning.Proposal:
        cells = {site["CAN"]: Curve(1, 1, (can,)), site["HGH"]: Curve(1, 3, (hgh, hgh, hgh))}
        book = Book(1, 1, {sku_id: Priced(cells, None)})
        take: Any = candidates.take_snapshot

        def snapshot(*args: Any, **kwargs: Any) -> Any:
            found = take(*args, **kwargs)
            found.books = {merchant_id: book}
            return found

        with monkeypatch.context() as patch:
            patch.setattr(candidates, "take_snapshot", snapshot)
            return planning.propose(merchant_id, releases_at=releases_at, max_changes=None, seconds=5)

    everything = priced(0.01, 0.01)
    assert {change.order.pk for change in everything.changes} == {mei.pk, lei.pk}
    assert everything.saved(everything.changes) == pytest.approx(
        everything.cost_before - everything.cost_after
    )
    # All three units are wanted, so what each is worth decides nothing: the same plans, at a higher cost.
    dear = priced(5.0, 1.0)
    assert dear.cost_after - everything.cost_after == pytest.approx(5 + 2 * 1 - 3 * 0.01, abs=0.001)
    assert dear.lower_bound <= dear.cost_after + 1e-6
