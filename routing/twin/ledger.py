"""Units and parcel slots of a replay: what really was on the shelf, and by how much each arm differs from it.

An arm is the same period under other figures. It keeps no stock of its own, only what it has taken more (or
less) than really happened: whatever came or went for other reasons is the same in all arms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from routing.engine.model import Node, Strategy
from routing.twin.history import Cell, Logged

Price = Decimal | tuple[Decimal, ...]
Slot = tuple[int, date]
K = TypeVar("K")
#: So many (level, price) pairs per cell and warehouse are remembered.
_REMEMBERED = 8


@dataclass(slots=True)
class Parcel:
    """A parcel in an arm, or as it really was: units by order line, money in yuan without exchange rates."""

    warehouse_id: int
    card: str
    date: date | None
    units: dict[int, int]
    arrives_at: datetime | None = None
    money: float = 0.0
    kgco2e: float = 0.0
    kind: str = ""
    terms: Mapping[str, float] = field(default_factory=dict)
    #: Whether its units and slot are off the shelf.
    is_held: bool = True


@dataclass(slots=True)
class Routed:
    """Where one order stands in one arm."""

    parcels: list[Parcel] = field(default_factory=list)
    short: dict[int, int] = field(default_factory=dict)

    def planned(self, line_id: int) -> int:
        """Units of a line that are in parcels."""
        return sum(parcel.units.get(line_id, 0) for parcel in self.parcels)


@dataclass(slots=True)
class Arm:
    """One set of figures: what it has taken beyond reality, and where its orders stand."""

    name: str
    rates: Callable[[Logged], Strategy]
    more: dict[Cell, int] = field(default_factory=dict)
    more_slots: dict[Slot, int] = field(default_factory=dict)
    orders: dict[int, Routed] = field(default_factory=dict)
    #: Parcels of the replayed orders by warehouse and day.
    loads: dict[Slot, int] = field(default_factory=dict)

    def count(self, cell: Cell, units: int) -> None:
        """Note units taken (or given back, below zero) beyond reality."""
        _add(self.more, cell, units)

    def count_slot(self, warehouse_id: int, day: date | None, parcels: int) -> None:
        """The same of a parcel slot."""
        if day is not None:
            _add(self.more_slots, (warehouse_id, day), parcels)

    def take(self, parcel: Parcel, sku_of: Mapping[int, int]) -> None:
        """Take a parcel's units and slot."""
        for line_id, units in parcel.units.items():
            self.count((parcel.warehouse_id, sku_of[line_id]), units)
        self.count_slot(parcel.warehouse_id, parcel.date, 1)
        if parcel.date is not None:
            _add(self.loads, (parcel.warehouse_id, parcel.date), 1)

    def let_go(self, parcel: Parcel, sku_of: Mapping[int, int]) -> None:
        """Put a parcel that nobody reserved back on the shelf; it stays the order's plan."""
        if parcel.is_held:
            for line_id, units in parcel.units.items():
                self.count((parcel.warehouse_id, sku_of[line_id]), -units)
            self.count_slot(parcel.warehouse_id, parcel.date, -1)
            parcel.is_held = False

    def pull(self, order_id: int, line_id: int, units: int, sku_id: int, houses: set[int] | None) -> int:
        """Take up to so many units of a line out of the order's parcels, only those of `houses` if given."""
        routed, left = self.orders[order_id], units
        for parcel in reversed(list(routed.parcels)):
            if not left or (houses is not None and parcel.warehouse_id not in houses):
                continue
            out = min(left, parcel.units.get(line_id, 0))
            if out:
                self._out(routed, parcel, line_id, out, sku_id)
                left -= out
        return units - left

    def _out(self, routed: Routed, parcel: Parcel, line_id: int, units: int, sku_id: int) -> None:
        parcel.units[line_id] -= units
        if parcel.is_held:
            self.count((parcel.warehouse_id, sku_id), -units)
        if not any(parcel.units.values()):
            routed.parcels.remove(parcel)
            if parcel.date is not None:
                _add(self.loads, (parcel.warehouse_id, parcel.date), -1)
            if parcel.is_held:
                self.count_slot(parcel.warehouse_id, parcel.date, -1)


@dataclass(slots=True)
class Shelves:
    """What really was free, with what was planned already off; and what units and slots cost at which level."""

    units: dict[Cell, int] = field(default_factory=dict)
    slots: dict[Slot, int] = field(default_factory=dict)
    _prices: dict[Cell, deque[tuple[int, Price]]] = field(default_factory=dict)
    _slot_prices: dict[int, deque[tuple[int, Price]]] = field(default_factory=dict)

    def see(self, logged: Logged) -> None:
        """Learn from what a decision saw."""
        skus = {need.sku_id for need in logged.request.needs} if logged.request else set()
        for node in logged.nodes:
            for sku_id in skus:
                units = node.stock.get(sku_id, 0)
                self.units[node.id, sku_id] = units
                if sku_id in node.stock_price:
                    _remember(self._prices, (node.id, sku_id), units, node.stock_price[sku_id])
            if node.capacity_left is not None:
                _remember(self._slot_prices, node.id, node.capacity_left, node.capacity_price)

    def price(self, node: Node, sku_id: int, units: int) -> Price:
        """What a unit cost lately when about so many were left; the decision's own price where none is known."""
        return _nearest(self._prices.get((node.id, sku_id)), units, node.stock_price[sku_id])

    def slot_price(self, node: Node, left: int) -> Price:
        """The same of a parcel slot."""
        return _nearest(self._slot_prices.get(node.id), left, node.capacity_price)


def _remember(known: dict[K, deque[tuple[int, Price]]], key: K, level: int, price: Price) -> None:
    rows = known.setdefault(key, deque(maxlen=_REMEMBERED))
    if not rows or rows[-1] != (level, price):
        rows.append((level, price))


def _nearest(known: deque[tuple[int, Price]] | None, level: int, else_: Price) -> Price:
    if not known:
        return else_
    return min(reversed(known), key=lambda row: abs(row[0] - level))[1]


def _add(counts: dict[K, int], key: K, more: int) -> None:
    """Counts that come to nothing are forgotten: most arms differ from reality in few cells."""
    found = counts.get(key, 0) + more
    if found:
        counts[key] = found
    else:
        counts.pop(key, None)
