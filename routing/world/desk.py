"""One order of a world through the product's engine: nodes as they stand, prices if there are any, a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Any, Protocol

import numpy as np

from routing.engine.decide import decide
from routing.engine.model import ZERO, Need, Node, Plan, Request
from routing.world.book import ANY, Book, Lines, Parcel
from routing.world.reading import Map, Place

NONE: frozenset[Any] = frozenset()
Curve = tuple[Decimal, ...]


class Prices(Protocol):
    """What the decision asks of whoever prices stock and parcels (yuan)."""

    def unit_curves(self, lines: Lines) -> Sequence[Mapping[int, Curve]]:
        """For each node the price of the first, second, ... unit of each SKU of these lines."""

    def parcel_curves(self, parcels: int) -> Sequence[Curve]:
        """For each node the price of the first, second, ... parcel of one order."""


class Undecided(Exception):
    """The engine found no whole plan, although drop-ship is always possible: the world contradicts itself."""


def plan_order(map_: Map, book: Book, prices: Prices | None, order_id: int, city: int, lines: Lines) -> Plan:
    """The cheapest plan of one order under stock, capacity and prices."""
    request = Request(order_id, needs_of(map_, lines), map_.remote[city], None, allow_partial=False)
    decision = decide(request, nodes_of(map_, book, prices, city, lines), map_.strategy)
    if decision.plan is None:
        raise Undecided(f"order {order_id}: {decision.status}")
    return decision.plan


def needs_of(map_: Map, lines: Lines) -> tuple[Need, ...]:
    """The lines as the engine wants them; the line id is the position."""
    goods = map_.goods
    return tuple(
        Need(n, sku, goods[sku].code, units, goods[sku].grams, cm3_each=goods[sku].cm3)
        for n, (sku, units) in enumerate(lines)
    )


def nodes_of(map_: Map, book: Book, prices: Prices | None, city: int, lines: Lines) -> list[Node]:
    """Drop-ship and every warehouse that could send a line, with its stock, slots, lanes and prices."""
    skus = sorted({sku for sku, _ in lines})
    at = [skus.index(sku) for sku, _ in lines]
    held = book.stock[:, skus]
    able = (held[:, at] >= np.array([units for _, units in lines])).any(axis=1) & (book.left() > 0)
    able[map_.drop_node] = True
    stock, left, able = held.tolist(), book.left().tolist(), able.tolist()
    units = prices.unit_curves(lines) if prices else None
    slots = prices.parcel_curves(len(lines)) if prices else None
    return [
        _node(
            n, place, map_.lanes[n][city], dict(zip(skus, stock[n], strict=True)),
            None if left[n] >= ANY // 2 else max(0, left[n]),
            units[n] if units else {}, slots[n] if slots else (ZERO,),
        )
        for n, place in enumerate((*map_.places, map_.drop))
        if able[n]
    ]  # fmt: skip


def _node(
    n: int,
    place: Place,
    lanes: Any,
    stock: Mapping[int, int],
    left: int | None,
    units: Mapping[int, Curve],
    slots: Curve,
) -> Node:
    return Node(
        id=n,
        code=place.code,
        name=place.name,
        kind=place.kind,
        stock=stock,
        lanes=lanes,
        capacity_left=left,
        frozen=False,
        accepts=NONE,
        banned_skus=NONE,
        handling_per_parcel=place.handling_per_parcel,
        handling_per_line=place.handling_per_line,
        stock_price=units,
        capacity_price=slots[0] if len(slots) == 1 else slots,
        serves_region=False,
    )


def parcels_of(plan: Plan) -> tuple[Parcel, ...]:
    """A plan of the engine as bare parcels of order lines."""
    return tuple((p.node_id, p.carrier, tuple(piece.line_id for piece in p.pieces)) for p in plan.parcels)


def promise_of(map_: Map, hours: float) -> float:
    """Hours of the last parcel, rounded up to whole buckets of the world."""
    bucket = map_.bucket_hours
    return ceil(round(hours, 6) / bucket - 1e-9) * bucket if bucket > 0 else hours


def terms_of(plan: Plan) -> dict[str, float]:
    """The terms in yuan, as the protocol names them."""
    t = plan.terms
    return {
        "money": float(t["freight"] + t["handling"]),
        "hours": float(t["time"]),
        "co2": float(t["carbon"]),
        "stock": float(t["stock_price"]),
        "capacity": float(t["capacity_price"]),
    }
