"""Prices of a whole network, kept current: worth of every unit in stock and of every parcel slot, in yuan.

Tables are made per SKU when first asked for and again when they are stale: after ``refresh_hours`` of world
time, at receipts, and when a warehouse runs out of the SKU or has it again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.engine.value.demand import AREA_UNITS, Demand
from routing.engine.value.prices import (
    Floats,
    Horizon,
    Savings,
    capacity_curve,
    local_curve,
    scarcity_curve,
)

Ints = NDArray[np.int64]
ANY = 10**6  # from here on a number of slots means "no limit"


@dataclass(frozen=True, slots=True)
class Setting:
    """Shares and ratios without a unit; every yuan comes from the network's own tariff."""

    local_fee: float = 0.74  # of the fee of one more parcel
    local_gap: float = 0.15  # of what the next source costs more
    local_mean: float = 0.94
    local_extra: float = 0.12
    now_share: float = 0.33  # of demand that goes to the nearest source that has the SKU now
    part: float = 0.7
    trust: float = 0.86
    noise: float = 1.34
    drift: float = 0.025
    shape: float = 8.0
    slot: float = 0.8  # of the fee of one more parcel
    slots: float = 0.9  # of what falling back costs more
    parcels: float = 1.1  # per order
    refresh_hours: float = 6.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What sending costs in yuan (inf: impossible), for classes of SKUs of like weight.

    ``unit`` [warehouse, city, class]: a parcel of one unit; ``fee`` [warehouse, city]: one more parcel;
    ``fallback`` and ``cheapest`` [1–3 units, city, class]: a line by drop-ship, and by the cheapest warehouse.
    """

    unit: Floats
    fee: Floats
    fallback: Floats
    cheapest: Floats
    class_of: Ints


@dataclass(frozen=True, slots=True)
class Supply:
    """Planned receipts: units [warehouse, sku] at each of ``dates`` (hours), and the end of the world."""

    planned: Floats
    dates: tuple[float, ...]
    end: float


@dataclass(slots=True)
class Table:
    """Worth of one SKU: ``local`` [warehouse, k-th unit], ``network`` [k-th unit]; beyond their end zero."""

    made_at: float
    local: Floats
    network: Floats
    has: NDArray[np.bool_]
    room: tuple[int, int]  # units at one warehouse, and in all, that the curves were made for


class Values:
    """Prices for the stock [warehouse, sku] it is given to watch; the caller says what happens and when."""

    def __init__(
        self, costs: Costs, demand: Demand, supply: Supply, stock: Ints, setting: Setting | None = None
    ) -> None:
        self.costs, self.demand, self.supply, self.stock = costs, demand, supply, stock
        self.setting = setting or Setting()
        self.at = 0.0
        self.ever = np.asarray(supply.planned) > 0
        self.order = np.argsort(costs.unit, axis=0, kind="stable").astype(np.int32)
        self.served = np.isfinite(np.take_along_axis(costs.unit, self.order, axis=0))  # by rank
        self.tables: dict[int, Table] = {}
        self.level = 1.0
        self.factors = np.ones(stock.shape[1])
        self.made_at = -1e9
        self.fee = self._mean_fee()
        self.gap = self._mean_gap()
        self.slot_worth = self.setting.slot * self.fee
        self.slots_worth = self.setting.slots * self._mean_saving()
        self.shares: Floats | None = None
        self.started = False

    # ---- what happens ---------------------------------------------------------------------------
    def received(self, at: float) -> None:
        """Stock has arrived: all tables are stale; the first time also tells the level planned for."""
        self.at = at
        self.ever |= self.stock > 0
        self.shares = None
        if not self.started:
            self.started = True
            until = next((d for d in self.supply.dates if d > at), self.supply.end)
            wanted = self.demand.total * self.demand.days(at, until)
            if wanted > 0:
                self.demand.first_level = min(1.0, float(self.stock.sum()) / wanted)
        self.made_at = -1e9

    def tick(self, at: float, *, again: bool = False) -> None:
        """Time passes; the forecast is looked at every few hours, or ``again`` at once."""
        self.at = at
        if again or at >= self.made_at + self.setting.refresh_hours:
            self.level = self.demand.level(at)
            self.factors = self.demand.sku_factors(at, self.level)
            self.made_at = at
            self.tables.clear()

    # ---- what units are worth -------------------------------------------------------------------
    def table(self, sku: int) -> Table:
        """The worth of one SKU as things stand."""
        table = self.tables.get(sku)
        stock = self.stock[:, sku]
        has = stock > 0
        if (
            table is None
            or int(stock.max(initial=0)) > table.room[0]
            or int(stock.sum()) > table.room[1]
            or not np.array_equal(table.has, has)
        ):
            table = self.tables[sku] = self._make(sku, has)
        return table

    def taken(self, sku: int, units: int) -> Floats:
        """Price of the first, second, ... unit taken at each warehouse; shape [warehouse, units]."""
        table = self.table(sku)
        stock = self.stock[:, sku]
        k = stock[:, None] - np.arange(units)[None]
        total = int(stock.sum()) - np.arange(units)
        return _entry_rows(table.local, k) + _entry(table.network, total)[None]

    def _make(self, sku: int, has: NDArray[np.bool_]) -> Table:
        s, stock = self.setting, self.stock[:, sku]
        wanted = self.demand.base[:, sku] * (self.level * self.factors[sku])
        mean, worth = self._local(sku, has, wanted)
        top = int(min(stock.max(initial=0), 20 + 3 * mean.max(initial=0.0)))
        local = local_curve(mean, worth, top, shape=s.shape)
        horizons = self._horizons(sku, float(wanted.sum()))
        most = max((h.mean + 4 * h.variance**0.5 - s.trust * h.arriving for h in horizons), default=0.0)
        units = int(max(0, min(stock.sum(), most + 1)))
        network = scarcity_curve(self._savings(sku), horizons, units, part=s.part, trust=s.trust)
        return Table(self.at, local, network, has, (int(stock.max(initial=0)), int(stock.sum())))

    def _local(self, sku: int, has: NDArray[np.bool_], wanted: Floats) -> tuple[Floats, Floats]:
        """Units each warehouse should expect from its own area until the next receipt, and their worth."""
        s, kind = self.setting, int(self.costs.class_of[sku])
        order = self.order[:, :, kind]  # [rank, city]
        cities = np.arange(order.shape[1])
        served = self.served[:, :, kind]
        first, _ = _leaders(order, served, self.ever[:, sku])
        now, second = _leaders(order, served, has)
        until = next((d for d in self.supply.dates if d > self.at), self.supply.end)
        days = self.demand.days(self.at, until)
        near = np.asarray(np.bincount(first[first >= 0], wanted[first >= 0], len(has)), dtype=np.float64)
        seen = self._area_factor(sku, first, near)
        here = np.bincount(now[now >= 0], wanted[now >= 0], len(has))
        mean = s.local_mean * days * seen * ((1 - s.now_share) * near + s.now_share * here) + s.local_extra
        unit = self.costs.unit[:, :, kind]
        both = (now >= 0) & (second >= 0)
        more = np.zeros(len(cities))
        more[both] = unit[second[both], cities[both]] - unit[now[both], cities[both]]
        gain = np.bincount(now[both], (wanted * more)[both], len(has))
        weight = np.bincount(now[both], wanted[both], len(has))
        gap = np.divide(gain, weight, out=np.full(len(has), self.gap), where=weight > 0)
        return mean, s.local_fee * self.fee + s.local_gap * gap

    def _area_factor(self, sku: int, first: Ints, near: Floats) -> Floats:
        seen = np.bincount(first[first >= 0], self.demand.seen[first >= 0, sku], len(near))
        expected = near * self.demand.days(0.0, self.at)
        factor: Floats = (AREA_UNITS + seen) / (AREA_UNITS + expected)
        return factor

    def _horizons(self, sku: int, per_day: float) -> list[Horizon]:
        s = self.setting
        planned = float(self.supply.planned[:, sku].sum())
        seen = float(self.demand.seen[:, sku].sum())
        found = []
        dates = [d for d in self.supply.dates if d > self.at]
        for j, date in enumerate([*dates, self.supply.end]):
            mean = per_day * self.demand.days(self.at, date)
            variance = s.noise * mean + mean**2 * (1 / (7 + seen) + s.drift)
            found.append(Horizon(mean, variance, j * planned))
        return found

    def _savings(self, sku: int) -> Savings:
        kind = int(self.costs.class_of[sku])
        units = np.arange(1, 4, dtype=np.float64)[:, None]
        saved = (self.costs.fallback[:, :, kind] - self.costs.cheapest[:, :, kind]) / units
        weight = self.demand.quantity_share[:, None] * units * self.demand.base[:, sku][None]
        return Savings.of(saved, weight)

    # ---- what slots are worth -------------------------------------------------------------------
    def slots(self, left: Ints, parcels: int) -> list[tuple[float, ...]]:
        """Price of the first, second, ... parcel at each warehouse; ``left`` are the slots of today."""
        coming, means = self._coming()
        free = left.tolist()
        whole = capacity_curve(coming, _spread(coming), _all_left(free), self.slots_worth, parcels)
        curves = (
            capacity_curve(mean, _spread(mean), n, self.slot_worth, parcels)
            for mean, n in zip(means, free, strict=True)
        )
        return [tuple(a + b for a, b in zip(curve, whole, strict=True)) for curve in curves]

    def slot_worths(self, left: Ints) -> tuple[dict[int, tuple[float, ...]], tuple[float, ...]]:
        """Worth of keeping the first, second, ... slot of each warehouse, and of all together."""
        coming, means = self._coming()
        free = left.tolist()
        own = {n: _kept(means[n], limit, self.slot_worth) for n, limit in enumerate(free) if limit < ANY}
        return own, _kept(coming, _all_left(free), self.slots_worth)

    def _coming(self) -> tuple[float, list[float]]:
        """Parcels still expected today, in all and by the warehouse that is the cheapest for them."""
        rest = self.demand.days(self.at, (self.at // 24 + 1) * 24 - 1e-6)
        coming = self.demand.orders_per_day * self.demand.orders_level(self.at) * rest
        coming *= self.setting.parcels
        return coming, (coming * self._share()).tolist()

    def _share(self) -> Floats:
        """Share of all demand for which each warehouse is the cheapest that stocks the SKU."""
        if self.shares is None:
            total = np.zeros(self.stock.shape[0])
            for sku in range(self.stock.shape[1]):
                kind = int(self.costs.class_of[sku])
                first, _ = _leaders(self.order[:, :, kind], self.served[:, :, kind], self.ever[:, sku])
                ok = first >= 0
                total += np.bincount(first[ok], self.demand.base[ok, sku], len(total))
            self.shares = total / max(total.sum(), 1e-9)
        return self.shares

    # ---- the money level of the world -----------------------------------------------------------
    def _mean_fee(self) -> float:
        weight = self.demand.base.sum(axis=1)
        fee = np.min(self.costs.fee, axis=0)
        ok = np.isfinite(fee)
        return float((fee * weight)[ok].sum() / max(weight[ok].sum(), 1e-9))

    def _mean_gap(self) -> float:
        ranked = np.sort(self.costs.unit, axis=0)
        if len(ranked) < 2:
            return 0.0
        more = (ranked[1] - ranked[0])[np.isfinite(ranked[1])]
        return float(more.mean()) if len(more) else 0.0

    def _mean_saving(self) -> float:
        """Yuan that a line of one unit saves against falling back, over all demand."""
        saved = self.costs.fallback[0] - self.costs.cheapest[0]
        ok = np.isfinite(saved)
        return float(np.maximum(saved[ok], 0).mean()) if ok.any() else 0.0


def _leaders(
    order: NDArray[np.int32], served: NDArray[np.bool_], able: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Per city the cheapest and the second cheapest able warehouse (-1: none); ``order`` and ``served`` by
    [rank, city].
    """
    mask = able[order] & served
    first = mask.argmax(axis=0)
    cities = np.arange(order.shape[1])
    any_first = mask[first, cities]
    mask[first, cities] = False
    second = mask.argmax(axis=0)
    any_second = mask[second, cities]
    return (
        np.where(any_first, order[first, cities], -1).astype(np.int64),
        np.where(any_second, order[second, cities], -1).astype(np.int64),
    )


def _entry(curve: Floats, k: Ints) -> Floats:
    """curve[k - 1], zero beyond its end and for k < 1."""
    padded = np.concatenate(([0.0], curve, [0.0]))
    return padded[np.clip(k, 0, len(curve) + 1)]


def _entry_rows(curves: Floats, k: Ints) -> Floats:
    rows, width = curves.shape
    padded = np.zeros((rows, width + 2))
    padded[:, 1:-1] = curves
    return np.take_along_axis(padded, np.clip(k, 0, width + 1), axis=1)


def _spread(mean: float) -> float:
    """Variance of the parcels still to come: chance, and the level of the day."""
    return 1.3 * mean + (0.15 * mean) ** 2


def _all_left(free: Sequence[int]) -> int:
    """Slots of all warehouses together."""
    return ANY if any(n >= ANY for n in free) else sum(max(0, n) for n in free)


def _kept(mean: float, limit: int, worth: float) -> tuple[float, ...]:
    """Worth of keeping the k-th slot, as far as it is worth anything."""
    reach = min(limit, int(mean + 6 * math.sqrt(_spread(mean)) + 2))
    if limit >= ANY:
        return ()
    return tuple(reversed(capacity_curve(mean, _spread(mean), reach, worth, reach))) if reach > 0 else ()
