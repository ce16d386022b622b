"""Positions of vehicles: filtered, stored in bulk past the log, and told to open pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from orderhub.connectors.base import PositionFix
from orderhub.connectors.models import Connection
from orderhub.events import partitions
from orderhub.fulfillment.models import Parcel
from orderhub.kernel import clock
from tracking import live
from tracking.geofence import Fix, is_usable
from tracking.models import Position

KEPT_FOR = timedelta(days=30)
#: Split by month on PostgreSQL.
POSITIONS = partitions.declare(partitions.Partitioned("tracking_position", "occurred_at"))
#: Its clock runs many times too fast, so its vehicles do too.
SIMULATOR = "simulator"


@transaction.atomic
def store(fixes: Sequence[PositionFix], *, now: datetime | None = None) -> int:
    """Store usable fixes of known parcels, four queries and two statements for any number; returns how many
    were new.

    Dropped: unknown parcels, moments more than 2 minutes ahead, jumps faster than 200 km/h, repeated fixes.
    Late fixes
    are stored but do not move "now", which is the newest one.
    """
    moment = now or clock.now()
    parcels = _parcels(fixes)
    simulated = _simulated({parcel.merchant_id for parcel in parcels.values()})
    by_parcel: dict[Parcel, list[Fix]] = {}
    for fix in sorted(fixes, key=lambda fix: fix.occurred_at):
        parcel = parcels.get((fix.carrier, fix.tracking_number))
        if parcel is not None:
            by_parcel.setdefault(parcel, []).append(
                Fix(fix.occurred_at, float(fix.latitude), float(fix.longitude))
            )
    rows = [
        _row(parcel, fix)
        for parcel, found in by_parcel.items()
        for fix in _usable(found, parcel, now=moment, any_speed=parcel.merchant_id in simulated)
    ]
    fresh = _unknown(rows)
    Position.objects.bulk_create(fresh, ignore_conflicts=True)
    live.touch({row.parcel.fulfillment.order_id for row in fresh})
    return len(fresh)


def forget() -> int:
    """Delete positions older than a month, and the partitions this empties; returns how many positions."""
    limit = clock.now() - KEPT_FOR
    forgotten = Position.objects.filter(occurred_at__lt=limit).delete()[0]
    partitions.drop_before(POSITIONS, limit)
    return forgotten


def _parcels(fixes: Iterable[PositionFix]) -> dict[tuple[str, str], Parcel]:
    """Known parcels by carrier and number, each with its newest position."""
    numbers = {fix.tracking_number for fix in fixes}
    rows = Parcel.objects.filter(tracking_number__in=numbers).select_related("fulfillment")
    newest = Position.objects.filter(parcel=OuterRef("pk")).order_by("-occurred_at")
    found = rows.annotate(
        last_at=Subquery(newest.values("occurred_at")[:1]),
        last_lat=Subquery(newest.values("latitude")[:1]),
        last_lng=Subquery(newest.values("longitude")[:1]),
    )
    return {(row.carrier, row.tracking_number): row for row in found}


def _simulated(merchant_ids: Collection[int]) -> set[int]:
    rows = Connection.objects.filter(merchant_id__in=merchant_ids, kind=SIMULATOR)
    return set(rows.values_list("merchant_id", flat=True))


def _usable(found: Iterable[Fix], parcel: Parcel, *, now: datetime, any_speed: bool) -> list[Fix]:
    """The fixes worth keeping; each is measured against the one before it in time."""
    last_at = getattr(parcel, "last_at", None)
    previous = None
    if last_at is not None:
        previous = Fix(last_at, float(parcel.last_lat), float(parcel.last_lng))  # type: ignore[attr-defined]
    kept = []
    for fix in found:
        is_late = previous is not None and fix.at <= previous.at
        before = None if any_speed or is_late else previous
        if not is_usable(fix, previous=before, now=now):
            continue
        kept.append(fix)
        previous = previous if is_late else fix
    return kept


def _row(parcel: Parcel, fix: Fix) -> Position:
    return Position(parcel=parcel, latitude=f"{fix.lat:.5f}", longitude=f"{fix.lng:.5f}", occurred_at=fix.at)


def _unknown(rows: Sequence[Position]) -> list[Position]:
    stored: QuerySet[Position] = Position.objects.filter(
        parcel_id__in={row.parcel_id for row in rows}, occurred_at__in={row.occurred_at for row in rows}
    )
    known: Mapping[tuple[int, datetime], None] = dict.fromkeys(stored.values_list("parcel_id", "occurred_at"))
    unique = {(row.parcel_id, row.occurred_at): row for row in rows}
    return [row for key, row in unique.items() if key not in known]
