"""An unpaid order takes no stock; the payment sends it on its way."""

from __future__ import annotations

import pytest

from orderhub.orders.models import Hold, Order
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold
from tracking.models import TimelineEntry

pytestmark = pytest.mark.django_db


def test_an_unpaid_order_waits_and_ships_once_paid(hub_clock: make.Clock) -> None:
    api = make.client(make.network())
    placed = api.post("/api/v1/orders/", make.order_json(paid=False)).json()
    make.run_until_idle()
    order = Order.objects.get(pk=placed["id"])

    assert (order.stage, order.payment, order.waiting_for) == ("reviewing", "unpaid", "hold")
    assert Hold.objects.get().reason == "awaiting_payment"
    assert make.shelf("HGH", "LAMP") == (100, 0)

    hub_clock.advance(minutes=20)
    api.post(f"/api/v1/orders/{order.pk}/pay/", {})
    api.post(f"/api/v1/orders/{order.pk}/pay/", {})
    make.run_until_idle()

    order = make.fresh(order)
    assert (order.stage, order.payment, order.paid_at) == ("released", "paid", hub_clock.now())
    assert make.shelf("HGH", "LAMP") == (100, 1)
    assert make.kinds_of(order) == [
        "order.placed", "order.held", "order.hold_released", "order.paid", "routing.decided",
        "fulfillment.reserved", "fulfillment.released",
    ]  # fmt: skip

    told = list(TimelineEntry.objects.order_by("seq").values_list("milestone", flat=True))
    # The buyer reads of the payment, never that "the order is being checked".
    assert told == ["ORDER_PLACED", "ORDER_PAID", "ALLOCATED"]

    make.play(hub_clock)

    order = make.fresh(order)
    assert order.stage == "delivered"
    replay.assert_told(order)
    assert_all_hold()
