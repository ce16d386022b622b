"""Carrier choice that keeps learning: Thompson sampling on the cost of a parcel, with the propensity of every choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

FLOOR = 0.02
DRAWS = 2000
#: How many parcels the quoted cost counts for at the start.
PRIOR_PARCELS = 10.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one carrier on one lane: mean cost of a parcel in yuan (time included), from how many."""

    mean: float
    spread: float
    parcels: float = PRIOR_PARCELS

    def after(self, yuan: float) -> Belief:
        """The belief once a parcel cost so much."""
        parcels = self.parcels + 1
        mean = self.mean + (yuan - self.mean) / parcels
        variance = (self.spread**2 * self.parcels + (yuan - self.mean) * (yuan - mean)) / parcels
        return replace(self, mean=mean, parcels=parcels, spread=math.sqrt(max(variance, 1e-6)))


@dataclass(frozen=True, slots=True)
class Choice:
    """The carrier chosen (its place in the list), and the chance that it and each other one had."""

    chosen: int
    propensities: tuple[float, ...]


def choose(
    beliefs: Sequence[Belief],
    random: np.random.Generator,
    *,
    floor: float = FLOOR,
    most_loss: float | None = None,
) -> Choice:
    """Draw a carrier with the chance that it is the cheapest, at least ``floor`` each.

    Carriers expected to cost more than ``most_loss`` yuan above the cheapest are never drawn (propensity 0).
    Raises ValueError without carriers, or a floor that does not fit.
    """
    if not beliefs or not 0 <= floor * len(beliefs) <= 1:
        raise ValueError("there must be carriers, and the floors of all must not exceed 1")
    means = np.array([one.mean for one in beliefs])
    able = np.ones(len(means), bool) if most_loss is None else means <= means.min() + most_loss
    width = np.array([one.spread / math.sqrt(one.parcels) for one in beliefs])
    drawn = random.normal(means, width, (DRAWS, len(means)))
    drawn[:, ~able] = np.inf
    shares = np.bincount(drawn.argmin(axis=1), minlength=len(means)) / DRAWS
    chances = np.where(able, floor + (1 - floor * able.sum()) * shares, 0.0)
    chances /= chances.sum()
    chosen = int(random.choice(len(means), p=chances))
    return Choice(chosen, tuple(chances.tolist()))
