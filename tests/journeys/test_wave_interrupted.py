"""While an order waits for its wave it can be held, cancelled, moved, split and merged; a refusal waits for none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from tests import cast, make, waves
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db

WAITING = ("routed", "routing.wave", "waiting", "wave")


def waiting_order(number: str = "W1", **fields: Any) -> Order:
    """An order of Fang's that waits for the wave, its stock reserved next door."""
    make.network()
    (order,) = make.place(make.draft(number, **fields))
    make.run_until_idle()
    assert waves.standing(order) == WAITING
    return make.fresh(order)


def ask(order: Order, verb: str, body: dict[str, Any]) -> Any:
    """A verb of the API."""
    return make.client(order.merchant).post(f"/api/v1/orders/{order.pk}/{verb}/", body, format="json")


def release(time: make.Clock) -> None:
    """Let the wave go."""
    time.moment = waves.RELEASE
    make.run_until_idle()


def test_cancelled_before_the_wave_its_stock_is_free(hub_clock: make.Clock) -> None:
    waves.schedule()
    order = waiting_order()

    (outcome,) = fulfillment.cancel([order.pk], reason="asked", actor="user:li", now=hub_clock.now())
    release(hub_clock)

    assert outcome.done
    assert waves.standing(order) == ("cancelled", "", "done", "")
    assert make.shelf("HGH", "LAMP") == (100, 0)
    replay.assert_told(order)
    assert_all_hold()


def test_a_held_order_misses_the_wave_and_waits_for_the_next(hub_clock: make.Clock) -> None:
    waves.schedule()
    order = waiting_order()
    orders.hold([order.pk], reason="customer", actor="user:li", now=hub_clock.now())

    release(hub_clock)
    assert waves.standing(order) == ("reviewing", "routing.wave", "waiting", "hold")

    hub_clock.advance(hours=1)
    orders.release_holds([order.pk], actor="user:li", now=hub_clock.now())
    make.run_until_idle()
    assert waves.standing(order) == WAITING

    hub_clock.moment = waves.RELEASE + timedelta(days=1)
    make.run_until_idle()
    assert waves.standing(order)[0] == "released"
    replay.assert_told(order)
    assert_all_hold()


def test_a_new_address_is_routed_afresh_and_goes_with_the_same_wave(hub_clock: make.Clock) -> None:
    waves.schedule()
    order = waiting_order()
    assert waves.sources(order) == ["HGH reserved"]

    answer = ask(
        order,
        "address-changes",
        {"destination": cast.LEI.destination, "requested_by": "customer", "reason": "搬家"},
    )
    make.run_until_idle()

    assert answer.status_code == 201
    assert waves.standing(order) == WAITING
    assert waves.sources(order) == ["CAN reserved"]
    assert (make.shelf("HGH", "LAMP"), make.shelf("CAN", "LAMP")) == ((100, 0), (100, 1))

    release(hub_clock)
    assert waves.standing(order)[0] == "released"
    replay.assert_told(order)
    assert_all_hold()


def test_both_parts_of_a_split_order_go_with_the_wave(hub_clock: make.Clock) -> None:
    waves.schedule()
    order = waiting_order(lines={"LAMP": 3, "QUILT": 1})

    answer = ask(order, "split", {"lines": [{"position": 1, "quantity": 2}], "reason": "分开送"})
    make.run_until_idle()

    assert answer.status_code in (200, 201)
    part = Order.objects.get(split_from=order)
    assert (waves.standing(order), waves.standing(part)) == (WAITING, WAITING)
    assert make.shelf("HGH", "LAMP") == (100, 3)

    release(hub_clock)
    assert {waves.standing(order)[0], waves.standing(part)[0]} == {"released"}
    replay.assert_told(order, part)
    assert_all_hold()


def test_two_waiting_orders_are_merged_and_go_as_one(hub_clock: make.Clock) -> None:
    waves.schedule()
    first = waiting_order("W1")
    other = waiting_order("W2", lines={"CUP": 1})

    answer = ask(first, "merge", {"orders": [other.pk], "reason": "合单"})
    make.run_until_idle()

    assert answer.status_code == 200
    assert waves.standing(first) == WAITING
    assert waves.standing(other)[0] == "merged"

    release(hub_clock)
    assert waves.standing(first)[0] == "released"
    assert (make.shelf("HGH", "LAMP"), make.shelf("HGH", "CUP")) == ((100, 1), (100, 1))
    replay.assert_told(first, other)
    assert_all_hold()


def test_rerouted_by_hand_it_waits_again(hub_clock: make.Clock) -> None:
    waves.schedule()
    order = waiting_order()

    fulfillment.reroute([order.pk], reason="by hand", actor="user:li", now=hub_clock.now())
    make.run_until_idle()

    assert waves.standing(order) == WAITING
    assert make.shelf("HGH", "LAMP") == (100, 1)
    assert_all_hold()


def test_what_a_warehouse_refuses_goes_elsewhere_at_once(hub_clock: make.Clock) -> None:
    """The next wave is tomorrow; the refused order does not wait for it, others still do."""
    waves.schedule()
    order = waiting_order()
    release(hub_clock)
    hub_clock.advance(minutes=5)
    (later,) = make.place(make.draft("later"))
    make.run_until_idle()

    make.tell(FulfillmentOrder.objects.get(order=order), "reject", reason="damaged_stock")

    rows = FulfillmentOrder.objects.filter(order=order).order_by("pk")
    assert list(rows.values_list("warehouse__code", "state")) == [("HGH", "rejected"), ("CAN", "released")]
    assert waves.standing(order)[0] == "released"
    assert waves.standing(later) == WAITING
    replay.assert_told(order)
    assert_all_hold()


def test_a_refused_part_goes_elsewhere_while_another_order_waits(hub_clock: make.Clock) -> None:
    """Released before the merchant had waves, refused while it has: it waits for none."""
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    waves.schedule()
    other = waiting_order("other", lines={"CUP": 2})

    make.tell(FulfillmentOrder.objects.get(order=order), "short", lines=[{"sku": "LAMP", "quantity": 1}])

    assert waves.sources(other) == ["HGH reserved"]
    assert waves.standing(order)[0] == "released"
    assert waves.standing(other) == WAITING
    assert_all_hold()


def test_what_came_late_follows_without_waiting_again(hub_clock: make.Clock) -> None:
    waves.schedule()
    make.network(units=0)
    make.stock({"HGH": {"LAMP": 1}})
    (order,) = make.place(make.draft("W1", lines={"LAMP": 3}))
    make.run_until_idle()
    assert waves.standing(order)[1:] == WAITING[1:]

    release(hub_clock)
    assert make.fresh(order).waiting_for == "stock"
    hub_clock.advance(hours=1)
    make.stock({"HGH": {"LAMP": 5}})
    make.run_until_idle()

    rows = FulfillmentOrder.objects.filter(order=order)
    assert sorted(rows.values_list("state", flat=True))[0] in {"acknowledged", "released"}
    assert make.fresh(order).lines.get().released == 3
    assert_all_hold()
