"""Pages of the cross-border checks: what stops an order and who supplies it, names compared, sources, duty of a split."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from orderhub.fulfillment import screening_panels
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.compliance import rulebook
from orderhub.orders.compliance.models import (
    Clearance,
    ComplianceCheck,
    ComplianceRule,
    CustomsGoods,
    ExchangeRate,
)
from orderhub.orders.models import Order
from tests import cast, make
from tests.admin import desk as pages
from tests.orders.test_compliance_checking import NOW, abroad, load_extract

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    make.network(units=1000)
    rulebook.start(now=NOW)
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 11, 1), in_cny=Decimal("8.2"))
    Sku.objects.update(hs_code="9405210000")
    CustomsGoods.objects.bulk_create(CustomsGoods(sku=sku, made_in="CN") for sku in Sku.objects.all())


def page_of(order: Order) -> str:
    return reverse("admin:compliance_compliancecheck_change", args=(order.pk,))


@pytest.mark.parametrize(
    ("language", "who", "asks"),
    [
        ("zh-hans", "商家", "税号须为 6、8、10、13 位数字"),
        ("en", "the merchant", "The HS code has 6, 8, 10, 13 digits"),
    ],
)
def test_a_check_says_who_supplies_what_by_which_rule_and_where_it_stands(
    language: str, who: str, asks: str
) -> None:
    Sku.objects.update(hs_code="")
    order = abroad()

    page = pages.boss(language).get(page_of(order))

    first = page.context["lines"][0]
    assert (first.by, first.rule, first.asks, first.tone) == (who, "xx-hs-code v1", asks, "warn")
    assert first.source == "Harmonized System, World Customs Organization"
    assert first.source_link.startswith("https://")
    rule = ComplianceRule.objects.get(rule="xx-hs-code")
    assert first.rule_link == reverse("admin:compliance_compliancerule_change", args=(rule.pk,))
    assert all(line.tone == "wait" for line in page.context["notes"])
    assert "accept" in page.context["actions"][-1][1]
    assert asks in page.content.decode()


def test_every_starter_row_names_its_source_and_all_but_three_a_link() -> None:
    rows = {row.rule: row for row in rulebook.read_starter()}

    assert all(row.source for row in rows.values())
    assert {code for code, row in rows.items() if not row.source_url} == {
        "xx-medicine",
        "xx-food",
        "xx-papers",
    }
    for row in rows.values():
        row.clean_fields(exclude=["created_at"])


def test_a_near_name_is_shown_beside_the_listed_one_and_decided_by_a_person_with_a_reason() -> None:
    load_extract()
    order, client = abroad(name="Jaraco SA"), pages.boss("en")

    page = client.get(page_of(order))
    [near] = page.context["near"]
    assert (near.name, near.number, near.list_name) == ("Jaraco SA", "8377", "OFAC SDN")
    assert near.listed
    assert "Compare the two" in page.content.decode()
    label, link = page.context["actions"][0]
    assert str(label) == "Not the listed party…"
    key = next(
        x["key"] for x in ComplianceCheck.objects.get(pk=order.pk).findings if x["code"] == "party_near"
    )
    assert client.post(link, {"keys": [key], "reason": ""}).context["form"].errors
    assert not Clearance.objects.exists()
    client.post(link, {"keys": [key], "reason": "another company, checked by phone"})

    assert Clearance.objects.get().reason == "another company, checked by phone"
    assert client.get(page_of(order)).context["near"] == []


def test_rules_are_listed_in_words_of_either_language() -> None:
    table = reverse("admin:compliance_compliancerule_changelist")

    assert "货值不超过 150 EUR：每个不同的 6 位税号 3 EUR" in pages.boss().get(table).content.decode()
    english = pages.boss("en").get(table).content.decode()
    assert "Up to 150 EUR: 3 EUR for each different HS6" in english
    assert "any country → the EU" in english


def test_rights_and_other_merchants() -> None:
    Sku.objects.update(hs_code="")
    order = abroad()

    assert pages.member("strategist").get(page_of(order)).context["actions"] == []
    assert pages.member("operator").get(page_of(order)).context["actions"] != []
    user = get_user_model().objects.create(
        username="bobs", is_staff=True, is_superuser=True, merchant=make.merchant(cast.BOB)
    )
    assert pages.browser(user).get(page_of(order)).status_code == 302


def test_what_a_split_costs_in_duty_stands_on_the_order_page() -> None:
    """The lamp lies in Hangzhou only, the cup in Guangzhou only; both have one HS6, so two parcels pay it twice."""
    ComplianceRule.objects.filter(rule="eu-flat-duty").update(confirmed_at=NOW - timedelta(days=1))
    make.stock({"HGH": {"LAMP": 9, "CUP": 0}, "CAN": {"LAMP": 0, "CUP": 9}, "CTU": {"LAMP": 0, "CUP": 0}})
    [order] = make.place(make.draft("SPLIT", lines={"LAMP": 1, "CUP": 1}))
    make.run_until_idle()
    assert FulfillmentOrder.objects.filter(order=order).count() == 2
    Order.objects.filter(pk=order.pk).update(country="DE", currency="EUR", goods_total=Decimal(60))
    order.lines.update(line_total=Decimal(30))
    abroad_now = Order.objects.select_related("merchant", "channel", "person").get(pk=order.pk)

    assert screening_panels.split_duty(abroad_now) == (
        "拆成 2 包多付 3 EUR关税",
        "2 parcels cost 3 EUR more in duty",
    )
    FulfillmentOrder.objects.filter(order=order).earliest("pk").lines.all().delete()
    assert screening_panels.split_duty(abroad_now) is None
