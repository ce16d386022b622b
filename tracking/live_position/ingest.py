"""Taking in positions, many at once: judged, kept, "now" moved, fences asked, pages told. One transaction a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from orderhub.access.models import Merchant
from orderhub.events import rows
from tracking import live
from tracking.live_position import aboard, fencing, strays
from tracking.live_position.datum import gcj02_to_wgs84
from tracking.live_position.filters import Judged, Reason, Seen, judge
from tracking.live_position.formats import Reading
from tracking.live_position.models import Device, DevicePlace, Fitting, Vehicle, VehicleFix
from tracking.positions import KEPT_FOR

#: Pages are told at most so often.
TOLD_EVERY = timedelta(seconds=5)
_PLACE = (
    "at", "latitude", "longitude", "speed_kmh", "bearing_deg", "battery_pct", "heard_at", "doubt_at",
    "doubt_latitude", "doubt_longitude",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: kept in history, set apart by reason, known already, and crossings of fences."""

    kept: int
    stray: int
    repeated: int
    crossings: int


def take(readings: Sequence[Reading], *, merchant: Merchant, now: datetime, only: str | None = None) -> Taken:
    """Take in what devices of a merchant told; `only` is the one device the caller's key speaks for.

    Unknown devices and impossible places are counted apart, for a person to see. Told again, nothing changes.
    """
    with transaction.atomic():
        taken = _take(readings, merchant, now, only)
    # The milestones lock orders: after the places are free, so that devices never wait for an order.
    if taken.crossings:
        fencing.tell(merchant=merchant, now=now)
    return taken


def _take(readings: Sequence[Reading], merchant: Merchant, now: datetime, only: str | None) -> Taken:
    stray: list[tuple[Reading, Reason]] = []
    by_code: dict[str, list[Reading]] = {}
    for reading in readings:
        if only is not None and reading.device != only:
            stray.append((reading, "wrong_key"))
        else:
            by_code.setdefault(reading.device, []).append(reading)
    places = _places(merchant, by_code.keys())
    stray += [
        (one, "unknown_device") for code, found in by_code.items() if code not in places for one in found
    ]
    off_road = _off_road([place.device_id for place in places.values()], now)
    judged = {
        code: _judge(place, by_code[code], now=now, on_land=place.device_id not in off_road)
        for code, place in places.items()
    }
    fixes = [_fix(places[code], one) for code, found in judged.items() for one in found.kept]
    kept = rows.insert_unknown(fixes)
    for code, found in judged.items():
        stray += found.stray
        _move(places[code], found, now=now)
    rows.save(places.values(), _PLACE)
    strays.count(stray, merchant=merchant, now=now)
    visits = fencing.watch(
        merchant, {places[code].device_id: found.fresh for code, found in judged.items() if found.fresh}
    )
    _tell_pages([places[code] for code, found in judged.items() if found.fresh], now=now)
    repeated = sum(found.repeated for found in judged.values()) + len(fixes) - kept
    return Taken(kept, len(stray), repeated, len(visits))


def _places(merchant: Merchant, codes: Collection[str]) -> dict[str, DevicePlace]:
    """The present places of the merchant's active devices by code, locked in one order; made where missing."""
    known = DevicePlace.objects.filter(
        device__merchant=merchant, device__code__in=codes, device__is_active=True
    )
    locked = known.select_related("device").select_for_update(no_key=True, of=("self",)).order_by("pk")
    found = {place.device.code: place for place in locked}
    missing = set(codes) - found.keys()
    if missing:
        fresh = Device.objects.filter(merchant=merchant, code__in=missing, is_active=True, place__isnull=True)
        for device in fresh:
            place, _made = DevicePlace.objects.get_or_create(device=device)
            found[device.code] = place
    return found


def _off_road(device_ids: Collection[int], now: datetime) -> set[int]:
    """Devices in ships and planes: the sea is where they belong."""
    there = Fitting.objects.filter(device_id__in=device_ids, from_at__lte=now).exclude(until_at__lt=now)
    there = there.filter(vehicle__kind__in=(Vehicle.Kind.SEA, Vehicle.Kind.AIR))
    return set(there.values_list("device_id", flat=True))


def _judge(place: DevicePlace, readings: Sequence[Reading], *, now: datetime, on_land: bool) -> Judged:
    if place.device.datum == Device.Datum.GCJ02:
        readings = [_in_wgs84(reading) for reading in readings]
    return judge(
        readings,
        last=_seen(place.at, place.latitude, place.longitude),
        doubt=_seen(place.doubt_at, place.doubt_latitude, place.doubt_longitude),
        now=now,
        on_land=on_land,
        oldest=now - KEPT_FOR,
    )


def _seen(at: datetime | None, lat: float | None, lng: float | None) -> Seen | None:
    return None if at is None or lat is None or lng is None else Seen(at, lat, lng)


def _in_wgs84(reading: Reading) -> Reading:
    lat, lng = gcj02_to_wgs84(reading.lat, reading.lng)
    return replace(reading, lat=lat, lng=lng)


def _fix(place: DevicePlace, reading: Reading) -> VehicleFix:
    return VehicleFix(
        device_id=place.device_id, at=reading.at, latitude=reading.lat, longitude=reading.lng,
        accuracy_m=reading.accuracy_m, speed_kmh=reading.speed_kmh, bearing_deg=reading.bearing_deg,
    )  # fmt: skip


def _move(place: DevicePlace, found: Judged, *, now: datetime) -> None:
    place.heard_at = now
    doubt = found.doubt
    place.doubt_at = doubt.at if doubt else None
    place.doubt_latitude = doubt.lat if doubt else None
    place.doubt_longitude = doubt.lng if doubt else None
    if not found.fresh:
        return
    newest = found.fresh[-1]
    place.at, place.latitude, place.longitude = newest.at, newest.lat, newest.lng
    place.speed_kmh, place.bearing_deg = newest.speed_kmh, newest.bearing_deg
    place.battery_pct = place.battery_pct if newest.battery_pct is None else newest.battery_pct


def _tell_pages(moved: Sequence[DevicePlace], *, now: datetime) -> None:
    """Count a change on the pages of the parcels aboard, each at most every 5 s."""
    due = [place for place in moved if place.told_at is None or now - place.told_at >= TOLD_EVERY]
    orders: Mapping[int, set[int]] = aboard.orders_of([place.device_id for place in due], now=now)
    told = [place for place in due if orders.get(place.device_id)]
    if told:
        live.touch({order for place in told for order in orders[place.device_id]})
        DevicePlace.objects.filter(pk__in=[place.pk for place in told]).update(told_at=now)
