"""What waiting together saves on the road: vehicle rounds before and after, in whole rounds, stops and kilometers. Pure.

A round goes from the area's depot: `stem_km` there and back whatever it carries, `stop_km` for each further stop, at
most `capacity` parcels. Parcels at one door are one stop. Baseline: every order goes out on the day it could have.
Our own assumption until measured: 20 + 0.5 × 80 stops = the 60 km of `carbon.defaults.ROUND`; remote 60 + 1 × 60 = 120.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

#: Named on every figure: what a saving is compared with.
BASELINE_ZH, BASELINE_EN = "各单当天单独发货", "each order shipped at once, on its own day"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Round:
    """The rounds of an area: kilometers, parcels a vehicle takes, and kg CO2e of a kilometer (WTW)."""

    stem_km: Decimal
    stop_km: Decimal
    capacity: int
    kg_per_km: Decimal


@dataclass(frozen=True, slots=True)
class Visit:
    """One order's parcel: the day it would have gone at once, and its door."""

    order: int
    day: date
    door: str


@dataclass(frozen=True, slots=True)
class Saving:
    """Kilometers and kg CO2e before and after, for all orders together; never less than zero is promised elsewhere."""

    orders: int
    before_rounds: int
    after_rounds: int
    before_km: Decimal
    after_km: Decimal
    kg: Decimal

    @property
    def kg_per_order(self) -> Decimal:
        """kg CO2e of one order."""
        return (self.kg / self.orders).quantize(Decimal("0.000001")) if self.orders else ZERO


def saving(visits: Sequence[Visit], *, leaves_on: date, others: Mapping[date, int], by: Round) -> Saving:
    """What the orders save by leaving together; `others` are parcels that go to the area anyway, by day."""
    days: dict[date, list[Visit]] = {}
    for visit in visits:
        days.setdefault(visit.day, []).append(visit)
    before = [more(group, others.get(day, 0), by) for day, group in sorted(days.items())]
    after = more(visits, others.get(leaves_on, 0), by)
    before_km = sum((km for _rounds, km in before), ZERO)
    return Saving(
        orders=len(visits),
        before_rounds=sum(rounds for rounds, _km in before),
        after_rounds=after[0],
        before_km=before_km,
        after_km=after[1],
        kg=((before_km - after[1]) * by.kg_per_km).quantize(Decimal("0.000001")),
    )


def more(visits: Sequence[Visit], others: int, by: Round) -> tuple[int, Decimal]:
    """Further rounds and kilometers that these parcels cause beside `others` on one day."""
    if not visits:
        return 0, ZERO
    rounds = _rounds(others + len(visits), by) - _rounds(others, by)
    doors = len({visit.door for visit in visits})
    return rounds, by.stem_km * rounds + by.stop_km * doors


def _rounds(parcels: int, by: Round) -> int:
    return -(-parcels // by.capacity)
