"""The page of one review and the queue above it: order of urgency, kin side by side, deciding one, rights."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.orders.risk import desk, history
from orderhub.orders.risk.models import Assessment, Review
from tests import cast, make
from tests.admin import desk as pages
from tests.orders import risk_shop as shop

pytestmark = pytest.mark.django_db
NOW = shop.NOW
QUEUE = "admin:risk_assessment_changelist"
FLAG = {"risk_flag": "high"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def page_of(order: Order) -> str:
    return reverse("admin:risk_assessment_change", args=(order.pk,))


def flagged(number: str, **fields: Any) -> Order:
    told = {
        "phone": f"139{abs(hash(number)) % 10**8:08}",
        "address": f"某路 {sum(map(ord, number))} 号",
        "extra": FLAG,
        **fields,
    }
    [order] = shop.placed(shop.draft(number, **told))
    return order


def test_the_least_time_comes_first_and_what_is_done_last() -> None:
    shop.shop()
    later, sooner, promised, done = (flagged(n) for n in ("A", "B", "C", "D"))
    Assessment.objects.filter(pk=sooner.pk).update(due_at=NOW - timedelta(minutes=5))
    Order.objects.filter(pk=promised.pk).update(promised_at=NOW + timedelta(minutes=30))
    desk.decide([done.pk], "release", reason="x", actor="user:li", now=NOW)
    [passed] = shop.placed(shop.draft("E", phone="13712345678", address="别处 1 号"))

    page = pages.boss("en").get(reverse(QUEUE))

    shown = [row.order_id for row in page.context["cl"].result_list]
    assert shown == [sooner.pk, promised.pk, later.pk, passed.pk, done.pk]
    assert page.context["queue"] == {"waiting": 3, "late": 1}
    text = page.content.decode()
    assert "3 orders wait" in text
    assert "late by 5 min" in text
    assert "2 h left" in text


@pytest.mark.parametrize(
    ("language", "said"), [("zh-hans", "平台风险提示"), ("en", "Flagged by the channel")]
)
def test_one_review_says_why_what_and_who_else(language: str, said: str) -> None:
    shop.shop()
    kin = flagged("KIN", extra={"device_id": "tablet", "buyer_id": "u1"})
    history.label([kin.pk], "fraud", source="bank", now=NOW)
    order = flagged("MINE", extra={**FLAG, "device_id": "tablet", "buyer_id": "u2"})
    flagged("STRANGER", extra={"device_id": "phone", "buyer_id": "u3"})

    page = pages.boss(language).get(page_of(order))

    context = page.context
    assert [x[0] for x in context["reasons"]] == [said]
    network = context["network"]
    assert [(x.order.external_id, x.is_self) for x in network.kin] == [("MINE", True), ("KIN", False)]
    shared = dict(zip(("account", "phone", "device", "address", "ip"), network.kin[1].shares, strict=True))
    assert {kind for kind, same in shared.items() if same} == {"device"}
    assert network.kin[1].labels
    assert {x.hint: x.others for x in network.keys}["…blet"] == 1
    assert len(context["actions"]) == 5
    assert "******" in context["receiver"]
    assert page.content.decode().count("is-on") >= 1


def test_one_order_is_decided_from_its_page_with_a_reason() -> None:
    shop.shop()
    order, client = flagged("ONE"), pages.boss()
    decide = reverse("admin:risk_assessment_decide", args=(order.pk, "release"))

    assert client.get(decide).status_code == 200
    assert client.post(decide, {"reason": " "}).context["form"].errors
    assert shop.held_for(order) == {"risk"}
    done = client.post(decide, {"reason": "电话核实"}, follow=True)

    assert done.redirect_chain[-1][0] == page_of(order)
    assert shop.held_for(order) == set()
    assert Review.objects.get().reason == "电话核实"
    assert done.context["actions"] == []
    assert client.post(decide, {"reason": "again"}, follow=True).context["waits"] is False
    assert client.get(reverse("admin:risk_assessment_decide", args=(order.pk, "explode"))).status_code == 404


def test_a_second_person_has_to_agree_from_an_amount_on_and_the_page_says_so() -> None:
    shop.shop(four_eyes_from="1")
    order = flagged("DEAR")
    decide = reverse("admin:risk_assessment_decide", args=(order.pk, "release"))

    first = pages.boss("en").post(decide, {"reason": "fine"}, follow=True)
    assert pages.messages_of(first) == ["1 order waits for a second person."]
    assert first.context["decisions"][0][-1] is False
    assert shop.held_for(order) == {"risk"}
    pages.member("operator").post(decide, {"reason": "fine too"})
    assert shop.held_for(order) == set()


def test_rights_and_other_merchants() -> None:
    shop.shop()
    order = flagged("R")
    decide = reverse("admin:risk_assessment_decide", args=(order.pk, "cancel"))

    looking = pages.member("strategist")
    assert looking.get(page_of(order)).context["actions"] == []
    assert looking.post(decide, {"reason": "x"}).status_code == 403
    bob = pages.member("operator", merchant=make.merchant(cast.BOB))
    assert bob.post(decide, {"reason": "x"}).status_code == 404
    assert bob.get(page_of(order)).status_code == 302
    assert pages.member("support").post(decide, {"reason": "x"}).status_code == 403
    assert Order.objects.get(pk=order.pk).stage == "reviewing"
