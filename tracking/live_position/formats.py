"""What trackers send, read into one shape: OsmAnd (query and JSON), OwnTracks, Traccar's forward; pure.

Shapes are those of the vendors' documents: OsmAnd's query speaks knots and epoch seconds or ISO times, its JSON and
OwnTracks differ (metres and kilometres per hour), Traccar forwards `position` and `device` with knots.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

KMH_PER_KNOT = 1.852
KMH_PER_MPS = 3.6
#: One message may hold so many positions (a phone that was without a net sends what it kept).
MOST_AT_ONCE = 2000
#: Epoch numbers above this are milliseconds.
_MILLISECONDS = 1e11


@dataclass(frozen=True, slots=True)
class Reading:
    """One position as a device told it: degrees in the device's datum, an aware moment, km/h, degrees, metres."""

    device: str
    at: datetime
    lat: float
    lng: float
    accuracy_m: float | None = None
    speed_kmh: float | None = None
    bearing_deg: float | None = None
    battery_pct: float | None = None


class Unreadable(ValueError):
    """The message is none of the known shapes, or lacks a place or a moment; its text says what."""


def from_query(query: Mapping[str, str], *, device: str = "") -> list[Reading]:
    """OsmAnd's query: id, lat, lon, timestamp, speed (knots), bearing, accuracy or hdop, batt."""
    lat, lng = query.get("lat"), query.get("lon")
    if lat is None and "location" in query:
        lat, _comma, lng = query["location"].partition(",")
    knots = _number(query.get("speed"))
    return [
        Reading(
            device=_name(query.get("id") or query.get("deviceid") or device),
            at=_moment(query.get("timestamp")),
            lat=_degrees(lat, 90),
            lng=_degrees(lng, 180),
            accuracy_m=_number(query.get("accuracy")),
            speed_kmh=None if knots is None else knots * KMH_PER_KNOT,
            bearing_deg=_number(query.get("bearing") or query.get("heading")),
            battery_pct=_number(query.get("batt")),
        )
    ]


def from_body(body: bytes, *, device: str = "") -> list[Reading]:
    """Any of the JSON shapes, or a list of them; what is told but is no position (OwnTracks' cards) gives nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Unreadable("no JSON") from fault
    return from_json(said, device=device)


def from_json(said: Any, *, device: str = "") -> list[Reading]:
    """The same from what was read already."""
    if isinstance(said, Sequence) and not isinstance(said, str | bytes):
        if len(said) > MOST_AT_ONCE:
            raise Unreadable(f"more than {MOST_AT_ONCE} positions at once")
        return [reading for one in said for reading in _one(one, device)]
    return _one(said, device)


def _one(said: Any, device: str) -> list[Reading]:
    if not isinstance(said, Mapping):
        raise Unreadable("no JSON object")
    if "_type" in said:
        return [_owntracks(said, device)] if said["_type"] == "location" else []
    if isinstance(said.get("position"), Mapping):
        return [_traccar(said, device)]
    if isinstance(said.get("location"), Sequence) and not isinstance(said["location"], str):
        return [_osmand({**said, "location": one}, device) for one in said["location"][:MOST_AT_ONCE]]
    if isinstance(said.get("location"), Mapping):
        return [_osmand(said, device)]
    return [_plain(said, device)]


def _owntracks(said: Mapping[str, Any], device: str) -> Reading:
    topic = str(said.get("topic") or "").rsplit("/", 1)[-1]
    return Reading(
        device=_name(device or topic or said.get("tid")),
        at=_moment(said.get("tst")),
        lat=_degrees(said.get("lat"), 90),
        lng=_degrees(said.get("lon"), 180),
        accuracy_m=_number(said.get("acc")),
        speed_kmh=_number(said.get("vel")),
        bearing_deg=_number(said.get("cog")),
        battery_pct=_number(said.get("batt")),
    )


def _osmand(said: Mapping[str, Any], device: str) -> Reading:
    place = said["location"]
    coords = place.get("coords") if isinstance(place, Mapping) else None
    if not isinstance(coords, Mapping):
        raise Unreadable("no coordinates")
    battery = place.get("battery")
    level = _number(battery.get("level")) if isinstance(battery, Mapping) else None
    mps = _number(coords.get("speed"))
    return Reading(
        device=_name(said.get("device_id") or device),
        at=_moment(place.get("timestamp")),
        lat=_degrees(coords.get("latitude"), 90),
        lng=_degrees(coords.get("longitude"), 180),
        accuracy_m=_number(coords.get("accuracy")),
        speed_kmh=None if mps is None or mps < 0 else mps * KMH_PER_MPS,
        bearing_deg=_number(coords.get("heading")),
        battery_pct=None if level is None else level * 100,
    )


def _traccar(said: Mapping[str, Any], device: str) -> Reading:
    place = said["position"]
    known = said.get("device")
    unique = known.get("uniqueId") if isinstance(known, Mapping) else ""
    if place.get("valid") is False:
        raise Unreadable("the device says that it has no fix")
    attributes = place.get("attributes")
    knots = _number(place.get("speed"))
    return Reading(
        device=_name(unique or device),
        at=_moment(place.get("fixTime") or place.get("deviceTime")),
        lat=_degrees(place.get("latitude"), 90),
        lng=_degrees(place.get("longitude"), 180),
        accuracy_m=_number(place.get("accuracy")) or None,
        speed_kmh=None if knots is None else knots * KMH_PER_KNOT,
        bearing_deg=_number(place.get("course")),
        battery_pct=_number(attributes.get("batteryLevel")) if isinstance(attributes, Mapping) else None,
    )


def _plain(said: Mapping[str, Any], device: str) -> Reading:
    """Our own shape: device, at (ISO 8601 with zone), lat, lng, accuracy_m, speed_kmh, bearing, battery."""
    return Reading(
        device=_name(said.get("device") or said.get("id") or device),
        at=_moment(said.get("at") or said.get("timestamp")),
        lat=_degrees(said.get("lat"), 90),
        lng=_degrees(said.get("lng", said.get("lon")), 180),
        accuracy_m=_number(said.get("accuracy_m")),
        speed_kmh=_number(said.get("speed_kmh")),
        bearing_deg=_number(said.get("bearing")),
        battery_pct=_number(said.get("battery")),
    )


def _name(value: object) -> str:
    text = str(value or "").strip()
    if not text:
        raise Unreadable("no device")
    return text[:64]


def _degrees(value: object, most: float) -> float:
    number = _number(value)
    if number is None or abs(number) > most:
        raise Unreadable("no place on Earth")
    return number


def _number(value: object) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if -1e15 < number < 1e15 else None


def _moment(value: object) -> datetime:
    """Epoch seconds or milliseconds, or ISO 8601; a time without a zone is refused rather than guessed."""
    number = _number(value)
    if number is not None:
        seconds = number / 1000 if number > _MILLISECONDS else number
        try:
            return datetime.fromtimestamp(seconds, tz=UTC)
        except (OverflowError, ValueError, OSError) as fault:
            raise Unreadable("no moment") from fault
    try:
        at = datetime.fromisoformat(str(value or ""))
    except ValueError as fault:
        raise Unreadable("no moment") from fault
    if at.tzinfo is None:
        raise Unreadable("a moment without a zone")
    return at.astimezone(UTC)
