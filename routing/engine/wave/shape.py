"""A wave as flat arrays: costs, lines, and the rows (stock, rounded stock, SKU totals, parcels) with their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.engine.wave.model import UNLIMITED, EndValues, Plan, Wave

# Kept loose: numpy's own functions promise less than they do (argsort: some integer).
Floats = NDArray[Any]
Ints = NDArray[Any]
Flags = NDArray[Any]

FRACTIONS = ((1, 1), (1, 2), (1, 3), (2, 3))
"""Multiples c of a stock row; rounded down, sum floor(c q) x <= floor(c stock) holds because lines are whole."""


@dataclass(slots=True)
class Group:
    """The free orders with the same number of lines: ids [n], cost [n, 1 << L, N], pair [n, L] (of SKU and units)."""

    lines: int
    ids: Ints
    cost: Floats
    pair: Ints


@dataclass(slots=True)
class Rows:
    """Where the rows are, -1 where one cannot bind, and what their use costs.

    ``cell`` [4, N, S], ``network`` [S], ``parcel`` [N], ``total`` and ``change`` are row numbers. Using a row costs by
    segments (ordered by row, then ascending): segment i offers ``size[i]`` of row ``of[i]`` at ``worth[i]`` each; a plain
    limit is one segment at 0.
    """

    cell: Ints
    network: Ints
    parcel: Ints
    total: int
    change: int
    of: Ints
    size: Floats
    worth: Floats
    count: int


@dataclass(slots=True)
class Shape:
    """The free orders of a wave: ``sku``/``units`` [n, widest] (-1/0 beyond an order's lines), flat costs."""

    ids: Ints
    nodes: int
    skus: int
    length: Ints
    sku: Ints
    units: Ints
    offset: Ints
    cost: Floats
    groups: list[Group]
    pair_sku: Ints
    pair_units: Ints
    stock: Ints
    capacity: Ints
    limited: NDArray[np.bool_]
    limited_node: NDArray[np.bool_]
    rows: Rows
    present: Ints
    has_present: NDArray[np.bool_]
    unplanned_price: float


def taken(plans: Sequence[tuple[Sequence[tuple[int, int]], Plan]], like: Wave) -> tuple[Ints, Ints]:
    """Units [N, S] and parcels [N] that the given (lines, plan) pairs use, unlimited sources left out."""
    units, parcels = np.zeros_like(like.stock), np.zeros_like(like.capacity)
    for lines, plan in plans:
        for node, subset in plan:
            parcels[node] += like.capacity[node] < UNLIMITED
            for position, (sku, quantity) in enumerate(lines):
                if subset >> position & 1 and like.stock[node, sku] < UNLIMITED:
                    units[node, sku] += quantity
    return units, parcels


def shape(wave: Wave) -> Shape:
    """Flatten the orders that may change; frozen orders take their units and parcels off the limits first."""
    frozen = [(order.lines, order.present or ()) for order in wave.orders if order.frozen]
    units, parcels = taken(frozen, wave)
    stock = np.maximum(wave.stock - units, 0)
    capacity = np.maximum(wave.capacity - parcels, 0)
    ids = np.array([i for i, order in enumerate(wave.orders) if not order.frozen], dtype=np.int64)
    orders = [wave.orders[i] for i in ids]
    nodes, skus = stock.shape
    length = np.array([len(order.lines) for order in orders], dtype=np.int64)
    widest = int(length.max(initial=1))
    sku, quantity = np.full((len(ids), widest), -1), np.zeros((len(ids), widest), dtype=np.int64)
    for size in np.unique(length):
        where = np.flatnonzero(length == size)
        if size:
            table = np.array([orders[i].lines for i in where], dtype=np.int64)
            sku[where, :size], quantity[where, :size] = table[:, :, 0], table[:, :, 1]
    pairs, pair = np.unique(sku.ravel() * (1 << 32) + quantity.ravel(), return_inverse=True)
    pair = pair.reshape(sku.shape)
    offset = np.zeros(len(ids), dtype=np.int64)
    flat = np.empty(int(((1 << length) * nodes).sum()))
    groups, at = [], 0
    for size in np.unique(length):
        where = np.flatnonzero(length == size)
        room = (1 << int(size)) * nodes
        cost = flat[at : at + len(where) * room].reshape(len(where), 1 << int(size), nodes)
        np.stack([orders[i].cost for i in where], out=cost)
        offset[where] = at + np.arange(len(where)) * room
        at += len(where) * room
        _mask(cost, sku[where, :size], quantity[where, :size], stock, capacity)
        groups.append(Group(int(size), where, cost, pair[where, :size]))
    finite = flat[np.isfinite(flat)]
    result = Shape(
        ids, nodes, skus, length, sku, quantity, offset, flat, groups, pairs >> 32, pairs & 0xFFFFFFFF, stock, capacity,
        stock < UNLIMITED, capacity < UNLIMITED, _NO_ROWS, np.full(sku.shape, -1), np.zeros(len(ids), dtype=bool),
        50.0 * (1.0 + float(np.abs(finite).max(initial=0.0))),
    )  # fmt: skip
    _read_present(result, [order.present for order in orders])
    result.rows = _rows(result, wave.keep or EndValues(), wave.max_changes)
    return result


def _mask(cost: Floats, sku: Ints, quantity: Ints, stock: Ints, capacity: Ints) -> None:
    """Make every parcel impossible that the node's stock or capacity alone forbids, in place."""
    cost[:, 0, :] = np.inf
    cost[:, :, capacity <= 0] = np.inf
    lines = sku.shape[1]
    twins = {
        (a, b): sku[:, a] == sku[:, b]
        for a in range(lines)
        for b in range(a)
        if (sku[:, a] == sku[:, b]).any()
    }
    for line in range(lines):
        short = quantity[:, line, None] > stock[:, sku[:, line]].T
        for subset in range(1, cost.shape[1]):
            if subset >> line & 1:
                cost[:, subset][short] = np.inf
    if not twins:
        return
    for subset in range(1, cost.shape[1]):
        inside = [line for line in range(lines) if subset >> line & 1]
        for line in inside:
            need = np.zeros(len(sku), dtype=np.int64)
            for other in inside:
                need += quantity[:, other] * (sku[:, other] == sku[:, line])
            cost[:, subset][need[:, None] > stock[:, sku[:, line]].T] = np.inf


def _read_present(packed: Shape, plans: Sequence[Plan | None]) -> None:
    """Note the present plans that are whole and possible, as the node of each line."""
    for row, plan in enumerate(plans):
        nodes = np.full(packed.sku.shape[1], -1)
        for node, subset in plan or ():
            for line in range(int(packed.length[row])):
                if subset >> line & 1:
                    nodes[line] = node
        if plan is None or (nodes[: packed.length[row]] < 0).any():
            continue
        cost = sum(
            packed.cost[packed.offset[row] + subset * packed.nodes + node] for node, subset in plan if subset
        )
        if np.isfinite(cost):
            packed.present[row], packed.has_present[row] = nodes, True


def _demand(packed: Shape) -> Ints:
    """The most that lines could take of each stock row: [4, N, S]."""
    most = np.zeros((len(FRACTIONS), packed.nodes, packed.skus), dtype=np.int64)
    for group in packed.groups:
        for line in range(group.lines):
            subsets = [s for s in range(1 << group.lines) if s >> line & 1]
            possible: Flags = np.asarray(np.isfinite(group.cost[:, subsets]).any(axis=1))
            sku, units = packed.sku[group.ids, line], packed.units[group.ids, line]
            for node in range(packed.nodes):
                for which, (over, under) in enumerate(FRACTIONS):
                    weight = (units * over // under) * possible[:, node]
                    most[which, node] += np.bincount(sku, weights=weight, minlength=packed.skus).astype(
                        np.int64
                    )
    return most


def _worths(curve: Sequence[float], free: int, most: int) -> list[tuple[float, float]]:
    """(worth, size) segments, ascending, of using up to ``most`` of ``free`` units whose k-th is worth curve[k]."""
    steps = sorted((float(v) for v in curve), reverse=True)
    segments: list[tuple[float, float]] = []
    beyond = min(free - len(steps), most)
    if beyond > 0:
        segments.append((0.0, float(beyond)))
    first = max(beyond, 0)
    for used in range(first, min(free, most)):
        worth = steps[free - used - 1]
        if segments and segments[-1][0] == worth:
            segments[-1] = (worth, segments[-1][1] + 1.0)
        else:
            segments.append((worth, 1.0))
    return segments


class _Rows:
    """Collects rows and their segments."""

    def __init__(self) -> None:
        self.of: list[int] = []
        self.size: list[float] = []
        self.worth: list[float] = []
        self.count = 0

    def add(self, segments: Sequence[tuple[float, float]]) -> int:
        for worth, size in segments:
            self.of.append(self.count)
            self.size.append(size)
            self.worth.append(worth)
        self.count += 1
        return self.count - 1


def _rows(packed: Shape, keep: EndValues, max_changes: int | None) -> Rows:
    """Every row that can bind, or whose use gives up an end value."""
    made, most = _Rows(), _demand(packed)
    cell = np.full((len(FRACTIONS), packed.nodes, packed.skus), -1)
    for which, (over, under) in enumerate(FRACTIONS):
        limit = packed.stock * over // under
        tight = (most[which] > limit) & packed.limited
        number = np.cumsum(tight.ravel()).reshape(tight.shape) - 1 + made.count
        cell[which][tight] = number[tight]
        many = int(tight.sum())
        made.of += range(made.count, made.count + many)
        made.size += limit[tight].astype(float).tolist()
        made.worth += [0.0] * many
        made.count += many
    for (node, sku), curve in keep.local.items():
        units = int(packed.stock[node, sku])
        if packed.limited[node, sku] and most[0, node, sku] and any(curve):
            cell[0, node, sku] = made.add(_worths(curve, units, min(units, int(most[0, node, sku]))))
    network, asked = (
        np.full(packed.skus, -1),
        np.bincount(
            packed.sku[packed.sku >= 0], weights=packed.units[packed.sku >= 0], minlength=packed.skus
        ),
    )
    for sku, curve in keep.network.items():
        units = int((packed.stock * packed.limited)[:, sku].sum())
        if units and asked[sku] and any(curve):
            network[sku] = made.add(_worths(curve, units, min(units, int(asked[sku]))))
    parcel, limited = np.full(packed.nodes, -1), packed.limited_node
    for house in np.flatnonzero(limited):
        curve, slots = keep.parcel.get(int(house), ()), int(packed.capacity[house])
        if slots and (slots < len(packed.ids) or any(curve)):
            parcel[house] = made.add(_worths(curve, slots, min(slots, len(packed.ids))))
    total = -1
    if any(keep.parcels):
        every = int(packed.capacity[limited].sum())
        total = made.add(_worths(keep.parcels, every, min(every, int(packed.length.sum()))))
    change = -1 if max_changes is None else made.add([(0.0, float(max(max_changes, 0)))])
    return Rows(
        cell, network, parcel, total, change, np.array(made.of, dtype=np.int64), np.array(made.size),
        np.array(made.worth), made.count,
    )  # fmt: skip


_NO_ROWS = Rows(
    np.zeros((0, 0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), -1, -1,
    np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), 0,
)  # fmt: skip
