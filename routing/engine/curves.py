"""Price curves in scaled integers: what the first, second, ... unit of a stock or parcel of a node costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Steps:
    """Sums of a curve: ``sums[k]`` for k units; past its end every unit costs the last entry."""

    sums: tuple[int, ...]

    def cost(self, units: int, before: int = 0) -> int:
        """What ``units`` cost when ``before`` have been taken already."""
        return self._sum(before + units) - self._sum(before)

    @property
    def is_rising(self) -> bool:
        """Whether no entry is below the one before it."""
        entries = [two - one for one, two in pairwise(self.sums)]
        return all(one <= two for one, two in pairwise(entries))

    @property
    def is_flat(self) -> bool:
        """Whether every unit costs the same."""
        return self._sum(len(self.sums)) == self._sum(1) * len(self.sums)

    def reach(self, units: int) -> int:
        """The largest sum, without its sign, of up to so many units."""
        return max(max(map(abs, self.sums)), abs(self._sum(units)))

    def _sum(self, units: int) -> int:
        sums = self.sums
        most = len(sums) - 1
        return sums[units] if units <= most else sums[most] + (units - most) * (sums[most] - sums[most - 1])


def steps(prices: Sequence[Decimal], factor: Decimal | int, scale: int, units: int) -> Steps:
    """The curve of ``prices`` times ``factor`` rounded to whole numbers, then times ``scale``, as far as
    ``units`` go.

    Whole amounts add up without rounding, so it does not matter in which parcels the units leave.
    """
    sums = [0]
    for price in prices[: max(units, 1)]:
        sums.append(sums[-1] + round(price * factor) * scale)
    return Steps(tuple(sums) if len(sums) > 1 else (0, 0))
