"""The price of one parcel for every subset of an order's items and every source, in one go of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from routing.engine.model import Need
from routing.engine.pieces import Item
from routing.engine.price import (
    COST,
    FINE,
    FINER,
    INFEASIBLE,
    MAX_COST,
    MAX_RANK,
    NO_LIMIT,
    PARCEL,
    Ints,
    Rate,
    Tariff,
    risk_cost,
)
from routing.engine.screen import Source

_CHUNK = 1 << 15  # elements of a table worked on at once: they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Goods:
    """Grams, cm³, different lines and units of every subset of the items."""

    inside: Ints
    grams: Ints
    cm3: Ints
    lines: Ints
    units: Ints


@lru_cache(maxsize=16)
def members(count: int) -> Ints:
    """Which items each subset holds: 0/1, shape [item, subset]."""
    subsets = np.arange(1 << count, dtype=np.int64)
    return (subsets >> np.arange(count, dtype=np.int64)[:, None]) & 1


def goods_of(items: Sequence[Item]) -> Goods:
    """The measures of every subset of the items."""
    inside = members(len(items))
    table = summed([[i.grams, i.cm3, len(i.parts), i.units] for i in items])
    grams, cm3, lines, units = table
    parts = [part.need for item in items for part in item.parts]
    return Goods(
        inside, grams, cm3, lines if len(set(parts)) == len(parts) else _different(items, inside), units
    )


def summed(rows: Sequence[Sequence[int]]) -> Ints:
    """Sums over every subset of the items of some figures each has; shape [figure, subset]."""
    figures = np.array(rows, dtype=np.int64).T
    table = np.zeros((figures.shape[0], 1 << figures.shape[1]), dtype=np.int64)
    for i in range(figures.shape[1]):
        np.add(table[:, : 1 << i], figures[:, i : i + 1], out=table[:, 1 << i : 2 << i])
    return table


def _different(items: Sequence[Item], inside: Ints) -> Ints:
    """Number of different order lines in each subset, where items are pieces of one line."""
    holders: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            holders.setdefault(part.need, []).append(i)
    held: Ints = np.array([inside[rows].any(axis=0) for rows in holders.values()]).sum(axis=0, dtype=np.int64)
    return held


def price_subsets(
    prices: Tariff,
    items: Sequence[Item],
    sources: Sequence[Source],
    needs: Sequence[Need],
    *,
    shared_sku: bool,
) -> Ints:
    """Least key of one parcel holding each subset, INFEASIBLE where there is none; shape [source, subset]."""
    goods = goods_of(items)
    lanes = _Lanes(prices, goods, _made_bits(items, sources, needs))
    best = np.empty((len(sources), goods.grams.size), dtype=np.int64)
    rows = max(1, _CHUNK // goods.grams.size)
    for first in range(0, len(sources), rows):
        lanes.cheapest(first, min(first + rows, len(sources)), out=best[first : first + rows])
    best += _source_costs(prices, items, needs, goods)
    blocked = _blocked(items, sources, needs, goods.inside, shared_sku=shared_sku)
    blocked |= best >= MAX_COST
    best *= COST
    best += PARCEL + np.minimum(np.arange(len(sources), dtype=np.int64), MAX_RANK)[:, None]
    best[blocked] = INFEASIBLE
    return best


class _Lanes:
    """Prices all lanes of a range of sources for all subsets; what lanes have in common is reckoned once."""

    def __init__(self, prices: Tariff, goods: Goods, made: Sequence[int]) -> None:
        self.prices, self.goods, self.made = prices, goods, made
        table = np.array(prices.rates, dtype=np.int64).T
        self.of: dict[str, Ints] = dict(zip(Rate._fields, table[:, :, None], strict=True))
        of = self.of
        self.whole_fees = not ((of["first_fee"] % FINE).any() or (of["step_fee"] % FINE).any())
        self.limited = bool((of["max_grams"] < NO_LIMIT).any())
        grids = [(r.first_grams, r.step_grams, r.parcel_grams, r.dim) for r in prices.rates]
        known = {grid: n for n, grid in enumerate(dict.fromkeys(grids))}
        self.grid = np.array([known[grid] for grid in grids], dtype=np.intp)
        self.steps = np.array([_steps(goods, *grid) for grid in known], dtype=np.int64)
        self.fixed, self.time = self._fixed()
        self.share_lines = goods.lines if prices.time_share else None

    def _fixed(self) -> tuple[Ints, Ints | None]:
        """What a parcel of each lane costs whatever it holds; and the hours by number of lines, if shared."""
        of, share = self.of, FINE * self.prices.time_share
        fixed = of["capacity"] + of["split"] - of["bonus"]
        if not share:
            return fixed + (of["time"] + FINE // 2) // FINE, None
        lines = np.arange(int(self.goods.lines.max()) + 1, dtype=np.int64)
        return fixed, (2 * of["time"] * lines + share) // (2 * share)

    def cheapest(self, first: int, last: int, *, out: Ints) -> None:
        """The least cost over the lanes of each source from ``first`` to ``last``; shape [source, subset]."""
        starts = self.prices.starts
        part = slice(starts[first], starts[last])
        cost = self.costs(part)
        np.minimum.reduceat(cost, [start - starts[first] for start in starts[first:last]], axis=0, out=out)

    def costs(self, part: slice) -> Ints:
        """Cost of some lanes by subset in units of account, INFEASIBLE above their weight limit."""
        of, goods = self.of, self.goods
        grams = goods.grams + of["parcel_grams"][part]
        cost = self.steps[self.grid[part]]
        if self.whole_fees:
            cost *= of["step_fee"][part] // FINE
            cost += of["first_fee"][part] // FINE + self.fixed[part]
        else:
            cost *= of["step_fee"][part]
            cost += of["first_fee"][part] + FINE // 2
            cost //= FINE
            cost += self.fixed[part]
        carbon = grams * of["carbon_gram"][part]
        carbon += of["carbon_parcel"][part] + FINER // 2
        carbon //= FINER
        cost += carbon
        if self.time is not None:
            cost += self.time[part][:, goods.lines]
        if self.limited:
            cost[grams > of["max_grams"][part]] = INFEASIBLE
        self._bar_making(part, cost)
        return cost

    def _bar_making(self, part: slice, cost: Ints) -> None:
        """Goods that must be made first leave by the lanes after the making only."""
        if not any(self.made):
            return
        subsets = np.arange(cost.shape[1], dtype=np.int64)
        for row, rate in enumerate(self.prices.rates[part]):
            if self.made[rate.source] and not rate.making:
                cost[row, (subsets & self.made[rate.source]) != 0] = INFEASIBLE


def _steps(goods: Goods, first_grams: int, step_grams: int, parcel_grams: int, dim: int) -> Ints:
    """Weight steps charged beyond the first, by subset."""
    billed = goods.grams + parcel_grams
    if dim:
        billed = np.maximum(billed, -(-goods.cm3 * 1000 // dim))
    billed += step_grams - 1 - first_grams
    billed //= step_grams
    return np.maximum(billed, 0)


def _made_bits(items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need]) -> list[int]:
    """By source, the items it would have to make."""
    if not any(source.made for source in sources):
        return [0] * len(sources)
    return [
        sum(
            1 << i
            for i, item in enumerate(items)
            if any(needs[p.need].sku_id in source.made for p in item.parts)
        )
        for source in sources
    ]


def _source_costs(prices: Tariff, items: Sequence[Item], needs: Sequence[Need], goods: Goods) -> Ints:
    """Handling, stock price and return risk, the same for all lanes of a source; shape [source, subset]."""
    rates = [prices.rates[start] for start in prices.starts[:-1]]
    handling = np.array([(r.handling_parcel + FINE // 2, r.handling_line) for r in rates], dtype=np.int64)
    lines = np.arange(int(goods.lines.max()) + 1, dtype=np.int64)
    cost: Ints = ((handling[:, :1] + handling[:, 1:] * lines) // FINE)[:, goods.lines]
    if prices.stock_curves:
        cost += _along_curves(prices, items, needs, goods.inside)
    if any(map(any, prices.unit_price)):
        cost += _summed_rows(
            [
                [sum(row[p.need] * p.quantity for p in item.parts) for row in prices.unit_price]
                for item in items
            ]
        )
    if prices.return_risk:
        cost += _summed_rows(
            [
                [risk_cost(prices, s, items, needs, 1 << i) for s in range(len(rates))]
                for i in range(len(items))
            ]
        )
    return cost


def _summed_rows(rows: Sequence[Sequence[int]]) -> Ints:
    """Scaled amounts by item and source, summed over every subset and rounded to units of account."""
    table = summed(rows)
    table += FINE // 2
    table //= FINE
    return table


def _along_curves(prices: Tariff, items: Sequence[Item], needs: Sequence[Need], inside: Ints) -> Ints:
    """What the units of each subset cost along the curves of each source; shape [source, subset]."""
    wanted = units_by_sku(items, needs)
    single = [[0] * len(prices.unit_price) for _ in items]
    joint: list[tuple[int, Ints, Ints]] = []
    taken = {sku: np.array(row, dtype=np.int64) @ inside for sku, row in wanted.items() if _several(row)}
    for (source, sku), curve in prices.stock_curves.items():
        if sku in taken:
            top = int(taken[sku][-1])
            sums = np.array([curve.cost(units) // FINE for units in range(top + 1)], dtype=np.int64)
            joint.append((source, sums, taken[sku]))
            continue
        for i, units in enumerate(wanted.get(sku, ())):
            if units:
                single[i][source] += curve.cost(units) // FINE
    cost = summed(single)
    for source, sums, units_of in joint:
        cost[source] += sums[units_of]
    return cost


def units_by_sku(items: Sequence[Item], needs: Sequence[Need]) -> dict[int, list[int]]:
    """Units of each sku in each item."""
    wanted: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            wanted.setdefault(needs[part.need].sku_id, [0] * len(items))[i] += part.quantity
    return wanted


def _several(row: Sequence[int]) -> bool:
    return sum(units > 0 for units in row) > 1


def curve_table(prices: Tariff, source: int, items: Sequence[Item], needs: Sequence[Need]) -> Ints | None:
    """What each subset costs along the curves of skus that several items draw on; None without any."""
    inside = members(len(items))
    cost = None
    for sku, row in units_by_sku(items, needs).items():
        curve = prices.stock_curves.get((source, sku))
        if curve is not None and _several(row):
            units = np.array(row, dtype=np.int64) @ inside
            sums = np.array([curve.cost(n) // FINE for n in range(int(units[-1]) + 1)], dtype=np.int64)
            cost = sums[units] if cost is None else cost + sums[units]
    return cost


def _blocked(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints, *, shared_sku: bool
) -> NDArray[np.bool_]:
    """Subsets no parcel of a source can hold: an item it cannot send, or its stock drawn on twice."""
    blocked = np.zeros((len(sources), inside.shape[1]), dtype=np.bool_)
    for i, item in enumerate(items):
        able = np.array([item.sources >> s & 1 for s in range(len(sources))], dtype=np.bool_)
        blocked[:, 1 << i : 2 << i] = blocked[:, : 1 << i] | ~able[:, None]
    blocked[:, 0] = True
    if shared_sku:
        blocked |= over_stock(items, sources, needs, inside)
    return blocked


def over_stock(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints
) -> NDArray[np.bool_]:
    """Subsets that together want more of a sku than a source has or can make; shape [source, subset]."""
    wanted = {sku: np.array(row, dtype=np.int64) @ inside for sku, row in units_by_sku(items, needs).items()}
    over = np.zeros((len(sources), inside.shape[1]), dtype=np.bool_)
    for sku, units in wanted.items():
        stock = np.array([[source.stock.get(sku, 0)] for source in sources], dtype=np.int64)
        over |= units > stock
    for s, source in enumerate(sources):
        left = source.node.make_left
        made = [wanted[sku] for sku in source.made if sku in wanted]
        if made and left is not None:
            over[s] |= np.sum(made, axis=0) > left
    return over
