"""The public page as data: one order in a reader's language, in a constant number of queries, without
personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from carbon import queries as carbon
from orderhub.fields import queries as fields
from orderhub.fields.engine import shown as field_text
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel, ParcelLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.orders import sharing
from orderhub.orders.models import Hold, Order, OrderLine
from tracking import parcels, timeline, wording
from tracking.center import book as books
from tracking.center import plans
from tracking.center.book import Book
from tracking.everywhere import shown
from tracking.everywhere.models import MediaFile
from tracking.live_position import aboard
from tracking.live_position.datum import WGS84
from tracking.media import services as media
from tracking.models import Journey, Position, TimelineEntry
from tracking.narrate import headline
from tracking.page_words import ARRANGED, NOTICES, STAGES, WAITING
from tracking.parcels import Box, Place, Reader, is_late

#: As many of the newest positions as are looked at; thinned before they are shown.
POSITIONS_READ = 400
SPLIT = "ORDER_SPLIT"
#: Nothing is planned any more.
_OVER = frozenset({"delivered", "completed", "partially_returned", "returned", "cancelled", "merged"})
_GONE = (State.CANCELLED, State.REJECTED)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the page of one order is made from."""

    order: Order
    journey: Journey | None
    entries: Sequence[TimelineEntry]
    lines: Sequence[OrderLine]
    boxes: Sequence[Box]
    hold_reasons: frozenset[str]
    warehouses: Mapping[str, Warehouse]
    book: Book


def page(order: Order, *, language: str, now: datetime, found: Loaded | None = None) -> Json:
    """The page of an order (with its merchant loaded) as the template and the socket's readers know it.

    At most 17 queries. `seq` grows with everything a reader can see. Names, phones and addresses are not in
    it. `found` is what `load` gave, where somebody has it.
    """
    found = found or load(order)
    reader = Reader(language, ZoneInfo(order.merchant.time_zone), now)
    stage = _shown_stage(found)
    eta = _eta(found, stage, reader)
    done = sum(box.is_delivered if stage == "partially_delivered" else box.has_left for box in found.boxes)
    words = headline(
        order.stage,
        language=language,
        eta=eta["text"] if eta else "",
        awaiting_payment=stage == "awaiting_payment",
        held=stage == "reviewing",
        parcels=len(found.boxes),
        parcels_done=done,
    )
    changed_at = found.journey.changed_at if found.journey else order.updated_at
    tone, text = STAGES.get(stage, STAGES["received"])
    moving = eta is not None
    return {
        "order_number": order.number,
        "merchant": {"name": _merchant(order, reader)},
        "language": language,
        "seq": found.journey.revision if found.journey else 0,
        "updated_at": reader.iso(changed_at),
        "datum": WGS84,
        "stage": {"code": stage, "text": text[reader.tongue], "tone": tone},
        "headline": {"text": words.title, "detail": words.detail},
        "eta": eta,
        "destination": parcels.destination(order, reader),
        "parcels": [
            parcels.drawn(box, n, order, reader, moving=moving, book=found.book)
            for n, box in enumerate(found.boxes, 1)
        ],
        "timeline": _planned(found, reader)
        + timeline.drawn(
            found.entries, found.boxes, found.warehouses, order, reader, moving=moving, book=found.book
        ),
        "waiting": _waiting(found, stage, reader),
        "carbon": carbon.brief(order, language=language),
        "notice": _notice(found, stage, eta, reader),
        "wishes": shown.wishes(order, reader),
        "media": _media(order, reader),
        "related": _related(found, reader),
        "details": _details(found, reader),
    }


def _planned(found: Loaded, reader: Reader) -> list[Json]:
    """What the order's template still plans and customers may know; one query, two more where there is a plan."""
    plan = plans.of_order(found.order)
    if plan is None or str(found.order.stage) in _OVER:
        return []
    stops = plans.ahead(plan, found.entries, now=reader.now, audiences=("customer",))
    return timeline.planned(
        [stop for stop in stops if found.book.is_shown(stop.step.milestone, on_board=True)],
        reader,
        found.book,
    )


def _media(order: Order, reader: Reader) -> list[Json]:
    """Photos, videos and certificates for the buyer, by links that expire."""
    rows = MediaFile.objects.filter(order=order, audience=MediaFile.Audience.BUYER, keep_until__gt=reader.now)
    return media.shown(rows.order_by("-pk"), who=f"buyer:{order.pk}", now=reader.now, tongue=reader.tongue)


def _details(found: Loaded, reader: Reader) -> list[Json]:
    """The custom fields that customers see, of the order, its lines and its parcels; no query without fields."""
    book, zh = fields.book(found.order.merchant), reader.tongue == "zh"
    if not book:
        return []
    parcels_there = [box.parcel for box in found.boxes if box.parcel is not None]
    rows: list[tuple[str, str, Mapping[str, Any]]] = [("order", "", found.order.custom)]
    rows += [
        ("line", line.name if zh else line.sku.name_en or line.name, line.custom) for line in found.lines
    ]
    rows += [("parcel", box.tracking_number, box.custom) for box in parcels_there]
    return [
        {
            "name": f"{title} · {one.label(zh=zh)}" if title else one.label(zh=zh),
            "text": field_text(one, values[code], zh=zh),
            "link": values[code] if one.kind == "link" else "",
        }
        for target, title, values in rows
        for code, one in book.of(target).items()
        if one.customer_sees and code in values
    ]


def _related(found: Loaded, reader: Reader) -> list[Json]:
    """The other parts of a split order, each with its own page; a query only where one was split."""
    order = found.order
    if order.split_from_id is None and not any(entry.milestone == SPLIT for entry in found.entries):
        return []
    parts = Q(split_from=order) | Q(pk=order.split_from_id)
    return [
        {
            "number": other.number,
            "path": sharing.tracking_path(other),
            "text": STAGES.get(other.stage, STAGES["received"])[1][reader.tongue],
        }
        for other in Order.objects.filter(parts).exclude(stage="merged").order_by("pk")
    ]


def load(order: Order) -> Loaded:
    """Read the page's rows: at most thirteen queries."""
    journey = Journey.objects.filter(order=order).first()
    entries = (
        list(TimelineEntry.objects.filter(journey=journey).order_by("occurred_at", "seq")) if journey else []
    )
    holds = Hold.objects.filter(order=order, released_at__isnull=True).values_list("reason", flat=True)
    boxes = _boxes(order)
    known = {box.row.warehouse.code: box.row.warehouse for box in boxes}
    missing = {str(entry.facts.get("warehouse", "")) for entry in entries} - known.keys() - {""}
    if missing:
        rows = Warehouse.objects.filter(merchant_id=order.merchant_id, code__in=missing)
        known |= {row.code: row for row in rows}
    return Loaded(
        order=order,
        journey=journey,
        entries=entries,
        lines=list(OrderLine.objects.filter(order=order).select_related("sku").order_by("position")),
        boxes=boxes,
        hold_reasons=frozenset(holds),
        warehouses=known,
        book=books.book(order.merchant_id),
    )


def _boxes(order: Order) -> list[Box]:
    """Parcels, and parts of the order that are no parcel yet."""
    rows = FulfillmentOrder.objects.filter(order=order).exclude(state__in=_GONE)
    fulfillments = {row.pk: row for row in rows.select_related("warehouse", "rate_card").order_by("pk")}
    if not fulfillments:
        return []
    parts: dict[int, list[FulfillmentLine]] = {}
    line_rows = FulfillmentLine.objects.filter(fulfillment__in=fulfillments).select_related(
        "order_line", "sku"
    )
    for part in line_rows.order_by("pk"):
        parts.setdefault(part.fulfillment_id, []).append(part)
    packed = list(
        Parcel.objects.filter(fulfillment__in=fulfillments).select_related("expectation").order_by("pk")
    )
    contents = _contents(packed)
    tracks = _tracks([parcel for parcel in packed if parcel.status in parcels.MOVING], order)
    by_id = {part.pk: part for group in parts.values() for part in group}
    goal = (float(order.latitude), float(order.longitude))
    boxes = []
    for row in fulfillments.values():
        own = [parcel for parcel in packed if parcel.fulfillment_id == row.pk]
        for parcel in own:
            items = [(by_id[line.fulfillment_line_id], line.quantity) for line in contents.get(parcel.pk, [])]
            boxes.append(
                Box(row, parcel, items or _whole(parts.get(row.pk, [])), tracks.get(parcel.pk, []), goal)
            )
        if not own and row.state not in (State.SHIPPED, State.DELIVERED):
            boxes.append(Box(row, None, _whole(parts.get(row.pk, [])), []))
    return boxes


def _whole(parts: Sequence[FulfillmentLine]) -> list[tuple[FulfillmentLine, int]]:
    return [(part, part.quantity) for part in parts if part.quantity]


def _contents(packed: Sequence[Parcel]) -> dict[int, list[ParcelLine]]:
    found: dict[int, list[ParcelLine]] = {}
    if packed:
        for line in ParcelLine.objects.filter(parcel__in=packed).order_by("pk"):
            found.setdefault(line.parcel_id, []).append(line)
    return found


def _tracks(moving: Sequence[Parcel], order: Order) -> dict[int, list[Place]]:
    """The newest positions per moving parcel, newest first: its carrier's, and those of the vehicle it is in."""
    found: dict[int, list[Place]] = {}
    if moving:
        for position in Position.objects.filter(parcel__in=moving).order_by("-occurred_at")[:POSITIONS_READ]:
            found.setdefault(position.parcel_id, []).append(position)
        for key, way in aboard.ways(moving, now=clock.now(), zone=ZoneInfo(order.merchant.time_zone)).items():
            both = [*found.get(key, []), *way]
            found[key] = sorted(both, key=lambda place: place.occurred_at, reverse=True)[:POSITIONS_READ]
    return found


def _shown_stage(found: Loaded) -> str:
    """The order's stage, or what it waits for before it ships: payment first, then the review."""
    stage = str(found.order.stage)
    if stage not in wording.BEFORE_SHIPPING:
        return stage
    if Hold.Reason.AWAITING_PAYMENT in found.hold_reasons:
        return "awaiting_payment"
    if found.hold_reasons == {Hold.Reason.MERGE_WINDOW}:
        # Nobody looks at it: it waits for other orders, and its green card says until when.
        return "routed" if found.boxes else "received"
    return "reviewing" if found.hold_reasons else stage


def _eta(found: Loaded, stage: str, reader: Reader) -> Json | None:
    """The band over everything still under way; None while nothing moves."""
    bands = [box.band for box in found.boxes if not box.is_delivered and box.band is not None]
    if stage not in wording.MOVING or not bands:
        return None
    earliest, latest = min(band[0] for band in bands), max(band[1] for band in bands)
    promise = found.order.promised_at
    late = is_late(earliest, latest, promise=promise, now=reader.now)
    return {
        "from": reader.iso(earliest),
        "to": reader.iso(latest),
        "promise": reader.iso(promise) if promise else None,
        "text": reader.arrival(earliest, latest, promise=promise if late else None),
        "label": reader.band(earliest, latest),
        "late": late,
    }


def _merchant(order: Order, reader: Reader) -> str:
    return reader.pick(order.merchant.name, order.merchant.name_en)


def _waiting(found: Loaded, stage: str, reader: Reader) -> list[Json]:
    """Units that wait for stock, and those still to be arranged while others are on their way."""
    if stage in ("cancelled", "awaiting_payment", "reviewing"):
        return []
    rows = [(line, line.backordered, WAITING) for line in found.lines if line.backordered]
    if stage in ("partially_shipped", "partially_delivered", "released"):
        rows += [(line, line.open, ARRANGED) for line in found.lines if line.open]
    return [
        {"name": reader.item(line), "quantity": quantity, "text": words[reader.tongue]}
        for line, quantity, words in rows
    ]


def _notice(found: Loaded, stage: str, eta: Json | None, reader: Reader) -> str:
    """The one thing the reader should know beyond the headline; "" mostly."""
    states = {box.row.state for box in found.boxes}
    statuses = {box.parcel.status for box in found.boxes if box.parcel is not None}
    checks = {
        "awaiting_payment": stage == "awaiting_payment",
        "reviewing": stage == "reviewing",
        "cancelling": State.CANCEL_REQUESTED in states,
        "going_back": Parcel.Status.RETURN_TO_SENDER in statuses,
        "failed": Parcel.Status.DELIVERY_FAILED in statuses,
        "backordered": any(line.backordered for line in found.lines),
        "late": bool(eta and eta["late"]),
    }
    return next((NOTICES[name][reader.tongue] for name, holds in checks.items() if holds), "")
