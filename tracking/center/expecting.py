"""When parcels are expected: bands from what lanes took, narrowed by milestones, told anew only when they truly move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from orderhub.events import rows
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.parcels import DELAY_HOURS
from orderhub.fulfillment.plan import arrival
from tracking import live
from tracking.center import alerts, learning, limits
from tracking.center.engine import bands
from tracking.center.engine.bands import Band
from tracking.center.learning import Learned
from tracking.center.models import Expectation, Standing

#: Milestones that say nothing of when a parcel arrives.
_SILENT = frozenset(
    {"PACKED", "READY_FOR_PICKUP_BY_CARRIER", "REFUSED", "LOST", "DAMAGED", "INTERCEPTED", "CANCELLED"}
)
#: With these it does not come at all, or nobody knows.
_STOPPED = frozenset({"REFUSED", "LOST", "INTERCEPTED", "RETURN_IN_TRANSIT", "RETURN_RECEIVED", "CANCELLED"})


def follow(standings: Sequence[Standing], parcels: Mapping[int, Parcel], *, now: datetime) -> None:
    """Reckon with what these parcels passed, and tell what moved; four queries for any number, more where it moved."""
    open_rows = [
        row for row in standings if row.is_open and row.parcel_id in parcels and row.milestone not in _STOPPED
    ]
    if not open_rows:
        return
    milestones = {code for row in open_rows for code in row.passed}
    learned = learning.learned(open_rows, learning.REST, milestones, now=now)
    held = {
        row.parcel_id: row
        for row in Expectation.objects.filter(parcel__in=[row.parcel_id for row in open_rows])
    }
    fresh, moved, risks = [], [], {}
    for row in open_rows:
        parcel = parcels[row.parcel_id or 0]
        promise = parcel.fulfillment.order.promised_at
        band = band_of(row, parcel, learned, promise=promise)
        if band is None:
            continue
        risks[row.pk] = (row, band.latest, promise)
        known = held.get(parcel.pk)
        if known is None:
            fresh.append(_filled(Expectation(parcel=parcel), band, row, now=now))
        elif (known.earliest_at, known.latest_at) != (band.earliest, band.latest):
            moved.append(_filled(known, band, row, now=now))
    rows.insert(fresh)
    rows.save(moved, ["earliest_at", "latest_at", "because", "place", "basis", "changed_at"])
    live.touch({parcels[one.parcel_id].fulfillment.order_id for one in moved})
    if risks:
        alerts.late_risk(risks, limits.rulebook(open_rows, now=now), now=now)


def band_of(row: Standing, parcel: Parcel, learned: Learned, *, promise: datetime | None) -> Band | None:
    """The band as a reader was told it: every milestone passed, in order of occurrence, each told only if it moved the band.

    Folded afresh each time, so that it is the same in whatever order the news came in.
    """
    plan = _plan(parcel, row)
    told: Band | None = None
    passed = sorted(
        (datetime.fromisoformat(at), code)
        for code, moments in row.passed.items() if code not in _SILENT for at in moments
    )  # fmt: skip
    for at, code in passed:
        counts, basis = learned.of(row, code)
        band = bands.learned(at, counts, because=code, basis=basis) or bands.without_history(
            at, code, plan=plan, told=None
        )
        if band is not None and bands.is_news(told, band, promise=promise):
            told = band
    return told


def _plan(parcel: Parcel, row: Standing) -> tuple[datetime, datetime] | None:
    """What was planned when it left, a day later for each delay the carrier told of."""
    if parcel.shipped_at is None:
        return None
    first, last = arrival(start=parcel.shipped_at, hours=parcel.fulfillment.planned_hours)
    later = timedelta(hours=DELAY_HOURS) * row.counts.get("DELAYED", 0)
    return first + later, last + later


def _filled(known: Expectation, band: Band, row: Standing, *, now: datetime) -> Expectation:
    known.earliest_at, known.latest_at = band.earliest, band.latest
    known.because, known.basis = band.because, band.basis
    known.place = row.place if band.because == row.milestone else ""
    known.changed_at = now
    return known
