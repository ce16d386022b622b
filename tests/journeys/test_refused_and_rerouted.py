"""A warehouse refuses: its stock is free again, and the order goes to the next best one."""

from __future__ import annotations

import pytest

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders.models import Order
from routing.models import Decision
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def fulfillments(order: Order) -> list[tuple[str, str]]:
    """Warehouse and state, oldest first."""
    rows = FulfillmentOrder.objects.filter(order=order).order_by("pk")
    return list(rows.values_list("warehouse__code", "state"))


def test_a_refused_order_goes_to_another_warehouse(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    assert fulfillments(order) == [("HGH", "released")]

    hub_clock.advance(hours=1)
    make.tell(FulfillmentOrder.objects.get(), "reject", reason="damaged_stock")

    assert fulfillments(order) == [("HGH", "rejected"), ("CAN", "released")]
    assert make.shelf("HGH", "LAMP") == (100, 0)
    assert make.shelf("CAN", "LAMP") == (100, 1)
    decision = Decision.objects.get(order=order, superseded_at__isnull=True)
    assert [(row["code"], row["reason"]) for row in decision.removed] == [("HGH", "refused_before")]
    assert make.kinds_of(order)[4:] == [
        "fulfillment.rejected", "routing.decided", "fulfillment.reserved", "fulfillment.released",
    ]  # fmt: skip

    make.play(hub_clock)

    order = make.fresh(order)
    assert order.stage == "delivered"
    assert make.shelf("CAN", "LAMP") == (99, 0)
    replay.assert_told(order)
    assert_all_hold()


def test_the_same_refusal_twice_counts_once(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    row = FulfillmentOrder.objects.get()
    make.tell(row, "reject", reason="damaged_stock")
    told = make.kinds_of(order)

    make.tell(row, "reject", reason="damaged_stock")

    assert make.kinds_of(order) == told
    assert fulfillments(order) == [("HGH", "rejected"), ("CAN", "released")]


def test_refused_twice_everywhere_it_waits(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()

    while open_row := FulfillmentOrder.objects.filter(state="released").first():
        make.tell(open_row, "reject", reason="location_blocked")

    order = make.fresh(order)
    assert (order.stage, order.step, order.waiting_for) == ("backordered", "routing.route", "stock")
    assert [state for _site, state in fulfillments(order)] == ["rejected"] * 6
    replay.assert_told(order)
    assert_all_hold()


def test_a_missing_unit_comes_from_elsewhere(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(lines={"CUP": 3}))
    make.run_until_idle()

    make.tell(
        FulfillmentOrder.objects.get(), "ship", tracking_number="T1", lines=[{"sku": "CUP", "quantity": 2}]
    )

    assert fulfillments(order) == [("HGH", "shipped"), ("CAN", "released")]
    line = order.lines.get()
    assert (line.released, line.shipped) == (1, 2)
    assert make.shelf("HGH", "CUP") == (98, 0)
    assert make.shelf("CAN", "CUP") == (100, 1)
    replay.assert_told(order)
    assert_all_hold()
