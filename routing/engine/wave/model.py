"""A wave of orders planned together: what goes in and what comes out. Plain numbers, no behavior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UNLIMITED = 10**6
"""Units or parcels from which on a source counts as unlimited (drop-ship, made to order)."""

Plan = tuple[tuple[int, int], ...]
"""Parcels of one order: (node index, bit set of the lines it carries), each node at most once, sorted."""


@dataclass(frozen=True, slots=True)
class WaveOrder:
    """One waiting order of L lines over N nodes.

    ``lines`` are (SKU index, units), each line whole; ``cost[subset, node]`` is the price of one parcel with
    that subset of lines (shape [1 << L, N], inf: impossible or too late, row 0 unused); ``present`` is the plan
    it has now, None if it has none; a ``frozen`` order keeps its present plan.
    """

    lines: tuple[tuple[int, int], ...]
    cost: NDArray[np.float64]
    present: Plan | None = None
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class EndValues:
    """What the goods and parcel slots left over after the wave are worth, in the unit of the costs.

    The k-th entry of a tuple is the worth of the k-th unit that remains (descending; beyond its end: 0):
    per cell (node, SKU), per SKU over all limited nodes, per node for parcel slots, and for all slots together.
    """

    local: Mapping[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    network: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    parcel: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    parcels: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """The orders and what is free for them, their own holdings included.

    ``stock`` is int units [N, S], ``capacity`` int parcels [N]; from UNLIMITED on a number means "any".
    At most ``max_changes`` of the orders that have a present plan may get another one (None: any number).
    """

    orders: Sequence[WaveOrder]
    stock: NDArray[np.int64]
    capacity: NDArray[np.int64]
    keep: EndValues | None = None
    max_changes: int | None = None


@dataclass(frozen=True, slots=True)
class Solved:
    """One plan per order and a proof of how far from the best it can be.

    ``cost`` is the sum of the parcels' costs plus the end values given up, against using nothing; an order that
    cannot be planned has the empty plan and counts with ``unplanned_price``. No plan whatever costs less than
    ``lower_bound``; ``gap`` is cost / lower_bound - 1 (0 when both are 0, inf when only the bound is).
    ``changed`` counts orders whose plan differs from the present one; ``rounds`` those of the final search.
    """

    plans: list[Plan]
    cost: float
    lower_bound: float
    gap: float
    changed: int
    rounds: int = 0
    unplanned: tuple[int, ...] = ()
    unplanned_price: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
