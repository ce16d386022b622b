"""Goods that lie in two warehouses come in two parcels, and the order is done when both are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from carbon.models import LedgerEntry
from orderhub.fulfillment.models import FulfillmentOrder
from routing.models import Decision
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold
from tracking.models import TimelineEntry

pytestmark = pytest.mark.django_db


def test_two_warehouses_ship_one_order(hub_clock: make.Clock) -> None:
    make.network(units=0)
    make.stock({"HGH": {"LAMP": 5}, "CAN": {"CUP": 5}})
    (order,) = make.place(make.draft(lines={"LAMP": 1, "CUP": 2}, to=cast.FANG))

    make.run_until_idle()

    near, far = FulfillmentOrder.objects.order_by("warehouse__code").reverse()
    assert [(row.warehouse.code, row.lines.get().sku.code) for row in (near, far)] == [
        ("HGH", "LAMP"),
        ("CAN", "CUP"),
    ]
    decision = Decision.objects.get()
    assert Decimal(decision.plan["terms"]["split"]) > 0
    assert TimelineEntry.objects.get(milestone="SPLIT").facts["n"] == 2

    make.tell(near, "ship", tracking_number="T-NEAR")
    order = make.fresh(order)
    assert order.stage == "partially_shipped"
    make.tell(near, "deliver", tracking_number="T-NEAR")
    order = make.fresh(order)
    assert order.stage == "partially_delivered"

    make.play(hub_clock)

    order = make.fresh(order)
    assert order.stage == "delivered"
    assert sorted(order.fulfillments.values_list("state", flat=True)) == ["delivered", "delivered"]
    assert make.shelf("HGH", "LAMP") == (4, 0)
    assert make.shelf("CAN", "CUP") == (3, 0)
    assert make.kinds_of(order).count("parcel.delivered") == 2
    for line in order.lines.all():
        assert LedgerEntry.objects.filter(order_line=line, basis="actual").exists()
    replay.assert_told(order)
    assert_all_hold()
