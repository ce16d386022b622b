"""The value functions of the engine on a world's own figures, as price curves of its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from routing.engine.model import ZERO
from routing.engine.value.demand import Demand
from routing.engine.value.tables import Setting, Supply, Values
from routing.world.book import Book, Lines
from routing.world.costs import costs_of
from routing.world.desk import Curve
from routing.world.reading import Map

MICRO = Decimal("0.000001")


def values_of(doc: Mapping[str, Any], map_: Map, book: Book, setting: Setting | None = None) -> Values | None:
    """The value functions of a world; None where it wants each order decided for itself or forecasts nothing."""
    forecast = doc.get("forecast") or {}
    share = _table(forecast.get("share_ppm"), len(map_.remote), len(map_.goods))
    units = float(forecast.get("units_per_day") or 0)
    if not doc.get("foresight", True) or not map_.places or share.sum() * units <= 0:
        return None
    supply = Supply(
        _table(forecast.get("planned_receipt"), len(map_.places), len(map_.goods)),
        tuple(sorted(float(t) for t in forecast.get("next_receipts_h") or ())),
        float(forecast.get("horizon_h") or 24 * float(doc.get("days") or 1)),
    )
    demand = Demand(share / 1e6 * units, float(forecast.get("orders_per_day") or 0))
    return Values(costs_of(map_), demand, supply, book.stock[:-1], setting)


def _table(rows: Any, height: int, width: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A table of the world with zeros where cells, rows or all of it are missing."""
    table = np.zeros((height, width))
    for r, row in enumerate((rows or ())[:height]):
        cells = [float(x or 0) for x in (row or ())[:width]]
        table[r, : len(cells)] = cells
    return np.maximum(table, 0.0)


class Priced:
    """Price curves of the nodes of one decision (the drop-ship node last, always free)."""

    def __init__(self, values: Values, book: Book) -> None:
        self.values, self.book = values, book

    def unit_curves(self, lines: Lines) -> Sequence[Mapping[int, Curve]]:
        """Price of the first, second, ... unit of each SKU taken at each node."""
        wanted: dict[int, int] = {}
        for sku, units in lines:
            wanted[sku] = wanted.get(sku, 0) + units
        curves = {sku: self.values.taken(sku, units).tolist() for sku, units in wanted.items()}
        nodes = len(self.book.map.places)
        return [
            *({sku: _yuan(rows[n]) for sku, rows in curves.items()} for n in range(nodes)),
            {},
        ]

    def parcel_curves(self, parcels: int) -> Sequence[Curve]:
        """Price of the first, second, ... parcel of one order at each node."""
        left = self.book.left()[:-1]
        return [*(_yuan(row) for row in self.values.slots(left, parcels)), (ZERO,)]


def _yuan(row: Sequence[float]) -> Curve:
    if max(row) < 5e-7:
        return (ZERO,)
    return tuple(Decimal(round(x * 1_000_000)) * MICRO for x in row)
