"""The timeline of the public page: newest first, repeated scans folded, what is expected on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order
from tracking.center.book import Book
from tracking.center.engine.planning import Stop
from tracking.models import TimelineEntry
from tracking.narrate import eta_band, relative_time
from tracking.page_words import MILESTONE_TONES, TO_COME
from tracking.parcels import Box, Reader, english_place

Json = dict[str, Any]
ACTUAL, ESTIMATED, PLANNED = (
    TimelineEntry.Classifier.ACTUAL, TimelineEntry.Classifier.ESTIMATED, TimelineEntry.Classifier.PLANNED,
)  # fmt: skip
#: A step of a plan is told by its day.
_DAY_WIDE = timedelta(hours=9)


def drawn(
    entries: Sequence[TimelineEntry],
    boxes: Sequence[Box],
    warehouses: Mapping[str, Warehouse],
    order: Order,
    reader: Reader,
    *,
    moving: bool,
    book: Book,
) -> list[Json]:
    """Events newest first in order of occurrence; expected arrivals (negative `seq`) stand above while the
    order moves, and above these what is planned or expected besides.
    """
    standing = [entry for entry in counted(entries, book) if book.is_shown(entry.milestone)]
    drawn_ = [(entry, _event(entry, warehouses, order, reader, book)) for entry in reversed(standing)]
    ahead = [event for entry, event in drawn_ if event["text"] and _is_ahead(entry, reader)]
    happened = [event for entry, event in drawn_ if event["text"] and entry.classifier == ACTUAL]
    kept = _folded(happened)
    if kept:
        kept[0]["is_now"] = True
    return [*(ahead if moving else []), *(_expected(boxes, reader) if moving else []), *kept]


def counted(entries: Iterable[TimelineEntry], book: Book) -> list[TimelineEntry]:
    """The entries that count, oldest first: without what was corrected, of each milestone what happened before what is
    expected before what was planned, and of one moment in the order of an order's life, whatever order they came in.
    """
    told = list(entries)
    gone = {str(entry.facts["corrects"]) for entry in told if entry.facts.get("corrects")}
    left = [one for one in told if one.milestone and identity_of(one) not in gone]
    sure = {_about(one) for one in left if one.classifier == ACTUAL}
    newest: dict[tuple[object, ...], TimelineEntry] = {}
    for one in left:
        if one.classifier != ACTUAL and _about(one) not in sure:
            known = newest.get(_about(one))
            if known is None or (one.classifier, -one.seq) < (known.classifier, -known.seq):
                newest[_about(one)] = one  # ESTIMATED sorts before PLANNED, the later word before the earlier
    kept = [one for one in left if one.classifier == ACTUAL] + list(newest.values())
    return sorted(kept, key=lambda one: _place_of(one, book))


def identity_of(entry: TimelineEntry) -> str:
    """What a correction calls an entry by: its source's identity, else its number in the order's stream."""
    return str(entry.facts.get("identity") or f"s{entry.seq}")


def _about(entry: TimelineEntry) -> tuple[object, ...]:
    return entry.milestone, entry.parcel_id, entry.facts.get("step"), entry.facts.get("fulfillment")


def _place_of(entry: TimelineEntry, book: Book) -> tuple[object, ...]:
    return (
        entry.occurred_at, book.rank(entry.milestone), entry.parcel_id or 0, entry.place,
        str(entry.facts.get("identity", "")), entry.seq,
    )  # fmt: skip


def planned(stops: Sequence[Stop], reader: Reader, book: Book) -> list[Json]:
    """Steps of the order's template that are still to come, the last on top; their numbers are negative."""
    rows = []
    for number, stop in enumerate(stops, 1):
        name = reader.pick(stop.step.name_zh, stop.step.name_en)
        facts: dict[str, object] = {"step": name} if name else {}
        text = book.sentence(stop.step.milestone, facts=facts, language=reader.language)
        known = ESTIMATED if stop.expected != stop.planned else PLANNED
        rows.append(
            {
                "seq": -1000 - number, "text": TO_COME[reader.tongue].format(text=text), "at": reader.iso(stop.expected),
                "at_text": _when(stop.expected, stop.expected + _DAY_WIDE, reader), "place": "", "source": "",
                "tone": "wait", "classifier": known.value, "parcel_id": None, "is_now": False,
            }
        )  # fmt: skip
    return rows[::-1]


def _is_ahead(entry: TimelineEntry, reader: Reader) -> bool:
    return entry.classifier != ACTUAL and entry.occurred_at >= reader.now


def _event(
    entry: TimelineEntry, warehouses: Mapping[str, Warehouse], order: Order, reader: Reader, book: Book
) -> Json:
    place = _place(entry.place, order, reader)
    facts = _facts(entry, place, warehouses, reader)
    text = book.sentence(entry.milestone, facts=facts, language=reader.language)
    return {
        "seq": entry.seq,
        "text": text,
        "at": reader.iso(entry.occurred_at),
        "at_text": relative_time(
            entry.occurred_at, now=reader.now, language=reader.language, zone=reader.zone
        ),
        "place": "" if place in text else place,
        "source": entry.source,
        "tone": MILESTONE_TONES.get(entry.milestone, "go"),
        "classifier": entry.classifier,
        "parcel_id": str(entry.parcel_id) if entry.parcel_id else None,
        "is_now": False,
    }


def _facts(
    entry: TimelineEntry, place: str, warehouses: Mapping[str, Warehouse], reader: Reader
) -> dict[str, object]:
    """The sentence's values in the reader's language; a warehouse we do not know drops its clause."""
    facts = {**entry.facts, "place": place}
    earliest, latest = (parse_datetime(str(facts.pop(name, "") or "")) for name in ("eta_from", "eta_to"))
    if earliest is not None and latest is not None:
        facts["eta"] = _when(earliest, latest, reader)
    warehouse = warehouses.get(str(facts.pop("warehouse", "")))
    if warehouse is not None:
        facts["warehouse"] = reader.pick(warehouse.name, warehouse.name_en)
    return facts


def facts_of(
    entry: TimelineEntry, order: Order, warehouses: Mapping[str, Warehouse], reader: Reader
) -> dict[str, object]:
    """The values of an entry's sentence in the reader's language."""
    return _facts(entry, _place(entry.place, order, reader), warehouses, reader)


def _place(text: str, order: Order, reader: Reader) -> str:
    if not text or reader.tongue == "zh":
        return text
    return english_place(order.country, "", text) or english_place("CN", "", text) or text


def _folded(events: Iterable[Json]) -> list[Json]:
    """Without the older of equal sentences that follow each other for the same parcel."""
    kept: list[Json] = []
    last: dict[str | None, str] = {}
    for event in events:
        if last.get(event["parcel_id"]) == event["text"]:
            continue
        last[event["parcel_id"]] = event["text"]
        kept.append(event)
    return kept


def _expected(boxes: Sequence[Box], reader: Reader) -> list[Json]:
    rows = []
    for number, box in enumerate(boxes, 1):
        if box.is_delivered or box.band is None:
            continue
        first, last = box.band
        rows.append(
            {
                "seq": -number,
                "at": reader.iso(last),
                "place": "",
                "source": "",
                "text": reader.arrival(first, last),
                "at_text": _when(first, last, reader) if last >= reader.now else "",
                "tone": "wait",
                "classifier": TimelineEntry.Classifier.ESTIMATED.value,
                "parcel_id": box.id,
                "is_now": False,
            }
        )
    return rows


def _when(first: datetime, last: datetime, reader: Reader) -> str:
    return eta_band(first, last, now=reader.now, language=reader.language, zone=reader.zone)
