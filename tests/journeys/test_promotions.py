"""满300减50, 第二件半价 and a member gift on the eve of a sale: published, priced, shipped, split, swapped and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import FulfillmentLine
from orderhub.orders import services
from orderhub.orders.models import Order, OrderLine, PromotionCounter
from orderhub.orders.promotions import explaining
from rules import services as rules
from rules.models import Rule, RuleSet
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold
from tests.orders.promotion_cases import do, when

pytestmark = pytest.mark.django_db
GOLD = when("customer.level", "==", "gold")


def sale(merchant: Merchant, *, gift: str = "CUP") -> RuleSet:
    """The three promotions of the eve, in force."""
    made, new = RuleSet.objects.get_or_create(
        scope=f"merchant:{merchant.pk}", code="eve", defaults={"name": "大促前夜", "purpose": "price"}
    )
    if new:
        _rule(
            made,
            "full",
            1,
            "满300减50",
            do("threshold_off", full="300", off="50"),
            do("limit_uses", total=100, each=5),
        )
        _rule(made, "half", 2, "第二件半价", do("nth_price", nth=2, percent=50, skus=["LAMP"]))
        _rule(made, "gift", 3, "会员赠品", do("gift", skus=[gift]), condition=GOLD)
    made.rules.filter(code="gift").update(actions=[do("gift", skus=[gift])])
    rules.publish(made, None, now=make.NOW)
    return made


def _rule(made: RuleSet, code: str, priority: int, name: str, *then: Any, condition: Any = None) -> None:
    Rule.objects.create(
        ruleset=made, code=code, name=name, priority=priority, actions=list(then), condition=condition or {}
    )


def lines(order: Order) -> list[tuple[str, int, str]]:
    """SKU, units and discount of each line."""
    rows = OrderLine.objects.filter(order=order).order_by("position").select_related("sku")
    return [(row.sku.code, row.ordered, str(row.discount)) for row in rows]


def test_the_very_next_order_is_priced_explained_and_shipped_with_its_gift(hub_clock: make.Clock) -> None:
    house = make.network()
    made = sale(house)

    [first] = make.place(make.draft("A1", lines={"LAMP": 2}, extra={"member_level": "gold"}))
    make.run_until_idle()

    # Two lamps at 159: 50 off, then half of what the second still costs (134).
    assert lines(first) == [("LAMP", 2, "117.00"), ("CUP", 1, "0.00")]
    assert make.fresh(first).total == Decimal("201.00")
    shipped = FulfillmentLine.objects.filter(order_line__order=first).order_by("order_line__position")
    assert [(row.order_line.sku.code, row.quantity) for row in shipped] == [("LAMP", 2), ("CUP", 1)]
    told = explaining.told(first.pricing.explanation)
    assert [one["text"] for one in told["applied"]] == [
        "满300减50：减 50.00 CNY", "第二件半价：减 67.00 CNY", "会员赠品：赠 CUP ×1",
    ]  # fmt: skip

    answer = make.client(house, language="en").get(f"/api/v1/orders/{first.pk}/pricing/")
    said = answer.json()
    assert (answer.status_code, said["versions"], said["discount"]) == (200, {"eve": 1}, "117.00")
    assert [line["off"] for line in said["lines"]] == ["117.00"]
    assert [one["lines"] for one in said["applied"]] == [{"1": "50.00"}, {"1": "67.00"}, {}]
    assert said["gifts"] == [{"promotion": "eve/gift", "sku": "CUP", "units": 1, "position": 2}]

    sale(house, gift="QUILT")
    [second] = make.place(make.draft("A2", lines={"LAMP": 2}, extra={"member_level": "gold"}))
    make.run_until_idle()
    rules.roll_back(made, 1, None, now=make.NOW)
    [third] = make.place(make.draft("A3", lines={"LAMP": 2}, extra={"member_level": "gold"}))
    make.play(hub_clock)

    assert [line[0] for line in lines(second)] == ["LAMP", "QUILT"]
    assert [line[0] for line in lines(third)] == ["LAMP", "CUP"]
    assert [make.fresh(x).rule_versions["eve"] for x in (first, second, third)] == [1, 2, 3]
    assert {make.fresh(x).stage for x in (first, second, third)} == {"delivered"}
    replay.assert_told(first, second, third)
    assert_all_hold()


def test_discount_and_gift_survive_a_split_and_a_cancelled_order_gives_its_use_back(
    hub_clock: make.Clock,
) -> None:
    house = make.network()
    sale(house)
    [order] = make.place(make.draft("A1", lines={"LAMP": 3, "QUILT": 1}, extra={"member_level": "gold"}))
    services.hold([order.pk], reason="manual", detail="拆单", actor="user:li", now=make.NOW)
    make.run_until_idle()

    body = {"lines": [{"position": 1, "quantity": 1}], "reason": "分开送"}
    answer = make.client(house).post(f"/api/v1/orders/{order.pk}/split/", body, format="json")

    part = Order.objects.get(pk=answer.json()["id"])
    both = [make.fresh(order), make.fresh(part)]
    assert sum(x.goods_total for x in both) == Decimal("1176.00")
    assert sum(x.discount_total for x in both) == sum(
        Decimal(off) for x in both for _sku, _units, off in lines(x)
    )
    assert [sku for sku, _units, _off in lines(order)] == ["LAMP", "QUILT", "CUP"]
    used = PromotionCounter.objects.get(customer="")
    assert used.used == 1

    told = make.client(house).get(f"/api/v1/orders/{part.pk}/pricing/").json()
    assert (told["order"], told["goods"]) == (order.pk, "1176.00")

    services.cancel([order.pk], reason="", actor="user:li", now=make.NOW)
    used.refresh_from_db()
    assert used.used == 1  # its part goes on with the price
    assert_all_hold()
