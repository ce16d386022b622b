"""Waiting orders of a world planned together, just before they are released, by the wave code of the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from routing.engine.model import Request
from routing.engine.value.tables import Values
from routing.engine.wave.model import UNLIMITED, EndValues, Wave, WaveOrder
from routing.engine.wave.solve import solve
from routing.waves.costs import Priced, price
from routing.world.book import Book, Parcel, Waiting
from routing.world.desk import needs_of, nodes_of, parcels_of
from routing.world.reading import Map

MOST_LINES = 8  # longer orders keep their plan: every subset of their lines would have to be priced
SECONDS = 6.0
GAP = 0.0003
BEFORE = 1e-3  # hours: a wave at the time of a receipt or at midnight comes before it


@dataclass(frozen=True, slots=True)
class Joined:
    """An order in the wave: what waits, its prices and its plan in the terms of the wave."""

    order: Waiting
    priced: Priced
    present: tuple[tuple[int, int], ...]


def replan(
    map_: Map,
    book: Book,
    values: Values | None,
    order_ids: Sequence[str],
    at: float,
    seconds: float = SECONDS,
) -> dict[str, tuple[Parcel, ...]]:
    """New plans of the orders that change, by order id; the books hold them when this returns."""
    waiting = [book.waiting[order_id] for order_id in order_ids if order_id in book.waiting]
    free = [order for order in waiting if _may_change(map_, book, order)]
    if len(free) < 2:
        return {}
    for order in free:
        book.move(order.lines, order.plan, -1)
    if values is not None:
        values.tick(at - BEFORE, again=True)
    joined = [found for order in free if (found := _join(map_, book, order)) is not None]
    wave = _wave(book, values, joined)
    solved = solve(wave, seconds=seconds, gap=GAP)
    changes = {}
    for one, blocks in zip(joined, solved.plans, strict=True):
        if blocks and tuple(sorted(blocks)) != one.present:
            changes[one.order.order_id] = parcels_of(one.priced.plan(tuple(blocks)))
    for order in free:
        order.plan = changes.get(order.order_id, order.plan)
        book.move(order.lines, order.plan, 1)
    return changes


def _may_change(map_: Map, book: Book, order: Waiting) -> bool:
    """Short, of today, and not at a warehouse whose limit fell below what is planned there."""
    left = book.left()
    return (
        len(order.lines) <= MOST_LINES
        and order.day == book.day
        and all(left[node] >= 0 for node, _, _ in order.plan)
    )


def _join(map_: Map, book: Book, order: Waiting) -> Joined | None:
    request = Request(
        0,
        needs_of(map_, order.lines),
        map_.remote[order.city],
        Decimal(str(order.promise_hours)),
        allow_partial=False,
    )
    nodes = nodes_of(map_, book, None, order.city, order.lines)
    priced = price(request, nodes, map_.strategy, {n: n for n in range(map_.drop_node + 1)})
    if priced is None:
        return None
    present: dict[int, int] = {}
    for node, _, positions in order.plan:
        present[node] = present.get(node, 0) | sum(1 << n for n in positions)
    return Joined(order, priced, tuple(sorted(present.items())))


def _wave(book: Book, values: Values | None, joined: Sequence[Joined]) -> Wave:
    """The wave over the SKUs these orders ask for, with what is free for them."""
    skus = sorted({sku for one in joined for sku, _ in one.order.lines})
    at = {sku: n for n, sku in enumerate(skus)}
    orders = [
        WaveOrder(tuple((at[sku], units) for sku, units in one.order.lines), one.priced.cost, one.present)
        for one in joined
    ]
    stock = np.minimum(np.maximum(book.stock[:, skus], 0), UNLIMITED)
    capacity = np.minimum(np.maximum(book.left(), 0), UNLIMITED)
    keep = None if values is None else _keep(values, skus, capacity[:-1])
    return Wave(orders, stock, capacity, keep)


def _keep(
    values: Values, skus: Sequence[int], capacity: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> EndValues:
    """What the goods and slots left after the wave are worth, as they stand with all its units free."""
    local: dict[tuple[int, int], tuple[float, ...]] = {}
    network: dict[int, tuple[float, ...]] = {}
    for n, sku in enumerate(skus):
        table = values.table(sku)
        stock = values.stock[:, sku]
        for node in np.flatnonzero(stock > 0).tolist():
            local[node, n] = tuple(table.local[node, : stock[node]].tolist())
        network[n] = tuple(table.network[: int(stock.sum())].tolist())
    parcel, parcels = values.slot_worths(capacity)
    return EndValues(local, network, parcel, parcels)
