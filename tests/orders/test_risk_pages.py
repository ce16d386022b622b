"""The operators' pages of the risk check: policy, queue, lists, report; in both languages, with their rights."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.orders.risk import history, policies
from orderhub.orders.risk.models import Assessment, Key, Label, Review, RiskPolicy, RiskSignal
from tests import make
from tests.admin import desk as pages
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
QUEUE = "admin:risk_assessment_changelist"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def flagged(number: str = "R1", **fields: Any) -> Order:
    [order] = shop.placed(shop.draft(number, extra={"risk_flag": "high"}, **fields))
    return order


def act(client: Client, action: str, order: Order, **given: str) -> Any:
    """Choose one order and an action; with a reason, confirm it."""
    chosen = {"action": f"act_{action}", ACTION_CHECKBOX_NAME: [order.pk], **given}
    return client.post(reverse(QUEUE), chosen, follow=True)


@pytest.mark.parametrize(
    ("language", "said"), [("zh-hans", "平台风险提示"), ("en", "Flagged by the channel")]
)
def test_the_queue_and_the_page_say_every_reason_in_the_readers_language(language: str, said: str) -> None:
    shop.shop()
    order = flagged()
    client = pages.boss(language)

    assert said in client.get(reverse(QUEUE)).content.decode()
    page = client.get(reverse("admin:risk_assessment_change", args=(order.pk,))).content.decode()
    assert said in page
    assert "…0001" in page  # the phone's hint among the shared keys


def test_releasing_asks_for_a_reason_first_and_then_does_it() -> None:
    shop.shop()
    order = flagged()
    client = pages.boss()

    asked = act(client, "release", order)
    assert asked.status_code == 200
    assert shop.held_for(order) == {"risk"}
    empty = act(client, "release", order, confirmed="1", reason="")
    assert empty.context["form"].errors
    assert not Review.objects.exists()

    done = act(client, "release", order, confirmed="1", reason="电话核实")
    assert pages.messages_of(done) == ["已处理 1 张订单。"]
    assert shop.held_for(order) == set()
    assert Review.objects.get().reason == "电话核实"


def test_support_may_not_decide_and_operators_may() -> None:
    shop.shop()
    order = flagged()

    refused = act(pages.member("support"), "release", order, confirmed="1", reason="x")
    assert refused.status_code == 403
    assert shop.held_for(order) == {"risk"}

    assert act(pages.member("operator"), "cancel", order, confirmed="1", reason="x").status_code == 200
    assert Order.objects.get(pk=order.pk).stage == "cancelled"


def test_labeling_and_taking_back_are_buttons_of_the_order() -> None:
    shop.shop()
    make.stock({site: {"LAMP": 0} for site in ("HGH", "CAN", "CTU")})
    order = flagged()
    client = pages.boss()
    act(client, "release", order, confirmed="1", reason="x")

    client.post(reverse("admin:risk_assessment_take_back", args=(order.pk,)), {"reason": "mistake"})
    client.post(reverse("admin:risk_assessment_confirm_fraud", args=(order.pk,)), {"reason": "bank told us"})

    assert shop.held_for(order) == {"risk"}
    assert Label.objects.get(order=order).kind == "fraud"


def test_a_phone_is_put_on_the_list_and_taken_off_again() -> None:
    shop.shop()
    client = pages.boss()

    client.post(reverse("admin:risk_key_enlist"), {
        "merchant": make.merchant().pk, "kind": "phone", "value": "138 0000 0099", "listed": "block", "reason": "police",
    })  # fmt: skip
    [bad] = shop.placed(shop.draft("B1", phone="13800000099"))
    assert shop.codes(bad) == {"blacklist"}

    key = Key.objects.get(listed="block")
    client.post(reverse("admin:risk_key_changelist"), {"action": "unlist", ACTION_CHECKBOX_NAME: [key.pk]})
    assert not Key.objects.exclude(listed="").exists()


def test_a_policy_starts_in_shadow_is_published_and_put_back() -> None:
    house = make.merchant()
    client = pages.boss()
    empty = {f"signals-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")}
    form = {
        "merchant": house.pk, "review_from": 40, "hold_from": 70, "group_cap": 45, "review_minutes": 60, "on_timeout": "keep",
        "on_fault": "hold", "fault_amount": "0", "holdout_percent": "0", "holdout_below": "200", "label_days": 30,
        "promoted_skus": "[]", "forwarder_words": "[]", "disposable_domains": "[]", "safe_flags": "[]",
        "signals-MAX_NUM_FORMS": "1000", **empty,
    }  # fmt: skip

    made = client.post(reverse("admin:risk_riskpolicy_add"), form)
    assert made.status_code == 302, made.context["adminform"].form.errors
    policy = RiskPolicy.objects.get()
    assert policy.signals.count() == 32
    assert set(policy.signals.values_list("mode", flat=True)) == {"shadow", "off"}

    client.post(reverse("admin:risk_riskpolicy_publish", args=(policy.pk,)))
    RiskSignal.objects.filter(code="platform_flag").update(mode="live")
    client.post(reverse("admin:risk_riskpolicy_publish", args=(policy.pk,)))
    again = client.post(reverse("admin:risk_riskpolicy_publish", args=(policy.pk,)), follow=True)
    assert policies.in_force([house.pk])[house.pk].number == 2
    assert pages.messages_of(again)[-1] == "版本 2 内容相同，无需发布。"

    first = policy.versions.get(number=1)
    assert client.get(reverse("admin:risk_riskpolicyversion_change", args=(first.pk,))).status_code == 200
    client.post(reverse("admin:risk_riskpolicyversion_restore", args=(first.pk,)))
    assert policies.in_force([house.pk])[house.pk].number == 3
    assert RiskSignal.objects.get(code="platform_flag").mode == "shadow"


def test_a_faulty_signal_is_refused_at_its_field() -> None:
    policy = shop.shop()
    client = pages.boss("en")
    page = client.get(reverse("admin:risk_riskpolicy_change", args=(policy.pk,)))
    data = {
        name: page.context["adminform"].form[name].value() for name in page.context["adminform"].form.fields
    }
    formset = page.context["inline_admin_formsets"][0].formset
    data |= {
        f"{formset.prefix}-{name}": formset.management_form[name].value()
        for name in formset.management_form.fields
    }
    for row in formset.initial_forms:
        data |= {row.add_prefix(name): row[name].value() for name in row.fields}
    data = {name: value for name, value in data.items() if value is not None and value is not False}
    first = formset.initial_forms[0]
    data[first.add_prefix("condition")] = '{"fact": "phone.acounts", "op": ">=", "value": 3}'

    answer = client.post(reverse("admin:risk_riskpolicy_change", args=(policy.pk,)), data)

    errors = answer.context["inline_admin_formsets"][0].formset.errors[0]
    assert "unknown fact" in str(errors["condition"])


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_report_opens_with_figures_and_shadow_signals(language: str) -> None:
    policy = shop.shop(live=False)
    old = NOW - timedelta(days=60)
    [order] = shop.placed(shop.draft("O1", at=old, extra={"risk_flag": "high"}), now=old)
    history.label([order.pk], "fraud", source="bank", now=NOW)

    page = pages.boss(language).get(reverse("admin:risk_riskpolicy_report", args=(policy.pk,)))

    assert page.status_code == 200
    assert page.context["report"].orders == 1
    assert len(page.context["shadow"]) == 30
    adopt = pages.boss(language).get(reverse("admin:risk_riskpolicy_adopt", args=(policy.pk,)), follow=True)
    assert adopt.status_code == 200
    assert Assessment.objects.count() == 1


def test_the_order_page_shows_score_and_reasons_and_today_tells_of_late_reviews(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.shop(review_minutes=30)
    order = flagged()
    client = pages.boss("en")

    page = client.get(reverse("admin:orders_order_change", args=(order.pk,))).content.decode()
    assert "Flagged by the channel" in page
    assert "risk review is late" not in client.get(reverse("admin:index")).content.decode()

    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=31))
    assert "1 risk review is late" in client.get(reverse("admin:index")).content.decode()
