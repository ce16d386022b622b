"""Candidate plans (columns): the few best of each order under prices, their costs and what they use of each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.engine.wave.bound import Priced, Prices, masks_of, parts, plan_costs, plan_values, reachable
from routing.engine.wave.shape import FRACTIONS, Floats, Group, Ints, Shape


@dataclass(slots=True)
class Pool:
    """Plans by order row [p], node of each line [p, widest] (-1: not sent), cost [p]; sparse use of the rows by plan.

    Plan p uses ``amount[start[p] : start[p + 1]]`` of the rows ``row[start[p] : start[p + 1]]``.
    """

    order: Ints
    nodes: Ints
    cost: Floats
    start: Ints
    row: Ints
    amount: Floats

    def __len__(self) -> int:
        return len(self.order)


def build(shape: Shape, order: Ints, nodes: Ints) -> Pool:
    """The distinct possible plans among those given, sorted by order."""
    if not len(order):
        nowhere = np.zeros(0, dtype=np.int64)
        return Pool(nowhere, nodes, np.zeros(0), np.zeros(1, dtype=np.int64), nowhere, np.zeros(0))
    key = order.astype(np.int64)
    for line in range(nodes.shape[1]):  # exact while (nodes + 2) ** lines * orders stays below 2 ** 63
        key = key * (shape.nodes + 1) + nodes[:, line] + 1
    _, first = np.unique(key, return_index=True)
    order, nodes = order[first], nodes[first]
    cost = plan_costs(shape, order, nodes)
    possible = np.isfinite(cost)
    order, nodes, cost = order[possible], nodes[possible], cost[possible]
    by_order = np.argsort(order, kind="stable")
    order, nodes, cost = order[by_order], nodes[by_order], cost[by_order]
    return Pool(order, nodes, cost, *_uses(shape, order, nodes))


def merged(shape: Shape, *pools: Pool) -> Pool:
    """All plans of several pools once."""
    return build(
        shape, np.concatenate([pool.order for pool in pools]), np.concatenate([pool.nodes for pool in pools])
    )


def _uses(shape: Shape, order: Ints, nodes: Ints) -> tuple[Ints, Ints, Floats]:
    rows, widest = shape.rows, nodes.shape[1]
    plan: list[Ints] = []
    row: list[Ints] = []
    amount: list[Floats] = []
    each = np.arange(len(order))
    _, first = masks_of(nodes)
    for line in range(widest):
        inside = nodes[:, line] >= 0
        at, node = each[inside], nodes[inside, line]
        sku, units = shape.sku[order[at], line], shape.units[order[at], line]
        for which, (over, under) in enumerate(FRACTIONS):
            _note(plan, row, amount, at, rows.cell[which][node, sku], units * over // under)
        _note(plan, row, amount, at, rows.network[sku], units * shape.limited[node, sku])
        opened = first[:, line]
        at, node = each[opened], nodes[opened, line]
        _note(plan, row, amount, at, rows.parcel[node], np.ones(len(at)))
        if rows.total >= 0:
            _note(plan, row, amount, at, np.full(len(at), rows.total), shape.limited_node[node])
    if rows.change >= 0:
        moved = (nodes != shape.present[order]).any(axis=1) & shape.has_present[order]
        _note(plan, row, amount, each, np.full(len(each), rows.change), moved)
    everything = np.concatenate(plan) * max(rows.count, 1) + np.concatenate(row)
    distinct, inverse = np.unique(everything, return_inverse=True)
    sums = np.bincount(inverse, weights=np.concatenate(amount), minlength=len(distinct))
    which_plan = distinct // max(rows.count, 1)
    start = np.searchsorted(which_plan, np.arange(len(order) + 1))
    return start, distinct % max(rows.count, 1), sums


def _note(
    plan: list[Ints], row: list[Ints], amount: list[Floats], at: Ints, which: Ints, much: Ints | Floats
) -> None:
    real = (which >= 0) & (much > 0)
    plan.append(at[real])
    row.append(which[real])
    amount.append(np.asarray(much, dtype=float)[real])


def best_plans(
    shape: Shape, prices: Prices, cheapest: Priced, *, within: float | Floats, most: int
) -> tuple[Ints, Ints]:
    """For each order up to ``most`` plans priced no more than ``within`` above its cheapest: (order rows, nodes).

    The price of a change counts against all plans (the present one is in the pool anyway).
    Long orders keep fewer, as the number of divisions grows fast.
    """
    orders, plans = [], []
    for group in shape.groups:
        if not group.lines:
            continue
        keep = max(1, min(most, {1: most, 2: most, 3: most, 4: 6, 5: 5, 6: 4}.get(group.lines, 2)))
        value, nodes = _k_best(group, prices.reduced(group), keep)
        limit = cheapest.value[group.ids] + (within[group.ids] if isinstance(within, np.ndarray) else within)
        limit = limit - prices.change * shape.has_present[group.ids]
        good = np.isfinite(value) & (value <= limit[:, None])
        where = np.broadcast_to(group.ids[:, None], good.shape)[good]
        wide = np.full((len(where), shape.sku.shape[1]), -1)
        wide[:, : group.lines] = nodes[good]
        orders.append(where)
        plans.append(wide)
    if not orders:
        return np.zeros(0, dtype=np.int64), np.zeros((0, shape.sku.shape[1]), dtype=np.int64)
    return np.concatenate(orders), np.concatenate(plans)


def _k_best(group: Group, priced: Floats, keep: int) -> tuple[Floats, Ints]:
    """The ``keep`` cheapest divisions of each order: values [n, k] and node of each line [n, k, L]."""
    count, full, wide = len(group.ids), (1 << group.lines) - 1, min(keep, priced.shape[2])
    near = np.argpartition(priced, wide - 1, axis=2)[:, :, :wide] if wide < priced.shape[2] else None
    if near is None:
        near = np.broadcast_to(np.arange(wide), (count, full + 1, wide))
    near_value = np.take_along_axis(priced, near, axis=2)
    value: dict[int, Floats] = {0: np.zeros((count, 1))}
    nodes: dict[int, Ints] = {0: np.full((count, 1, group.lines), -1)}
    for left in reachable(group.lines):
        totals, made = [], []
        for part in parts(left):
            rest = value[left ^ part]
            totals.append((near_value[:, part, :, None] + rest[:, None, :]).reshape(count, -1))
            made += [(part, i) for i in range(totals[-1].shape[1])]
        joint = np.concatenate(totals, axis=1)
        size = min(keep, joint.shape[1])
        chosen = np.argpartition(joint, size - 1, axis=1)[:, :size]
        value[left] = np.take_along_axis(joint, chosen, axis=1)
        part_of, within = np.array(made).T
        nodes[left] = _assemble(group, left, part_of[chosen], within[chosen], near, nodes)
    return value[full], nodes[full]


def _assemble(group: Group, left: int, part: Ints, within: Ints, near: Ints, nodes: dict[int, Ints]) -> Ints:
    """Node of each line for the chosen (first part, its node, rest) of a set of lines: [n, k, L]."""
    count, size = part.shape
    result = np.full((count, size, group.lines), -1)
    for each in parts(left):
        at = np.nonzero(part == each)
        if not len(at[0]):
            continue
        rest = nodes[left ^ each]
        which, other = np.divmod(within[at], rest.shape[1])
        chosen = rest[at[0], other]
        house = near[at[0], each, which]
        for line in range(group.lines):
            if each >> line & 1:
                chosen[:, line] = house
        result[at] = chosen
    return result


def priced(shape: Shape, prices: Prices, pool: Pool) -> Floats:
    """Priced cost of each plan of the pool, the price of a change included."""
    value = plan_values(shape, prices, pool.order, pool.nodes)
    if prices.change:
        moved = (pool.nodes != shape.present[pool.order]).any(axis=1) & shape.has_present[pool.order]
        value = value + prices.change * moved
    return value


def unlimited_plans(shape: Shape) -> tuple[Ints, Ints]:
    """Each order whole from every source without limits, where that is possible: (order rows, nodes)."""
    orders, plans = [], []
    for node in np.flatnonzero(~shape.limited_node):
        for group in shape.groups:
            free = ~shape.limited[node][np.maximum(shape.sku[group.ids, : group.lines], 0)].any(axis=1)
            rows = group.ids[free & np.isfinite(group.cost[:, -1, node])] if group.lines else group.ids[:0]
            wide = np.full((len(rows), shape.sku.shape[1]), -1)
            wide[:, : group.lines] = node
            orders.append(rows)
            plans.append(wide)
    if not orders:
        return np.zeros(0, dtype=np.int64), np.zeros((0, shape.sku.shape[1]), dtype=np.int64)
    return np.concatenate(orders), np.concatenate(plans)
