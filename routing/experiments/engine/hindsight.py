"""What a unit of stock was worth, worked out after the period from what was really asked for.

The price an arm routed by would favor that arm. These are the duals of the best plan in hindsight: the cost that one
more unit of a SKU at a warehouse would have saved in the cycle, chains of moves included.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SMALL = 1e-9


def unit_prices(costs: Floats, supply: Sequence[int]) -> Floats:
    """Yuan that one more unit at each warehouse would have saved; never below zero.

    ``costs`` [unit asked for, warehouse + 1]: yuan of sending it from there (inf: impossible), the last column is
    falling back (drop-ship or waiting), always possible. ``supply``: units each warehouse had in the cycle.
    Raises ValueError where the shapes do not fit, or the fallback is not finite.
    """
    table = np.asarray(costs, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(supply) + 1 or min(supply, default=0) < 0:
        raise ValueError("costs need one column for each warehouse and one for falling back")
    if not np.isfinite(table[:, -1]).all():
        raise ValueError("falling back must have a finite cost for every unit")
    if not len(table):
        return np.zeros(len(supply))
    left = [int(units) for units in supply]
    at = np.full(len(table), len(supply), dtype=np.int64)
    moves = _Moves(table, at)
    for unit in range(len(table)):
        _place(moves, unit, left)
    return _prices(moves, left)


class _Moves:
    """The cheapest way to move one placed unit from a warehouse to another, kept current."""

    def __init__(self, table: Floats, at: NDArray[np.int64]) -> None:
        self.table, self.at = table, at
        self.count = table.shape[1]
        self.members: list[list[int]] = [[] for _ in range(self.count)]
        self.cost = np.full((self.count, self.count), np.inf)
        self.who = np.full((self.count, self.count), -1, dtype=np.int64)

    def renew(self, house: int) -> None:
        """After units came to or left a warehouse."""
        members = self.members[house]
        if not members:
            self.cost[house], self.who[house] = np.inf, -1
            return
        rows = self.table[members]
        more = rows - rows[:, [house]]
        best = more.argmin(axis=0)
        self.cost[house] = more[best, np.arange(self.count)]
        self.who[house] = np.asarray(members)[best]
        self.cost[house, house] = np.inf


def _place(moves: _Moves, unit: int, left: list[int]) -> None:
    """Send one more unit the cheapest way, moving others where that pays: a shortest augmenting path."""
    last = moves.count - 1
    best, via = moves.table[unit].copy(), np.full(moves.count, -1, dtype=np.int64)
    for _ in range(moves.count):
        through = best[:last, None] + moves.cost[:last]
        source = through.argmin(axis=0)
        reached = through[source, np.arange(moves.count)]
        better = reached < best - _SMALL
        if not better.any():
            break
        best[better], via[better] = reached[better], source[better]
    ends = [n for n in range(last) if left[n] > 0] + [last]
    house = min(ends, key=lambda n: best[n])
    if house != last:
        left[house] -= 1
    touched = {house}
    while via[house] >= 0:
        source = int(via[house])
        moved = int(moves.who[source, house])
        moves.members[source].remove(moved)
        moves.members[house].append(moved)
        moves.at[moved] = house
        touched.add(source)
        house = source
    moves.members[house].append(unit)
    moves.at[unit] = house
    for one in touched:
        moves.renew(one)


def _prices(moves: _Moves, left: Sequence[int]) -> Floats:
    """Duals: the largest saving of a chain of moves that ends in one more unit at a warehouse."""
    last = moves.count - 1
    worth = np.zeros(moves.count)
    for _ in range(moves.count):
        # A unit now at x comes to w and frees what it held there, which is worth the price at x.
        offered = (worth[:, None] - moves.cost).max(axis=0)
        new = np.maximum(worth, np.where(np.isfinite(offered), offered, 0.0))
        new[last] = 0.0
        new[:last][np.asarray(left) > 0] = 0.0
        if np.allclose(new, worth, atol=_SMALL):
            break
        worth = new
    prices: Floats = worth[:last]
    return prices
