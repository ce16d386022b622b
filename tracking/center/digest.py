"""A paragraph per order for boards and mails: where it stands, what the day brought, when it comes, what needs somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orderhub.orders.models import Order
from tracking import queries, timeline
from tracking.center.book import Audience
from tracking.center.models import Alert
from tracking.parcels import Reader

DAY = timedelta(hours=24)
#: More than these are counted, not told.
MOST = 4
_WORDS: Mapping[str, Mapping[str, str]] = {
    "order": {"zh": "订单 {number}：{text}。", "en": "Order {number}: {text}."},
    "day": {"zh": "过去 24 小时：{told}。", "en": "In the last 24 hours: {told}."},
    "more": {"zh": "另有 {n} 条进展", "en": "{n} more"},
    "quiet": {"zh": "过去 24 小时没有新进展。", "en": "Nothing new in the last 24 hours."},
    "eta": {"zh": "{text}。", "en": "{text}."},
    "waiting": {"zh": "还有 {n} 件待发。", "en": "{n} units are still to ship."},
    "alert": {"zh": "需要关注：{told}。", "en": "Needs attention: {told}."},
}


def paragraph(order: Order, *, language: str, audience: Audience = "customer", now: datetime) -> str:
    """The order's day in a few sentences, in the words of an audience; alerts are for merchants and operators alone."""
    reader = Reader(language, ZoneInfo(order.merchant.time_zone), now)
    found = queries.load(order)
    page = queries.page(order, language=language, now=now, found=found)
    entries, book = found.entries, found.book
    recent = [
        entry for entry in timeline.counted(entries, book)
        if entry.classifier == timeline.ACTUAL and now - DAY <= entry.occurred_at <= now
    ]  # fmt: skip
    told = [
        book.sentence(
            one.milestone,
            facts=timeline.facts_of(one, order, found.warehouses, reader),
            language=language,
            audience=audience,
        )
        for one in recent
    ]
    parts = [
        _say("order", reader, number=order.number, text=page["headline"]["text"]),
        _day(told, page, reader),
    ]
    if page["eta"] and page["eta"]["text"] != page["headline"]["text"]:
        parts.append(_say("eta", reader, text=page["eta"]["text"]))
    if waiting := sum(item["quantity"] for item in page["waiting"]):
        parts.append(_say("waiting", reader, n=waiting))
    if audience in ("merchant", "operator") and (alerts := _alerts(order, reader)):
        parts.append(_say("alert", reader, told=_joined(alerts, reader)))
    return ("" if reader.tongue == "zh" else " ").join(part for part in parts if part)


def _day(told: Sequence[str], page: Mapping[str, Any], reader: Reader) -> str:
    said = list(dict.fromkeys(text.rstrip(".。") for text in told if text))
    if not said:
        return _say("quiet", reader) if page["eta"] else ""
    shown = said[-MOST:]
    if len(said) > MOST:
        shown.append(_say("more", reader, n=len(said) - MOST))
    return _say("day", reader, told=_joined(shown, reader))


def _alerts(order: Order, reader: Reader) -> list[str]:
    rows = (
        Alert.objects.filter(order=order, cleared_at__isnull=True)
        .select_related("rule")
        .order_by("-consequence")
    )
    return list(dict.fromkeys(reader.pick(row.rule.name, row.rule.name_en) for row in rows))


def _say(name: str, reader: Reader, **values: object) -> str:
    return _WORDS[name][reader.tongue].format(**values)


def _joined(texts: Sequence[str], reader: Reader) -> str:
    return ("；" if reader.tongue == "zh" else "; ").join(texts)
