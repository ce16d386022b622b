"""Promotions on real orders: sums, gifts, limits, explanations, versions, and what a cancelled order gives back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.orders import services, steps
from orderhub.orders.models import Order, OrderLine, Pricing, PromotionCounter, PromotionUse
from orderhub.orders.promotions import explaining
from rules import services as rules
from rules.flow import Context
from rules.models import Rule, RuleSet
from tests.orders import builders as make
from tests.orders.promotion_cases import do, when

pytestmark = pytest.mark.django_db


def publish(*bodies: dict[str, Any], code: str = "sale", scope: str = "", **options: Any) -> RuleSet:
    """A set of promotions in force; each body is the fields of a rule."""
    made, _new = RuleSet.objects.get_or_create(
        code=code, scope=scope, defaults={"name": code, "purpose": "price"}
    )
    made.rules.all().delete()
    for number, body in enumerate(bodies):
        fields = {"code": f"r{number}", "name": f"优惠{number}", "priority": number, **body}
        Rule.objects.create(ruleset=made, **fields)
    rules.publish(made, None, now=make.NOW, **options)
    return made


def price(*numbers: str, now: Any = make.NOW) -> None:
    """Run the pricing step over these orders, or all."""
    rows = Order.objects.filter(external_id__in=numbers) if numbers else Order.objects.all()
    steps.price(list(rows.order_by("pk")), Context(now, "system"))


def the(number: str = "T1") -> Order:
    return Order.objects.get(external_id=number)


def lines(number: str = "T1") -> list[tuple[str, int, str, str]]:
    """Per line: SKU, units, line total, discount."""
    rows = OrderLine.objects.filter(order__external_id=number).order_by("position")
    return [(x.sku.code, x.ordered, str(x.line_total), str(x.discount)) for x in rows.select_related("sku")]


def test_the_step_prices_the_order_and_remembers_how() -> None:
    publish(
        {
            "actions": [do("threshold_off", full="300", off="50")],
            "name": "满300减50",
            "name_en": "50 off 300",
        },
        {"actions": [do("nth_price", nth=2, percent=50, skus=["CUP"])], "name": "第二件半价"},
    )
    make.placed(make.draft(lines=[make.line(quantity=3), make.line("CUP", price="20", quantity=1)]))

    price()

    order = the()
    pricing = Pricing.objects.get()
    assert (order.total, order.rule_versions) == (Decimal("270.00"), {"sale": 1})
    assert lines() == [("TEA", 3, "300.00", "46.88"), ("CUP", 1, "20.00", "3.12")]
    assert pricing.versions == {"sale": 1}
    [applied], [skipped] = pricing.explanation["applied"], pricing.explanation["skipped"]
    assert (applied["promotion"], applied["version"], applied["lines"]) == (
        "sale/r0",
        1,
        {"1": "46.88", "2": "3.12"},
    )
    assert (skipped["code"], skipped["facts"]) == ("too_few_units", {"needs": 2, "has": 1})
    told = explaining.told(pricing.explanation)
    assert told["applied"][0]["text"] == "满300减50：减 50.00 CNY"
    assert told["skipped"][0]["text"] == "第二件半价：需要 2 件，购物车中有 1 件"


def test_a_gift_becomes_a_line_that_ships_and_costs_nothing() -> None:
    make.sku("HAT"), make.sku("PEN")
    make.stock("PEN", units=5)
    publish({"actions": [do("gift", skus=["HAT", "PEN"], units=2)]})
    [order] = make.placed()

    price()
    price()

    assert lines() == [("TEA", 1, "100.00", "0.00"), ("PEN", 2, "0.00", "0.00")]
    assert the().total == Decimal(100)
    assert Pricing.objects.get().gifts == [{"promotion": "sale/r0", "sku": "PEN", "units": 2, "position": 2}]
    assert make.last_event(order).payload["gifts"] == ["PEN×2"]
    assert Event.objects.filter(kind="order.priced").count() == 1


def test_a_gift_that_is_swapped_replaces_the_line_and_one_that_ends_removes_it() -> None:
    make.sku("HAT")
    make.stock("HAT", units=9), make.stock("PEN", units=9)
    publish({"actions": [do("gift", skus=["HAT"])]})
    make.placed()
    price()
    publish({"actions": [do("gift", skus=["PEN"])]})

    price()
    swapped = lines()
    publish({"actions": [do("amount_off", value="1")]})
    price()

    assert swapped == [("TEA", 1, "100.00", "0.00"), ("PEN", 1, "0.00", "0.00")]
    assert lines() == [("TEA", 1, "100.00", "1.00")]
    assert Pricing.objects.get().versions == {"sale": 3}


def test_one_batch_never_gives_away_more_than_is_in_stock() -> None:
    make.stock("PEN", units=2)
    publish({"actions": [do("gift", skus=["PEN"])]})
    make.placed(*[make.draft(f"T{n}") for n in range(4)])

    price()

    assert [len(lines(f"T{n}")) for n in range(4)] == [2, 2, 1, 1]
    assert Pricing.objects.get(order=the("T3")).explanation["skipped"][0]["code"] == "no_gift"


def test_limits_hold_in_total_and_per_customer_and_pricing_again_counts_once() -> None:
    publish({"actions": [do("amount_off", value="5"), do("limit_uses", total=3, each=1)]})
    phones = ["138", "138", "139", "", "140", "141"]
    make.placed(*[make.draft(f"T{n}", phone=phone) for n, phone in enumerate(phones)])

    price()
    price()

    assert [str(the(f"T{n}").discount_total) for n in range(6)] == [
        "5.00",
        "0.00",
        "5.00",
        "0.00",
        "5.00",
        "0.00",
    ]
    codes = {n: Pricing.objects.get(order=the(f"T{n}")).explanation["skipped"] for n in (1, 3, 5)}
    assert {n: found[0]["code"] for n, found in codes.items()} == {
        1: "customer_used_up", 3: "unknown_customer", 5: "used_up",
    }  # fmt: skip
    assert PromotionCounter.objects.get(customer="").used == 3
    assert not PromotionCounter.objects.filter(customer__contains="138").exists()


def test_a_cancelled_order_gives_its_use_back_and_one_whose_part_lives_does_not() -> None:
    publish({"actions": [do("amount_off", value="5"), do("limit_uses", total=2)]})
    a, b = make.placed(make.draft("A"), make.draft("B"))
    price()
    Order.objects.filter(pk=b.pk).update(split_from=a.pk)

    services.cancel([a.pk], reason="", actor="user:li", now=make.NOW)
    still = PromotionCounter.objects.get().used
    services.cancel([b.pk], reason="", actor="user:li", now=make.NOW)

    assert (still, PromotionCounter.objects.get().used) == (2, 1)
    assert list(PromotionUse.objects.values_list("order__external_id", flat=True)) == ["A"]


def test_the_coupon_is_read_from_the_custom_fields_and_an_expired_one_is_explained() -> None:
    publish(
        {"condition": when("order.coupons", "contains", "SPRING"), "actions": [do("amount_off", value="5")]},
        {
            "condition": when("order.coupons", "contains", "SPRING"), "actions": [do("amount_off", value="7")],
            "valid_to": make.NOW,
        },
    )  # fmt: skip
    make.placed(make.draft("A", extra={"coupons": ["spring "]}), make.draft("B", extra={"coupons": 7}))

    price()

    assert [str(the(x).discount_total) for x in "AB"] == ["5.00", "0.00"]
    assert Pricing.objects.get(order=the("A")).explanation["skipped"][0]["code"] == "expired"


def test_a_version_that_is_published_for_later_counts_from_then_and_can_be_withdrawn() -> None:
    made = publish({"actions": [do("amount_off", value="5")]})
    later = make.NOW + timedelta(hours=1)
    publish({"actions": [do("amount_off", value="9")]}, effective_at=later)
    make.placed(make.draft("A"), make.draft("B"), make.draft("C"))

    price("A")
    price("B", now=later)
    waiting = made.versions.get(number=2)
    too_late = rules.withdraw(waiting, now=later)
    taken_back = rules.withdraw(waiting, now=make.NOW)
    price("C", now=later)

    assert [str(the(x).discount_total) for x in "ABC"] == ["5.00", "9.00", "5.00"]
    assert (too_late, taken_back) == (False, True)


def test_going_back_prices_the_next_order_by_the_older_version() -> None:
    made = publish({"actions": [do("amount_off", value="5")]})
    publish({"actions": [do("amount_off", value="9")]})
    make.placed(make.draft("A"), make.draft("B"))

    price("A")
    rules.roll_back(made, 1, None, now=make.NOW)
    price("B")

    assert [(str(the(x).discount_total), the(x).rule_versions) for x in "AB"] == [
        ("9.00", {"sale": 2}), ("5.00", {"sale": 3}),
    ]  # fmt: skip


def test_promotions_that_end_leave_no_discount_behind() -> None:
    made = publish({"actions": [do("amount_off", value="5")]})
    make.placed()
    price()
    RuleSet.objects.filter(pk=made.pk).update(is_active=False)

    price()

    assert (the().total, lines()) == (Decimal(100), [("TEA", 1, "100.00", "0.00")])


def test_a_promotion_that_no_longer_counts_gives_its_use_back_when_the_order_is_priced_again() -> None:
    publish({"actions": [do("amount_off", value="5"), do("limit_uses", total=1)]})
    make.placed(make.draft("A"), make.draft("B"))
    price()
    tighter = when("order.service", "==", "express")
    publish({"actions": [do("amount_off", value="5"), do("limit_uses", total=1)], "condition": tighter})

    price("A")

    assert PromotionCounter.objects.get().used == 0
    assert not PromotionUse.objects.exists()
    assert the("A").total == Decimal(100)


def test_priority_counts_across_sets() -> None:
    publish({"actions": [do("percent_off", value="50")], "priority": 2}, code="general")
    publish(
        {"actions": [do("amount_off", value="50")], "priority": 1},
        code="own",
        scope=f"merchant:{make.merchant().pk}",
    )
    make.placed()

    price()

    assert (the().total, the().rule_versions) == (Decimal(25), {"general": 1, "own": 1})


@pytest.mark.parametrize("size", [1, 20])
def test_pricing_with_gifts_and_limits_costs_a_fixed_number_of_statements(size: int) -> None:
    make.stock("PEN", units=50)
    publish(
        {"actions": [do("threshold_off", full="50", off="5"), do("limit_uses", total=100, each=1)]},
        {"actions": [do("gift", skus=["PEN"])]},
    )
    make.placed(*[make.draft(f"T{n}", phone=f"13{n}") for n in range(size)])
    orders = list(Order.objects.select_related("merchant", "channel", "person"))

    with CaptureQueriesContext(connection) as first:
        steps.price(orders, Context(make.NOW, "system"))

    assert Pricing.objects.count() == size
    statements = [found["sql"].split(" WHERE ")[0][:60] for found in first.captured_queries]
    # On SQLite a batch of rows is one prepared statement, told once for every row.
    assert len(set(statements)) <= 22
    assert connection.vendor == "sqlite" or len(statements) <= 22


def test_nothing_published_costs_one_query(django_assert_num_queries: Any) -> None:
    make.placed()
    orders = list(Order.objects.select_related("merchant", "channel", "person"))

    with django_assert_num_queries(1):
        steps.price(orders, Context(make.NOW, "system"))
