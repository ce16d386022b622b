"""An operator parts an order before any warehouse has it; both parts ship, and nothing is lost between them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderhub.access.models import Merchant
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services, sharing
from orderhub.orders.models import Hold, Order
from rules import services as rules
from rules.models import Rule, RuleSet
from tests import make
from tests.fulfillment import builders
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def held_order(number: str = "T1", **fields: Any) -> Order:
    """Three lamps and a quilt, stopped by hand before anything happens to them."""
    make.network()
    (order,) = make.place(make.draft(number, lines={"LAMP": 3, "QUILT": 1}, **fields))
    services.hold([order.pk], reason="manual", detail="拆单", actor="user:li", now=make.NOW)
    make.run_until_idle()
    return make.fresh(order)


def split(order: Order, *portions: tuple[int, int], key: str = "", reason: str = "分开送") -> Any:
    """Ask by API for units (position, quantity) to go on their own."""
    lines = [{"position": position, "quantity": quantity} for position, quantity in portions]
    headers = {"Idempotency-Key": key} if key else {}
    body = {"lines": lines, "reason": reason}
    return make.client(order.merchant).post(
        f"/api/v1/orders/{order.pk}/split/", body, format="json", headers=headers
    )


def money_of(*orders: Order) -> tuple[Decimal, Decimal, Decimal]:
    """Goods, discount and total of these orders together."""
    rows = [make.fresh(order) for order in orders]
    return (
        sum((row.goods_total for row in rows), Decimal(0)),
        sum((row.discount_total for row in rows), Decimal(0)),
        sum((row.total for row in rows), Decimal(0)),
    )


def ten_percent_off_large_orders(merchant: Merchant) -> None:
    """From 1,000 on: 10 % off, and 33.33 on top."""
    ruleset = RuleSet.objects.create(
        scope=f"merchant:{merchant.pk}", code="sale", name="满减", purpose="price"
    )
    Rule.objects.create(
        ruleset=ruleset, code="large", name="满千", priority=1,
        condition={"fact": "order.total", "op": ">=", "value": "1000"},
        actions=[
            {"do": "percent_off", "with": {"value": 10}}, {"do": "amount_off", "with": {"value": "33.33"}},
        ],
    )  # fmt: skip
    rules.publish(ruleset, actor=None, note="", now=make.NOW)


def test_two_lamps_go_ahead_and_the_rest_follows(hub_clock: make.Clock) -> None:
    order = held_order()

    answer = split(order, (1, 2))

    part = Order.objects.get(split_from=order)
    assert (answer.status_code, answer.json()["id"]) == (201, part.pk)
    assert answer.headers["Location"] == f"/api/v1/orders/{part.pk}/"
    assert (part.external_id, part.source) == ("T1~1", f"split:{order.pk}")
    assert (part.person_id, part.payment, part.stage) == (order.person_id, "paid", "reviewing")
    assert [(x.position, x.ordered, x.open) for x in order.lines.order_by("position")] == [
        (1, 1, 1),
        (2, 1, 1),
    ]
    assert [(x.position, x.ordered, x.open) for x in part.lines.all()] == [(1, 2, 2)]
    assert money_of(order, part) == (Decimal("1176.00"), Decimal(0), Decimal("1176.00"))
    assert make.fresh(part).total == Decimal("318.00")
    # The part is held as the whole was: splitting leads around no check.
    assert [hold.reason for hold in Hold.objects.filter(order=part, released_at=None)] == ["manual"]

    services.release_holds([order.pk, part.pk], actor="user:li", now=hub_clock.now())
    make.play(hub_clock)

    # The buyer's link leads to both.
    page = make.client(order.merchant).get(f"/t/{sharing.token(order)}/?lang=en").content.decode()
    assert "Each part ships on its own" in page
    assert sharing.tracking_path(part) in page
    back = make.client(order.merchant).get(f"/t/{sharing.token(part)}/?lang=en").content.decode()
    assert sharing.tracking_path(order) in back
    assert {make.fresh(order).stage, make.fresh(part).stage} == {"delivered"}
    assert make.shelf("HGH", "LAMP") == (97, 0)
    assert make.kinds_of(part)[:2] == ["order.split_off", "order.hold_released"]
    replay.assert_told(order, part)
    assert_all_hold()


def test_a_discount_is_parted_to_the_cent_and_worked_out_once(hub_clock: make.Clock) -> None:
    order = held_order()
    ten_percent_off_large_orders(order.merchant)

    split(order, (1, 1))

    part = Order.objects.get(split_from=order)
    assert money_of(order, part) == (Decimal("1176.00"), Decimal("150.93"), Decimal("1025.07"))
    assert part.discount_total == Decimal("20.41")

    services.release_holds([order.pk, part.pk], actor="user:li", now=hub_clock.now())
    make.play(hub_clock)

    # Neither part reaches 1,000 by itself, and still nobody pays more or less than before.
    assert money_of(order, part) == (Decimal("1176.00"), Decimal("150.93"), Decimal("1025.07"))
    assert_all_hold()


def test_what_is_in_stock_need_not_wait_for_the_rest(hub_clock: make.Clock) -> None:
    make.network(units=0)
    make.stock({"HGH": {"QUILT": 5}})
    (order,) = make.place(make.draft("T2", lines={"LAMP": 2, "CUP": 1}))
    make.run_until_idle()
    assert make.fresh(order).stage == "backordered"
    make.stock({"HGH": {"CUP": 1}})

    answer = split(order, (2, 1))
    make.run_until_idle()

    part = Order.objects.get(pk=answer.json()["id"])
    assert (make.fresh(order).stage, part.stage) == ("backordered", "released")
    assert make.shelf("HGH", "CUP") == (1, 1)
    replay.assert_told(order, part)
    assert_all_hold()


def test_a_plan_is_taken_back_and_made_afresh_for_both(hub_clock: make.Clock) -> None:
    order = held_order()
    services.release_holds([order.pk], actor="user:li", now=hub_clock.now())
    builders.run_steps([make.fresh(order)], until="fulfillment.reserve", now=hub_clock.now())
    assert make.shelf("HGH", "LAMP") == (100, 3)

    answer = split(order, (1, 1), (2, 1))

    assert answer.status_code == 201
    assert make.shelf("HGH", "LAMP") == (100, 0)
    assert FulfillmentOrder.objects.get().state == "cancelled"
    make.run_until_idle()
    part = Order.objects.get(split_from=order)
    assert make.shelf("HGH", "LAMP") == (100, 3)
    assert {make.fresh(order).stage, part.stage} == {"released"}
    make.play(hub_clock)
    replay.assert_told(order, part)
    assert_all_hold()


def test_the_same_key_again_makes_no_second_part(hub_clock: make.Clock) -> None:
    order = held_order()

    first, again = split(order, (1, 1), key="k1"), split(order, (1, 1), key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("portions", "code"),
    [
        ([(1, 3), (2, 1)], "nothing_stays"), ([(1, 4)], "too_many_units"), ([(9, 1)], "unknown_line"),
    ],
)  # fmt: skip
def test_a_split_that_cannot_be_is_refused(portions: list[tuple[int, int]], code: str) -> None:
    order = held_order()
    told = Event.objects.count()

    answer = split(order, *portions)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert Event.objects.count() == told
    assert Order.objects.count() == 1


def test_what_a_warehouse_has_is_not_split_any_more(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(lines={"LAMP": 2}))
    make.run_until_idle()
    told = make.kinds_of(order)

    answer = split(order, (1, 1))

    assert (answer.status_code, answer.json()["code"]) == (409, "already_released")
    assert answer.json()["remedy"]
    assert make.kinds_of(order) == told
    assert Order.objects.count() == 1


def test_an_unpaid_order_stays_whole(hub_clock: make.Clock) -> None:
    order = held_order(paid=False, paid_at=None)

    answer = split(order, (1, 1))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_paid")
    assert Order.objects.count() == 1
