"""Coming and going: fresh positions asked against the merchant's fences, crossings told to the parcels aboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import cos, radians

from django.db import transaction

from orderhub.access.models import Merchant
from orderhub.fulfillment import services
from orderhub.fulfillment.models import Parcel
from orderhub.fulfillment.updates import Update
from orderhub.kernel.geo import KM_PER_DEGREE
from tracking import geofence
from tracking.geofence import LEAVE_MARGIN_M, Area, FenceState, Fix
from tracking.live_position import aboard
from tracking.live_position.filters import is_blurred
from tracking.live_position.formats import Reading
from tracking.live_position.models import Fence, FenceStay, FenceVisit

#: Milestones a fence may set, and what a parcel's status is then.
MILESTONES = {
    "PICKED_UP": Parcel.Status.PICKED_UP,
    "ARRIVED": Parcel.Status.IN_TRANSIT,
    "DEPARTED": Parcel.Status.IN_TRANSIT,
    "OUT_FOR_DELIVERY": Parcel.Status.OUT_FOR_DELIVERY,
}
#: So many crossings are told in one round.
_AT_ONCE = 500


def watch(merchant: Merchant, fresh: Mapping[int, Sequence[Reading]]) -> list[FenceVisit]:
    """Move what the fences know of these devices by their new fixes in order; the crossings that confirms, noted to be told.

    Two queries, and one more per state that changed. The caller holds the devices' places, in a transaction.
    """
    if not fresh:
        return []
    fences = {fence.pk: fence for fence in Fence.objects.filter(merchant=merchant, is_active=True)}
    if not fences:
        return []
    areas = {pk: area_of(fence) for pk, fence in fences.items()}
    rows = FenceStay.objects.filter(fence__in=fences, device_id__in=fresh)
    stays = {(row.fence_id, row.device_id): row for row in rows}
    visits: list[FenceVisit] = []
    for device_id, readings in fresh.items():
        sharp = [one for one in readings if not is_blurred(one)]
        for pk, fence in fences.items():
            stay = stays.get((pk, device_id))
            if stay is None and not any(_may_be_near(fence, one) for one in sharp):
                continue
            visits += _walk(fence, areas[pk], stay or FenceStay(fence=fence, device_id=device_id), sharp)
    FenceVisit.objects.bulk_create(visits, ignore_conflicts=True)
    return visits


def settle(*, now: datetime) -> int:
    """Believe single fixes inside of devices that fell silent a minute ago; how many."""
    doubtful = FenceStay.objects.filter(
        inside=False, doubt_since__lte=now - geofence.SETTLES_AFTER, fence__is_active=True
    )
    visits = []
    with transaction.atomic():
        for stay in doubtful.select_related("fence").select_for_update(of=("self",))[:_AT_ONCE]:
            state, turned = geofence.settle(area_of(stay.fence), state=_state(stay), now=now)
            if turned is not None:
                _keep(stay, state)
                visits.append(_visit(stay.fence, stay.device_id, turned))
        FenceVisit.objects.bulk_create(visits, ignore_conflicts=True)
    return len(visits)


def tell(*, now: datetime, merchant: Merchant | None = None) -> int:
    """Tell the crossings that wait to the parcels aboard at their moment, each once; how many parcels were told.

    Whoever dies in between leaves them waiting; a parcel that was told already ignores the repetition.
    """
    waiting = FenceVisit.objects.filter(is_told=False)
    if merchant is not None:
        waiting = waiting.filter(merchant=merchant)
    told = 0
    for visit in waiting.select_related("fence", "merchant").order_by("pk")[:_AT_ONCE]:
        count = _tell(visit, now=now) if visit.milestone else 0
        FenceVisit.objects.filter(pk=visit.pk).update(parcels=count, is_told=True)
        told += count
    return told


def _tell(visit: FenceVisit, *, now: datetime) -> int:
    riders = aboard.riders([visit.device_id], at=visit.at)
    updates = [_update(visit, rider.parcel) for rider in riders]
    actor = f"geofence:{visit.fence.code}"[:80]
    outcomes = services.apply(updates, merchant=visit.merchant, now=now, actor=actor)
    return sum(outcome.status == "applied" for outcome in outcomes)


def area_of(fence: Fence) -> Area:
    """The fence as geometry."""
    if fence.shape == Fence.Shape.POLYGON:
        return geofence.Polygon(fence.code, tuple((lat, lng) for lat, lng in fence.corners))
    return geofence.Fence(
        fence.code, float(fence.latitude or 0), float(fence.longitude or 0), float(fence.radius_m or 0)
    )


def _may_be_near(fence: Fence, reading: Reading) -> bool:
    """A cheap look before the exact one: within the box around the fence."""
    middle = [float(fence.latitude or 0), float(fence.longitude or 0)]
    corners: list[list[float]] = fence.corners if fence.shape == Fence.Shape.POLYGON else [middle]
    margin_km = (float(fence.radius_m or 0) + LEAVE_MARGIN_M) / 1000
    lat_span = margin_km / KM_PER_DEGREE
    lng_span = lat_span / max(cos(radians(reading.lat)), 0.01)
    lats, lngs = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return (
        min(lats) - lat_span <= reading.lat <= max(lats) + lat_span
        and min(lngs) - lng_span <= reading.lng <= max(lngs) + lng_span
    )


def _walk(fence: Fence, area: Area, stay: FenceStay, readings: Sequence[Reading]) -> list[FenceVisit]:
    before = state = _state(stay)
    found: list[FenceVisit] = []
    for reading in readings:
        fix = Fix(reading.at, reading.lat, reading.lng, reading.accuracy_m)
        state, turned = geofence.step(area, state=state, fix=fix)
        if turned is not None:
            found.append(_visit(fence, stay.device_id, turned))
    # Only the last moment moved, far outside: not worth a row a fence and a fix.
    is_news = (
        found or state.inside or (state.doubt_since, state.doubts) != (before.doubt_since, before.doubts)
    )
    if is_news or stay.pk is None:
        _keep(stay, state)
    return found


def _visit(fence: Fence, device_id: int, turned: geofence.Transition) -> FenceVisit:
    return FenceVisit(
        merchant_id=fence.merchant_id, fence=fence, device_id=device_id, kind=turned.kind, at=turned.at
    )


def _state(stay: FenceStay) -> FenceState:
    return FenceState(stay.inside, stay.doubt_since, stay.doubts, stay.last_at)


def _keep(stay: FenceStay, state: FenceState) -> None:
    stay.inside, stay.doubt_since = state.inside, state.doubt_since
    stay.doubts, stay.last_at = state.doubts, state.last_at
    stay.save()


def _update(visit: FenceVisit, parcel: Parcel) -> Update:
    fence = visit.fence
    has_middle = fence.latitude is not None and fence.longitude is not None
    return Update(
        kind="scan",
        fulfillment_number=parcel.fulfillment.number,
        occurred_at=visit.at,
        source=f"geofence:{fence.code}",
        tracking_number=parcel.tracking_number,
        milestone=visit.milestone,
        status=MILESTONES.get(visit.milestone, ""),
        place=fence.name,
        latitude=Decimal(f"{fence.latitude:.5f}") if has_middle else None,
        longitude=Decimal(f"{fence.longitude:.5f}") if has_middle else None,
    )
