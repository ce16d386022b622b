"""EPCIS events taken in: kept, applied to parcels as scans, and those without an order yet tried again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from carbon.interfaces import epcis as footprints
from orderhub.access.models import Merchant
from orderhub.events.models import Event
from orderhub.fulfillment import services
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.fulfillment.updates import Update
from orderhub.kernel import canonical
from orderhub.orders.models import Order, OrderLine
from tracking.everywhere.owing import milestone_of
from tracking.narrate import milestones
from tracking.partners import epcis
from tracking.partners.models import EpcisEvent

#: An event whose order has not come by then needs a person.
PATIENCE = timedelta(days=7)
_AT_ONCE = 200
_State = EpcisEvent.State


def capture(said: object, *, merchant: Merchant, now: datetime) -> uuid.UUID:
    """Keep a document's events and apply what can be; the capture to ask about. Raises epcis.Unreadable for the whole."""
    number = uuid.uuid4()
    rows = []
    for event in epcis.events_of(said):
        digest = canonical.digest(dict(event))
        row = EpcisEvent(merchant=merchant, capture=number, body=dict(event), captured_at=now)
        try:
            row.event_id = epcis.captured(event, digest=digest).event_id
        except epcis.Unreadable as fault:
            row.event_id, row.state, row.reason = f"ni:///sha-256;{digest}", _State.REFUSED, str(fault)[:200]
        rows.append(row)
    with transaction.atomic():
        EpcisEvent.objects.bulk_create(rows, ignore_conflicts=True)
    work_off(EpcisEvent.objects.filter(capture=number, state=_State.WAITING), now=now)
    return number


def retry(*, now: datetime) -> int:
    """Try what waits for its order again; how many were settled."""
    waiting = EpcisEvent.objects.filter(state=_State.WAITING)
    settled = work_off(waiting.order_by("captured_at")[:_AT_ONCE], now=now)
    late = waiting.filter(captured_at__lt=now - PATIENCE)
    return settled + late.update(state=_State.REFUSED, reason="unknown_order")


def work_off(rows: Iterable[EpcisEvent], *, now: datetime) -> int:
    """Apply these; how many are settled now."""
    settled = 0
    for row in rows:
        told = epcis.captured(row.body, digest=canonical.digest(row.body))
        parcels = _parcels(row.merchant_id, told)
        if not parcels:
            row.reason = "unknown_order"
            row.save(update_fields=["reason"])
            continue
        updates = [_update(parcel, told) for parcel in parcels]
        outcomes = services.apply(updates, merchant=row.merchant, now=now, actor="partner:epcis")
        refused = [outcome.reason for outcome in outcomes if outcome.status == "refused"]
        row.state = _State.REFUSED if refused else _State.APPLIED
        row.reason = refused[0][:200] if refused else ""
        row.save(update_fields=["state", "reason"])
        settled += 1
    return settled


def _parcels(merchant_id: int, told: epcis.Captured) -> list[Parcel]:
    """The parcels named, else those of the order named."""
    rows = Parcel.objects.filter(merchant_id=merchant_id).select_related("fulfillment").order_by("pk")
    if found := list(rows.filter(tracking_number__in=told.numbers)):
        return found
    if not told.order_number:
        return []
    _head, _dash, last = told.order_number.rpartition("-")
    chosen = Q(external_id=told.order_number)
    if last.isdigit() and len(last) < 15:
        chosen |= Q(pk=int(last))
    orders = [
        order
        for order in Order.objects.filter(chosen, merchant_id=merchant_id)[:20]
        if told.order_number in (order.external_id, order.number)
    ]
    return list(rows.filter(fulfillment__order__in=orders))


def _update(parcel: Parcel, told: epcis.Captured) -> Update:
    is_delivery = told.milestone == "DELIVERED"
    return Update(
        kind="deliver" if is_delivery else "scan", fulfillment_number=parcel.fulfillment.number,
        occurred_at=told.at, source="epcis", tracking_number=parcel.tracking_number,
        milestone="" if is_delivery else told.milestone, place=told.place,
    )  # fmt: skip


# ---- out -----------------------------------------------------------------------------------------


def steps_of(order: Order) -> list[epcis.Step]:
    """The public milestones of an order with the log's own hashes; three queries."""
    events = list(Event.objects.filter(stream=order.stream).order_by("seq"))
    ids = {event.payload.get("parcel") for event in events}
    parcels = Parcel.objects.in_bulk([number for number in ids if isinstance(number, int)])
    found = []
    for event in events:
        if not (code := milestone_of(event)):
            continue
        parcel = parcels.get(event.payload.get("parcel", 0))
        objects = ((parcel.carrier, parcel.tracking_number),) if parcel is not None else ()
        place = str(event.payload.get("place") or "")
        found.append(epcis.Step(event.hash, code, event.occurred_at, event.recorded_at, place, objects))
    return found


def consignments_of(order: Order) -> dict[str, str]:
    """Whose footprint belongs to which event of `steps_of`: EPCIS event id → "fulfillment:3" (planned, where it leaves) or
    "parcel:7" (as it was, where it arrives); three queries.
    """
    events = list(Event.objects.filter(stream=order.stream).order_by("seq"))
    works = dict(FulfillmentOrder.objects.filter(order=order).values_list("number", "pk"))
    parcels = dict(Parcel.objects.filter(fulfillment__order=order).values_list("pk", "fulfillment_id"))
    found = {}
    for event in events:
        known = milestones().get(milestone_of(event))
        step = known.names.get("epcis_bizstep", "") if known else ""
        parcel, work = event.payload.get("parcel"), works.get(str(event.payload.get("fulfillment", "")))
        work = parcels.get(parcel, work) if isinstance(parcel, int) else work
        if footprints.STEPS.get(step) == "estimate" and work is not None:
            found[epcis.event_id(event.hash)] = f"fulfillment:{work}"
        elif footprints.STEPS.get(step) == "actual" and parcel in parcels:
            found[epcis.event_id(event.hash)] = f"parcel:{parcel}"
    return found


def lines_of(order: Order) -> dict[str, int]:
    """Ordered units by SKU."""
    units: dict[str, int] = {}
    for line in OrderLine.objects.filter(order=order).select_related("sku").order_by("position"):
        units[line.sku.code] = units.get(line.sku.code, 0) + line.ordered
    return units
