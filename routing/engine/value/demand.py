"""Forecasts that learn: what was seen corrects the level, the mix of SKUs, and the hours of the day."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from routing.engine.value.prices import Floats

LEVEL_DAYS = 0.75  # days of sales after which the level seen counts as much as the one given
SKU_UNITS = 7.0  # the same for the share of one SKU, in units
AREA_UNITS = 20.0  # and for one SKU in the area of one warehouse
HOUR_ORDERS = 60.0  # and for the hours of the day, in orders
_START = tuple(0.3 + math.exp(-(((hour + 0.5 - 15) / 5.5) ** 2) / 2) for hour in range(24))


class Demand:
    """Units per day by city and SKU as forecast, and what the orders so far say about it. Times in hours."""

    def __init__(self, units_per_day: Floats, orders_per_day: float) -> None:
        self.base = units_per_day  # [city, sku]
        self.total = float(units_per_day.sum())
        self.by_sku = units_per_day.sum(axis=0)
        self.orders_per_day = orders_per_day
        self.first_level = 1.0
        self.units = self.orders = self.lines = self.lone = 0
        self.seen = np.zeros(units_per_day.shape, dtype=np.int64)
        self.hours = np.array(_START) / sum(_START) * HOUR_ORDERS
        self.quantities = np.array([8.0, 1.5, 0.5])  # lines of one, two, three and more units

    def observe(self, at: float, city: int, lines: tuple[tuple[int, int], ...]) -> None:
        """Count one order: ``lines`` are (sku, units)."""
        self.orders += 1
        self.lines += len(lines)
        self.lone += len(lines) == 1
        self.hours[int(at % 24)] += 1
        for sku, units in lines:
            self.units += units
            self.seen[city, sku] += units
            self.quantities[min(units, 3) - 1] += 1

    def days(self, since: float, until: float) -> float:
        """Days of demand between two times, with the hours of the day as learned."""
        return self._clock(until) - self._clock(since) if until > since else 0.0

    def _clock(self, at: float) -> float:
        day, hour = divmod(max(at, 0.0), 24.0)
        whole = int(hour)
        part = float(self.hours[:whole].sum() + self.hours[whole] * (hour - whole))
        return day + part / float(self.hours.sum())

    def level(self, at: float) -> float:
        """Real over forecast units, from what is expected at the start and what was sold since."""
        if self.total <= 0:
            return 1.0
        days = self.days(0.0, at)
        return (LEVEL_DAYS * self.first_level + self.units / self.total) / (LEVEL_DAYS + days)

    def orders_level(self, at: float) -> float:
        """The same for orders."""
        if self.orders_per_day <= 0:
            return 1.0
        days = self.days(0.0, at)
        return (LEVEL_DAYS * self.first_level + self.orders / self.orders_per_day) / (LEVEL_DAYS + days)

    def sku_factors(self, at: float, level: float) -> Floats:
        """Per SKU: real over forecast share of demand."""
        expected = self.by_sku * level * self.days(0.0, at)
        factors: Floats = (SKU_UNITS + self.seen.sum(axis=0)) / (SKU_UNITS + expected)
        return factors

    @property
    def lone_share(self) -> float:
        """Share of lines that are the only one of their order."""
        guess = 0.0
        if self.orders_per_day > 0 and self.total > 0:
            per_order = max(1.0, self.total / self.orders_per_day / 1.2)
            guess = 1 / per_order**2  # lines per order spread like a geometric count
        return (50 * guess + self.lone) / (50 + self.lines)

    @property
    def quantity_share(self) -> NDArray[np.float64]:
        """Share of lines with one, two, three or more units."""
        share: Floats = self.quantities / self.quantities.sum()
        return share
