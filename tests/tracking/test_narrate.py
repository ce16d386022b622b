"""Sentences a newcomer understands: every milestone, both languages, any value missing, never a code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from itertools import combinations

import pytest

from tracking.narrate import (
    PLACEHOLDERS,
    Milestone,
    eta_band,
    eta_text,
    headline,
    is_visible,
    milestones,
    relative_time,
    sentence,
)

CHINA = timezone(timedelta(hours=8))
# A Thursday.
NOW = datetime(2026, 11, 19, 14, 20, tzinfo=CHINA)
FACTS: dict[str, object] = {
    "warehouse": "成都仓",
    "place": "重庆转运中心",
    "eta": "明天下午",
    "step": "裁剪",
    "n": 2,
    "carrier": "迅达速运",
    "step_en": "cutting",
}
NOT_READABLE = re.compile(r"[{}<>_]|[A-Z]{2,}|\bNone\b|  |^[，。；,;.\s]|[，；,;\s]$|，，|\d{3,}")
STAGES = [
    "received",
    "reviewing",
    "routed",
    "backordered",
    "released",
    "partially_shipped",
    "shipped",
    "partially_delivered",
    "delivered",
    "completed",
    "partially_returned",
    "returned",
    "cancelled",
]


def at(day: int, hour: int, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=CHINA)


def test_there_are_47_milestones_with_both_sentences() -> None:
    assert len(milestones()) == 47
    assert all(m.zh and m.en and m.group and m.public for m in milestones().values())
    assert [code for code, m in milestones().items() if m.terminal] == ["DELIVERED", "CANCELLED", "REFUNDED"]
    assert milestones()["DELIVERED"].names["kuaidi100_state"] == "3"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("code", sorted(milestones()))
def test_every_milestone_reads_well_whatever_values_are_missing(code: str, language: str) -> None:
    """41 × 2 × 64 sets of missing values: readable, in the right script, without braces or codes."""
    names = sorted(PLACEHOLDERS)
    subsets = [set(missing) for size in range(len(names) + 1) for missing in combinations(names, size)]

    for missing in subsets:
        facts = {name: value for name, value in FACTS.items() if name.removesuffix("_en") not in missing}
        text = sentence(code, facts=facts, language=language, audience="staff")

        assert len(text) >= 3
        assert not NOT_READABLE.search(text), text
        if language == "zh-hans":
            assert re.search(r"[\u4e00-\u9fff]", text)
        else:
            assert text[0].isupper()


@pytest.mark.parametrize(
    "bad", ["", None, "E203", "WMS_REJECTED", "sorting_error", "{place}", "<b>x</b>", "HUB-0042"]
)
@pytest.mark.parametrize(
    ("language", "expected"), [("zh-hans", "已到达中转点"), ("en", "Arrived at a transit point")]
)
def test_a_value_that_is_a_code_is_treated_as_missing(bad: object, language: str, expected: str) -> None:
    assert sentence("ARRIVED", facts={"place": bad}, language=language) == expected


@pytest.mark.parametrize(
    ("code", "facts", "zh", "en"),
    [
        ("ARRIVED", {"place": "成都", "place_en": "Chengdu"}, "已到达成都", "Arrived at Chengdu"),
        ("SPLIT", {"n": 2}, "订单将分2个包裹发出", "Your order will arrive in 2 parcels"),
        ("SPLIT", {}, "订单将分多个包裹发出", "Your order will arrive in several parcels"),
        ("DELAYED", {}, "运输延迟", "Delayed in transit"),
        (
            "DELAYED",
            {"eta": "明天下午", "eta_en": "tomorrow afternoon"},
            "运输延迟，预计明天下午送达",
            "Delayed in transit. Now expected tomorrow afternoon",
        ),
        (
            "DELAYED",
            {"eta": "明天下午", "eta_en": "tomorrow afternoon", "reason": "weather_delay"},
            "因天气延误，预计明天下午送达",
            "Delayed by weather. Now expected tomorrow afternoon",
        ),
        ("DELAYED", {"reason": "weather_delay"}, "因天气延误", "Delayed by weather"),
        (
            "DELIVERY_ATTEMPTED",
            {"reason": "consignee_not_home"},
            "未能联系到收件人，将再次派送",
            "Nobody could be reached at the address. Delivery will be tried again",
        ),
        ("ORDER_PAID", {}, "已付款，正在为您安排", "Paid. We are arranging your order"),
        ("NO_SUCH_CODE", {}, "您的订单有新进展", "There is news about your order"),
    ],
)
def test_sentences_word_for_word(code: str, facts: dict[str, object], zh: str, en: str) -> None:
    assert sentence(code, facts=facts, language="zh-hans") == zh
    assert sentence(code, facts=facts, language="en") == en


def test_customers_never_learn_why_an_order_is_held_and_staff_do() -> None:
    held = {"reason": "risk"}

    assert sentence("ORDER_HELD", facts=held) == "订单审核中"
    assert sentence("ORDER_HELD", facts=held, language="en") == "Your order is being checked"
    assert sentence("ORDER_HELD", facts=held, audience="partner") == "订单审核中"
    assert sentence("ORDER_HELD", facts=held, audience="staff") == "订单审核中（风险审核）"


@pytest.mark.parametrize("code", ["WMS_REJECTED", "INTERCEPT_FAILED"])
def test_internal_milestones_are_for_staff_only(code: str) -> None:
    assert sentence(code, audience="customer") == ""
    assert sentence(code, audience="staff") != ""
    assert is_visible(milestones()[code]) is False
    assert is_visible(milestones()[code], audience="staff") is True


def test_warehouse_and_production_are_shown_only_where_the_merchant_says_so() -> None:
    allocated, cutting = milestones()["ALLOCATED"], milestones()["PRODUCTION_STEP"]

    assert is_visible(allocated) is False
    assert is_visible(allocated, warehouse_shown=True) is True
    assert is_visible(cutting) is False
    assert is_visible(cutting, on_board=True) is True
    assert is_visible(milestones()["ORDER_HELD"]) is True


def test_a_merchants_own_milestone_speaks_its_own_words() -> None:
    own = {
        "THEATRE": Milestone(
            "THEATRE", "delivery", "已送达手术室{place}", "Handed over at theatre {place}", "yes"
        )
    }

    assert sentence("THEATRE", facts={"place": "三号"}, own=own) == "已送达手术室三号"
    assert sentence("THEATRE", own=own) == "您的订单有新进展"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("stage", [*STAGES, "something_new"])
def test_every_order_stage_has_a_headline_in_plain_words(stage: str, language: str) -> None:
    for held in (False, True):
        for unpaid in (False, True):
            line = headline(
                stage, language=language, held=held, awaiting_payment=unpaid, parcels=2, parcels_done=1
            )

            for text in line:
                assert text
                assert not NOT_READABLE.search(text), text
                assert not re.search("风险|风控|路由|履约|risk|rout|fulfil", text, re.IGNORECASE)


def test_headlines_word_for_word() -> None:
    assert headline("reviewing").title == "订单审核中，通常 2 小时内完成"
    assert headline("reviewing", language="en").title == "We are checking your order, usually within 2 hours"
    assert headline("routed", held=True).title == "订单审核中，通常 2 小时内完成"
    assert headline("received", awaiting_payment=True).title == "等待付款"
    assert headline("received", awaiting_payment=True, language="en").title == "Waiting for payment"
    assert headline("shipped", awaiting_payment=True).title == "包裹正在路上"
    assert headline("shipped", eta="今天 15:10–16:00 送到") == ("今天 15:10–16:00 送到", "包裹正在路上")
    assert headline("delivered", eta="今天送到").title == "包裹已签收"
    shipped = headline("partially_shipped", parcels=3, parcels_done=1)
    assert shipped.detail == "其余商品正在准备，共 3 个包裹，已发出 1 个"
    assert headline("partially_delivered", parcels=3, parcels_done=2, language="en").detail == (
        "The rest is on its way: 2 of 3 parcels delivered"
    )


@pytest.mark.parametrize(
    ("start", "end", "zh", "en"),
    [
        (at(19, 15, 10), at(19, 16), "今天 15:10–16:00 送到", "Arriving today, 15:10–16:00"),
        (at(19, 13), at(19, 16), "今天 16:00 前送到", "Arriving today by 16:00"),
        (at(20, 9), at(20, 12), "明天 09:00–12:00 送到", "Arriving tomorrow, 09:00–12:00"),
        (at(20, 8), at(20, 20), "明天送到", "Arriving tomorrow"),
        (at(21, 9), at(21, 12), "周六 09:00–12:00 送到", "Arriving Sat, 09:00–12:00"),
        (at(19, 18), at(20, 12), "今天或明天送到", "Arriving today or tomorrow"),
        (at(20, 8), at(21, 18), "明天或周六送到", "Arriving tomorrow or Sat"),
        (at(20, 8), at(22, 18), "明天至周日送到", "Arriving tomorrow to Sun"),
        (at(21, 8), at(22, 18), "周六–周日送到", "Arriving Sat–Sun"),
        (at(28, 8), at(30, 18), "11 月 28 日–30 日送到", "Arriving 28–30 Nov"),
        (at(28, 8), at(2, 18, month=12), "11 月 28 日–12 月 2 日送到", "Arriving 28 Nov–2 Dec"),
        (
            at(31, 8, month=12),
            at(2, 8, month=1, year=2027),
            "12 月 31 日–2027 年 1 月 2 日送到",
            "Arriving 31 Dec–2 Jan 2027",
        ),
        (
            at(19, 10),
            at(19, 12),
            "比预计的晚，正在更新送达时间",
            "Later than expected. We are updating the time",
        ),
    ],
)
def test_arrival_bands_in_words(start: datetime, end: datetime, zh: str, en: str) -> None:
    assert eta_text(start, end, now=NOW) == zh
    assert eta_text(start, end, now=NOW, language="en") == en


def test_friday_to_saturday_seen_from_a_monday() -> None:
    monday = at(16, 9)

    assert eta_text(at(20, 8), at(21, 18), now=monday) == "周五–周六送到"
    assert eta_text(at(20, 8), at(21, 18), now=monday, language="en") == "Arriving Fri–Sat"
    assert eta_band(at(20, 8), at(21, 18), now=monday) == "周五–周六"


def test_a_band_past_the_promise_says_by_how_much() -> None:
    late = eta_text(at(20, 9), at(20, 12), now=NOW, promise=at(19, 18))
    hours = eta_text(at(19, 18), at(19, 20), now=NOW, promise=at(19, 18), language="en")
    kept = eta_text(at(19, 15), at(19, 16), now=NOW, promise=at(19, 18))

    assert late == "明天 09:00–12:00 送到，比承诺晚 1 天"
    assert hours == "Arriving today, 18:00–20:00, about 2 hours later than promised"
    assert kept == "今天 15:00–16:00 送到"


def test_times_are_told_in_the_readers_zone() -> None:
    new_york = timezone(timedelta(hours=-5))

    assert (
        eta_text(at(20, 9), at(20, 12), now=NOW, language="en", zone=new_york)
        == "Arriving today, 20:00–23:00"
    )


@pytest.mark.parametrize(
    ("when", "zh", "en"),
    [
        (at(19, 14, 20), "刚刚", "just now"),
        (at(19, 14, 17), "3 分钟前", "3 min ago"),
        (at(19, 9, 36), "今天 09:36", "Today 09:36"),
        (at(18, 21, 10), "昨天 21:10", "Yesterday 21:10"),
        (at(17, 20, 14), "周二 20:14", "Tue 20:14"),
        (at(3, 20, 14), "11 月 3 日 20:14", "3 Nov, 20:14"),
        (at(3, 20, 14, year=2025), "2025 年 11 月 3 日 20:14", "3 Nov 2025, 20:14"),
        (at(20, 10), "明天 10:00", "Tomorrow 10:00"),
    ],
)
def test_how_long_ago_in_words(when: datetime, zh: str, en: str) -> None:
    assert relative_time(when, now=NOW) == zh
    assert relative_time(when, now=NOW, language="en") == en
