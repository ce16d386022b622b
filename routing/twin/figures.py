"""From sums to figures: means of two arms, their difference, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from routing.twin.tally import FIGURES, Day, Tally

#: Whole days are drawn again and again: orders of one day share stock and weather, so they are no witnesses
#: apart. Nine draws of ten lie between the two ends shown.
DRAWS = 2000
LEVEL = 0.90
LEAST_DAYS = 3
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean per order in both arms, the difference, and its 90% interval (None: too few days for one)."""

    name: str
    current: float
    draft: float
    low: float | None
    high: float | None

    @property
    def difference(self) -> float:
        """Draft less current."""
        return self.draft - self.current

    def plain(self) -> Json:
        """As it is kept."""
        return {
            "current": round(self.current, 6), "draft": round(self.draft, 6),
            "difference": round(self.difference, 6),
            "low": None if self.low is None else round(self.low, 6),
            "high": None if self.high is None else round(self.high, 6),
        }  # fmt: skip


def compare(tally: Tally, *, seed: int) -> dict[str, Json]:
    """Each figure of the first two arms beside one another; without any order to count, nothing."""
    days = [tally.days[day] for day in sorted(tally.days)]
    found = {}
    for n, name in enumerate(FIGURES):
        counts = np.array([_count(day, name) for day in days], dtype=float)
        if not counts.sum():
            continue
        sums = np.array([[day.sums[arm][n] for day in days] for arm in (0, 1)], dtype=float)
        low, high = interval(sums[1] - sums[0], counts, seed=seed)
        means = sums.sum(axis=1) / counts.sum()
        found[name] = Figure(name, float(means[0]), float(means[1]), low, high).plain()
    return found


def interval(
    differences: Sequence[float] | np.ndarray[Any, Any],
    counts: Sequence[float] | np.ndarray[Any, Any],
    *,
    seed: int,
) -> tuple[float | None, float | None]:
    """The 90% interval of a mean difference per order, from sums by day; (None, None) below three days.

    The same seed draws the same days.
    """
    sums, orders = np.asarray(differences, dtype=float), np.asarray(counts, dtype=float)
    if len(sums) < LEAST_DAYS:
        return None, None
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(DRAWS, len(sums)))
    totals = orders[drawn].sum(axis=1)
    means = sums[drawn].sum(axis=1)[totals > 0] / totals[totals > 0]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def means(tally: Tally, arm: int) -> Json:
    """Yuan, hours and kg per order of one arm, for the chart."""
    orders = tally.paired or 1
    sums = [sum(day.sums[arm][n] for day in tally.days.values()) for n in range(len(FIGURES))]
    at = {name: n for n, name in enumerate(FIGURES)}
    return {
        "cost": round(sums[at["money"]] / orders, 4),
        "hours": round(sums[at["hours"]] / orders, 3),
        "kgco2e": round(sums[at["kgco2e"]] / orders, 6),
    }


def loads(arms: Sequence[Mapping[tuple[int, date], int]], capacity: Mapping[int, int | None]) -> list[Json]:
    """Parcels by warehouse in each arm, the fullest day's share of its capacity, and days at the limit."""
    houses = sorted({warehouse for arm in arms for warehouse, _day in arm})
    found = []
    for warehouse in houses:
        limit = capacity.get(warehouse)
        days = [[n for (pk, _day), n in arm.items() if pk == warehouse] for arm in arms]
        found.append({
            "warehouse": warehouse,
            "parcels": [sum(counts) for counts in days],
            "peak": [round(max(counts, default=0) / limit, 4) if limit else None for counts in days],
            "full_days": [sum(n >= limit for n in counts) if limit else 0 for counts in days],
            "capacity": limit,
        })  # fmt: skip
    return found


def _count(day: Day, name: str) -> int:
    if name == "remote_hours":
        return day.remote
    return day.promised if name == "late" else day.orders
