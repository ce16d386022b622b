"""Lagrangian prices of the rows: exact pricing of all plans at once, a valid lower bound, subgradient steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from routing.engine.wave.shape import FRACTIONS, Floats, Group, Ints, Shape

FINE = 1024.0
"""Prices are rounded to 1/1024: with costs in whole numbers every sum below is then exact in floats."""


_CHUNK = 4096  # parcels' rows (orders times subsets) priced at a time


@dataclass(slots=True)
class Priced:
    """The cheapest plan of each free order under prices: its priced value [n], the node of each line [n, widest]."""

    value: Floats
    nodes: Ints


class Prices:
    """Prices y >= 0 of the rows, laid out for pricing lines and parcels."""

    def __init__(self, shape: Shape, y: Floats) -> None:
        rows, padded = shape.rows, np.append(y, 0.0)
        sku = np.maximum(shape.pair_sku, 0)
        self.line = np.zeros((len(sku), shape.nodes))
        for which, (over, under) in enumerate(FRACTIONS):
            weight = (shape.pair_units * over // under).astype(float)
            if weight.any():
                self.line += padded[rows.cell[which][:, sku]].T * weight[:, None]
        self.line += (padded[rows.network[sku]] * shape.pair_units)[:, None] * shape.limited[:, sku].T
        self.line[shape.pair_sku < 0] = 0.0
        self.parcel = padded[rows.parcel] + padded[rows.total] * shape.limited_node
        self.change = float(padded[rows.change])

    def reduced(self, group: Group) -> Floats:
        """Priced cost of every parcel of a group: [n, 1 << L, N]."""
        lines = self.line[group.pair]
        priced: Floats = group.cost + self.parcel
        for line in range(group.lines):
            inside = [subset for subset in range(1, priced.shape[1]) if subset >> line & 1]
            for subset in inside:
                priced[:, subset] += lines[:, line]
        return priced

    def best(self, group: Group, chunk: slice) -> tuple[Ints, Floats]:
        """Cheapest node of every subset of lines and its priced cost, [n, 1 << L] each, for a chunk of a group.

        Chunks keep the tables in the processor's cache: the whole of a large wave takes five times as long.
        """
        cost, lines = group.cost[chunk], self.line[group.pair[chunk]]
        count, each = len(cost), np.arange(len(cost))
        node = np.zeros((count, cost.shape[1]), dtype=np.int64)
        value = np.zeros((count, cost.shape[1]))
        sums: list[Floats] = [np.broadcast_to(self.parcel, (count, len(self.parcel)))]
        for subset in range(1, cost.shape[1]):
            low = (subset & -subset).bit_length() - 1
            sums.append(sums[subset & (subset - 1)] + lines[:, low])
            priced = cost[:, subset] + sums[subset]
            node[:, subset] = priced.argmin(axis=1)
            value[:, subset] = priced[each, node[:, subset]]
        return node, value


@lru_cache
def reachable(lines: int) -> list[int]:
    """The sets of lines that can be left over when parcels always take the lowest line left, ascending."""
    full, found = (1 << lines) - 1, set()
    waiting = [full]
    while waiting:
        left = waiting.pop()
        if left in found or not left:
            continue
        found.add(left)
        waiting += [left ^ part for part in parts(left)]
    return sorted(found)


def parts(left: int) -> list[int]:
    """The subsets of ``left`` that hold its lowest line."""
    low, rest = left & -left, left & (left - 1)
    found, part = [], rest
    while True:
        found.append(part | low)
        if not part:
            return found
        part = (part - 1) & rest


def cheapest(shape: Shape, prices: Prices) -> Priced:
    """The exact minimum over all divisions into parcels, as a dynamic program over sets of lines.

    Two parcels from one node may occur where a joint one costs more; the value is then still a lower bound.
    """
    value, nodes = np.zeros(len(shape.ids)), np.full(shape.sku.shape, -1)
    for group in shape.groups:
        size = max(16, _CHUNK >> group.lines)
        for at in range(0, len(group.ids) if group.lines else 0, size):
            chunk = slice(at, at + size)
            ids = group.ids[chunk]
            value[ids], nodes[ids, : group.lines] = _divide(group.lines, *prices.best(group, chunk))
    possible = np.isfinite(value)
    nodes[~possible] = -1
    return _with_present(shape, prices, Priced(np.where(possible, value, shape.unplanned_price), nodes))


def _divide(lines: int, node: Ints, best: Floats) -> tuple[Floats, Ints]:
    """The cheapest division of all lines into parcels, given the best node and value of every subset."""
    count, full = len(node), (1 << lines) - 1
    each = np.arange(count)
    least = np.zeros((count, 1 << lines))
    first = np.zeros((count, 1 << lines), dtype=np.int64)
    for left in reachable(lines):
        options = np.array(parts(left))
        totals = best[:, options] + least[:, left ^ options]
        choice = totals.argmin(axis=1)
        least[:, left] = totals[each, choice]
        first[:, left] = options[choice]
    left_over = np.full(count, full)
    chosen = np.full((count, lines), -1)
    for _ in range(lines):
        part = first[each, left_over]
        where = node[each, part]
        for line in range(lines):
            chosen[:, line] = np.where((part >> line & 1) & (left_over > 0), where, chosen[:, line])
        left_over = left_over ^ np.where(left_over > 0, part, 0)
    return least[:, full], chosen


def _with_present(shape: Shape, prices: Prices, found: Priced) -> Priced:
    """Charge the price of a change to every plan but the present one; leaving an order unplanned is an option too."""
    if prices.change:
        kept = plan_values(shape, prices, np.flatnonzero(shape.has_present), shape.present[shape.has_present])
        value = found.value + prices.change * shape.has_present
        better = kept <= value[shape.has_present]
        rows = np.flatnonzero(shape.has_present)[better]
        value[rows] = kept[better]
        found.value = value
        found.nodes[rows] = shape.present[rows]
    dear = found.value > shape.unplanned_price
    found.value[dear] = shape.unplanned_price
    found.nodes[dear] = -1
    return found


def masks_of(nodes: Ints) -> tuple[Ints, np.ndarray]:
    """For plans given as node per line [p, widest]: the set of lines sharing each line's node, and whether it is its first."""
    widest = nodes.shape[1]
    mask = np.zeros_like(nodes)
    first = nodes >= 0
    for line in range(widest):
        for other in range(widest):
            same = (nodes[:, other] == nodes[:, line]) & (nodes[:, line] >= 0)
            mask[:, line] |= same.astype(np.int64) << other
            if other < line:
                first[:, line] &= ~same
    return mask, first


def plan_costs(shape: Shape, order: Ints, nodes: Ints) -> Floats:
    """Cost of plans (order row [p], node per line [p, widest]); the empty plan costs ``unplanned_price``."""
    mask, first = masks_of(nodes)
    at = shape.offset[order][:, None] + mask * shape.nodes + np.maximum(nodes, 0)
    cost = np.where(first, shape.cost[np.where(first, at, 0)], 0.0).sum(axis=1)
    return np.where((nodes < 0).all(axis=1) & (shape.length[order] > 0), shape.unplanned_price, cost)


def plan_values(shape: Shape, prices: Prices, order: Ints, nodes: Ints) -> Floats:
    """Cost of plans plus the price of what they use, the price of a change left out."""
    _, first = masks_of(nodes)
    used: Floats = np.where(first, prices.parcel[np.maximum(nodes, 0)], 0.0).sum(axis=1)
    pairs = pair_of(shape)[order]
    used += np.where(nodes >= 0, prices.line[pairs, np.maximum(nodes, 0)], 0.0).sum(axis=1)
    used += plan_costs(shape, order, nodes)
    return used


def pair_of(shape: Shape) -> Ints:
    """The (SKU, units) pair of each line: [n, widest], 0 beyond an order's lines."""
    table = np.zeros(shape.sku.shape, dtype=np.int64)
    for group in shape.groups:
        table[group.ids, : group.lines] = group.pair
    return table


def use(shape: Shape, nodes: Ints) -> Floats:
    """Use of every row by one plan per free order, given as node per line [n, widest]."""
    rows = shape.rows
    total = np.zeros(rows.count + 1)  # shifted by one: row -1 collects what no row counts
    inside = nodes >= 0
    node, sku, units = nodes[inside], shape.sku[inside], shape.units[inside]
    for which, (over, under) in enumerate(FRACTIONS):
        total += np.bincount(rows.cell[which][node, sku] + 1, units * over // under, rows.count + 1)
    np.add.at(total, rows.network[sku] + 1, units * shape.limited[node, sku])
    _, first = masks_of(nodes)
    houses = nodes[first]
    np.add.at(total, rows.parcel[houses] + 1, 1.0)
    if rows.total >= 0:
        total[rows.total + 1] = shape.limited_node[houses].sum()
    if rows.change >= 0:
        total[rows.change + 1] = ((nodes != shape.present).any(axis=1) & shape.has_present).sum()
    return total[1:]


def given_up(shape: Shape, used: Floats) -> float:
    """End values lost by a use of the rows; every segment is filled from the cheapest."""
    rows = shape.rows
    if not len(rows.of):
        return 0.0
    sums = np.cumsum(rows.size) - rows.size
    before = sums - sums[np.searchsorted(rows.of, np.arange(rows.count))][rows.of]
    filled = np.clip(used[rows.of] - before, 0.0, rows.size)
    return float((filled * rows.worth).sum())


def dual_value(shape: Shape, priced: Priced, y: Floats) -> float:
    """The bound that prices y prove: cheapest plans less what the rows' limits give at these prices."""
    rows = shape.rows
    return float(priced.value.sum() - (np.maximum(y[rows.of] - rows.worth, 0.0) * rows.size).sum())


def certified(shape: Shape, y: Floats) -> float:
    """A lower bound that holds whatever the prices; exact for whole-number costs, else less a rounding margin."""
    fine = np.round(np.maximum(y, 0.0) * FINE) / FINE
    bound = dual_value(shape, cheapest(shape, Prices(shape, fine)), fine)
    whole = bool((shape.rows.worth * FINE % 1 == 0).all()) and all(
        bool((group.cost[np.isfinite(group.cost)] % 1 == 0).all()) for group in shape.groups
    )
    return bound if whole else bound - 1e-9 * (1.0 + abs(bound))


def _slope(shape: Shape, used: Floats, y: Floats) -> Floats:
    """A subgradient of the bound: use less what is offered at these prices; segments priced alike may go either way."""
    rows, price = shape.rows, y[shape.rows.of]
    offered = np.bincount(rows.of, weights=rows.size * (price > rows.worth), minlength=rows.count)
    either = np.bincount(rows.of, weights=rows.size * (price == rows.worth), minlength=rows.count)
    over = used - offered
    return np.where(over > 0, np.maximum(over - either, 0.0), np.where(y > 0, over, 0.0))


def climb(shape: Shape, upper: float | None, *, steps: int, until: float) -> tuple[Floats, float]:
    """Subgradient steps toward a target a little above the best bound seen; returns the best prices and their bound.

    Steps are scaled by each row's limit, so that rows of few units move as fast as large ones.
    """
    rows = shape.rows
    y, best_y, best = np.zeros(rows.count), np.zeros(rows.count), -np.inf
    size = np.bincount(rows.of, weights=rows.size, minlength=rows.count)
    scale = 1.0 / (1.0 + size)
    direction, factor, stale = np.zeros(rows.count), 1.0, 0
    for _ in range(steps):
        priced = cheapest(shape, Prices(shape, y))
        value = dual_value(shape, priced, y)
        if value > best + 1e-4 * abs(best):
            stale = 0
        else:
            stale += 1
        if value > best:
            best, best_y = value, y
        if stale >= 5:
            factor, stale, y = factor * 0.6, 0, best_y
        slope = _slope(shape, use(shape, priced.nodes), y)
        direction = slope + 0.7 * direction
        norm = float((direction * direction * scale).sum())
        if norm <= 0.0 or time.monotonic() > until:
            break
        above = 0.03 * abs(best) if upper is None else max(0.03 * abs(best), 0.3 * (upper - best))
        target = best + above
        y = np.maximum(y + factor * (target - value) / norm * scale * direction, 0.0)
    return best_y, best
