"""A test that may be looked at any time: a confidence sequence from the mixture t-test.

Witnesses are differences champion − challenger of one pair of regions in one cycle. The mixture over effect sizes
(normal around zero, width ``SPREAD`` in standard deviations) makes the Bayes factor an e-process for normal witnesses of
any variance: the chance that it *ever* passes 1/alpha without an effect is at most alpha. Inverted, it is an interval
that holds at all times at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ALPHA = 0.05
SPREAD = 0.8
#: Below this many witnesses a spread of the witnesses themselves cannot be told: nothing is concluded.
LEAST = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """How things stand after ``count`` witnesses: mean, interval valid at any look (None: too few), evidence.

    ``evidence`` is the Bayes factor against "no difference"; the interval leaves zero out where it passes 1/alpha.
    """

    count: int
    mean: float
    low: float | None
    high: float | None
    evidence: float

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def look(witnesses: Sequence[float], *, alpha: float = ALPHA, spread: float = SPREAD) -> Seen:
    """The state after these witnesses, in the order they came; raises ValueError for an alpha outside (0, 1)."""
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie between 0 and 1")
    count = len(witnesses)
    mean = math.fsum(witnesses) / count if count else 0.0
    if count < LEAST:
        return Seen(count, mean, None, None, 1.0)
    variance = math.fsum((one - mean) ** 2 for one in witnesses) / (count - 1)
    if variance <= 0:  # all alike: an interval without width would claim more than is known
        return Seen(count, mean, None, None, 1.0)
    error = math.sqrt(variance / count)
    width = 1 + count * spread**2
    evidence = _evidence((mean / error) ** 2, count, width)
    reach = math.exp(2 / count * (math.log(width) / 2 - math.log(alpha)))
    if reach >= width:
        return Seen(count, mean, None, None, evidence)
    radius = error * math.sqrt((count - 1) * (reach - 1) / (1 - reach / width))
    return Seen(count, mean, mean - radius, mean + radius, evidence)


def course(witnesses: Sequence[float], *, alpha: float = ALPHA) -> list[Seen]:
    """Every look from the first witness on, for the chart over time."""
    return [look(witnesses[:count], alpha=alpha) for count in range(1, len(witnesses) + 1)]


def _evidence(squared: float, count: int, width: float) -> float:
    """Bayes factor of the t-statistic (its square) under the mixture against zero."""
    degrees = count - 1
    log = -math.log(width) / 2 + count / 2 * (
        math.log1p(squared / degrees) - math.log1p(squared / (degrees * width))
    )
    return math.exp(min(log, 700.0))
