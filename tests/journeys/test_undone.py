"""What was done by mistake is undone while nothing has left: each verb, there and back, and too late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services
from orderhub.orders.models import Order
from tests import make
from tests.journeys.invariants import assert_all_hold
from tests.journeys.test_exchanged import ask, preview
from tests.journeys.test_merged import two_orders
from tests.journeys.test_split_by_hand import held_order

pytestmark = pytest.mark.django_db


def state(order: Order) -> Any:
    """What a person would say of an order: stage, money, and the units of its lines by article."""
    found = make.fresh(order)
    lines = found.lines.filter(ordered__gt=0).select_related("sku").order_by("position")
    return (
        found.stage, found.goods_total, found.discount_total, found.total,
        [(x.position, x.sku.code, x.ordered, x.cancelled, x.line_total, x.discount) for x in lines],
    )  # fmt: skip


def undo(order: Order) -> Any:
    """Undo the last deed, and let the hub work."""
    answer = ask(order, "undo", {})
    make.run_until_idle()
    return answer


def test_a_split_is_joined_again_to_the_cent(hub_clock: make.Clock) -> None:
    order = held_order()
    before = state(order)
    ask(
        order,
        "split",
        {"lines": [{"position": 1, "quantity": 2}, {"position": 2, "quantity": 1}], "reason": "x"},
    )
    part = Order.objects.get(split_from=order)

    foretold = preview(order, "undo", {})
    answer = undo(order)

    assert f"Order {part.number} ends; another one ships for it." in foretold["sentences"]
    assert answer.status_code == 200
    assert state(order) == before
    part = make.fresh(part)
    assert (part.stage, part.merged_into_id, part.total) == ("merged", order.pk, Decimal(0))
    ask(order, "release", {})
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    assert_all_hold()


def test_a_merge_is_parted_again_into_the_orders_it_came_from(hub_clock: make.Clock) -> None:
    first, other = two_orders(hub_clock)
    before = state(first), state(other)
    ask(first, "merge", {"orders": [other.pk], "reason": "x"})

    answer = undo(first)

    assert answer.status_code == 200
    assert (state(first), state(other)) == before
    assert make.fresh(other).merged_into_id is None
    hub_clock.advance(minutes=12)
    make.play(hub_clock)
    assert [make.fresh(x).stage for x in (first, other)] == ["delivered", "delivered"]
    assert_all_hold()


def test_holding_and_releasing_undo_each_other(hub_clock: make.Clock) -> None:
    order = held_order()
    assert undo(order).status_code == 200
    assert make.fresh(order).stage == "released"
    assert undo(order).json()["code"] == "nothing_to_undo"

    order = make.place(make.draft("T2", lines={"LAMP": 1}))[0]
    services.hold([order.pk], reason="customer", detail="", actor="user:li", now=make.NOW)
    make.run_until_idle()
    ask(order, "release", {"reason": "ok"})
    answer = undo(order)
    assert answer.status_code == 200
    assert make.fresh(order).stage == "reviewing"


def test_a_released_order_moves_to_chengdu_and_back(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    assert FulfillmentOrder.objects.get().warehouse.code == "HGH"

    foretold = preview(order, "move", {"warehouse": "CTU", "reason": "x"})
    answer = ask(order, "move", {"warehouse": "CTU", "reason": "x"})
    make.run_until_idle()

    assert [(x["operation"], x["when"]) for x in foretold["systems"]] == [
        ("cancel", "now"),
        ("release", "if_agreed"),
    ]
    assert foretold["orders"][0]["after"]["fulfillment_orders"][0]["warehouse"] == "成都市仓"
    assert answer.status_code == 200
    assert [(x.warehouse.code, x.state) for x in FulfillmentOrder.objects.order_by("pk")] == [
        ("HGH", "cancelled"), ("CTU", "released"),
    ]  # fmt: skip
    assert (make.shelf("HGH", "LAMP"), make.shelf("CTU", "LAMP")) == ((100, 0), (100, 1))
    assert ask(order, "move", {"warehouse": "CTU"}).json()["code"] == "already_there"

    assert undo(order).status_code == 200
    work = FulfillmentOrder.objects.latest("pk")
    assert (work.warehouse.code, work.state) == ("HGH", "released")
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    assert_all_hold()


def test_moving_to_an_empty_shelf_is_refused(hub_clock: make.Clock) -> None:
    make.network()
    make.stock({"CTU": {"LAMP": 0}})
    (order,) = make.place()
    make.run_until_idle()

    answer = ask(order, "move", {"warehouse": "CTU"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_stock_there")
    assert ask(order, "move", {"warehouse": "NOWHERE"}).json()["code"] == "unknown_warehouse"
    assert make.fresh(order).only_at_id is None


@pytest.mark.parametrize("is_released", [False, True])
def test_a_cancelled_order_is_restored_with_its_holds(is_released: bool, hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft("A1", lines={"LAMP": 2}))
    if not is_released:
        services.hold([order.pk], reason="manual", detail="", actor="user:li", now=make.NOW)
    make.run_until_idle()
    before = state(order)
    ask(order, "cancel", {"reason": "买错了"})
    make.run_until_idle()
    assert make.fresh(order).stage == "cancelled"
    hub_clock.advance(minutes=5)

    answer = undo(order)

    assert answer.status_code == 200
    assert state(order) == before
    assert order.holds.filter(released_at=None).count() == (0 if is_released else 1)
    ask(order, "release", {})
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    assert_all_hold()


def test_what_has_left_or_was_paid_back_is_not_undone(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft("A1", lines={"LAMP": 2, "CUP": 1}))
    make.run_until_idle()
    ask(order, "cancel-units", {"lines": [{"position": 1, "quantity": 1}]})
    make.play(hub_clock)
    assert make.fresh(order).stage == "delivered"
    before = make.kinds_of(order)
    refused = undo(order).json()
    assert (refused["code"], bool(refused["remedy"])) == ("already_shipped", True)
    assert make.kinds_of(order) == before

    (other,) = make.place(make.draft("A2"))
    ask(other, "cancel", {"reason": "x"})
    Order.objects.filter(pk=other.pk).update(payment="refunded")
    assert undo(other).json()["code"] == "refund_sent"


def test_only_what_the_caller_saw_is_undone(hub_clock: make.Clock) -> None:
    order = held_order()
    seq = order.holds.count() + 99

    assert ask(order, "undo", {"seq": seq}).json()["code"] == "nothing_to_undo"
    stale = make.client(order.merchant).post(
        f"/api/v1/orders/{order.pk}/undo/", {}, format="json", headers={"If-Match": '"v0-x"'}
    )
    assert stale.status_code == 412
    assert make.fresh(order).stage == "reviewing"
