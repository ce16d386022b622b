"""What happens to parcels: packed, shipped, scanned, delivered; a carrier's status is data, never a
machine."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from orderhub.fulfillment import kinds
from orderhub.fulfillment.desk import Case, Desk
from orderhub.fulfillment.handlers import AT_WORK, SENT, Ignored, Unfit, leave_short, line_fact, portions
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.plan import arrival
from orderhub.fulfillment.updates import Update
from orderhub.orders import ledger

# Stand-ins until lanes have a history: a van's round ends within ten hours, a delay is told as one more day.
ROUND_HOURS = 10
DELAY_HOURS = 24
_SCANS_KEPT = 500
_STATUSES = frozenset(Parcel.Status.values)
#: A parcel's statuses in the order of its way.
_RANK = {status: number for number, status in enumerate(Parcel.Status.values)}
_GOING_BACK = Parcel.Status.RETURN_TO_SENDER


def pack(desk: Desk, case: Case, update: Update) -> None:
    """A box is closed and weighed; with a tracking number it exists as a parcel from now on."""
    row = case.row
    known = case.parcel(update.tracking_number) if update.tracking_number else None
    if row.state not in AT_WORK:
        _pack_late(desk, case, update, known)
        return
    if row.packed_at is not None and (known is not None or not update.tracking_number):
        raise Ignored("repeat")
    if row.state != State.IN_PROGRESS:
        row.to_in_progress()
    parcel = None
    if update.tracking_number:
        parcel = _new_parcel(desk, case, update)
        parcel.packed_at = update.occurred_at
    else:
        row.packed_grams, row.carton_grams = update.grams, update.carton_grams
    row.packed_at = row.packed_at or update.occurred_at
    desk.tell(
        case,
        kinds.PACKED,
        update.occurred_at,
        parcel=parcel,
        grams=update.grams,
        carton_grams=update.carton_grams,
    )


def _pack_late(desk: Desk, case: Case, update: Update, parcel: Parcel | None) -> None:
    """It has left, and only now is told that it was packed: said where it belongs, and nothing moves."""
    if (
        case.row.state not in SENT
        or case.row.packed_at is not None
        or (update.tracking_number and parcel is None)
    ):
        raise Ignored("late")
    case.row.packed_at = update.occurred_at
    for box in case.parcels if parcel is None else [parcel]:
        box.packed_at = box.packed_at or update.occurred_at
    desk.tell(
        case,
        kinds.PACKED,
        update.occurred_at,
        parcel=parcel,
        grams=update.grams,
        carton_grams=update.carton_grams,
    )


def ship(desk: Desk, case: Case, update: Update) -> None:
    """A parcel leaves. Fewer units than are left is a short pick, unless more is to come."""
    row = case.row
    known = case.parcel(update.tracking_number or row.number) if case.parcels else None
    if row.state in (State.SHIPPED, State.DELIVERED) or (known is not None and known.shipped_at is not None):
        raise Ignored("repeat")
    if row.state not in AT_WORK and row.state != State.CANCEL_REQUESTED:
        raise Unfit("closed")
    leaving = portions(case, update.lines)
    if not leaving:
        raise Unfit("no_units")
    parcel = known or _new_parcel(desk, case, update)
    _dispatch(case, parcel, update)
    told = []
    for part, units in leaving:
        desk.ship(case, part, units, parcel)
        told.append(line_fact(case, part, units))
    row.shipped_at = row.shipped_at or update.occurred_at
    row.eta_from_at, row.eta_to_at = parcel.eta_from_at, parcel.eta_to_at
    desk.tell(
        case,
        kinds.SHIPPED,
        update.occurred_at,
        parcel=parcel,
        carrier=parcel.carrier,
        grams=parcel.grams,
        carton_grams=parcel.carton_grams,
        lines=told,
    )
    if case.left and not update.more_to_come:
        leave_short(desk, case, update, portions(case, ()))
    if not case.left:
        row.to_shipped()
    elif row.state in (State.RELEASED, State.ACKNOWLEDGED):
        row.to_in_progress()


def redirected(desk: Desk, case: Case, update: Update) -> None:
    """The carrier takes the parcel to the new address."""
    parcel = _asked(case, update)
    parcel.intercept = Parcel.Interception.REDIRECTED.value
    desk.tell(case, kinds.REDIRECTED, update.occurred_at, parcel=parcel)


def intercept_refused(desk: Desk, case: Case, update: Update) -> None:
    """The carrier goes on to the old address."""
    parcel = _asked(case, update)
    parcel.intercept = Parcel.Interception.REFUSED.value
    desk.tell(case, kinds.INTERCEPT_REFUSED, update.occurred_at, parcel=parcel, reason=update.reason)


def _asked(case: Case, update: Update) -> Parcel:
    parcel = _known(case, update)
    if parcel.intercept != Parcel.Interception.ASKED:
        raise Ignored("late")
    return parcel


def scan(desk: Desk, case: Case, update: Update) -> None:
    """A carrier's scan: always told, but an older one moves no status back, and a repeated one is ignored."""
    if update.status == Parcel.Status.DELIVERED:
        deliver(desk, case, update)
        return
    parcel = _known(case, update)
    digest = _digest(update)
    if digest in parcel.scans:
        raise Ignored("repeat")
    parcel.scans = [*parcel.scans, digest][-_SCANS_KEPT:]
    happened = update.classifier in ("", "ACTUAL") and not update.corrects
    if happened and _is_news(parcel, update):
        # A note without a status must not hide an earlier status that arrives later.
        if update.status in _STATUSES:
            parcel.status = update.status
            parcel.status_at = update.occurred_at
        _expect(case, parcel, update)
    desk.tell(
        case,
        kinds.SCANNED,
        update.occurred_at,
        parcel=parcel,
        status=update.status,
        milestone=update.milestone,
        place=update.place,
        text=update.text,
        reason=update.reason,
        classifier="" if happened else update.classifier,
        identity=update.identity,
        corrects=update.corrects,
        latitude=update.latitude,
        longitude=update.longitude,
    )


def deliver(desk: Desk, case: Case, update: Update) -> None:
    """A parcel arrived; the fulfillment order is delivered with its last one."""
    row, parcel = case.row, _known(case, update)
    if parcel.delivered_at is not None:
        raise Ignored("repeat")
    if parcel.shipped_at is None:
        raise Unfit("not_shipped")
    parcel.delivered_at = update.occurred_at
    came_back = parcel.status == _GOING_BACK and parcel.status_at and parcel.status_at > update.occurred_at
    if not came_back:  # the news of its way back arrived before that of its delivery
        parcel.status_at = update.occurred_at
        parcel.status = Parcel.Status.DELIVERED
    order_line_of = {part.pk: part.order_line_id for part in case.parts}
    for content in case.contents.get(parcel.tracking_number, []):
        ledger.deliver(case.order_lines[order_line_of[content.fulfillment_line_id]], content.quantity)
    if row.state == State.SHIPPED and all(p.delivered_at is not None for p in case.parcels):
        row.to_delivered()
        row.delivered_at = update.occurred_at
    # Only what was reported: carbon tells primary data from planned by it, also where both figures agree.
    desk.tell(
        case,
        kinds.DELIVERED,
        update.occurred_at,
        parcel=parcel,
        place=update.place,
        distance_km=update.distance_km,
    )


def _known(case: Case, update: Update) -> Parcel:
    parcel = case.parcel(update.tracking_number)
    if parcel is None:
        raise Unfit("unknown_parcel")
    return parcel


def _new_parcel(desk: Desk, case: Case, update: Update) -> Parcel:
    """A parcel of this fulfillment order; a number that another one has is refused, so no parcel has two
    owners."""
    row = case.row
    carrier = update.carrier or row.rate_card.carrier
    number = update.tracking_number or row.number
    if (carrier, number) in desk.taken_numbers:
        raise Unfit("tracking_number_taken")
    parcel = Parcel(
        merchant_id=row.merchant_id,
        fulfillment=row,
        carrier=carrier,
        tracking_number=number,
        grams=_first(update.grams, row.packed_grams, row.grams),
        carton_grams=_first(update.carton_grams, row.carton_grams, 0),
    )
    row.packed_grams = row.carton_grams = (
        None  # the weights of the last box without a number belong to one parcel
    )
    return desk.add_parcel(case, parcel)


def _dispatch(case: Case, parcel: Parcel, update: Update) -> None:
    parcel.grams = _first(update.grams, parcel.grams)
    parcel.carton_grams = _first(update.carton_grams, parcel.carton_grams)
    parcel.packed_at = parcel.packed_at or case.row.packed_at
    parcel.shipped_at = update.occurred_at
    parcel.status_at = max(parcel.status_at or update.occurred_at, update.occurred_at)
    band = arrival(start=update.occurred_at, hours=case.row.planned_hours)
    parcel.eta_from_at, parcel.eta_to_at = band


def _first(*values: int | None) -> int:
    return next((value for value in values if value is not None), 0)


def _digest(update: Update) -> str:
    """What a scan is told by: what the source knows it by, else the carrier's own moment, code, place and words."""
    if update.identity:
        return update.identity[:12]
    parts = (update.occurred_at.isoformat(), update.milestone, update.status, update.place, update.text)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def _is_news(parcel: Parcel, update: Update) -> bool:
    if parcel.delivered_at is not None and update.status != _GOING_BACK:
        return False
    if parcel.status_at is None or update.occurred_at > parcel.status_at:
        return True
    # Two scans of one moment: the one further on counts, whichever arrives first.
    return update.occurred_at == parcel.status_at and _RANK.get(update.status, -1) >= _RANK.get(
        parcel.status, -1
    )


def _expect(case: Case, parcel: Parcel, update: Update) -> None:
    """Narrow the arrival when the van is out, push it when the carrier says so."""
    at = update.occurred_at
    if update.milestone == "OUT_FOR_DELIVERY":
        _set_band(case, parcel, at, at + timedelta(hours=ROUND_HOURS))
    elif update.milestone == "DELAYED" and parcel.eta_from_at and parcel.eta_to_at:
        later = timedelta(hours=DELAY_HOURS)
        _set_band(case, parcel, parcel.eta_from_at + later, parcel.eta_to_at + later)


def _set_band(case: Case, parcel: Parcel, earliest: datetime, latest: datetime) -> None:
    parcel.eta_from_at, parcel.eta_to_at = earliest, latest
    if len(case.parcels) == 1:
        case.row.eta_from_at, case.row.eta_to_at = earliest, latest
