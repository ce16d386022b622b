"""Sentences per audience: versions, previews, nothing missing, and a paragraph a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.access.models import User
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from tests import make
from tracking import narrate
from tracking.center import book as books
from tracking.center import digest, wording
from tracking.center.book import AUDIENCES, Book
from tracking.center.models import MilestoneKind, Sentence

FACTS = {"warehouse": "杭州仓", "place": "嘉兴市", "eta": "周五", "step": "裁剪", "n": "2", "carrier": "顺丰"}


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(narrate.milestones())), st.sampled_from(AUDIENCES), st.sampled_from(["zh-hans", "en"]),
    st.sets(st.sampled_from(sorted(FACTS))),
)  # fmt: skip
def test_every_milestone_says_something_readable_to_everybody(
    code: str, audience: books.Audience, language: str, known: set[str]
) -> None:
    facts = {name: FACTS[name] for name in known}

    text = Book().sentence(code, facts=facts, language=language, audience=audience)

    hidden = narrate.milestones()[code].public in ("internal", "by_setting", "by_board")
    assert text or (hidden and audience in ("customer", "b2b"))
    assert not set("{}<>") & set(text)
    assert code not in text


def test_no_sentence_of_the_product_is_missing() -> None:
    assert wording.gaps(Book()) == []


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("", "Left"), ("已离开", ""), ("Left", "Left"), ("已离开", "已离开"), ("离开{x}", "Left"), ("离开{", "Left"),
        ("<b>离开", "Left"),
    ],
)  # fmt: skip
def test_sentences_that_would_not_be_understood_are_refused(zh: str, en: str) -> None:
    assert wording.flaws(zh, en)


@pytest.mark.django_db
def test_a_version_is_in_force_until_the_next_and_can_be_withdrawn(hub_clock: make.Clock) -> None:
    house = make.merchant()
    for number in (1, 2):
        wording.say(
            "DELIVERED", "customer", f"到了{number}", f"There {number}", merchant=house, note="", actor="user:ann",
            now=clock.now(),
        )  # fmt: skip

    said = books.book(house.pk).sentence("DELIVERED", facts={}, language="zh-hans")
    other = books.book(make.merchant(make.cast.BOB).pk).sentence("DELIVERED", facts={}, language="zh-hans")
    assert (said, other) == ("到了2", "已签收")
    assert list(Sentence.objects.order_by("number").values_list("is_in_force", flat=True)) == [False, True]

    wording.withdraw("DELIVERED", "customer", merchant=house)
    assert books.book(house.pk).sentence("DELIVERED", facts={}, language="en") == "Delivered"
    with pytest.raises(Refused):
        wording.say("DELIVERED", "customer", "x", "y", merchant=house, note="", actor="a", now=clock.now())


@pytest.mark.django_db
def test_the_page_of_words_previews_with_a_real_order_and_keeps(hub_clock: make.Clock) -> None:
    make.network()
    make.place()
    make.play(hub_clock)
    client = Client()
    client.force_login(User.objects.create_superuser("ops", password="a-long-password"))
    row = MilestoneKind.objects.get(code="ARRIVED")
    address = f"/admin/center/milestonekind/{row.pk}/words/customer/"

    tried = client.post(
        address, {"zh": "包裹到{place}啦", "en": "Now in {place}", "deed": "try", "order": "A1"}
    )
    assert tried.status_code == 200
    assert tried.context["preview"].zh == "包裹到杭州市啦"
    assert tried.context["preview"].en_bare
    assert (
        client.post(address, {"zh": "包裹到{place}啦", "en": "Now in {place}", "deed": "keep"}).status_code
        == 302
    )
    assert books.book(make.merchant().pk).words("ARRIVED", "customer") == (
        "包裹到{place}啦",
        "Now in {place}",
    )
    refused = client.post(address, {"zh": "到{x}", "en": "Now", "deed": "keep"})
    assert refused.status_code == 200
    assert refused.context["fault"]
    assert client.get(f"/admin/center/milestonekind/{row.pk}/words/").status_code == 200
    assert client.get("/admin/center/milestonekind/", headers={"Accept-Language": "en"}).status_code == 200


@pytest.mark.django_db
def test_a_paragraph_tells_the_day(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.play(hub_clock)
    found = Order.objects.select_related("merchant").get(pk=order.pk)
    delivered = max(row.occurred_at for row in order.journey.entries.all())

    zh = digest.paragraph(found, language="zh-hans", audience="customer", now=delivered + timedelta(hours=1))
    en = digest.paragraph(found, language="en", audience="b2b", now=delivered + timedelta(hours=1))

    assert zh.startswith(f"订单 {found.number}：包裹已签收。过去 24 小时：")
    assert "已签收" in zh
    assert "Goods signed for. Delivery complete" in en
    assert not any("\u4e00" <= char <= "\u9fff" for char in en.replace("嘉兴市", ""))
