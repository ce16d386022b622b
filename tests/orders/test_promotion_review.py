"""Before a promotion is published: what the review refuses and warns of, the replay, and carts tried on a draft."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from orderhub.access import services as access
from orderhub.inventory.models import Sku
from orderhub.orders import steps
from orderhub.orders.models import Order, Pricing, PromotionCounter, SkuCost
from orderhub.orders.promotions import trying
from orderhub.orders.promotions.trying import Trial, TriedLine
from rules import services as rules
from rules.engine import RuleError
from rules.flow import Context
from rules.models import Rule, RuleSet, RuleVersion
from tests.admin import desk
from tests.orders import builders as make
from tests.orders.promotion_cases import do, when

pytestmark = pytest.mark.django_db


def draft(*bodies: dict[str, Any], code: str = "sale", scope: str = "own") -> RuleSet:
    """A draft of the merchant's own; each body is the fields of a rule."""
    place = f"merchant:{make.merchant().pk}" if scope == "own" else scope
    made, _new = RuleSet.objects.get_or_create(
        code=code, scope=place, defaults={"name": code, "purpose": "price"}
    )
    made.rules.all().delete()
    for number, body in enumerate(bodies):
        Rule.objects.create(
            ruleset=made, **{"code": f"r{number}", "name": f"优惠{number}", "priority": number, **body}
        )
    return made


def found(ruleset: RuleSet) -> list[tuple[str, str, str]]:
    """Level, code and path of everything the review says."""
    return [(one.level, one.code, one.path) for one in rules.check(ruleset, now=make.NOW)]


def off(value: str = "5") -> dict[str, Any]:
    return do("amount_off", value=value)


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        (
            [{"group": "g", "priority": 1, "actions": [off()]}, {"group": "g", "priority": 1, "actions": [off()]}],
            [("error", "tie", "r1.priority"), ("warning", "unreachable", "r1.when")],
        ),
        (
            [{"condition": {"all": [when("order.total", ">", 9), when("order.total", "<", 5)]}, "actions": [off()]}],
            [("error", "never", "r0.when")],
        ),
        (
            [{"condition": when("order.currency", "==", "USD"), "actions": [off()]}],
            [("error", "currency", "r0.when")],
        ),
        ([{"actions": [do("gift", skus=["NONE"])]}], [("error", "unknown_sku", "r0.then.gift.skus")]),
        (
            [{"actions": [do("percent_off", value="5", skus=["NONE"])]}],
            [("warning", "unknown_sku", "r0.then.percent_off.skus")],
        ),
        (
            [{"stops": True, "actions": [off()]}, {"condition": when("order.total", ">", 9), "actions": [off()]}],
            [("warning", "unreachable", "r1.when")],
        ),
        ([{"valid_to": make.NOW, "actions": [off()]}], [("warning", "expired", "r0.valid_to")]),
        (
            [{"valid_from": make.NOW, "valid_to": make.NOW - timedelta(days=1), "actions": [off()]}],
            [("error", "never", "r0.valid_to"), ("warning", "expired", "r0.valid_to")],
        ),
        (
            [
                {"group": "g", "condition": when("order.total", ">", 9), "actions": [off()], "valid_from": make.NOW},
                {"group": "g", "actions": [off()]},
            ],
            [("warning", "overlap", "r1.valid_from")],
        ),
        ([{"actions": [do("threshold_off", full="-300", off="50")]}], [("error", "range", "r0.then[0].with.full")]),
        (
            [{"condition": when("order.extra.gone", "==", "x"), "actions": [off()]}],
            [("error", "unknown_fact", "r0.when.fact")],
        ),
        ([{"actions": [off()]}, {"condition": when("order.total", ">", 9), "actions": [off()]}], []),
    ],
)  # fmt: skip
def test_what_the_review_finds(bodies: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    assert found(draft(*bodies)) == expected


def test_a_tie_with_another_set_in_force_is_refused() -> None:
    rules.publish(draft({"group": "g", "actions": [off()]}, code="general", scope=""), None, now=make.NOW)

    assert found(draft({"group": "g", "actions": [off()]})) == [("error", "tie", "r0.priority")]
    assert found(draft({"group": "g", "priority": 7, "actions": [off()]})) == []
    # The set itself, published before, is no other.
    assert found(draft({"group": "g", "actions": [off()]}, code="general", scope="")) == []


def test_an_error_keeps_a_draft_from_being_published_and_a_warning_does_not() -> None:
    bad = draft({"actions": [do("gift", skus=["NONE"])]})
    with pytest.raises(RuleError) as refused:
        rules.publish(bad, None, now=make.NOW)
    assert refused.value.path == "r0.then.gift.skus"
    assert RuleVersion.objects.count() == 0

    assert rules.publish(draft({"valid_to": make.NOW, "actions": [off()]}), None, now=make.NOW).number == 1


def test_a_promotion_below_cost_is_named_with_price_and_cost() -> None:
    tea = make.sku()
    Sku.objects.filter(pk=tea.pk).update(price=Decimal("100.00"))
    SkuCost.objects.create(sku=tea, cost=Decimal("80.00"))

    [one] = rules.check(draft({"actions": [do("nth_price", nth=2, percent=50)]}), now=make.NOW)

    assert (one.level, one.code, one.en) == (
        "warning", "negative_margin", "TEA may go for 75.00 a unit, below its cost of 80.00",
    )  # fmt: skip
    assert found(draft({"actions": [do("percent_off", value="20")]})) == []


def test_the_replay_says_how_many_orders_of_the_last_day_would_have_changed_and_by_how_much() -> None:
    make.placed(
        make.draft("A", lines=[make.line(quantity=3)]),
        make.draft("B"),
        make.draft("C", lines=[make.line(quantity=4)]),
    )
    make.placed(make.draft("old", lines=[make.line(quantity=9)]), now=make.NOW - timedelta(hours=25))
    steps.price(list(Order.objects.all()), Context(make.NOW, "system"))

    told = rules.replay(draft({"actions": [do("threshold_off", full="300", off="50")]}), now=make.NOW)

    assert told is not None
    assert (told.looked_at, told.changed) == (3, 2)
    assert told.en == "of 3 orders of the last 24 hours, 2 would have changed, by −100.00 CNY"
    assert told.zh == "最近 24 小时的 3 个订单中，会改变 2 个，金额变化 −100.00 CNY"
    assert not Pricing.objects.exists()


def test_a_replay_puts_the_draft_in_the_place_of_its_set_and_counts_no_use() -> None:
    limited = draft({"actions": [off("5"), do("limit_uses", total=1)]})
    rules.publish(limited, None, now=make.NOW)
    make.placed(make.draft("A"), make.draft("B"))
    steps.price(list(Order.objects.order_by("pk")), Context(make.NOW, "system"))

    told = rules.replay(draft({"actions": [off("7")]}), now=make.NOW)

    assert told is not None
    assert (told.changed, told.en) == (
        2,
        "of 2 orders of the last 24 hours, 2 would have changed, by −9.00 CNY",
    )
    assert PromotionCounter.objects.get().used == 1


def trial(**more: Any) -> Trial:
    lines = [TriedLine(make.sku(), 3, Decimal(100)), TriedLine(make.sku("CUP"), 1, Decimal("20.00"))]
    return Trial(channel=make.channel(), lines=lines, province="浙江省", city="杭州市", **more)


def test_a_cart_is_tried_on_a_draft_line_by_line_and_nothing_is_written() -> None:
    make.stock("PEN", units=1)
    waiting = draft(
        {
            "actions": [do("threshold_off", full="300", off="50")],
            "name": "满300减50",
            "name_en": "50 off 300",
        },
        {
            "actions": [do("gift", skus=["PEN"])],
            "condition": when("customer.level", "==", "gold"),
            "name": "会员赠品",
        },
        {"actions": [off("5"), do("limit_uses", each=1)], "name": "首单"},
    )

    plain = trying.try_cart(trial(), now=make.NOW, draft=waiting)
    member = trying.try_cart(trial(member_level="gold", buyer="u1"), now=make.NOW, draft=waiting)

    assert [line["off"] for line in plain["lines"]] == ["46.88", "3.12"]
    assert [one["text"] for one in plain["applied"]] == ["满300减50：减 50.00 CNY"]
    assert [one["text"] for one in plain["skipped"]] == [
        "首单：每位顾客限次，而顾客身份未知", "会员赠品：会员等级未知",
    ]  # fmt: skip
    assert [one["text"] for one in member["applied"]] == [
        "满300减50：减 50.00 CNY", "会员赠品：赠 PEN ×1", "首单：减 5.00 CNY",
    ]  # fmt: skip
    assert not Order.objects.exists()
    assert not PromotionCounter.objects.exists()
    with translation.override("en"):
        english = trying.try_cart(trial(member_level="new"), now=make.NOW, draft=waiting)
    assert english["applied"][0]["text"] == "50 off 300: 50.00 CNY off"
    assert "会员赠品: member level is new, it needs = gold" in [one["text"] for one in english["skipped"]]


def test_the_api_tries_a_cart_and_names_what_is_wrong_with_it(api: Any) -> None:
    make.sku(), make.channel()
    Sku.objects.update(price=Decimal("100.00"))
    draft({"actions": [off("5")], "name": "五元"})
    _key, clear = access.issue_key(make.merchant(), name="k")
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {clear}")
    url = reverse("api:promotions-try")
    cart = {"lines": [{"sku": "TEA", "quantity": 2}], "channel": "tmall", "draft": "sale"}

    good = api.post(url, cart, format="json")
    bad = [api.post(url, {**cart, **change}, format="json") for change in (
        {"channel": "x"}, {"draft": "x"}, {"lines": [{"sku": "NONE", "quantity": 1}]}, {"lines": []}, {"surprise": 1},
    )]  # fmt: skip

    assert good.status_code == 200
    said = good.json()
    assert (said["goods"], said["discount"], said["lines"][0]["off"]) == ("200.00", "5.00", "5.00")
    assert said["applied"][0]["text"] == "五元：减 5.00 CNY"
    assert [answer.status_code for answer in bad] == [400] * 5


def test_the_page_before_publishing_shows_findings_and_replay_and_takes_a_time() -> None:
    client = desk.boss("en")
    waiting = draft({"actions": [off("5")], "valid_to": timezone.now() - timedelta(days=1)})
    url = reverse("admin:rules_ruleset_publish", args=(waiting.pk,))

    page = client.get(url).content.decode()
    refused = client.post(url, {"note": "x", "effective_at": "2020-01-01T00:00"})
    later = timezone.localtime(timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    client.post(url, {"note": "for later", "effective_at": f"{later:%Y-%m-%dT%H:%M}"})

    assert "is over already" in page
    assert "orders of the last 24 hours" in page
    assert "Give a time still to come" in refused.content.decode()
    version = RuleVersion.objects.get()
    assert (version.note, version.effective_at) == ("for later", later)
    shown = client.get(reverse("admin:rules_ruleversion_change", args=(version.pk,))).content.decode()
    assert "5 off" in shown
    client.post(reverse("admin:rules_ruleversion_withdraw", args=(version.pk,)))
    version.refresh_from_db()
    assert version.withdrawn_at is not None


def test_the_pricing_of_an_order_is_shown_in_words() -> None:
    client = desk.boss("en")
    rules.publish(draft({"actions": [off("5")], "name": "五元", "name_en": "Five"}), None, now=make.NOW)
    make.placed()
    steps.price(list(Order.objects.all()), Context(make.NOW, "system"))

    page = client.get(reverse("admin:orders_pricing_change", args=(Order.objects.get().pk,))).content.decode()

    assert "Five: 5.00 CNY off" in page
    assert "1. TEA ×1: 100.00 − 5.00" in page
