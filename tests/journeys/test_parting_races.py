"""Two at once on PostgreSQL: whoever comes first wins, nobody half, and no unit is shipped twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from orderhub.connectors.models import Connection
from orderhub.fulfillment import addresses, parting
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.parting import Portion
from orderhub.fulfillment.services import Update
from orderhub.kernel.errors import Refused
from orderhub.orders import advance as journey
from orderhub.orders import services
from orderhub.orders.addresses import Address
from orderhub.orders.models import AddressChange, Order
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
ROUNDS = 12


@pytest.fixture(autouse=True)
def _only_postgresql(on_postgresql: bool) -> None:
    if not on_postgresql:
        pytest.skip("SQLite lets one writer in at a time")


def at_once(*jobs: Callable[[], Any]) -> list[str]:
    """Run the jobs in threads that start together; "" or the code of the refusal, per job."""
    start = Barrier(len(jobs), timeout=30)

    def run(job: Callable[[], Any]) -> str:
        try:
            start.wait()
            job()
        except Refused as why:
            return why.code
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def advanced(order: Order, now: Any) -> None:
    """What the worker does; one that finds a lock is left to its delivery."""
    try:
        journey.advance([order.pk], now=now, actor="system")
    except journey.Unfinished:
        return


def test_a_split_meets_the_release(hub_clock: make.Clock) -> None:
    make.network()
    placed = make.place(*[make.draft(f"S{n}", lines={"LAMP": 2}) for n in range(ROUNDS)])

    answers = [
        at_once(
            lambda order=order: advanced(order, hub_clock.now()),
            lambda order=order: parting.split(
                order.pk, [Portion(1, 1)], reason="", actor="user:li", now=hub_clock.now()
            ),
        )[1]
        for order in placed
    ]
    make.run_until_idle()

    assert set(answers) <= {"", "already_released"}
    assert Order.objects.count() == ROUNDS + answers.count("")
    assert make.shelf("HGH", "LAMP") == (100, 2 * ROUNDS)
    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}
    replay.assert_told(*Order.objects.all())
    assert_all_hold()


def test_a_merge_meets_the_payment(hub_clock: make.Clock) -> None:
    make.network()
    pairs = [
        (*make.place(make.draft(f"M{n}")), *make.place(make.draft(f"N{n}", paid=False, paid_at=None)))
        for n in range(ROUNDS)
    ]

    answers = [
        at_once(
            lambda other=other: services.pay([other.pk], actor="api:x", now=hub_clock.now()),
            lambda first=first, other=other: parting.merge(
                [first.pk, other.pk], reason="", actor="user:li", now=hub_clock.now()
            ),
        )
        for first, other in pairs
    ]

    assert {paid for paid, _merged in answers} == {""}
    assert {merged for _paid, merged in answers} <= {"", "not_paid"}
    assert {make.fresh(other).payment for _first, other in pairs} == {"paid"}
    merged = [make.fresh(other).stage == "merged" for _first, other in pairs]
    assert merged == [code == "" for _paid, code in answers]
    make.run_until_idle()
    assert_all_hold()


def test_two_merges_of_the_same_orders(hub_clock: make.Clock) -> None:
    make.network()
    first, other, third = make.place(*[make.draft(f"T{n}") for n in range(3)])

    def merge(*orders: Order) -> Callable[[], Any]:
        ids = [order.pk for order in orders]
        return lambda: parting.merge(ids, reason="", actor="user:li", now=hub_clock.now())

    answers = at_once(merge(first, other), merge(third, other), merge(other, first))

    assert set(answers) <= {"", "order_merged"}
    make.run_until_idle()
    assert sum(x.total for x in Order.objects.all()) == 3 * first.total
    assert_all_hold()


def test_an_address_change_meets_the_shipment(hub_clock: make.Clock) -> None:
    make.network()
    placed = make.place(*[make.draft(f"A{n}") for n in range(ROUNDS)])
    make.run_until_idle()
    Connection.objects.update(is_active=False)
    buyer = cast.LEI
    there = Address(buyer.country, buyer.province, buyer.city, buyer.address, name=buyer.name)

    def ship(number: str) -> None:
        update = Update(
            kind="ship", fulfillment_number=number, occurred_at=hub_clock.now(), tracking_number=f"T{number}"
        )
        fulfillment.apply([update], now=hub_clock.now())

    numbers = dict(FulfillmentOrder.objects.values_list("order_id", "number"))
    answers = [
        at_once(
            lambda number=numbers[order.pk]: ship(number),
            lambda order=order: addresses.request_address_change(
                order.pk, there, requested_by="customer", reason="", actor="api:x", now=hub_clock.now()
            ),
        )[1]
        for order in placed
    ]

    assert set(answers) <= {"", "already_shipped"}
    assert AddressChange.objects.count() == answers.count("")
    assert set(AddressChange.objects.values_list("state", flat=True)) <= {"too_late"}
    assert {(x.stage, x.province) for x in Order.objects.all()} == {("shipped", "浙江省")}
    replay.assert_told(*placed)
    assert_all_hold()
