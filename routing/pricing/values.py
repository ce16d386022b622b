"""Worth of every unit and slot of one merchant's network, by the same functions that speak for the benchmark.

`engine.value.tables.Values` knows receipts that come to all at once; here every warehouse and SKU has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.engine.value.demand import Demand
from routing.engine.value.prices import Floats, Horizon
from routing.engine.value.tables import Costs, Supply, Values

Ints = NDArray[np.int64]
#: A curve of more units than this is kept as so many points, with straight lines between them.
POINTS = 9
#: Prices below this many yuan steer nothing and are not kept.
LEAST_YUAN = 0.01


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Receipts on their way: hours of the next one [warehouse, sku], and all of a SKU as (hours, units)."""

    next_at: Floats
    of_sku: dict[int, list[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curve:
    """Yuan for taking the k-th unit, at `POINTS` places from `low` to `high` units, never rising."""

    low: int
    high: int
    yuan: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One SKU in one place: its curve, the units there, wanted units until the next receipt and per day."""

    curve: Curve
    units: int
    wanted: float
    per_day: float
    next_at: float


class MerchantValues(Values):
    """Values of a network whose receipts differ by warehouse and SKU; times in hours, as there."""

    def __init__(
        self, costs: Costs, demand: Demand, arrivals: Arrivals, stock: Ints, *, ever: NDArray[np.bool_],
        at: float, interval_hours: float,
    ) -> None:  # fmt: skip
        supply = Supply(np.zeros(stock.shape), (at + interval_hours,), at + interval_hours)
        super().__init__(costs, demand, supply, stock)
        self.arrivals, self.interval = arrivals, interval_hours
        self.ever = ever | (stock > 0)
        self.started = True
        self.wanted: dict[int, Floats] = {}
        self._days: dict[float, float] = {}
        self.tick(at)

    def cells(self, sku: int) -> tuple[dict[int, Cell], Cell | None]:
        """What units of a SKU are worth by warehouse and in all of them together, where that is something."""
        table = self.table(sku)
        stock, wanted = self.stock[:, sku], self.wanted[sku]
        found = {}
        for w in np.nonzero(stock > 0)[0]:
            curve = curve_of(table.local[w], int(stock[w]))
            if curve is not None:
                next_at = float(self.arrivals.next_at[w, sku])
                days = max(self._days_until(next_at), 1e-6)
                mean = float(wanted[w])
                found[int(w)] = Cell(curve, int(stock[w]), mean, mean / days, next_at)
        total = int(stock.sum())
        curve = curve_of(table.network, total)
        if curve is None:
            return found, None
        horizon = self._horizons(sku, self._per_day(sku))[0]
        next_at = min((at for at, _units in self.arrivals.of_sku.get(sku, ())), default=self.supply.end)
        return found, Cell(curve, total, horizon.mean, self._per_day(sku), next_at)

    def area_shares(self) -> list[float]:
        """Share of all demand for which each warehouse is the cheapest that stocks the SKU."""
        return [float(share) for share in self._share()]

    def _days_until(self, at: float) -> float:
        """Days of demand from now on; most receipts share a few dates."""
        found = self._days.get(at)
        if found is None:
            found = self._days[at] = self.demand.days(self.at, at)
        return found

    def _per_day(self, sku: int) -> float:
        return float(self.demand.base[:, sku].sum() * self.level * self.factors[sku])

    def _local(self, sku: int, has: NDArray[np.bool_], wanted: Floats) -> tuple[Floats, Floats]:
        """The mean until the common date, stretched to each warehouse's own next receipt."""
        mean, worth = super()._local(sku, has, wanted)
        common = self._days_until(self.supply.end)
        days = np.array([self._days_until(at) for at in self.arrivals.next_at[:, sku].tolist()])
        extra = self.setting.local_extra
        stretched: Floats = extra + (mean - extra) * days / max(common, 1e-6)
        self.wanted[sku] = stretched
        return stretched, worth

    def _horizons(self, sku: int, per_day: float) -> list[Horizon]:
        """Demand until each receipt of the SKU and one interval after the last, with what came before it."""
        s = self.setting
        seen = float(self.demand.seen[:, sku].sum())
        coming = sorted(pair for pair in self.arrivals.of_sku.get(sku, ()) if pair[0] > self.at)
        arrived, found = 0.0, []
        end = (coming[-1][0] if coming else self.at) + self.interval
        for date, units in [*coming, (end, 0.0)]:
            mean = per_day * self._days_until(date)
            variance = s.noise * mean + mean**2 * (1 / (7 + seen) + s.drift)
            found.append(Horizon(mean, variance, arrived))
            arrived += units
        return found


def curve_of(yuan: Floats, units: int) -> Curve | None:
    """The part of a curve around the units there are, from half of them up; None where it is worth nothing."""
    low = max(1, units // 2)
    if units < 1 or len(yuan) < low or yuan[low - 1] < LEAST_YUAN:
        return None
    high = max(low, min(units, len(yuan)))
    span, count = high - low, min(POINTS, high - low + 1)
    # Plain arithmetic: there are a hundred thousand of these, and the array functions take ten times as long.
    places = [low + (n * span + (count - 1) // 2) // max(count - 1, 1) for n in range(count)]
    return Curve(low, high, tuple([round(float(yuan[place - 1]), 4) for place in places]))
