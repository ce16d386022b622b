"""The books of a running world: units in stock, parcels of the day, orders whose wave has not come yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.world.reading import Map

ANY = 1 << 40  # stands for "no limit" in integer tables
Lines = tuple[tuple[int, int], ...]  # (sku, units) of each order line
Parcel = tuple[int, str, tuple[int, ...]]  # node, carrier, positions of the order lines in it


@dataclass(slots=True)
class Waiting:
    """An order already answered: its lines, its plan and the hours promised."""

    order_id: str
    city: int
    lines: Lines
    plan: tuple[Parcel, ...]
    promise_hours: float
    day: int


@dataclass(slots=True)
class Book:
    """Stock [node, sku] and parcels; the drop-ship node is the last row and never runs out."""

    map: Map
    stock: NDArray[np.int64] = field(init=False)
    daily: NDArray[np.int64] = field(init=False)
    used: NDArray[np.int64] = field(init=False)
    day: int = 0
    waiting: dict[str, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes, skus = len(self.map.places) + 1, len(self.map.goods)
        self.stock = np.zeros((nodes, skus), dtype=np.int64)
        self.stock[-1] = ANY
        limits = [ANY if p.parcels_per_day is None else p.parcels_per_day for p in self.map.places]
        self.daily = np.array([*limits, ANY], dtype=np.int64)
        self.used = np.zeros(nodes, dtype=np.int64)

    def left(self) -> NDArray[np.int64]:
        """Parcels each node may still send today; below zero where the limit fell under what is planned."""
        return self.daily - self.used

    def move(self, lines: Lines, plan: tuple[Parcel, ...], sign: int, *, parcels: bool = True) -> None:
        """Take (1) or give back (-1) what a plan needs."""
        for node, _, positions in plan:
            if node == len(self.map.places):
                continue
            if parcels:
                self.used[node] += sign
            for n in positions:
                sku, units = lines[n]
                self.stock[node, sku] -= sign * units
