"""From a device to the parcels that ride with it, and back: through fittings and trips, each valid for its time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import Q, QuerySet

from orderhub.fulfillment.models import Parcel
from tracking.geofence import AHEAD_OF_CLOCK
from tracking.live_position.models import Fitting, TripParcel, VehicleFix

#: As many of the newest positions of a drive as are read for the line on the map.
MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Rider:
    """A parcel aboard while a device was there."""

    device_id: int
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a parcel's way, as the page's map reads it."""

    latitude: float
    longitude: float
    occurred_at: datetime


def riders(device_ids: Collection[int], *, at: datetime) -> list[Rider]:
    """The parcels aboard at that moment, undelivered, with their fulfillment orders; two queries."""
    if not device_ids:
        return []
    fitted = _fitted(at).filter(device_id__in=device_ids).values_list("device_id", "vehicle_id")
    devices: dict[int, list[int]] = {}
    for device_id, vehicle_id in fitted:
        devices.setdefault(vehicle_id, []).append(device_id)
    if not devices:
        return []
    there = _aboard(at).filter(trip__vehicle_id__in=devices, parcel__delivered_at__isnull=True)
    rows = there.select_related("trip", "parcel__fulfillment").order_by("pk")
    return [Rider(device, row.parcel) for row in rows for device in devices[row.trip.vehicle_id]]


def orders_of(device_ids: Collection[int], *, now: datetime) -> dict[int, set[int]]:
    """The orders whose pages show each device now."""
    found: dict[int, set[int]] = {}
    for rider in riders(device_ids, at=now):
        found.setdefault(rider.device_id, set()).add(rider.parcel.fulfillment.order_id)
    return found


def ways(parcels: Sequence[Parcel], *, now: datetime, zone: tzinfo) -> dict[int, list[Point]]:
    """The newest positions of each parcel's present drive, newest first; what its buyer may see of it.

    A drive with other people's parcels is shown only on the day of delivery: while it is out for delivery, or on the
    day it is expected. At most three queries.
    """
    there = _aboard(now).filter(parcel_id__in=[parcel.pk for parcel in parcels]).select_related("trip")
    drives = {row.parcel_id: row for row in there.order_by("pk")}
    if not drives:
        return {}
    shared = _shared({row.trip_id for row in drives.values()})
    shown = {
        parcel.pk: drives[parcel.pk]
        for parcel in parcels
        if parcel.pk in drives
        and (drives[parcel.pk].trip_id not in shared or is_day_of_delivery(parcel, now=now, zone=zone))
    }
    tracks = {trip: _track(row, now) for trip, row in {row.trip_id: row for row in shown.values()}.items()}
    return {
        pk: [
            point
            for point in tracks[row.trip_id]
            if row.loaded_at is None or point.occurred_at >= row.loaded_at
        ]
        for pk, row in shown.items()
    }


def is_day_of_delivery(parcel: Parcel, *, now: datetime, zone: tzinfo) -> bool:
    """Whether it comes today, as the buyer reads the calendar."""
    if parcel.status == Parcel.Status.OUT_FOR_DELIVERY:
        return True
    if parcel.eta_from_at is None or parcel.eta_to_at is None:
        return False
    today = now.astimezone(zone).date()
    return parcel.eta_from_at.astimezone(zone).date() <= today <= parcel.eta_to_at.astimezone(zone).date()


def _shared(trip_ids: Collection[int]) -> set[int]:
    """Drives that carry the parcels of more than one order."""
    rows = TripParcel.objects.filter(trip_id__in=trip_ids).values_list(
        "trip_id", "parcel__fulfillment__order_id"
    )
    orders: dict[int, set[int]] = {}
    for trip_id, order_id in rows:
        orders.setdefault(trip_id, set()).add(order_id)
    return {trip for trip, found in orders.items() if len(found) > 1}


def _track(row: TripParcel, now: datetime) -> list[Point]:
    """The positions of the drive so far, of the devices in the vehicle, each while it was in there."""
    spans = Fitting.objects.filter(vehicle_id=row.trip.vehicle_id, from_at__lte=now).values_list(
        "device_id", "from_at", "until_at"
    )
    there = Q(pk__in=[])
    for device_id, from_at, until_at in spans:
        if until_at is not None and until_at <= row.trip.starts_at:
            continue
        there |= Q(
            device_id=device_id,
            at__gte=max(from_at, row.trip.starts_at),
            at__lt=until_at or now + AHEAD_OF_CLOCK,
        )
    fixes = VehicleFix.objects.filter(there).order_by("-at").values_list("latitude", "longitude", "at")
    return [Point(*values) for values in fixes[:MOST_POINTS]]


def _fitted(at: datetime) -> QuerySet[Fitting]:
    return Fitting.objects.filter(from_at__lte=at).filter(Q(until_at__isnull=True) | Q(until_at__gt=at))


def _aboard(at: datetime) -> QuerySet[TripParcel]:
    rows = TripParcel.objects.filter(trip__starts_at__lte=at)
    rows = rows.filter(Q(trip__ends_at__isnull=True) | Q(trip__ends_at__gt=at))
    rows = rows.filter(Q(loaded_at__isnull=True) | Q(loaded_at__lte=at))
    return rows.filter(Q(unloaded_at__isnull=True) | Q(unloaded_at__gt=at))
