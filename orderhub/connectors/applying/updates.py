"""What warehouses and carriers tell, as updates of fulfillment orders and parcels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from orderhub.connectors.applying import other_names
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Alias, Connection
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.updates import Count, Update, UpdateKind

#: A time read in the wrong zone lies up to 26 hours ahead; what lies further is a wrong clock or a plan, and waits until it
#: is true.
CLOCK_SLACK = timedelta(hours=26)
_CLASSIFIERS = frozenset({"PLANNED", "ESTIMATED", "ACTUAL"})
_EVENTS = frozenset({"acknowledge", "pick", "pack", "ship", "reject", "short", "cancelled", "cancel_refused"})


def from_warehouses(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Apply what a warehouse says of fulfillment orders; a shipment of several boxes is one update a box."""
    carriers = other_names.names(
        connection, Alias.Sort.CARRIER, (text(parcel, "carrier") for one in told for parcel in _parcels(one))
    )
    skus = other_names.names(connection, Alias.Sort.SKU, _skus(told))
    return _applied(connection, [_warehouse(connection, one, carriers, skus) for one in told], told, now=now)


def from_carriers(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Apply scans; what a carrier repeats of a parcel's history changes nothing. One query more than the updates."""
    numbers = {text(one.document, "tracking_number") for one in told}
    rows = Parcel.objects.filter(merchant_id=connection.merchant_id, tracking_number__in=numbers)
    owners = dict(rows.values_list("tracking_number", "fulfillment__number"))
    return _applied(connection, [_scan(connection, one, owners, now=now) for one in told], told, now=now)


def _applied(
    connection: Connection,
    wanted: Sequence[Sequence[Update] | Result],
    told: Sequence[Told],
    *,
    now: datetime,
) -> list[Result]:
    updates = [update for one in wanted if not isinstance(one, Result) for update in one]
    outcomes = iter(
        fulfillment.apply(
            updates, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now
        )
    )
    results = []
    for one, document in zip(wanted, told, strict=True):
        if isinstance(one, Result):
            results.append(one)
            continue
        own = [next(outcomes) for _update in one]
        subject = _subject(document)
        refused = [found.reason for found in own if found.status == "refused"]
        if refused:
            results.append(
                Result("refused", refused[0], [Fault("", code, subject) for code in refused], subject)
            )
        elif own and all(found.status == "ignored" for found in own):
            results.append(Result("ignored", own[0].reason, subject=subject))
        else:
            results.append(Result("applied", subject=subject))
    return results


def _subject(one: Told) -> str:
    return text(one.document, "reference") or text(one.document, "tracking_number")


def _parcels(one: Told) -> list[Mapping[str, Any]]:
    return [parcel for parcel in one.document.get("parcels") or () if isinstance(parcel, Mapping)]


def _lines(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [line for line in document.get("lines") or () if isinstance(line, Mapping)]


def _skus(told: Iterable[Told]) -> set[str]:
    found = {text(line, "sku") for one in told for line in _lines(one.document)}
    return found | {text(line, "sku") for one in told for box in _parcels(one) for line in _lines(box)}


def _counts(document: Mapping[str, Any], skus: Mapping[str, str]) -> tuple[Count, ...]:
    return tuple(
        Count(other_names.called(skus, text(line, "sku")), int(line.get("qty") or 0))
        for line in _lines(document)
        if int(line.get("qty") or 0) > 0
    )


def _warehouse(
    connection: Connection, one: Told, carriers: Mapping[str, str], skus: Mapping[str, str]
) -> Sequence[Update] | Result:
    document, event = one.document, text(one.document, "event")
    at, reference = moment(document, "at"), text(document, "reference")
    faults = [
        Fault(name, code, text(document, name))
        for name, code, bad in (
            ("event", "unknown_event", event not in _EVENTS), ("at", "bad_moment", at is None),
            ("reference", "missing", not reference),
        )
        if bad
    ]  # fmt: skip
    if faults:
        return Result("refused", faults[0].code, faults, reference)
    assert at is not None
    kind = cast(UpdateKind, event)
    boxes = _parcels(one)
    if kind not in ("pack", "ship") or not boxes:
        return [Update(
            kind=kind, fulfillment_number=reference, occurred_at=at, source=connection.name,
            reason=text(document, "reason")[:200], lines=_counts(document, skus),
        )]  # fmt: skip
    is_last = document.get("final", True)
    return [
        Update(
            kind=kind, fulfillment_number=reference, occurred_at=at, source=connection.name,
            lines=_counts(box, skus) or (_counts(document, skus) if len(boxes) == 1 else ()),
            more_to_come=number < len(boxes) or not is_last,
            carrier=other_names.called(carriers, text(box, "carrier")).lower()[:40],
            tracking_number=text(box, "tracking_number")[:60], grams=_whole(box, "grams"),
            carton_grams=_whole(box, "carton_grams"),
        )
        for number, box in enumerate(boxes, 1)
    ]  # fmt: skip


def _scan(
    connection: Connection, one: Told, owners: Mapping[str, str], *, now: datetime
) -> Sequence[Update] | Result:
    document, number = one.document, text(one.document, "tracking_number")
    at, status = moment(document, "at"), text(document, "status")
    if number not in owners:
        return Result(
            "refused", "unknown_parcel", (Fault("tracking_number", "unknown_parcel", number),), number
        )
    if at is None:
        return Result("refused", "bad_moment", (Fault("at", "bad_moment", text(document, "at")),), number)
    if status and status not in Parcel.Status.values:
        return Result("refused", "unknown_status", (Fault("status", "unknown_status", status),), number)
    classifier = text(document, "classifier") or "ACTUAL"
    if classifier not in _CLASSIFIERS:
        return Result(
            "refused", "unknown_status", (Fault("classifier", "unknown_status", classifier),), number
        )
    if classifier == "ACTUAL" and at > now + CLOCK_SLACK:
        return Result("refused", "in_future", (Fault("at", "in_future", text(document, "at")),), number)
    is_delivery = (
        status == Parcel.Status.DELIVERED and classifier == "ACTUAL" and not text(document, "corrects")
    )
    kind: UpdateKind = "deliver" if is_delivery else "scan"
    return [Update(
        kind=kind, fulfillment_number=owners[number], occurred_at=at, source=connection.name,
        carrier=text(document, "carrier").lower()[:40], tracking_number=number, status=status,
        milestone=text(document, "milestone"), place=text(document, "place")[:120], text=text(document, "remark")[:300],
        latitude=_degrees(document, "lat"), longitude=_degrees(document, "lng"), reason=text(document, "reason")[:200],
        classifier=classifier, identity=identity(document), corrects=text(document, "corrects")[:40],
    )]  # fmt: skip


def identity(document: Mapping[str, Any]) -> str:
    """What a carrier's event is known by, whatever we take it to mean: number, its own moment, code, place and text."""
    parts = [text(document, name) for name in ("tracking_number", "at", "code", "place", "remark")]
    if not parts[2] and not parts[4]:  # some maps give the meaning and nothing else
        parts += [text(document, "status"), text(document, "milestone"), text(document, "classifier")]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _whole(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    return int(Decimal(str(value))) if value not in (None, "") else None


def _degrees(document: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        return Decimal(text(document, name)) if text(document, name) else None
    except InvalidOperation:
        return None
