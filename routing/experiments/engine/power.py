"""How long an experiment must run: the chance that the test, looked at after every cycle, tells an effect in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.experiments.engine.watching import ALPHA, LEAST, SPREAD

DRAWS = 4000
MOST_CYCLES = 200


@dataclass(frozen=True, slots=True)
class Size:
    """Cycles needed, and the power reached with them; ``cycles`` None: more than ``MOST_CYCLES``."""

    cycles: int | None
    power: float


def power_by_cycle(
    effect: float, spread: float, pairs: int, cycles: int, *, alpha: float = ALPHA, seed: int = 7
) -> list[float]:
    """The chance that the interval has left zero out, on the true side, by the end of each cycle.

    ``effect`` and ``spread`` (standard deviation of one witness) in yuan per order. Raises ValueError for a
    spread, pairs or cycles that are not positive.
    """
    if not (spread > 0 and pairs > 0 and cycles > 0):
        raise ValueError("spread, pairs and cycles must be positive")
    count = pairs * cycles
    drawn = np.random.default_rng(seed).normal(abs(effect), spread, (DRAWS, count))
    n = np.arange(1, count + 1, dtype=np.float64)
    mean = np.cumsum(drawn, axis=1) / n
    variance = np.maximum(np.cumsum(drawn**2, axis=1) - n * mean**2, 0) / np.maximum(n - 1, 1)
    width = 1 + n * SPREAD**2
    reach = np.exp(2 / n * (np.log(width) / 2 - np.log(alpha)))
    is_open = (n >= LEAST) & (reach < width)
    limit = (n - 1) * (reach - 1) / (1 - np.minimum(reach / width, 0.999999))
    crossed = is_open & (mean > 0) & (mean**2 * n > limit * variance)
    found = np.maximum.accumulate(crossed, axis=1).mean(axis=0)
    return [float(found[(cycle + 1) * pairs - 1]) for cycle in range(cycles)]


def cycles_needed(
    effect: float, spread: float, pairs: int, *, power: float = 0.8, alpha: float = ALPHA
) -> Size:
    """The least number of cycles that reaches the power, looking after every cycle.

    Raises ValueError for an effect of zero or figures that are not positive.
    """
    if not effect or not 0 < power < 1:
        raise ValueError("the effect must not be zero and the power lie between 0 and 1")
    cycles = 8
    while True:
        course = power_by_cycle(effect, spread, pairs, cycles, alpha=alpha)
        for number, reached in enumerate(course, 1):
            if reached >= power:
                return Size(number, reached)
        if cycles >= MOST_CYCLES:
            return Size(None, course[-1])
        cycles = min(2 * cycles, MOST_CYCLES)
