"""What another way of choosing would have cost, from the log of this one: doubly robust and self-normalized weights.

Never a bare inverse propensity mean. Where too few logged choices speak for the other way, there is no answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_EFFECTIVE = 500.0
MOST_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class Logged:
    """One randomized choice: which of the carriers, the chance each had, and what it cost in yuan."""

    context: str
    chosen: int
    propensities: tuple[float, ...]
    yuan: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Yuan per parcel of the other way (None: refused), with the standard error of ``dr``, and why not."""

    dr: float | None
    snips: float | None
    error: float
    effective: float
    refused: str = ""


def evaluate(log: Sequence[Logged], target: Sequence[Sequence[float]]) -> Evaluation:
    """``target``: the chance that the other way gives each carrier, by logged choice.

    Refused: ``no_log``; ``no_propensity`` (a choice logged with chance 0); ``unsupported`` (the target wants what was never
    possible); ``few_effective`` (below 500); ``one_weight`` (a single choice has more than 5 %).
    Raises ValueError where the lengths differ.
    """
    if len(log) != len(target):
        raise ValueError("one target for each logged choice")
    if not log:
        return Evaluation(None, None, math.inf, 0.0, "no_log")
    chance = np.array([one.propensities[one.chosen] for one in log])
    if (chance <= 0).any():
        return Evaluation(None, None, math.inf, 0.0, "no_propensity")
    wanted = np.array([want[one.chosen] for one, want in zip(log, target, strict=True)])
    weight = wanted / chance
    total = float(weight.sum())
    effective = total**2 / float((weight**2).sum()) if total > 0 else 0.0
    for one, want in zip(log, target, strict=True):
        if any(share > 0 and had <= 0 for share, had in zip(want, one.propensities, strict=True)):
            return Evaluation(None, None, math.inf, effective, "unsupported")
    if effective < LEAST_EFFECTIVE:
        return Evaluation(None, None, math.inf, effective, "few_effective")
    if float(weight.max()) / total > MOST_WEIGHT:
        return Evaluation(None, None, math.inf, effective, "one_weight")
    yuan = np.array([one.yuan for one in log])
    told = _direct(log, yuan, weight)
    chosen = np.array([one.chosen for one in log])
    shares = np.array(target, dtype=np.float64)
    rows = (shares * told).sum(axis=1) + weight * (yuan - told[np.arange(len(log)), chosen])
    error = float(rows.std(ddof=1)) / math.sqrt(len(log))
    return Evaluation(float(rows.mean()), float((weight * yuan).sum() / total), error, effective)


def _direct(
    log: Sequence[Logged], yuan: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each carrier costs in each context, from the other half of the log, so that nothing explains itself."""
    count = max(len(one.propensities) for one in log)
    found = np.zeros((len(log), count))
    halves = np.arange(len(log)) % 2
    for half in (0, 1):
        sums: dict[tuple[str, int], list[float]] = {}
        for n in np.flatnonzero(halves != half).tolist():
            cell = sums.setdefault((log[n].context, log[n].chosen), [0.0, 0.0])
            cell[0] += 1
            cell[1] += float(yuan[n])
        usual = float(yuan[halves != half].mean()) if (halves != half).any() else 0.0
        for n in np.flatnonzero(halves == half).tolist():
            for carrier in range(count):
                seen = sums.get((log[n].context, carrier), [0.0, 0.0])
                found[n, carrier] = (seen[1] + usual) / (seen[0] + 1)
    return found
