"""A decision is made again from its own record, to the last byte, whatever has changed since."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from bench import decide as cases
from orderhub.fulfillment.models import RateZone
from orderhub.inventory.models import Stock, Warehouse
from orderhub.kernel.errors import Refused
from routing import inputs, replaying, services
from routing.engine.decide import decide
from routing.engine.model import Lane, Node, Request
from routing.models import Decision, Strategy
from tests import cast, make

pytestmark = pytest.mark.django_db

BUYERS = (cast.FANG, cast.LEI, cast.MEI)


def routed(*numbers: str) -> list[Decision]:
    """Current decisions of a few orders of the cast, routed in one batch."""
    make.network(units=3)
    drafts = [
        make.draft(number, to=to, lines={"LAMP": 1 + at % 2, "CUP": 1})
        for at, (number, to) in enumerate(zip(numbers, BUYERS * len(numbers), strict=False))
    ]
    orders = make.place(*drafts)
    services.route(orders, now=make.NOW, actor="system")
    return list(Decision.objects.filter(superseded_at__isnull=True).order_by("pk"))


def test_stored_decisions_replay_to_the_same_bytes_after_everything_changed() -> None:
    found = routed(*(f"A{n}" for n in range(12)))
    Stock.objects.update(on_hand=50, reserved=0)
    Warehouse.objects.update(is_frozen=True, handling_per_parcel=Decimal(9))
    RateZone.objects.update(first_fee=Decimal(99))
    Strategy.objects.update(yuan_per_hour=Decimal(5))

    for decision in found:
        again = replaying.compare(decision)
        assert again.is_identical, (again.path, again.kept, again.made)
        assert replaying.kept_bytes(decision) == replaying.made_bytes(again.decision, decision)
        assert again.decision.status == decision.status
    assert {decision.status for decision in found} >= {"routed", "partial", "unroutable"}


def test_the_first_difference_is_named_with_both_values() -> None:
    [decision] = routed("A1")
    assert decision.plan is not None
    decision.plan["parcels"][0]["terms"]["freight"] = "1.0000"

    again = replaying.compare(decision)

    assert (again.is_identical, again.path, again.kept) == (
        False, "plans.0.parcels.0.terms.freight", "1.0000",
    )  # fmt: skip
    assert Decimal(again.made) > 1


def test_a_decision_without_its_inputs_says_so() -> None:
    [decision] = routed("A1")
    Decision.objects.update(inputs=None)
    decision.refresh_from_db()

    with pytest.raises(Refused) as refusal:
        replaying.replay(decision)

    assert refusal.value.code == "not_replayable"


@pytest.mark.parametrize(("lines", "nodes"), [(1, 3), (3, 12), (5, 30)])
def test_what_is_written_decides_the_same(lines: int, nodes: int) -> None:
    rng = random.Random(lines)
    writer = inputs.Writer()
    for _ in range(20):
        request, places = cases.random_case(rng, lines=lines, nodes=nodes, lanes=2)
        kept = inputs.load(writer.dump(request, places, cases.BALANCED))
        assert kept.request == request
        assert kept.strategy == cases.BALANCED
        assert decide(*kept) == decide(request, places, cases.BALANCED)


def test_odd_texts_missing_values_and_unlike_kinds_come_back_as_they_were() -> None:
    lane = Lane(
        "a\tb", "None", "", 1, Decimal("1E+2"), 1, Decimal("0.10"), Decimal(1), Decimal(2), Decimal(3), Decimal(4),
        None, 0, None,
    )  # fmt: skip
    plain = Lane("c", "None", "", 1, *[Decimal(1)] * 1, 1, *[Decimal(2)] * 5)
    node = Node(
        7, "W", "仓", "store", {1: 3, 2: 4}, (lane, plain), None, False, frozenset({"cold"}), frozenset({2, 9}),
        Decimal(0), Decimal(0), {1: Decimal("1.50")}, Decimal(0), True,
    )  # fmt: skip
    request, _nodes = cases.random_case(random.Random(0), lines=1, nodes=1, lanes=1)

    kept = inputs.load(inputs.Writer().dump(request, [node], cases.BALANCED))

    [back] = kept.nodes
    assert back.lanes == (lane, plain)
    assert str(back.lanes[0].first_fee) == "1E+2"
    assert (back.stock, back.stock_price, back.banned_skus) == ({1: 3}, {1: Decimal("1.50")}, frozenset())
    assert (back.accepts, back.capacity_left) == (frozenset({"cold"}), None)
    assert isinstance(kept.request, Request)
