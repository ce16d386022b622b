"""What the goods that a wave leaves on the shelves are worth, by the price book that single decisions pay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from routing.engine.wave.model import EndValues
from routing.pricing.books import Book, Curve
from routing.waves.costs import Blocks

Ints = NDArray[np.int64]
Lines = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Shelves:
    """Units free for the wave by node and SKU (columns), and what keeping the k-th of them is worth."""

    stock: Ints
    column: Mapping[int, int]
    keep: EndValues | None

    def given_up(self, plans: Iterable[tuple[Lines, Blocks]]) -> float:
        """Yuan of end value that these plans use up, against using nothing; lines are (SKU id, units)."""
        if self.keep is None:
            return 0.0
        used = np.zeros_like(self.stock)
        for lines, blocks in plans:
            for node, bits in blocks:
                for n, (sku_id, units) in enumerate(lines):
                    if bits >> n & 1:
                        used[node, self.column[sku_id]] += units
        lost = sum(
            _lost(values, int(self.stock[at]), int(used[at])) for at, values in self.keep.local.items()
        )
        have, gone = self.stock.sum(axis=0), used.sum(axis=0)
        return lost + sum(
            _lost(values, int(have[sku]), int(gone[sku])) for sku, values in self.keep.network.items()
        )


def shelves(
    stock: Ints, sku_ids: Sequence[int], warehouse_ids: Sequence[int], book: Book | None, factor: float
) -> Shelves:
    """The shelves of a wave; without a price book that says something, what is left is worth nothing."""
    column = {sku_id: n for n, sku_id in enumerate(sku_ids)}
    if book is None or not book.rows or factor <= 0:
        return Shelves(stock, column, None)
    local: dict[tuple[int, int], tuple[float, ...]] = {}
    network: dict[int, tuple[float, ...]] = {}
    for sku_id, at in column.items():
        row = book.rows.get(sku_id)
        if row is None:
            continue
        if row.network is not None:
            network[at] = _values(row.network, int(stock[:, at].sum()), factor)
        for node, warehouse_id in enumerate(warehouse_ids):
            curve = row.cells.get(warehouse_id)
            if curve is not None and stock[node, at]:
                local[node, at] = _values(curve, int(stock[node, at]), factor)
    return Shelves(stock, column, EndValues(local=local, network=network))


def _values(curve: Curve, units: int, factor: float) -> tuple[float, ...]:
    """Worth of the first, second, ... unit that is left, never rising."""
    known = min(units, curve.high + max(3, curve.high // 4))
    return tuple(accumulate((curve.at(k) * factor for k in range(1, known + 1)), min))


def _lost(values: Sequence[float], have: int, used: int) -> float:
    return sum(values[max(0, have - used) : have])
