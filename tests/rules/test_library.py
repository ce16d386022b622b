"""The starter library: every ready-made promotion compiles, reads well, and gives what its worked cart says; copying."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orderhub.orders.compliance import rulebook
from orderhub.orders.compliance.engine import said
from orderhub.orders.compliance.models import ComplianceRule
from orderhub.orders.promotions import library, words
from orderhub.orders.promotions.engine import apply, build
from orderhub.orders.promotions.engine.deeds import KINDS
from orderhub.orders.promotions.engine.model import Cart, Line
from orderhub.orders.risk import policies
from orderhub.orders.vocabulary import FACTS
from rules.engine import Vocabulary, compile_rule, sentence
from rules.library import shelves
from rules.models import Flow, FlowVersion, Rule, RuleSet, RuleVersion
from tests import cast, make

WORDS = Vocabulary.of([*FACTS, *words.FACTS], words.ACTIONS)
STARTERS = {row["code"]: row for row in library.starters()}
_HAN = re.compile(r"[\u3400-\u9fff]")
#: Names of provinces are data and stay as the channels write them.
_DATA = re.compile("江苏|浙江|上海")


def worked(row: dict[str, Any]) -> tuple[Cart, Any]:
    """The worked cart of a starter, and what its rule makes of it."""
    example = row["example"]
    lines = [
        Line(at, sku, rest[0] if rest else "", units, int(Decimal(price) * 100) * units)
        for at, (sku, units, price, *rest) in enumerate(example["lines"], 1)
    ]
    facts: dict[str, object] = {
        "order.total": Decimal(sum(x.cents for x in lines)) / 100,
        "order.currency": "CNY",
    }
    for name, value in example.get("facts", {}).items():
        facts[name] = datetime.fromisoformat(value) if name == "order.placed_at" else value
    stock = dict(example.get("stock", {}))
    cart = Cart(lines, "CNY", facts, datetime.fromisoformat("2026-11-11T12:00:00+08:00"), "c1", stock)
    rule = compile_rule(library.body(row, {}), WORDS)
    words.check(rule)
    made = build.promotion(rule, set_code="s", version=1, money_facts=frozenset({"order.total"}))
    limits = {("all/s/" + row["code"], who): 9 for who in ("", "c1")} if made.is_limited else {}
    cart.left.update(limits)
    return cart, apply.apply(apply.ordered([made]), cart)


def test_there_are_twenty_promotions_or_more_of_every_kind() -> None:
    deeds = {action["do"] for row in library.starters() for action in row["rule"]["then"]}

    assert len(STARTERS) >= 20
    assert len(STARTERS) == len(library.starters())
    assert deeds >= {*KINDS, "gift", "free_shipping", "cap", "limit_uses", "alone", "in_currency"}
    facts = {
        name for row in library.starters() for name in re.findall(r"'fact': '([\w.]+)'", str(row["rule"]))
    }
    assert facts >= {
        "order.channel", "order.province", "order.coupons", "order.placed_at", "customer.level", "order.total"
    }  # fmt: skip
    assert any(row["rule"]["group"] for row in library.starters())


@pytest.mark.parametrize("code", STARTERS)
def test_each_gives_what_its_worked_cart_says(code: str) -> None:
    row = STARTERS[code]

    _cart, result = worked(row)

    assert [f"{cents / 100:.2f}" for cents in result.off] == row["example"]["off"]
    assert [one.promotion.rule.id for one in result.applied] == [code]
    assert [gift.sku for gift in result.applied[0].gifts] == row["example"].get("gifts", [])
    assert result.applied[0].promotion.free_shipping == row["example"].get("free_shipping", False)


@pytest.mark.parametrize("code", STARTERS)
def test_each_reads_well_in_both_languages(code: str) -> None:
    entry = next(x for x in library.entries() if x.code == code)

    for text in (entry.name.en, entry.says.en, entry.about.en, entry.example.en if entry.example else ""):
        assert not _HAN.search(_DATA.sub("", text)), text
        assert not re.search(r"[{}\[\]]|None|\bTrue\b|  ", text), text
    for text in (entry.name.zh, entry.says.zh, entry.about.zh):
        assert _HAN.search(text)
        assert not re.search(r"[{}\[\]]|None|\bTrue\b", text), text
    assert entry.says.zh.startswith(("如果", "任何情况下"))
    assert entry.says.en.startswith(("If ", "In every case"))
    assert len(entry.about.en) > 20


def test_slots_name_things_that_stand_in_the_rule() -> None:
    for row in library.starters():
        for slot in row["slots"]:
            assert f"'{slot['key']}'" in str(row["rule"]), (row["code"], slot)
        filled = library.body(row, {slot["key"]: "REAL-1" for slot in row["slots"]})
        assert not any(f"'{slot['key']}'" in str(filled) for slot in row["slots"])


def test_the_sentence_of_every_cross_border_rule_is_in_one_language() -> None:
    for rule in rulebook.read_starter():
        row = rulebook.row_of(rule, now=make.NOW)
        zh, en = said.says(row)
        assert _HAN.search(zh), rule.rule
        assert not _HAN.search(en), (rule.rule, en)
        assert not re.search(r"[{}\[\]]|None", zh + en), (zh, en)


@pytest.mark.django_db
def test_search_finds_by_words_of_either_language() -> None:
    shelf = shelves.get("promotions")
    assert shelf is not None

    assert {x.code for x in shelves.find(shelf, "优惠码")} == {"coupon-20"}
    assert {x.code for x in shelves.find(shelf, "gift SUBSTITUTE")} == {"gift-from-199"}
    assert shelves.find(shelf, "no-such-thing") == []
    assert len(shelves.find(shelf, " ")) == len(STARTERS)
    assert [x.code for x in shelves.all_shelves()][:3] == ["promotions", "signals", "compliance"]


def somebody(*rights: str, **fields: Any) -> Client:
    """A member of staff with these rights."""
    user = get_user_model().objects.create_user(
        username=f"u{len(rights)}", password="x", is_staff=True, **fields
    )
    for right in rights:
        app, _dot, code = right.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=code))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


EDITOR = (
    "rules.view_ruleset", "rules.add_rule", "risk.view_riskpolicy", "risk.add_risksignal",
    "compliance.view_compliancerule", "compliance.add_compliancerule",
)  # fmt: skip


@pytest.mark.django_db
def test_copying_a_promotion_makes_a_draft_rule_and_nothing_counts() -> None:
    ruleset = RuleSet.objects.create(code="sale", name="大促", purpose="price")
    staff = somebody(*EDITOR)
    page = reverse("library:copy", args=("promotions", "bundle-pair"))
    assert staff.get(page).status_code == 200

    for _again in range(2):
        answer = staff.post(page, {"target": str(ruleset.pk), "slot_0": "LAMP", "slot_1": ""})
        assert answer.status_code == 302
        assert answer["Location"] == reverse("admin:rules_ruleset_change", args=(ruleset.pk,))

    rules = list(Rule.objects.order_by("pk"))
    assert [x.code for x in rules] == ["bundle-pair", "bundle-pair-2"]
    assert rules[0].actions == [{"do": "bundle_price", "with": {"skus": ["LAMP", "SKU-B"], "price": "199"}}]
    assert (rules[0].name, rules[0].name_en) == ("两件套装价199", "Two goods together for 199")
    assert not RuleVersion.objects.exists()


@pytest.mark.django_db
def test_a_signal_is_copied_in_shadow_once_and_a_cross_border_rule_as_a_version_that_does_not_count() -> None:
    policy = policies.start(make.merchant(), now=make.NOW, live=True)
    policy.signals.filter(code="new_device").delete()
    rulebook.start(now=make.NOW)
    staff = somebody(*EDITOR)
    page = reverse("library:copy", args=("signals", "new_device"))

    assert staff.post(page, {"target": str(policy.pk)}).status_code == 302
    again = staff.post(page, {"target": str(policy.pk)})
    assert (
        staff.post(reverse("library:copy", args=("compliance", "uk-135")), {"target": "all"}).status_code
        == 302
    )

    assert policy.signals.get(code="new_device").mode == "shadow"
    assert again.status_code == 200
    assert again.context["form"].non_field_errors()
    made = ComplianceRule.objects.get(rule="uk-135", version=2)
    assert (made.activated_at, made.created_by) == (None, f"user:u{len(EDITOR)}")


@pytest.mark.django_db
def test_a_flow_is_copied_as_a_drawing_that_nobody_walks_yet() -> None:
    merchant = make.merchant()
    staff = somebody("rules.view_flow", "rules.add_flow", "rules.change_flow")
    page = reverse("library:copy", args=("flows", "high-value"))

    for _again in range(2):
        assert staff.post(page, {"target": f"merchant:{merchant.pk}"}).status_code == 302
    assert staff.post(page, {"target": "-"}).status_code == 302
    refused = staff.post(page, {"target": "merchant:999999"})

    assert refused.status_code == 200
    rows = Flow.objects.order_by("pk").values_list("scope", "code")
    assert list(rows) == [
        (f"merchant:{merchant.pk}", "high-value"), (f"merchant:{merchant.pk}", "high-value-2"), ("", "high-value"),
    ]  # fmt: skip
    assert not FlowVersion.objects.exists()


@pytest.mark.django_db
def test_every_shelf_is_searched_and_shown_in_one_language() -> None:
    staff = somebody(*EDITOR, "rules.view_flow")

    found = staff.get(reverse("library:browse"), {"q": "no-such-words-at-all"})
    english = staff.get(reverse("library:browse"), headers={"accept-language": "en"}).content.decode()
    one = staff.get(reverse("library:browse"), {"shelf": "flows"})

    assert "没有符合的内容" in found.content.decode()
    assert [shelf.code for shelf, _cards, _may in one.context["found"]] == ["flows"]
    assert not one.context["found"][0][2]  # may look, not copy
    for entry in (e for shelf in shelves.all_shelves() for e in shelf.entries()):
        assert not _HAN.search(_DATA.sub("", entry.says.en)), entry.code
    assert "50 off from 300" in english


@pytest.mark.django_db
def test_only_who_may_write_copies_and_nobody_into_what_belongs_to_others() -> None:
    alice, bob = make.merchant(), make.merchant(cast.BOB)
    hers = RuleSet.objects.create(code="a", name="A", purpose="price", scope=f"merchant:{alice.pk}")
    general = RuleSet.objects.create(code="g", name="G", purpose="price")
    policy = policies.start(alice, now=make.NOW)
    reader, others = somebody("rules.view_ruleset"), somebody(*EDITOR, merchant=bob)
    page = reverse("library:copy", args=("promotions", "store-5-percent"))

    assert reader.get(reverse("library:browse")).status_code == 200
    assert b"/admin/library/promotions/" not in reader.get(reverse("library:browse")).content
    assert reader.get(page).status_code == 403
    for ruleset in (hers, general):
        assert others.post(page, {"target": str(ruleset.pk)}).status_code == 200
    assert (
        others.post(
            reverse("library:copy", args=("signals", "forwarder")), {"target": str(policy.pk)}
        ).status_code
        == 200
    )
    assert (
        others.post(reverse("library:copy", args=("compliance", "uk-135")), {"target": "all"}).status_code
        == 200
    )
    assert not Rule.objects.exists()
    assert not ComplianceRule.objects.exists()
    assert others.get(reverse("library:copy", args=("promotions", "nothing"))).status_code == 404
    assert Client().get(reverse("library:browse")).status_code == 302
    assert somebody().get(reverse("library:browse")).status_code == 403


def test_the_sentences_come_from_the_vocabulary() -> None:
    row = STARTERS["full-300-minus-50"]

    assert sentence(library.body(row, {}), WORDS, "zh") == "任何情况下：满300减50"
    assert sentence(library.body(row, {}), WORDS, "en") == "In every case: 50 off from 300"
