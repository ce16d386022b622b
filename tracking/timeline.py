"""The timeline of the public page: newest first, repeated scans folded, what is expected on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order
from tracking.models import TimelineEntry
from tracking.narrate import eta_band, relative_time, sentence
from tracking.page_words import MILESTONE_TONES
from tracking.parcels import Box, Reader, english_place

Json = dict[str, Any]


def drawn(
    entries: Sequence[TimelineEntry],
    boxes: Sequence[Box],
    warehouses: Mapping[str, Warehouse],
    order: Order,
    reader: Reader,
    *,
    moving: bool,
) -> list[Json]:
    """Events newest first in order of occurrence; expected arrivals (negative `seq`) stand above while the
    order moves.
    """
    happened = [_event(entry, warehouses, order, reader) for entry in reversed(entries)]
    kept = _folded(event for event in happened if event["text"])
    if kept:
        kept[0]["is_now"] = True
    return [*(_expected(boxes, reader) if moving else []), *kept]


def _event(entry: TimelineEntry, warehouses: Mapping[str, Warehouse], order: Order, reader: Reader) -> Json:
    place = _place(entry.place, order, reader)
    text = sentence(entry.milestone, facts=_facts(entry, place, warehouses, reader), language=reader.language)
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
