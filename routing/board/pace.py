"""How many parcels are still to come to a warehouse before its cut-off, and when it will be full; plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
EVEN = (1 / 24,) * 24
#: Orders that count as seen as expected before today says anything about its level.
PRIOR_ORDERS = 20.0
#: A profile of fewer orders than these is chance.
FEWEST_ORDERS = 50


@dataclass(frozen=True, slots=True)
class Pace:
    """Parcels a day by warehouse, the share of each UTC hour in them, and how much busier today is (1: as usual)."""

    per_day: Mapping[int, float]
    hours: Sequence[float] = EVEN
    level: float = 1.0

    def coming(self, warehouse_id: int, now: datetime, until: datetime) -> float:
        """Parcels expected between two moments."""
        daily = self.per_day.get(warehouse_id, 0.0) * self.level
        return sum(daily * share for _start, _end, share in self._parts(now, until))

    def full_at(self, warehouse_id: int, left: int, now: datetime, until: datetime) -> datetime | None:
        """When so many slots will be gone; None if some are left at the end."""
        daily, missing = self.per_day.get(warehouse_id, 0.0) * self.level, float(left)
        if missing <= 0:
            return now
        for start, end, share in self._parts(now, until):
            count = daily * share
            if count >= missing:
                return start + (end - start) * (missing / count)
            missing -= count
        return None

    def _parts(self, now: datetime, until: datetime) -> list[tuple[datetime, datetime, float]]:
        """The hours between two moments, cut where they begin and end, each with its share of a day."""
        found, at = [], now.astimezone(UTC)
        while at < until:
            end = min(at.replace(minute=0, second=0, microsecond=0) + HOUR, until.astimezone(UTC))
            found.append((at, end, self.hours[at.hour] * ((end - at) / HOUR)))
            at = end
        return found


def shares(counts: Mapping[int, int]) -> tuple[float, ...]:
    """Orders by UTC hour as shares of a day; even ones where there are too few to tell."""
    total = sum(counts.values())
    if total < FEWEST_ORDERS:
        return EVEN
    return tuple(counts.get(hour, 0) / total for hour in range(24))


def level(seen: float, expected: float) -> float:
    """How much busier today is than usual, drawn toward 1 while there is little to go by; at most three times."""
    return min(3.0, (PRIOR_ORDERS + seen) / (PRIOR_ORDERS + expected))
