"""When a parcel arrives, as a band: from what its lane took, narrowed by what happened, and steady while little changes; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.center.engine import lanes

#: A band that moves by less than this share of its width is not told again.
FLICKER = 0.2
EARLY, LATE = 0.1, 0.9
#: A courier's round ends within these hours, whatever the lane.
ROUND = timedelta(hours=10)
OUT = "OUT_FOR_DELIVERY"
#: Nobody is faster on a long way; a courier with stops on the way is hardly slower, the stops being counted apart.
FASTEST_KMH, SLOWEST_KMH = 100.0, 20.0
STOPS = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Band:
    """From p10 to p90, why it is so (a milestone's code) and what it rests on: lane, carrier, plan or told."""

    earliest: datetime
    latest: datetime
    because: str = ""
    basis: str = "plan"

    @property
    def width(self) -> timedelta:
        """How wide it is."""
        return self.latest - self.earliest


def learned(at: datetime, counts: lanes.Counts, *, because: str, basis: str) -> Band | None:
    """The band that parcels like this one needed from this milestone on; None with too few of them."""
    early, late = lanes.quantile(counts, EARLY), lanes.quantile(counts, LATE)
    if early is None or late is None:
        return None
    return Band(at + timedelta(hours=early), at + timedelta(hours=late), because, basis)


def without_history(
    at: datetime, milestone: str, *, plan: tuple[datetime, datetime] | None, told: datetime | None
) -> Band | None:
    """The band where nothing was learned: a courier's round, the carrier's date, else the plan; None where none is."""
    if milestone == OUT:
        return Band(at, at + ROUND, milestone, "plan")
    if told is not None:
        width = (plan[1] - plan[0]) / 2 if plan else timedelta(hours=12)
        return Band(max(at, told - width), told, milestone, "told")
    if plan is None:
        return None
    return Band(max(plan[0], min(at, plan[1])), plan[1], milestone, "plan")


def located(
    first: datetime, last: datetime, *, at: datetime, road_km: float, is_out: bool
) -> tuple[datetime, datetime]:
    """The band as the place of the vehicle at that moment leaves it, so many kilometres by road from the door.

    It cannot be there sooner than it can drive; only on a courier's round (`is_out`) does being near mean coming soon.
    Where the way left is longer than the band allowed, the band moves back.
    """
    soonest = at + timedelta(hours=road_km / FASTEST_KMH)
    if soonest > last:
        return soonest, soonest + (last - first)
    latest = at + timedelta(hours=road_km / SLOWEST_KMH) + STOPS if is_out else last
    narrowed = max(first, soonest)
    return narrowed, max(narrowed, min(last, latest))


def is_news(before: Band | None, band: Band, *, promise: datetime | None) -> bool:
    """Whether a reader should be told: the first band, one that moved by a fifth of its width, or past the promise."""
    if before is None:
        return True
    moved = max(abs(band.earliest - before.earliest), abs(band.latest - before.latest))
    if moved > FLICKER * max(before.width, timedelta(minutes=10)):
        return True
    return promise is not None and (before.latest > promise) != (band.latest > promise)
