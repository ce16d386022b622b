"""Provinces of logins: what is usual, what differs, and how fast somebody would have to travel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderhub.kernel.geo import haversine_km

#: A province counts as usual once the account was seen there this long ago.
_SETTLED = timedelta(days=3)
#: A position is that of a whole province: nearer than this, two logins may be neighbors.
_NEIGHBORS_KM = 400.0
_LEAST_HOURS = 1 / 60


@dataclass(frozen=True, slots=True)
class Seen:
    """A province an account logged in from: first and last time, and its middle (WGS-84 degrees)."""

    province: str
    first_at: datetime
    last_at: datetime
    lat: float
    lng: float


def usual(seen: Iterable[Seen], told: Sequence[str], *, now: datetime) -> frozenset[str]:
    """The usual provinces: those the channel named, and those the account has been seen in for some days."""
    return frozenset(told) | {x.province for x in seen if now - x.first_at >= _SETTLED}


def speed_kmh(seen: Iterable[Seen], here: Seen, *, within: timedelta) -> float:
    """The greatest speed needed from an earlier login to this one; 0 where none is far enough or recent."""
    return max((_kmh(x, here) for x in seen if _is_before(x, here, within)), default=0.0)


def _is_before(earlier: Seen, here: Seen, within: timedelta) -> bool:
    return earlier.province != here.province and timedelta(0) <= here.last_at - earlier.last_at <= within


def _kmh(earlier: Seen, here: Seen) -> float:
    km = haversine_km(earlier.lat, earlier.lng, here.lat, here.lng)
    if km < _NEIGHBORS_KM:
        return 0.0
    return km / max(_LEAST_HOURS, (here.last_at - earlier.last_at).total_seconds() / 3600)
