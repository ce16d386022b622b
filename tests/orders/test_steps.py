"""Screening and pricing: built-in holds, rule sets, sums to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.fields import queries as fields
from orderhub.orders import services, steps, vocabulary
from orderhub.orders.models import Hold, Order, OrderLine
from rules import services as rules
from rules.engine import RuleError
from rules.flow import NEXT, Context, Verdict
from rules.models import Rule, RuleSet
from tests.orders import builders as make

pytestmark = pytest.mark.django_db


def context() -> Context:
    """A run of its own, which keeps nothing of another test."""
    return Context(make.NOW, "system")


def ruleset(purpose: str, *bodies: dict[str, Any], code: str = "set", scope: str = "") -> RuleSet:
    made = RuleSet.objects.create(code=code, name=code, purpose=purpose, scope=scope)
    for number, body in enumerate(bodies):
        Rule.objects.create(ruleset=made, **{"code": f"r{number}", "name": "r", "priority": number, **body})
    rules.publish(made, None, now=make.NOW)
    return made


def hold(reason: str = "risk", **more: Any) -> dict[str, Any]:
    return {"do": "hold", "with": {"reason": reason, **more}}


def off(value: str, do: str = "amount_off") -> dict[str, Any]:
    return {"do": do, "with": {"value": value}}


def when(fact: str, op: str, value: Any) -> dict[str, Any]:
    return {"fact": fact, "op": op, "value": value}


def loaded() -> list[Order]:
    return list(Order.objects.select_related("merchant", "channel", "person").order_by("external_id"))


def screen() -> dict[str, Verdict]:
    orders = loaded()
    verdicts = steps.screen(orders, context())
    return {order.external_id: verdicts[order.pk] for order in orders}


def price() -> dict[int, Verdict]:
    return steps.price(loaded(), context())


def test_an_unpaid_order_waits_for_its_payment_and_a_paid_one_goes_on() -> None:
    make.placed(make.draft("paid"), make.draft("unpaid", paid=False, paid_at=None))

    verdicts = screen()

    assert (verdicts["paid"], verdicts["unpaid"].kind) == (NEXT, "wait")
    held = Hold.objects.select_related("order").get()
    assert (held.reason, held.order.external_id, held.order.stage) == (
        "awaiting_payment",
        "unpaid",
        "reviewing",
    )


def test_what_somebody_released_is_not_held_again() -> None:
    [order] = make.placed(make.draft(paid=False, paid_at=None))
    screen()
    services.release_holds([order.pk], note="cash on delivery", actor="user:li", now=make.NOW)

    verdicts = screen()

    assert verdicts == {"T1": NEXT}
    assert Hold.objects.count() == 1


def test_a_merge_window_holds_until_it_is_over() -> None:
    make.placed(make.draft(channel=make.channel("slow", merge_window_seconds=90)))

    screen()

    assert list(Hold.objects.values_list("reason", "until")) == [
        ("merge_window", make.NOW + timedelta(seconds=90))
    ]


def test_a_screening_rule_holds_what_it_describes() -> None:
    body = {"condition": when("order.total", ">=", "500"), "actions": [hold(detail="金额较大")]}
    ruleset("screen", body, code="risk")
    make.placed(make.draft("big", lines=[make.line(quantity=5)]), make.draft("small"))

    verdicts = screen()

    assert (verdicts["big"].kind, verdicts["small"]) == ("wait", NEXT)
    held = Hold.objects.select_related("order").get()
    assert (held.reason, held.detail, held.order.external_id) == ("risk", "金额较大", "big")
    assert list(Order.objects.values_list("rule_versions", flat=True)) == [{"risk": 1}] * 2


def test_several_rules_of_one_reason_are_one_hold_that_names_them_all() -> None:
    ruleset(
        "screen", {"actions": [hold()]}, {"actions": [hold(detail="b")]}, {"actions": [hold("compliance")]}
    )
    make.placed()

    screen()

    assert list(Hold.objects.order_by("pk").values_list("reason", "detail")) == [
        ("risk", "set/r0; b"), ("compliance", "set/r2"),
    ]  # fmt: skip


def test_many_orders_of_one_phone_in_a_day_are_counted() -> None:
    many = {"condition": when("customer.phone_orders_24h", ">=", 3), "actions": [hold()]}
    ruleset("screen", many)
    make.placed(make.draft("old", phone="139"), now=make.NOW - timedelta(hours=25))
    make.placed(make.draft("a", phone="138"), make.draft("b", phone="138"), make.draft("c", phone="139"))
    make.placed(make.draft("d", phone="138"), make.draft("e"), make.draft("f", phone="139"))

    verdicts = screen()

    assert {number for number, verdict in verdicts.items() if verdict.kind == "wait"} == {"a", "b", "d"}


def test_the_facts_of_an_order() -> None:
    make.placed(make.draft(province="Zhejiang", lines=[make.line(quantity=2), make.line("CUP")], green=True))
    [order] = loaded()

    facts = vocabulary.facts_of(
        [order], {order.pk: list(OrderLine.objects.select_related("sku"))}, now=make.NOW
    )

    found = facts[order.pk]
    assert (found["order.province"], found["order.hour"], found["order.green"]) == ("浙江", 10, True)
    assert (found["order.line_count"], found["order.unit_count"], found["order.skus"]) == (
        2,
        3,
        ["TEA", "CUP"],
    )
    assert set(found) == {fact.name for fact in vocabulary.FACTS} - {"customer.phone_orders_24h"}


def test_no_promotion_changes_nothing_and_tells_nothing() -> None:
    ruleset("price", {"condition": when("order.total", ">=", "500"), "actions": [off("50")]})
    [order] = make.placed()

    price()

    assert make.kinds_of(order) == ["order.placed"]
    assert (Order.objects.get().total, Order.objects.get().rule_versions) == (Decimal(100), {"set": 1})


def test_promotions_come_off_one_after_the_other_and_are_shared_by_value() -> None:
    ruleset("price", {"actions": [off("10", "percent_off")]}, {"actions": [off("5")]}, code="sale")
    [order] = make.placed(make.draft(lines=[make.line(quantity=2), make.line("CUP", price="33.33")]))

    price()

    found = Order.objects.get()
    assert (found.goods_total, found.discount_total, found.total) == (
        Decimal("233.33"), Decimal("28.33"), Decimal("205.00"),
    )  # fmt: skip
    assert list(OrderLine.objects.order_by("position").values_list("discount", flat=True)) == [
        Decimal("24.29"), Decimal("4.04"),
    ]  # fmt: skip
    assert make.last_event(order).payload == {
        "discount": "28.33", "total": "205.00", "rules": ["sale/r0", "sale/r1"], "stage": "received",
    }  # fmt: skip


def test_pricing_again_gives_the_same_and_tells_nothing_new() -> None:
    ruleset("price", {"actions": [off("5")]})
    make.placed()

    price()
    price()

    assert Order.objects.get().total == Decimal("95.00")
    assert Event.objects.filter(kind="order.priced").count() == 1


def test_a_merchants_own_promotion_is_not_anothers() -> None:
    other = make.merchant("other")
    ruleset("price", {"actions": [off("5")]}, scope=f"merchant:{other.pk}")
    make.placed()

    price()

    assert Order.objects.get().total == Decimal("100.00")


@pytest.mark.parametrize(
    ("purpose", "action", "path"),
    [
        ("price", off("0"), "r0.then[0].with.value"),
        ("price", off("101", "percent_off"), "r0.then[0].with.value"),
        ("screen", hold("boredom"), "r0.then[0].with.reason"),
        ("screen", off("5"), "r0.then[0].do"),
    ],
)
def test_senseless_actions_cannot_be_published(purpose: str, action: dict[str, Any], path: str) -> None:
    with pytest.raises(RuleError) as refused:
        ruleset(purpose, {"actions": [action]})

    assert refused.value.path == path
    assert refused.value.zh


def test_screening_and_pricing_cost_the_same_for_any_batch() -> None:
    ruleset("screen", {"condition": when("order.total", ">=", "1"), "actions": [hold()]})
    ruleset("price", {"actions": [off("5")]}, code="sale")
    costs = []
    for size in (1, 20):
        fields.forget()
        make.placed(*[make.draft(f"{size}-{n}", phone="1") for n in range(size)])
        orders = list(
            Order.objects.filter(external_id__startswith=f"{size}-").select_related(
                "merchant", "channel", "person"
            )
        )
        costs.append((_queries(steps.screen, orders), _queries(steps.price, orders)))

    assert costs[0] == costs[1]
    assert max(costs[0]) <= 16


def _queries(step: Any, orders: list[Order]) -> int:
    with CaptureQueriesContext(connection) as captured:
        step(orders, context())
    return len(captured)
