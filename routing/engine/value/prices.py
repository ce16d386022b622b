"""What a unit or a parcel slot is worth if it is kept, in yuan, from plain numbers: three readable curves.

The k-th entry of a curve is the worth of keeping the k-th unit; a unit taken costs the last entry that is left.
Formulas and what they were measured to bring: docs/routing.md, "Prices of stock and capacity".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SHAPE = 8.0  # of the negative binomial around a local forecast: variance m + m²/8
# Normal quantiles in the middle of twelve equally likely classes.
_NORMAL = np.array(
    [-1.7317, -1.1503, -0.8122, -0.5485, -0.3186, -0.1045, 0.1045, 0.3186, 0.5485, 0.8122, 1.1503, 1.7317]
)


def at_least(mean: ArrayLike, units: int, *, shape: float = SHAPE) -> Floats:
    """P(demand ≥ k) for k = 1 … units, negative binomial; means of any shape give a new last axis."""
    m = np.maximum(np.asarray(mean, dtype=np.float64), 0.0)[..., None]
    k = np.arange(max(units, 0), dtype=np.float64)
    ratio = (k + shape) / (k + 1) * (m / (m + shape))
    first = (shape / (shape + m)) ** shape
    mass = np.concatenate((first, first * np.cumprod(ratio, axis=-1)), axis=-1)[..., : len(k)]
    return np.clip(1.0 - np.cumsum(mass, axis=-1), 0.0, 1.0)


def local_curve(mean: ArrayLike, worth: ArrayLike, units: int, *, shape: float = SHAPE) -> Floats:
    """Worth of keeping the k-th unit for the customers nearby: ``worth`` (yuan) × P(local demand ≥ k).

    ``mean``: units expected there until the next receipt. Shape [..., units], never rising in k.
    """
    return np.asarray(worth, dtype=np.float64)[..., None] * at_least(mean, units, shape=shape)


@dataclass(frozen=True, slots=True)
class Savings:
    """Yuan per unit saved by not falling back (drop-ship), ascending, and the cumulative share of demand."""

    yuan: Floats
    share: Floats

    @classmethod
    def of(cls, yuan: ArrayLike, weight: ArrayLike) -> Savings:
        """From savings in any order and the units that ask for each."""
        values = np.maximum(np.asarray(yuan, dtype=np.float64).ravel(), 0.0)
        order = np.argsort(values, kind="stable")
        total = np.cumsum(np.maximum(np.asarray(weight, dtype=np.float64).ravel(), 0.0)[order])
        if not len(total) or total[-1] <= 0:
            return cls(np.zeros(1), np.ones(1))
        return cls(values[order], total / total[-1])

    def quantile(self, u: Floats) -> Floats:
        """Saving of the demand at share u from below; zero for u ≤ 0."""
        at = np.minimum(np.searchsorted(self.share, u, side="left"), len(self.yuan) - 1)
        return np.where(u > 0, self.yuan[at], 0.0)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Demand of the whole network until one date, and the units planned to arrive before it."""

    mean: float
    variance: float
    arriving: float

    def quantiles(self) -> Floats:
        """Twelve equally likely demands, gamma by the cube-root rule of Wilson and Hilferty."""
        if self.mean <= 0:
            return np.zeros(len(_NORMAL))
        inverse = self.variance / self.mean**2  # 1 / shape
        root = 1 - inverse / 9 + _NORMAL * math.sqrt(inverse) / 3
        return self.mean * np.maximum(root, 0.0) ** 3


def scarcity_curve(
    savings: Savings, horizons: Sequence[Horizon], units: int, *, part: float, trust: float
) -> Floats:
    """Worth of keeping the k-th unit of the whole network, k = 1 … units.

    Demand beyond supply falls back, the least saving first; the worth is the saving at that margin, expected
    over demand, at the worst date; ``part`` scales it, ``trust`` is the share of planned receipts counted on.
    """
    worth = np.zeros(max(units, 0))
    k = np.arange(1, len(worth) + 1, dtype=np.float64)
    for horizon in horizons:
        demand = horizon.quantiles()
        supply = k + trust * horizon.arriving - 0.5
        short = 1 - supply[:, None] / np.maximum(demand, 1e-9)[None]
        worth = np.maximum(worth, savings.quantile(short).mean(axis=1))
    return part * np.minimum.accumulate(worth) if len(worth) else worth


def capacity_curve(
    mean: float, variance: float, left: int, worth: float, parcels: int = 1
) -> tuple[float, ...]:
    """Price (yuan) of the first, second, ... of ``parcels`` slots: ``worth`` × P(parcels still coming ≥ left).

    ``mean`` and ``variance``: parcels expected for the rest of the day, normal with a half as correction.
    """
    spread = math.sqrt(2 * max(variance, 1e-9))
    count = max(parcels, 1)
    if left - count - mean > 6 * spread:
        return (0.0,) * count
    return tuple(worth * 0.5 * math.erfc((left - n - 0.5 - mean) / spread) for n in range(count))
