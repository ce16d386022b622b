"""From the log to the timeline: which events a customer may see, as rows; rebuilt from the log at will."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orderhub.events import kinds, rows
from orderhub.events.models import Event
from orderhub.fulfillment.models import Parcel
from tracking import live
from tracking.center import plans
from tracking.center.book import Book, books
from tracking.models import Journey, TimelineEntry

SCANNED = "parcel.scanned"
TOLD = "order.milestone_told"
DECIDED = "routing.decided"
AWAITING_PAYMENT = "awaiting_payment"
PREFIX = "order:"
#: The milestones that come with OrderHub, in their own words.
PRODUCT = Book()
#: Payload fields a sentence may need; nothing else of an event is copied to the customer's side.
_FACTS = (
    "warehouse", "fulfillment", "reason", "eta", "eta_from", "eta_to", "step", "n", "identity", "corrects", "zone",
)  # fmt: skip
_REASON = re.compile(r"[a-z_]{1,40}")
_WORDS = 120


@dataclass(slots=True)
class Told:
    """What one visible event says: the milestone, where, of which parcel, and the values of its sentence."""

    seq: int
    milestone: str
    occurred_at: datetime
    place: str = ""
    parcel_id: int | None = None
    classifier: str = "ACTUAL"
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Folded:
    """What the events of one order come to: the last sequence and stage, when, and the visible milestones."""

    order_id: int
    merchant_id: int
    changed_at: datetime
    seq: int = 0
    stage: str = ""
    told: list[Told] = field(default_factory=list)


def told_kinds() -> list[str]:
    """The kinds of an order's stream: the timeline follows all of them, to know how far it has read."""
    heads = ("order.", "fulfillment.", "parcel.", "production.", "routing.")
    return [kind.name for kind in kinds.catalog() if kind.name.startswith(heads)]


def fold(events: Iterable[Event], books: Mapping[int, Book] | None = None) -> dict[int, Folded]:
    """What events say per order, pure; they must come in the order of each stream. `books` are the milestones of each
    merchant, the product's where none is given.
    """
    orders: dict[int, Folded] = {}
    books = books or {}
    for event in events:
        order_id = order_of(event)
        if order_id is None or event.merchant_id is None:
            continue
        order = orders.setdefault(order_id, Folded(order_id, event.merchant_id, event.recorded_at))
        if event.seq <= order.seq:
            continue
        order.seq, order.changed_at = event.seq, event.recorded_at
        order.stage = str(event.payload.get("stage") or order.stage)
        if (said := _told(event, books.get(event.merchant_id, PRODUCT))) is not None:
            order.told.append(said)
    return orders


def books_of(events: Iterable[Event]) -> dict[int, Book]:
    """The milestones of the merchants of these events; two queries."""
    return books({event.merchant_id for event in events if event.merchant_id is not None})


def order_of(event: Event) -> int | None:
    """The order whose stream this is; None for other streams."""
    head, _colon, number = event.stream.partition(":")
    return int(number) if f"{head}:" == PREFIX and number.isdigit() else None


def _told(event: Event, book: Book) -> Told | None:
    code, payload = _milestone(event), event.payload
    known = book.milestone(code)
    if known is None:
        # What never happened is kept too: it takes the place of what it corrects, and is shown to nobody.
        return (
            Told(event.seq, "", event.occurred_at, facts={"corrects": payload["corrects"]})
            if _is_void(event)
            else None
        )
    if known.public == "internal":
        return None
    facts: dict[str, object] = {name: payload[name] for name in _FACTS if payload.get(name)}
    if known.public == "masked" or not _REASON.fullmatch(str(facts.get("reason", ""))):
        facts.pop("reason", None)  # a carrier's own words may name people; only codes are copied
    if event.kind == DECIDED:
        facts |= _routed(payload)
    return Told(
        seq=event.seq,
        milestone="SPLIT" if _is_split(facts, code) else code,
        occurred_at=event.occurred_at,
        place=str(payload.get("place") or "")[:_WORDS],
        parcel_id=_number(payload.get("parcel")),
        classifier=str(payload.get("classifier") or "ACTUAL"),
        facts=facts,
    )


def _is_void(event: Event) -> bool:
    said = event.payload
    return event.kind in (SCANNED, TOLD) and bool(said.get("corrects")) and not said.get("milestone")


def _milestone(event: Event) -> str:
    kind = kinds.get(event.kind)
    if kind.visibility == "internal" or event.payload.get("reason") == AWAITING_PAYMENT:
        # Waiting for payment is no check of ours: the page's headline says it, and then the payment itself.
        return ""
    return str(event.payload.get("milestone") or "") if event.kind in (SCANNED, TOLD) else kind.milestone


def _routed(payload: Mapping[str, object]) -> dict[str, object]:
    """The warehouse's names where there is one, the number of parcels where there are several."""
    zh, en = _names(payload.get("warehouses")), _names(payload.get("warehouses_en"))
    count = _number(payload.get("parcels")) or len(zh)
    if count > 1:
        return {"n": count}
    return {"warehouse_zh": zh[0], "warehouse_en": (en or zh)[0]} if zh else {}


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _is_split(facts: Mapping[str, object], code: str) -> bool:
    return code == "ALLOCATED" and "n" in facts


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def apply(events: Sequence[Event]) -> None:
    """Bring pages up to these events: nine queries for any batch (updates in parts on SQLite), repeated ones
    ignored.
    """
    orders = fold(events, books_of(events))
    if not orders:
        return
    known = Journey.objects.select_for_update(no_key=True).filter(order_id__in=orders).order_by("pk")
    journeys = {row.order_id: row for row in known}
    fresh = [_new(order) for key, order in orders.items() if key not in journeys]
    moved = [row for key, row in journeys.items() if _move(row, orders[key])]
    rows.insert(fresh)
    rows.save(moved, ["seq", "revision", "stage", "changed_at"])
    journeys |= {row.order_id: row for row in fresh}
    _write(orders.values(), journeys)
    plans.begin(fresh)
    live.announce_on_commit([*fresh, *moved])


def _new(order: Folded) -> Journey:
    return Journey(
        order_id=order.order_id,
        merchant_id=order.merchant_id,
        seq=order.seq,
        revision=1,
        stage=order.stage,
        changed_at=order.changed_at,
    )


def _move(row: Journey, order: Folded) -> bool:
    """Take a row forward; False if it has been told all of this before."""
    if order.seq <= row.seq:
        return False
    row.seq, row.stage, row.revision = order.seq, order.stage or row.stage, row.revision + 1
    row.changed_at = max(row.changed_at, order.changed_at)
    return True


def _write(orders: Iterable[Folded], journeys: Mapping[int, Journey]) -> None:
    told = [(journeys[order.order_id], said) for order in orders for said in order.told]
    named = {said.parcel_id for _journey, said in told if said.parcel_id is not None}
    known = set(Parcel.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    rows.insert((entry_of(journey, said, known) for journey, said in told), skip_known=True)


def entry_of(journey: Journey, said: Told, parcels: set[int]) -> TimelineEntry:
    """The row of one thing told; a parcel that is gone is left out."""
    return TimelineEntry(
        journey=journey,
        seq=said.seq,
        milestone=said.milestone,
        occurred_at=said.occurred_at,
        classifier=said.classifier,
        place=said.place,
        parcel_id=said.parcel_id if said.parcel_id in parcels else None,
        facts=said.facts,
    )
