"""The carbon ledger as a projection: an estimate for what is planned, actual figures for what has shipped
and arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from carbon import returning, services
from carbon.activity import services as activity
from carbon.consignments import Contents, arrived, contents_of, left, planned
from carbon.models import CalculationRun
from carbon.posting import Draft, calculated, entries_of, post, reversal
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel
from orderhub.fulfillment.models.fulfillment import State
from orderhub.kernel import clock

SHIPPED, DELIVERED = "fulfillment.shipped", "parcel.delivered"
#: After each of these, what is planned for the order may differ from what the ledger estimates.
REPLANNED = (
    "routing.decided",
    "order.cancelled",
    "order.split",
    "order.merged",
    "order.merged_into",
    "order.address_changed",
    "order.backordered",
    "fulfillment.rejected",
    "fulfillment.cancelled",
    "carbon.green_chosen",
)
RETURNED = "fulfillment.return_received"
KINDS = (*REPLANNED, SHIPPED, DELIVERED, RETURNED)
_GONE = (State.CANCELLED, State.REJECTED)
_SENT = (State.SHIPPED, State.DELIVERED)
ESTIMATE, ACTUAL = CalculationRun.Basis.ESTIMATE, CalculationRun.Basis.ACTUAL

PostedListener = Callable[[Collection[int]], None]
_listeners: list[PostedListener] = []


def when_posted(function: PostedListener) -> PostedListener:
    """Have `function(order ids)` called, inside the transaction, when the figures of orders have changed."""
    if function not in _listeners:
        _listeners.append(function)
    return function


@dataclass(frozen=True, slots=True)
class Standing:
    """A run that counts: it has not been taken back."""

    run_id: int
    order_id: int
    basis: str
    subject: str
    input_hash: str


def apply(events: Sequence[Event]) -> None:
    """Post what these events change; a constant number of queries for any batch, repeated events post
    nothing.
    """
    now = clock.now()
    services.ensure_factors(now=now)
    order_of = {
        event.pk: int(event.stream.partition(":")[2]) for event in events if event.stream.startswith("order:")
    }
    triggers = {order_of[event.pk]: event for event in events if event.kind in REPLANNED}
    facts = [event for event in events if event.kind in (SHIPPED, DELIVERED)]
    standing, known = _standing(set(order_of.values()))
    drafts = [
        *_estimates(triggers, [run for run in standing if run.basis == ESTIMATE], now=now),
        *_actuals([event for event in facts if not _is_posted(event, known)], now=now),
        *returning.drafts([event for event in events if event.kind == RETURNED], known, now=now),
    ]
    if post(drafts):
        _bring_in_earlier_facts(drafts, now=now)
        for listener in _listeners:
            listener({draft.run.order_id for draft in drafts})


def _bring_in_earlier_facts(drafts: Sequence[Draft], *, now: datetime) -> None:
    """Trips and packing lists that came before the parcels they name."""
    merchant_ids = {draft.run.merchant_id for draft in drafts if draft.run.basis == ACTUAL}
    if not merchant_ids or not activity.is_used(merchant_ids):
        return
    subjects = [draft.run.subject.partition(":") for draft in drafts if draft.run.basis == ACTUAL]
    parcel_ids = [int(pk) for kind, _colon, pk in subjects if kind == "parcel"]
    numbers = Parcel.objects.filter(pk__in=parcel_ids).values_list("tracking_number", flat=True)
    for record in activity.of_parcels(numbers, merchant_ids):
        activity.apply(record, now=now)


# ---- what is planned
# -------------------------------------------------------------------------------------------------


def _estimates(triggers: Mapping[int, Event], standing: Iterable[Standing], *, now: datetime) -> list[Draft]:
    """New estimates, and reversals of those whose plan changed or is gone."""
    wanted = _planned_drafts(triggers, now=now)
    stale: list[Standing] = []
    had: set[str] = set()
    for run in standing:
        if run.order_id not in triggers:
            continue
        draft = wanted.get(run.subject)
        if draft is not None and draft.run.input_hash == run.input_hash:
            del wanted[run.subject]
        else:
            stale.append(run)
            had.add(run.subject)
    for subject in had & wanted.keys():
        new = wanted[subject].run
        new.reason = new.cause = CalculationRun.Reason.ACTIVITY_CORRECTION
    return [*_reversals(stale, triggers, now=now), *wanted.values()]


def _planned_drafts(triggers: Mapping[int, Event], *, now: datetime) -> dict[str, Draft]:
    drafts: dict[str, Draft] = {}
    for row in _fulfillments(triggers):
        contents = contents_of(
            (part, part.shipped if row.state in _SENT else part.quantity) for part in row.lines.all()
        )
        draft = calculated(
            f"fulfillment:{row.pk}",
            partial(planned, row, contents),
            contents,
            basis=ESTIMATE,
            order_id=row.order_id,
            merchant_id=row.merchant_id,
            event_id=triggers[row.order_id].pk,
            activity_date=row.created_at.date(),
            now=now,
        )
        if draft is not None:
            drafts[draft.run.subject] = draft
    return drafts


def _fulfillments(order_ids: Collection[int]) -> list[FulfillmentOrder]:
    rows = FulfillmentOrder.objects.filter(order_id__in=order_ids).exclude(state__in=_GONE)
    loaded = rows.select_related("order", "warehouse", "rate_card").prefetch_related("lines__sku")
    return list(loaded.order_by("pk"))


def _reversals(stale: Sequence[Standing], triggers: Mapping[int, Event], *, now: datetime) -> list[Draft]:
    if not stale:
        return []
    runs = CalculationRun.objects.in_bulk([run.run_id for run in stale])
    entries = entries_of(runs)
    return [
        reversal(runs[run.run_id], entries[run.run_id], event_id=triggers[run.order_id].pk, now=now)
        for run in stale
    ]


# ---- what happened
# ---------------------------------------------------------------------------------------------------


def _actuals(events: Sequence[Event], *, now: datetime) -> list[Draft]:
    """The warehouse and packaging of parcels that left, the way of parcels that arrived."""
    parcels = _parcels({int(event.payload["parcel"]) for event in events})
    found = [(event, parcels.get(int(event.payload["parcel"]))) for event in events]
    drafts = [_actual(event, parcel, now=now) for event, parcel in found if parcel is not None]
    return [draft for draft in drafts if draft is not None]


def _actual(event: Event, parcel: Parcel, *, now: datetime) -> Draft | None:
    contents = _contents(parcel)
    chain = partial(left, parcel, contents)
    if event.kind == DELIVERED:
        chain = partial(arrived, parcel, contents, distance_km=_km(event.payload.get("distance_km")))
    return calculated(
        f"parcel:{parcel.pk}",
        chain,
        contents,
        basis=ACTUAL,
        order_id=parcel.fulfillment.order_id,
        merchant_id=parcel.merchant_id,
        event_id=event.pk,
        activity_date=event.occurred_at.date(),
        now=now,
    )


def _parcels(parcel_ids: Collection[int]) -> dict[int, Parcel]:
    if not parcel_ids:
        return {}
    rows = Parcel.objects.filter(pk__in=parcel_ids).select_related(
        "fulfillment__order", "fulfillment__warehouse", "fulfillment__rate_card"
    )
    loaded = rows.prefetch_related("lines__fulfillment_line__sku", "fulfillment__lines__sku")
    return {row.pk: row for row in loaded}


def _contents(parcel: Parcel) -> Contents:
    """What is in the box; where nobody said, everything its fulfillment order shipped."""
    told = contents_of((line.fulfillment_line, line.quantity) for line in parcel.lines.all())
    return told if told.units else contents_of(_all(parcel.fulfillment.lines.all()))


def _all(parts: Iterable[FulfillmentLine]) -> Iterable[tuple[FulfillmentLine, int]]:
    return ((part, part.shipped or part.quantity) for part in parts)


def _km(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None


# ---- what the ledger says already
# ------------------------------------------------------------------------------------


def _standing(order_ids: Collection[int]) -> tuple[list[Standing], set[tuple[int, str]]]:
    """The runs of these orders that count, and all (event, subject) that were ever posted; one query."""
    rows = (
        CalculationRun.objects.filter(order_id__in=order_ids)
        .order_by("pk")
        .values("pk", "order_id", "basis", "subject", "input_hash", "event_id", "reverses_id")
    )
    found: list[dict[str, Any]] = [dict(row) for row in rows]
    back = {row["reverses_id"] for row in found}
    counts = [
        Standing(row["pk"], row["order_id"], row["basis"], row["subject"], row["input_hash"])
        for row in found
        if row["pk"] not in back and row["reverses_id"] is None
    ]
    return counts, {(row["event_id"], row["subject"]) for row in found if row["basis"] == ACTUAL}


def _is_posted(event: Event, known: set[tuple[int, str]]) -> bool:
    parcel = event.payload.get("parcel")
    return not isinstance(parcel, int) or (event.pk, f"parcel:{parcel}") in known
