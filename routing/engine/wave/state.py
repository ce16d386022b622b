"""A whole plan of the free orders, what it uses and costs; building one order at a time under what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.engine.wave.bound import Prices, given_up, parts, plan_costs, use
from routing.engine.wave.shape import Floats, Ints, Shape

SMALL = 1e-6


@dataclass(slots=True)
class State:
    """Node of each line of each free order [n, widest] (an order of -1 only is unplanned), use of the rows, cost."""

    nodes: Ints
    used: Floats
    cost: float


def state(shape: Shape, nodes: Ints) -> State:
    """Count a whole plan."""
    used = use(shape, nodes)
    return State(
        nodes, used, float(plan_costs(shape, np.arange(len(nodes)), nodes).sum()) + given_up(shape, used)
    )


def limits(shape: Shape) -> Floats:
    """All a row can give."""
    return np.bincount(shape.rows.of, weights=shape.rows.size, minlength=shape.rows.count)


def holds(shape: Shape, counted: State) -> bool:
    """Whether no row is overused and every plan is possible."""
    return bool((counted.used <= limits(shape) + SMALL).all() and np.isfinite(counted.cost))


def left_over(shape: Shape, nodes: Ints) -> tuple[Ints, Ints]:
    """Stock [N, S] and parcels [N] that a plan leaves."""
    stock, capacity = shape.stock.copy(), shape.capacity.copy()
    rows, lines = np.nonzero(nodes >= 0)
    np.subtract.at(stock, (nodes[rows, lines], shape.sku[rows, lines]), shape.units[rows, lines])
    for row in range(nodes.shape[1]):
        earlier = (nodes[:, :row] == nodes[:, row, None]).any(axis=1)
        first = (nodes[:, row] >= 0) & ~earlier
        np.subtract.at(capacity, nodes[first, row], 1)
    stock[~shape.limited] = shape.stock[~shape.limited]
    capacity[~shape.limited_node] = shape.capacity[~shape.limited_node]
    return stock, capacity


def complete(
    shape: Shape, nodes: Ints, order: Ints, y: Floats, changes: int | None, wish: Ints | None = None
) -> Ints:
    """Plan the orders named one after the other, each by its cheapest plan at prices y that still fits.

    ``nodes`` holds the plans of the others and -1 for these. The present plan of an order is kept where it fits and
    no other is cheaper or ``changes`` have run out; one that fits nowhere stays unplanned. ``wish`` is each order's
    cheapest plan at these prices, if known: most fit and save the look at all others.
    """
    nodes = nodes.copy()
    stock, capacity = left_over(shape, nodes)
    prices = Prices(shape, y)
    pair = {int(i): row for group in shape.groups for i, row in zip(group.ids, group.pair, strict=True)}
    for row in order:
        length = int(shape.length[row])
        if not length:
            continue
        if wish is not None and changes is None and wish[row, 0] >= 0:
            hoped = wish[row, :length]
            if _fits(shape, int(row), hoped, stock, capacity):
                nodes[row, :length] = hoped
                _take(shape, int(row), hoped, stock, capacity)
                continue
        priced = _priced(shape, prices, int(row), pair[int(row)])
        chosen = _cheapest(shape, int(row), priced, stock, capacity)
        if shape.has_present[row] and _fits(shape, int(row), shape.present[row], stock, capacity):
            barred = changes is not None and changes <= 0
            kept = _value(priced, shape.present[row][:length])
            if barred or chosen is None or kept <= _value(priced, chosen):
                chosen = shape.present[row][:length]
        if chosen is None:
            continue
        if changes is not None and shape.has_present[row]:
            moved = bool((chosen != shape.present[row][:length]).any())
            if moved and changes <= 0:
                continue
            changes -= moved
        nodes[row, :length] = chosen
        _take(shape, int(row), chosen, stock, capacity)
    return nodes


def _priced(shape: Shape, prices: Prices, row: int, pair: Ints) -> Floats:
    """Priced cost of the parcels of one order: [1 << L, N]."""
    length = int(shape.length[row])
    at = int(shape.offset[row])
    cost: Floats = (
        shape.cost[at : at + (shape.nodes << length)].reshape(1 << length, shape.nodes) + prices.parcel
    )
    for line in range(length):
        with_line = [s for s in range(1 << length) if s >> line & 1]
        cost[with_line] += prices.line[pair[line]]
    return cost


def _cheapest(shape: Shape, row: int, priced: Floats, stock: Ints, capacity: Ints) -> Ints | None:
    """Node of each line of the cheapest plan that stock and capacity left allow."""
    length = int(shape.length[row])
    fit = priced.copy()
    fit[:, capacity <= 0] = np.inf
    for line in range(length):
        with_line = np.array([s for s in range(1 << length) if s >> line & 1])
        short = stock[:, shape.sku[row, line]] < shape.units[row, line]
        fit[np.ix_(with_line, np.flatnonzero(short))] = np.inf
    node = fit.argmin(axis=1)
    best = fit[np.arange(len(node)), node].tolist()
    least: dict[int, tuple[float, int]] = {0: (0.0, 0)}

    def value(left: int) -> float:
        if left not in least:
            least[left] = min((best[part] + value(left ^ part), part) for part in parts(left))
        return least[left][0]

    full = (1 << length) - 1
    if not np.isfinite(value(full)):
        return None
    chosen, left = np.zeros(length, dtype=np.int64), full
    while left:
        part = least[left][1]
        chosen[[line for line in range(length) if part >> line & 1]] = node[part]
        left ^= part
    return (
        chosen if _fits(shape, row, chosen, stock, capacity) and np.isfinite(_value(priced, chosen)) else None
    )


def _value(priced: Floats, nodes: Ints) -> float:
    return float(
        sum(
            priced[int(sum(1 << line for line in np.flatnonzero(nodes == node))), node]
            for node in np.unique(nodes)
        )
    )


def _fits(shape: Shape, row: int, nodes: Ints, stock: Ints, capacity: Ints) -> bool:
    need: dict[tuple[int, int], int] = {}
    for line in range(int(shape.length[row])):
        key = int(nodes[line]), int(shape.sku[row, line])
        need[key] = need.get(key, 0) + int(shape.units[row, line])
    return all(stock[key] >= units for key, units in need.items()) and all(
        capacity[node] > 0 for node, _ in need
    )


def _take(shape: Shape, row: int, nodes: Ints, stock: Ints, capacity: Ints) -> None:
    for line in range(len(nodes)):
        if shape.limited[nodes[line], shape.sku[row, line]]:
            stock[nodes[line], shape.sku[row, line]] -= shape.units[row, line]
    for node in np.unique(nodes):
        capacity[node] -= bool(shape.limited_node[node])
