"""A new warehouse is a row in a table: orders near it go there from then on, without a line of code."""

from __future__ import annotations

from collections import Counter

import pytest

from orderhub.connectors.models import Connection
from orderhub.events.models import Delivery
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory.models import Warehouse, WarehouseDay
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def site_of(number: str) -> str:
    """Which warehouse got the order."""
    return FulfillmentOrder.objects.get(order__external_id=number).warehouse.code


def test_orders_go_to_the_new_warehouse_through_its_own_connection(hub_clock: make.Clock) -> None:
    alice = make.merchant()
    make.channel()
    make.rate_card()
    old_system = make.connection()
    make.stock({"HGH": {"LAMP": 10}})
    old_system.warehouses.add(make.warehouse("HGH"))
    make.place(make.draft("before", to=cast.MEI))
    make.run_until_idle()
    assert site_of("before") == "HGH"

    make.stock({"CTU": {"LAMP": 10}})
    new_system = Connection.objects.create(
        merchant=alice, code="wms2", name="成都 WMS", kind="simulator", config={"trouble": 0}
    )
    new_system.warehouses.add(make.warehouse("CTU"))
    make.place(make.draft("after", to=cast.MEI))
    make.run_until_idle()

    assert site_of("after") == "CTU"
    pushes = Delivery.objects.filter(subscriber="connectors.push").order_by("pk")
    assert list(pushes.values_list("destination", "state")) == [
        (str(old_system.pk), "done"),
        (str(new_system.pk), "done"),
    ]

    make.play(hub_clock)

    assert set(FulfillmentOrder.objects.values_list("state", flat=True)) == {"delivered"}
    assert_all_hold()


def test_a_frozen_warehouse_gets_nothing_more(hub_clock: make.Clock) -> None:
    make.network()
    Warehouse.objects.filter(code="HGH").update(is_frozen=True)

    (order,) = make.place(make.draft("A1", to=cast.FANG))
    make.play(hub_clock)

    assert site_of("A1") != "HGH"
    assert make.shelf("HGH", "LAMP") == (100, 0)
    replay.assert_told(order)


def test_a_full_day_takes_no_more(hub_clock: make.Clock) -> None:
    make.network()
    Warehouse.objects.filter(code="HGH").update(capacity_per_day=2)

    make.place(*(make.draft(f"A{number}", to=cast.FANG) for number in range(5)))
    make.run_until_idle()

    days = FulfillmentOrder.objects.filter(warehouse__code="HGH").values_list("capacity_date", flat=True)
    assert Counter(f"{day:%m-%d}" for day in days) == {"11-22": 2, "11-23": 2, "11-24": 1}
    assert set(WarehouseDay.objects.filter(warehouse__code="HGH").values_list("parcels", flat=True)) == {2, 1}
    assert_all_hold()
