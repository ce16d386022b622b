"""Circle fences with hysteresis: when a vehicle has really come or gone, from noisy positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from orderhub.kernel.geo import haversine_km

CONFIRMING_FIXES = 2
SETTLES_AFTER = timedelta(seconds=60)
LEAVE_MARGIN_M = 50.0
WORST_ACCURACY_M = 500.0
AHEAD_OF_CLOCK = timedelta(minutes=2)
FASTEST_KMH = 200.0


@dataclass(frozen=True, slots=True)
class Fence:
    """A circle around a node, area or customer: WGS-84 centre, radius in metres."""

    id: str
    lat: float
    lng: float
    radius_m: float


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


def step(fence: Fence, *, state: FenceState, fix: Fix) -> tuple[FenceState, Transition | None]:
    """The state after one usable fix, and the transition it confirms if any.

    Enter: two fixes inside. Leave: two fixes more than `LEAVE_MARGIN_M` outside. Late fixes change nothing.
    """
    if state.last_at is not None and fix.at <= state.last_at:
        return state, None
    metres = haversine_km(fence.lat, fence.lng, fix.lat, fix.lng) * 1000
    against = metres > fence.radius_m + LEAVE_MARGIN_M if state.inside else metres <= fence.radius_m
    if not against:
        return FenceState(inside=state.inside, last_at=fix.at), None
    since = state.doubt_since or fix.at
    doubted = replace(state, doubt_since=since, doubts=state.doubts + 1, last_at=fix.at)
    if doubted.doubts < CONFIRMING_FIXES:
        return doubted, None
    return _turned(fence, doubted, since)


def settle(fence: Fence, *, state: FenceState, now: datetime) -> tuple[FenceState, Transition | None]:
    """Believe a single fix inside once `SETTLES_AFTER` has passed without another fix (a parked, silent
    device).
    """
    since = state.doubt_since
    if state.inside or since is None or now - since < SETTLES_AFTER:
        return state, None
    return _turned(fence, state, since)


def _turned(fence: Fence, state: FenceState, since: datetime) -> tuple[FenceState, Transition]:
    kind: Literal["enter", "leave"] = "leave" if state.inside else "enter"
    return FenceState(inside=not state.inside, last_at=state.last_at), Transition(kind, fence.id, since)
