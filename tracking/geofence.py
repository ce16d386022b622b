"""Fences with hysteresis, circles and polygons: when a vehicle has really come or gone, from noisy positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import cos, hypot, radians
from typing import Literal, NamedTuple, Protocol

from orderhub.kernel.geo import KM_PER_DEGREE, haversine_km

CONFIRMING_FIXES = 2
SETTLES_AFTER = timedelta(seconds=60)
LEAVE_MARGIN_M = 50.0
WORST_ACCURACY_M = 500.0
AHEAD_OF_CLOCK = timedelta(minutes=2)
FASTEST_KMH = 200.0


class Area(Protocol):
    """What has an inside: `outside_m` is the distance to it in metres, 0 or less within."""

    @property
    def id(self) -> str:
        """Its name in transitions."""

    def outside_m(self, lat: float, lng: float) -> float:
        """How far outside a WGS-84 point lies."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A circle around a node, area or customer: WGS-84 centre, radius in metres."""

    id: str
    lat: float
    lng: float
    radius_m: float

    def outside_m(self, lat: float, lng: float) -> float:
        """Metres from the edge, negative within."""
        return haversine_km(self.lat, self.lng, lat, lng) * 1000 - self.radius_m


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area drawn on the map: its corners as WGS-84 latitude and longitude, at least three, not across 180°."""

    id: str
    corners: tuple[tuple[float, float], ...]

    def outside_m(self, lat: float, lng: float) -> float:
        """Metres from the nearest edge on a plane laid at the point (good to 1 % over 50 km), negative within."""
        north = KM_PER_DEGREE * 1000
        east = north * max(cos(radians(lat)), 0.01)
        flat = [((y - lng) * east, (x - lat) * north) for x, y in self.corners]
        inside, nearest = False, float("inf")
        for (x1, y1), (x2, y2) in pairwise([*flat, flat[0]]):
            if (y1 > 0) != (y2 > 0) and (x2 - x1) * -y1 / (y2 - y1) + x1 > 0:
                inside = not inside
            nearest = min(nearest, _to_edge(x1, y1, x2, y2))
        return -nearest if inside else nearest


def _to_edge(x1: float, y1: float, x2: float, y2: float) -> float:
    """From the origin to the edge."""
    dx, dy = x2 - x1, y2 - y1
    long = dx * dx + dy * dy
    share = 0.0 if long == 0 else max(0.0, min(1.0, -(x1 * dx + y1 * dy) / long))
    return hypot(x1 + share * dx, y1 + share * dy)


@dataclass(frozen=True, slots=True)
class Fix:
    """One WGS-84 position at an aware time; `accuracy_m` is None where the device does not say."""

    at: datetime
    lat: float
    lng: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class FenceState:
    """What one fence knows of one vehicle; `doubt_since` starts the fixes that speak against `inside`."""

    inside: bool = False
    doubt_since: datetime | None = None
    doubts: int = 0
    last_at: datetime | None = None


class Transition(NamedTuple):
    """The vehicle came or went; `at` is the first fix that showed it, not the one that confirmed it."""

    kind: Literal["enter", "leave"]
    fence: str
    at: datetime


def is_usable(fix: Fix, *, previous: Fix | None = None, now: datetime | None = None) -> bool:
    """Whether a fix may move fences: sharp enough, newer than the last, not ahead of the clock, no jump."""
    if fix.accuracy_m is not None and fix.accuracy_m > WORST_ACCURACY_M:
        return False
    if now is not None and fix.at > now + AHEAD_OF_CLOCK:
        return False
    if previous is None:
        return True
    hours = (fix.at - previous.at) / timedelta(hours=1)
    if hours <= 0:
        return False
    return haversine_km(previous.lat, previous.lng, fix.lat, fix.lng) / hours <= FASTEST_KMH


def step(fence: Area, *, state: FenceState, fix: Fix) -> tuple[FenceState, Transition | None]:
    """The state after one usable fix, and the transition it confirms if any.

    Enter: two fixes inside. Leave: two fixes more than `LEAVE_MARGIN_M` outside. Late fixes change nothing.
    """
    if state.last_at is not None and fix.at <= state.last_at:
        return state, None
    metres = fence.outside_m(fix.lat, fix.lng)
    against = metres > LEAVE_MARGIN_M if state.inside else metres <= 0
    if not against:
        return FenceState(inside=state.inside, last_at=fix.at), None
    since = state.doubt_since or fix.at
    doubted = replace(state, doubt_since=since, doubts=state.doubts + 1, last_at=fix.at)
    if doubted.doubts < CONFIRMING_FIXES:
        return doubted, None
    return _turned(fence, doubted, since)


def settle(fence: Area, *, state: FenceState, now: datetime) -> tuple[FenceState, Transition | None]:
    """Believe a single fix inside once `SETTLES_AFTER` has passed without another fix (a parked, silent
    device).
    """
    since = state.doubt_since
    if state.inside or since is None or now - since < SETTLES_AFTER:
        return state, None
    return _turned(fence, state, since)


def _turned(fence: Area, state: FenceState, since: datetime) -> tuple[FenceState, Transition]:
    kind: Literal["enter", "leave"] = "leave" if state.inside else "enter"
    return FenceState(inside=not state.inside, last_at=state.last_at), Transition(kind, fence.id, since)
