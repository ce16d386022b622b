"""A recorded day of eight systems: what each said of some orders, played in order or shuffled, five times, and late."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import translation

from orderhub.connectors import inbox
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import saying, systems
from tracking import queries
from tracking.center import telling
from tracking.center.models import Expectation, Standing
from tracking.models import TimelineEntry

#: Partners, customs and sensors say milestones in this small document.
EVENTS: dict[str, Any] = {
    "code": "milestone_feed", "zh": "里程碑来源", "en": "Milestone feed", "role": "partner", "zone": "Asia/Shanghai",
    "asks": [{"name": "secret", "zh": "密钥", "en": "Secret", "kind": "secret"}],
    "signatures": {"push": {"alg": "hmac-sha256", "key": "secret", "parts": ["{body}"], "enc": "b64",
                            "where": "header:X-Signature"}},
    "codes": {"events": [
        {"code": "DECLARED", "milestone": "CUSTOMS_DECLARED"}, {"code": "RELEASED", "milestone": "CUSTOMS_CLEARED"},
        {"code": "HUB_IN", "milestone": "ARRIVED"}, {"code": "QC_OK", "milestone": "QC_PASSED"},
        {"code": "DOOR", "milestone": "DELIVERED"},
    ]},
    "maps": {"event": {"means": "milestone", "codes": "events", "fields": [
        {"to": "reference", "from": "ref", "as": ["str"], "required": True},
        {"to": "at", "from": "at", "as": ["iso"], "required": True}, {"to": "code", "from": "code", "as": ["str"]},
        {"to": "remark", "from": "text", "as": ["str"]}, {"to": "milestone", "from": "milestone", "as": ["str"]},
        {"to": "classifier", "from": "classifier", "as": ["str"]}, {"to": "place", "from": "place", "as": ["str"]},
        {"to": "reason", "from": "reason", "as": ["str"]}, {"to": "corrects", "from": "corrects", "as": ["str"]},
        {"to": "key", "from": "id", "as": ["str"]},
    ]}},
    "door": {"form": "json", "signature": "push", "key": ["id"],
             "routes": [{"when": [{"path": "ref", "exists": True}], "map": "event"}],
             "answers": {"ok": {"status": 200, "type": "text/plain", "body": "ok"},
                         "bad_signature": {"status": 401, "type": "text/plain", "body": "no"}}},
    "tests": [{"name": "one", "kind": "in",
               "request": {"body": json.dumps({"ref": "A1", "at": "2026-11-22T02:00:00Z", "code": "DECLARED", "id": "1"})},
               "expected": [{"means": "milestone", "value": {"reference": "A1", "milestone": "CUSTOMS_DECLARED"}}]}],
}  # fmt: skip
CHINA = ZoneInfo("Asia/Shanghai")
COPIES = 5
_CARRIERS = ("generic_carrier", "sf", "kuaidi100")
_COUNTERS = re.compile(
    r'"seq": -?\d+|data-seq="-?\d*"|"updated_at": "[^"]*"|data-at="[^"]*"|Last updated [^<]*|最近更新[^<]*'
)


@dataclass(frozen=True, slots=True)
class Said:
    """One event as its system says it: the map that reads it and the document; `told` for people in the admin."""

    source: str
    map: str
    document: Any
    told: telling.Milestone | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """The orders of the day and everything that was said of them, in order of occurrence."""

    orders: Sequence[Order]
    events: Sequence[Said]


def set_up(count: int, time: make.Clock, *, seed: int = 1) -> Day:
    """Place and release so many orders, and write down what eight systems will say of them; the clock ends a day later."""
    make.network(units=10 * count)
    for code in (*_CARRIERS, "generic_warehouse"):
        saying.connect(code)
    for code in ("customs", "sensors", "supplier"):
        systems.connect(EVENTS, code=code)
    Connection.objects.update(is_active=False)  # they are heard, and nobody is called
    orders = make.place(*(make.draft(f"D{number:04}") for number in range(count)))
    make.run_until_idle()
    time.advance(hours=26)
    chance = random.Random(seed)
    said: list[tuple[datetime, Said]] = []
    for number, order in enumerate(orders):
        said += _story(order, number, make.NOW + timedelta(minutes=chance.randrange(60)), chance)
    said.sort(key=lambda pair: pair[0])
    return Day(orders, [one for _at, one in said])


def _story(order: Order, number: int, start: datetime, chance: random.Random) -> list[tuple[datetime, Said]]:
    work = FulfillmentOrder.objects.get(order=order)
    carrier, parcel = _CARRIERS[number % 3], f"TN{number:06}"
    at, found = start, []

    def step(minutes: int, make_said: Callable[[datetime], Said]) -> None:
        nonlocal at
        at += timedelta(minutes=minutes + chance.randrange(1, 9))
        found.append((at, make_said(at)))

    for event, minutes in (("acknowledge", 5), ("pick", 30), ("pack", 30)):
        step(minutes, lambda when, event=event: _house(work, event, when))
    step(2, lambda when: _feed("supplier", order.external_id, "QC_OK", when))
    step(20, lambda when: _house(work, "ship", when, parcel, carrier))
    step(60, lambda when: _scan(carrier, parcel, "picked_up", when, "杭州市"))
    step(60, lambda when: _scan(carrier, parcel, "departed", when, "杭州市"))
    if number % 5 == 0:
        step(30, lambda when: _feed("customs", parcel, "DECLARED", when))
        step(90, lambda when: _feed("customs", parcel, "RELEASED", when))
    step(120, lambda when: _feed("sensors", parcel, "HUB_IN", when, place="嘉兴市"))
    step(120, lambda when: _scan(carrier, parcel, "arrived", when, "上海市"))
    if number % 4 == 0:
        step(30, lambda when: _person(order, when))
    step(200, lambda when: _scan(carrier, parcel, "out", when, "上海市"))
    if number % 7 != 0:  # some are still on their way when the day ends
        step(90, lambda when: _scan(carrier, parcel, "delivered", when, "上海市"))
    return found


def _local(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _house(work: FulfillmentOrder, event: str, at: datetime, parcel: str = "", carrier: str = "") -> Said:
    document: dict[str, Any] = {"number": work.number, "event": event, "at": _local(at)}
    if parcel:
        document["parcels"] = [{"carrier": carrier, "tracking_number": parcel, "grams": 1600}]
    return Said("generic_warehouse", "event", document)


_SF = {"picked_up": "50", "departed": "30", "arrived": "31", "out": "44", "delivered": "80"}
_PLAIN = {"picked_up": "PU", "departed": "DP", "arrived": "AR", "out": "OD", "delivered": "DL"}
_KUAIDI = {
    "picked_up": ("揽收", "已揽收"), "departed": ("在途", "快件已发往下一站"), "arrived": ("在途", "快件到达 转运中心"),
    "out": ("派件", "派件中"), "delivered": ("签收", "快件已签收"),
}  # fmt: skip


def _scan(carrier: str, parcel: str, what: str, at: datetime, place: str) -> Said:
    if carrier == "sf":
        route = {
            "mailno": parcel,
            "acceptTime": _local(at),
            "acceptAddress": place,
            "remark": what,
            "opCode": _SF[what],
        }
        return Said("sf", "route", {"Body": {"WaybillRoute": [route]}})
    if carrier == "kuaidi100":
        state, text = _KUAIDI[what]
        row = {"time": _local(at), "context": text, "status": state, "areaName": f"浙江,{place}"}
        return Said("kuaidi100", "track", {"lastResult": {"nu": parcel, "com": "kuaidi100", "data": [row]}})
    event = {"at": _local(at), "code": _PLAIN[what], "text": what, "place": place}
    return Said(
        "generic_carrier", "track", {"tracking_number": parcel, "carrier": carrier, "events": [event]}
    )


def _feed(source: str, reference: str, code: str, at: datetime, place: str = "") -> Said:
    return Said(source, "event", {"ref": reference, "code": code, "at": at.isoformat(), "place": place})


def _person(order: Order, at: datetime) -> Said:
    delayed = telling.Milestone(order.pk, "DELAYED", at, place="嘉兴市", reason="weather_delay")
    return Said("person", "", None, delayed)


# ---- playing -------------------------------------------------------------------------------------


def clean(day: Day) -> list[Said]:
    """Everything once, in order."""
    return list(day.events)


def shuffled(day: Day, seed: int) -> list[Said]:
    """Everything five times, in any order: so late too, by up to the whole day."""
    feed = [one for one in day.events for _copy in range(COPIES)]
    random.Random(seed).shuffle(feed)
    return feed


def play(feed: Iterable[Said], *, at_once: int = 200) -> None:
    """Let the systems say it, some messages at once, and the hub work until it has nothing left to do."""
    known = {row.code: row for row in Connection.objects.filter(kind="profile")}
    waiting: dict[str, list[Incoming]] = {}
    for number, one in enumerate(feed, 1):
        if one.told is not None:
            telling.tell([one.told], said_by="person", actor="user:ann", now=clock.now())
        else:
            raw = json.dumps(one.document, ensure_ascii=False).encode()
            message = Incoming(f"{one.source}:{number}", {}, raw, {"fetched": one.map})
            waiting.setdefault(one.source, []).append(message)
        if number % at_once == 0:
            _deliver(known, waiting)
    _deliver(known, waiting)


def _deliver(known: dict[str, Connection], waiting: dict[str, list[Incoming]]) -> None:
    for source, messages in waiting.items():
        inbox.receive(known[source], messages, now=clock.now())
    waiting.clear()
    make.run_until_idle()


# ---- looking -------------------------------------------------------------------------------------


def state(day: Day) -> dict[str, list[Any]]:
    """Everything that must not depend on how the day was told: rows by what they are, in an order of their own."""
    orders = [order.pk for order in day.orders]
    works = FulfillmentOrder.objects.filter(order__in=orders)
    boxes = Parcel.objects.filter(fulfillment__in=works)
    entries = TimelineEntry.objects.filter(journey__order__in=orders)
    return {
        "orders": _rows(Order.objects.filter(pk__in=orders), "pk", "stage"),
        "works": _rows(works, "pk", "state", "packed_at", "shipped_at", "delivered_at"),
        "parcels": _rows(
            boxes, "tracking_number", "carrier", "status", "status_at", "packed_at", "shipped_at", "delivered_at", "grams"
        ),
        "entries": _rows(
            entries, "journey__order_id", "milestone", "classifier", "occurred_at", "place", "parcel__tracking_number", "facts"
        ),
        "standings": _rows(
            Standing.objects.filter(order__in=orders).exclude(subject__startswith="p:"), "order_id", "subject", "milestone",
            "since_at", "is_open",
        ),
        "moving": _rows(
            Standing.objects.filter(order__in=orders, parcel__isnull=False), "parcel__tracking_number", "milestone",
            "since_at", "is_open", "passed",
        ),
        "expected": _rows(
            Expectation.objects.filter(parcel__in=boxes, parcel__delivered_at__isnull=True),
            "parcel__tracking_number", "earliest_at", "latest_at", "because",
        ),
    }  # fmt: skip


def _rows(rows: Any, *names: str) -> list[Any]:
    return sorted(
        json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in rows.values_list(*names)
    )


def pages(day: Day, *, now: datetime, languages: Sequence[str] = ("zh-hans", "en")) -> list[bytes]:
    """The public pages as bytes, data and HTML; what only counts arrivals (the log's own numbers) is left out."""
    found = []
    numbers = dict(Parcel.objects.values_list("pk", "tracking_number"))
    for order in Order.objects.filter(pk__in=[row.pk for row in day.orders]).select_related(
        "merchant", "channel"
    ):
        for language in languages:
            track = queries.page(order, language=language, now=now)
            track["parcels"] = [
                {**box, "id": numbers[int(box["id"])]} if box["id"].isdigit() else box
                for box in track["parcels"]
            ]
            for event in track["timeline"]:
                event["parcel_id"] = (
                    numbers.get(int(event["parcel_id"] or 0)) if str(event["parcel_id"]).isdigit() else None
                )
            with translation.override(language):
                html = render_to_string("tracking/page.html", {"track": track, "token": "t"})
            text = json.dumps(track, sort_keys=True, ensure_ascii=False) + html
            found.append(_COUNTERS.sub("", text).encode())
    return found
