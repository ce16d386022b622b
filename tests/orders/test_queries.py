"""Lists of orders: filters, counts, and no query per row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.orders import queries, services
from orderhub.orders.models import Order
from tests.orders import builders as make

pytestmark = pytest.mark.django_db


def aged(number: str, hours: float) -> Order:
    [order] = make.placed(make.draft(number), now=make.NOW - timedelta(hours=hours))
    return order


def numbers(**filters: Any) -> list[str]:
    return [order.external_id for order in queries.pool(now=make.NOW, **filters)]


def test_the_pool_is_what_is_open_oldest_first() -> None:
    aged("young", 1), aged("old", 30)
    services.cancel([aged("gone", 2).pk], reason="x", actor="user:li", now=make.NOW)

    assert numbers() == ["old", "young"]
    assert numbers(stage="cancelled") == ["gone"]
    assert numbers(merchant_id=make.merchant().pk) == ["old", "young"]
    assert numbers(merchant_id=make.merchant("other").pk) == []


def test_the_pool_by_hold_and_by_what_is_waited_for() -> None:
    held, _free = aged("held", 2), aged("free", 2)
    services.hold([held.pk], reason="risk", actor="user:li", now=make.NOW)

    assert (numbers(reason="risk"), numbers(reason="manual")) == (["held"], [])
    assert numbers(waiting_for="hold") == ["held"]
    assert queries.hold_counts() == {"risk": 1}
    [shown] = queries.pool(reason="risk", now=make.NOW)
    assert [hold.reason for hold in shown.active_holds] == ["risk"]  # type: ignore[attr-defined]


def test_every_order_is_in_exactly_one_age_bucket() -> None:
    for hours in (0, 0.5, 1, 3.9, 4, 23, 24, 71, 72, 500):
        aged(str(hours), hours)

    by_age = {age.code: numbers(age=age.code) for age in queries.AGES}

    assert by_age == {
        "new": ["0.5", "0"], "hours": ["3.9", "1"], "day": ["23", "4"], "days": ["71", "24"],
        "old": ["500", "72"],
    }  # fmt: skip
    assert queries.pool_counts(now=make.NOW)["received"] == {age.code: 2 for age in queries.AGES}


def test_counts_are_complete_with_zeros() -> None:
    counts = queries.pool_counts(merchant_id=make.merchant().pk, now=make.NOW)

    assert set(counts) == set(queries.OPEN_STAGES)
    assert {n for ages in counts.values() for n in ages.values()} == {0}


def test_lists_cost_the_same_for_any_number_of_orders(django_assert_num_queries: Any) -> None:
    services.hold(
        [x.pk for x in make.placed(*[make.draft(f"T{n}") for n in range(15)])],
        reason="risk", actor="user:li", now=make.NOW,
    )  # fmt: skip

    with django_assert_num_queries(2):
        pool = [(x.channel.name, x.person.name, x.active_holds) for x in queries.pool(now=make.NOW)]  # type: ignore[attr-defined]
    with django_assert_num_queries(3):
        whole = [
            (x.original.payload, [y.sku.code for y in x.lines.all()], len(x.holds.all()))
            for x in queries.whole()
        ]

    assert (len(pool), len(whole)) == (15, 15)
    assert [event.kind for event in queries.history(Order.objects.all()[0])] == ["order.placed", "order.held"]
