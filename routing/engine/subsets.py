"""The price of one parcel for every subset of an order's items and every source, in one go of numpy."""

from __future__ import annotations

from collections.abc import Sequence
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
)
from routing.engine.screen import Source


@lru_cache(maxsize=16)
def members(count: int) -> Ints:
    """Which items each subset holds: 0/1, shape [item, subset]."""
    subsets = np.arange(1 << count, dtype=np.int64)
    return (subsets >> np.arange(count, dtype=np.int64)[:, None]) & 1


def price_subsets(
    prices: Tariff,
    items: Sequence[Item],
    sources: Sequence[Source],
    needs: Sequence[Need],
    *,
    shared_sku: bool,
) -> Ints:
    """Least key of one parcel holding each subset, INFEASIBLE where there is none; shape [source, subset]."""
    inside = members(len(items))
    goods = np.array([item.grams for item in items], dtype=np.int64) @ inside
    lines = lines_of(items, inside)
    rate = np.array(prices.rates, dtype=np.int64).T[:, :, None]
    of = dict(zip(Rate._fields, rate, strict=True))
    grams = goods + of["parcel_grams"]
    billed = grams
    if of["dim"].any():
        cm3 = np.array([item.cm3 for item in items], dtype=np.int64) @ inside
        billed = np.maximum(grams, np.where(of["dim"] > 0, -(-cm3 * 1000 // np.maximum(of["dim"], 1)), 0))
    cost = np.maximum((billed - of["first_grams"] + of["step_grams"] - 1) // of["step_grams"], 0)
    cost *= of["step_fee"]
    cost += of["first_fee"] + FINE // 2
    cost //= FINE
    carbon = grams * of["carbon_gram"]
    carbon += of["carbon_parcel"] + FINER // 2
    carbon //= FINER
    cost += carbon
    if prices.time_share:
        share = FINE * prices.time_share
        cost += (2 * of["time"] * lines + share) // (2 * share)
        cost += of["capacity"] + of["split"] - of["bonus"]
    else:
        cost += of["capacity"] + of["split"] - of["bonus"] + (of["time"] + FINE // 2) // FINE
    if any(r.max_grams < NO_LIMIT for r in prices.rates):
        cost[grams > of["max_grams"]] = INFEASIBLE
    first = list(prices.starts[:-1])
    best = np.minimum.reduceat(cost, first, axis=0)
    best += _source_costs(prices, items, needs, inside, lines)
    ranks = np.minimum(np.arange(len(sources), dtype=np.int64), MAX_RANK)[:, None]
    blocked = _blocked(items, sources, needs, inside, shared_sku=shared_sku)
    return np.where(blocked | (best >= MAX_COST), INFEASIBLE, best * COST + (PARCEL + ranks))


def lines_of(items: Sequence[Item], inside: Ints) -> Ints:
    """Number of different order lines in each subset."""
    holders: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            holders.setdefault(part.need, []).append(i)
    if all(len(rows) == 1 for rows in holders.values()):
        return np.array([len(item.parts) for item in items], dtype=np.int64) @ inside
    held: Ints = np.array([inside[rows].any(axis=0) for rows in holders.values()]).sum(axis=0, dtype=np.int64)
    return held


def _source_costs(
    prices: Tariff, items: Sequence[Item], needs: Sequence[Need], inside: Ints, lines: Ints
) -> Ints:
    """Handling and stock price, the same for all lanes of a source; shape [source, subset]."""
    rates = [prices.rates[start] for start in prices.starts[:-1]]
    parcel = np.array([[r.handling_parcel + FINE // 2] for r in rates], dtype=np.int64)
    line = np.array([[r.handling_line] for r in rates], dtype=np.int64)
    cost = (parcel + line * lines) // FINE
    if prices.stock_curves:
        cost += _along_curves(prices, items, needs, inside)
    if any(map(any, prices.unit_price)):
        value = np.array(
            [
                [sum(row[p.need] * p.quantity for p in item.parts) for item in items]
                for row in prices.unit_price
            ],
            dtype=np.int64,
        )
        cost += (value @ inside + FINE // 2) // FINE
    return cost


def _along_curves(prices: Tariff, items: Sequence[Item], needs: Sequence[Need], inside: Ints) -> Ints:
    """What the units of each subset cost along the curves of each source; shape [source, subset]."""
    wanted = units_by_sku(items, needs)
    single = np.zeros((len(prices.unit_price), len(items)), dtype=np.int64)
    joint: list[tuple[int, Ints, Ints]] = []
    taken = {sku: np.array(row, dtype=np.int64) @ inside for sku, row in wanted.items() if _several(row)}
    for (source, sku), curve in prices.stock_curves.items():
        row = wanted.get(sku, ())
        if sku in taken:
            top = int(taken[sku][-1])
            sums = np.array([curve.cost(units) // FINE for units in range(top + 1)], dtype=np.int64)
            joint.append((source, sums, taken[sku]))
            continue
        for i, units in enumerate(row):
            if units:
                single[source, i] += curve.cost(units) // FINE
    cost: Ints = single @ inside
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
    subsets = np.arange(inside.shape[1], dtype=np.int64)
    lacking = np.array(
        [
            [sum(1 << i for i, item in enumerate(items) if not item.sources >> s & 1)]
            for s in range(len(sources))
        ],
        dtype=np.int64,
    )
    blocked: NDArray[np.bool_] = (subsets & lacking) != 0
    blocked[:, 0] = True
    if shared_sku:
        blocked |= over_stock(items, sources, needs, inside)
    return blocked


def over_stock(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints
) -> NDArray[np.bool_]:
    """Subsets that together want more of a sku than a source has; shape [source, subset]."""
    wanted = units_by_sku(items, needs)
    over = np.zeros((len(sources), inside.shape[1]), dtype=np.bool_)
    for sku, quantities in wanted.items():
        stock = np.array([[source.node.stock.get(sku, 0)] for source in sources], dtype=np.int64)
        over |= np.array(quantities, dtype=np.int64) @ inside > stock
    return over
