"""An order that nobody can ship waits in the queue and is tried again when goods arrive, the oldest first."""

from __future__ import annotations

import pytest

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.orders import queries
from orderhub.orders.models import Order
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def stages() -> dict[str, str]:
    """Stage by the channel's number."""
    return dict(Order.objects.values_list("external_id", "stage"))


def test_the_oldest_waiting_order_gets_what_arrives(hub_clock: make.Clock) -> None:
    make.network(units=0)
    for number in ("first", "second"):
        make.place(make.draft(number))
        make.run_until_idle()
        hub_clock.advance(minutes=1)

    first, second = Order.objects.order_by("pk")
    assert stages() == {"first": "backordered", "second": "backordered"}
    assert (first.step, first.step_state, first.waiting_for) == ("routing.route", "waiting", "stock")
    assert queries.pool(waiting_for="stock", now=hub_clock.now()).count() == 2
    assert not FulfillmentOrder.objects.exists()

    hub_clock.advance(hours=5)
    make.stock({"CTU": {"LAMP": 1}})
    make.run_until_idle()

    assert stages() == {"first": "released", "second": "backordered"}
    assert make.shelf("CTU", "LAMP") == (1, 1)
    assert make.kinds_of(first) == [
        "order.placed", "order.backordered", "order.rerouted", "routing.decided", "fulfillment.reserved",
        "fulfillment.released",
    ]  # fmt: skip
    assert make.kinds_of(second) == ["order.placed", "order.backordered"]

    make.stock({"HGH": {"LAMP": 10}})
    make.play(hub_clock)

    assert stages() == {"first": "delivered", "second": "delivered"}
    assert make.shelf("CTU", "LAMP") == (0, 0)
    assert make.shelf("HGH", "LAMP") == (9, 0)
    replay.assert_told(first, second)
    assert_all_hold()


def test_other_goods_wake_nobody(hub_clock: make.Clock) -> None:
    make.network(units=0)
    (order,) = make.place()
    make.run_until_idle()

    make.stock({"HGH": {"CUP": 50}})
    make.run_until_idle()

    assert make.kinds_of(order) == ["order.placed", "order.backordered"]


def test_what_is_there_ships_and_the_rest_follows(hub_clock: make.Clock) -> None:
    make.network(units=0)
    make.stock({"HGH": {"LAMP": 1}})
    (order,) = make.place(make.draft(lines={"LAMP": 3}, to=cast.FANG))
    make.play(hub_clock)
    order = make.fresh(order)
    line = order.lines.get()

    assert order.stage == "partially_delivered"
    assert (line.ordered, line.backordered, line.shipped, line.delivered) == (3, 2, 1, 1)

    make.stock({"HGH": {"LAMP": 5}})
    make.play(hub_clock)

    order = make.fresh(order)
    line.refresh_from_db()
    assert (order.stage, line.backordered, line.delivered) == ("delivered", 0, 3)
    assert make.shelf("HGH", "LAMP") == (3, 0)
    replay.assert_told(order)
    assert_all_hold()


def test_an_order_goes_on_when_its_warehouse_is_reopened(hub_clock: make.Clock) -> None:
    make.network()
    Warehouse.objects.update(is_frozen=True)
    (order,) = make.place()
    make.run_until_idle()
    assert make.fresh(order).stage == "backordered"

    Warehouse.objects.update(is_frozen=False)
    inventory.tell_changed(list(Warehouse.objects.all()), actor="user:ops", now=clock.now())
    make.run_until_idle()

    assert make.fresh(order).stage == "released"
    assert_all_hold()
