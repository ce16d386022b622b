"""A buyer changes their mind: before release, while the warehouse works, and too late."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.connectors.models import Connection
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders.models import Order
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def cancel(order: Order) -> Any:
    """Ask by API, and let the hub work."""
    answer = make.client(order.merchant).post(f"/api/v1/orders/{order.pk}/cancel/", {"reason": "买错了"})
    make.run_until_idle()
    return answer


def test_before_release_it_is_cancelled_at_once(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(paid=False, paid_at=None))
    make.run_until_idle()

    answer = cancel(order)

    assert (answer.status_code, answer.json()["stage"]) == (200, "cancelled")
    order = make.fresh(order)
    assert (order.stage, order.step, order.step_state) == ("cancelled", "", "done")
    assert make.kinds_of(order) == ["order.placed", "order.held", "order.cancelled"]
    assert make.shelf("HGH", "LAMP") == (100, 0)
    assert not order.holds.filter(released_at__isnull=True).exists()
    replay.assert_told(order)
    assert_all_hold()


def test_a_waiting_order_is_cancelled_and_stock_wakes_it_no_more(hub_clock: make.Clock) -> None:
    make.network(units=0)
    (order,) = make.place()
    make.run_until_idle()

    cancel(order)
    make.stock({"HGH": {"LAMP": 5}})
    make.run_until_idle()

    assert make.kinds_of(order) == ["order.placed", "order.backordered", "order.cancelled"]
    assert make.shelf("HGH", "LAMP") == (5, 0)


def test_after_release_the_warehouse_is_asked_and_agrees(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    assert make.shelf("HGH", "LAMP") == (100, 1)

    answer = cancel(order)

    assert answer.status_code == 200
    assert make.fresh(order).stage == "cancelled"
    assert FulfillmentOrder.objects.get().state == "cancelled"
    assert make.shelf("HGH", "LAMP") == (100, 0)
    assert make.kinds_of(order)[4:] == [
        "fulfillment.cancel_requested", "fulfillment.cancelled", "order.cancelled",
    ]  # fmt: skip
    replay.assert_told(order)

    make.play(hub_clock)

    order = make.fresh(order)
    assert order.stage == "cancelled"
    assert_all_hold()


def test_the_warehouse_may_say_that_it_is_too_late(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    row = FulfillmentOrder.objects.get()
    Connection.objects.update(is_active=False)  # this warehouse answers by itself

    cancel(order)
    assert FulfillmentOrder.objects.get().state == "cancel_requested"
    make.tell(row, "cancel_refused", reason="already_packed")
    make.tell(row, "ship", tracking_number="T1")
    make.tell(row, "deliver", tracking_number="T1")

    order = make.fresh(order)
    assert order.stage == "delivered"
    assert make.shelf("HGH", "LAMP") == (99, 0)
    replay.assert_told(order)
    assert_all_hold()


def test_what_has_shipped_cannot_be_cancelled(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.play(hub_clock, until="ship")
    told = make.kinds_of(order)

    answer = cancel(order)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_shipped")
    assert make.kinds_of(order) == told
    assert make.fresh(order).stage == "shipped"
