"""Policy search over a few readable parameters: what is tried, and when a try is good enough to be published.

Each night some multiples of the parameters in force are replayed on part of the time; the best of them is then held
against the one in force on the time that did not choose it. Only paired evidence there, with guardrails, accepts it.
Blocks of time are whole replenishment cycles: a price spends in the first days what it saves in the last, so single
days are no witnesses of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

Point = Mapping[str, float]
#: The named blocks again, for one setting of the parameters.
Replay = Callable[[Point, Sequence[int]], Sequence["Block"]]
ERRORS = 2.0
LEAST_BLOCKS = 4
#: How often a night goes through all parameters, each time with a smaller step.
SWEEPS = 3


@dataclass(frozen=True, slots=True)
class Block:
    """A replayed block of time: orders, and sums over them: yuan, hours; orders drop-shipped, late; kg CO2e."""

    orders: int
    yuan: float
    hours: float = 0.0
    dropped: float = 0.0
    late: float = 0.0
    kgco2e: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Guardrails of acceptance: what the challenger may be worse by."""

    hours: float = 0.01  # share
    dropped: float = 0.001  # of orders
    late: float = 0.0005  # of orders
    kgco2e: float = 0.002  # share


@dataclass(frozen=True, slots=True)
class Verdict:
    """Gain in yuan per order with its standard error, and why a challenger is not accepted (empty: it is)."""

    gain: float
    error: float
    refused: tuple[str, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.refused


def judge(
    champion: Sequence[Block],
    challenger: Sequence[Block],
    limits: Limits | None = None,
    *,
    errors: float = ERRORS,
) -> Verdict:
    """The challenger against the champion on the same blocks.

    Accepted where the paired gain by block exceeds ``errors`` standard errors and no guardrail breaks. Raises
    ValueError where the blocks are not the same ones.
    """
    if [block.orders for block in champion] != [block.orders for block in challenger]:
        raise ValueError("both must have replayed the same orders in the same blocks")
    blocks = [(a, b) for a, b in zip(champion, challenger, strict=True) if a.orders]
    if len(blocks) < LEAST_BLOCKS:
        return Verdict(0.0, math.inf, ("too_few_blocks",))
    orders = sum(a.orders for a, _b in blocks)
    gain = sum(a.yuan - b.yuan for a, b in blocks) / orders
    spread = sum(((a.yuan - b.yuan) - gain * a.orders) ** 2 for a, b in blocks)
    error = math.sqrt(spread * len(blocks) / (len(blocks) - 1)) / orders
    refused = [] if gain > errors * error and gain > 0 else ["not_proven"]
    return Verdict(gain, error, tuple(refused + _broken(blocks, orders, limits or Limits())))


def _broken(blocks: Sequence[tuple[Block, Block]], orders: int, limits: Limits) -> list[str]:
    def both(name: str) -> tuple[float, float]:
        return sum(getattr(a, name) for a, _b in blocks), sum(getattr(b, name) for _a, b in blocks)

    broken = []
    for name in ("hours", "kgco2e"):
        old, new = both(name)
        if new > old * (1 + getattr(limits, name)):
            broken.append(name)
    for name in ("dropped", "late"):
        old, new = both(name)
        if (new - old) / orders > getattr(limits, name):
            broken.append(name)
    return broken


@dataclass(frozen=True, slots=True)
class Search:
    """How a night searches: the first step, a factor, the least one, and the ends each parameter keeps within."""

    step: float = 2.0
    least_step: float = 1.3
    ends: Mapping[str, tuple[float, float]] | None = None
    errors: float = ERRORS


@dataclass(frozen=True, slots=True)
class Night:
    """What one night found: the point in force from now on, the verdict on the challenger (None: there was none)."""

    point: Point
    challenger: Point | None
    verdict: Verdict | None
    replays: int

    @property
    def is_changed(self) -> bool:
        """Whether a challenger was accepted."""
        return self.verdict is not None and self.verdict.is_accepted


def night(
    point: Point, search: Search, blocks: Sequence[int], replay: Replay, limits: Limits | None = None
) -> Night:
    """One night: choose on every other block of the list, prove on the rest."""
    chosen, proving = list(blocks[::2]), list(blocks[1::2])
    tried: dict[tuple[tuple[str, float], ...], float] = {}

    def cost(one: Point) -> float:
        key = tuple(sorted(one.items()))
        if key not in tried:
            found = replay(one, chosen)
            tried[key] = sum(block.yuan for block in found) / max(sum(block.orders for block in found), 1)
        return tried[key]

    best: Point = point
    narrow = search
    for _ in range(SWEEPS):
        best, narrow = _climb(best, narrow, cost), _narrower(narrow)
    if dict(best) == dict(point):
        return Night(point, None, None, len(tried))
    verdict = judge(replay(point, proving), replay(best, proving), limits, errors=search.errors)
    return Night(best if verdict.is_accepted else point, best, verdict, len(tried))


def _climb(point: Point, search: Search, cost: Callable[[Point], float]) -> Point:
    """Every direction once, each followed as long as it helps."""
    best, least = dict(point), cost(point)
    for direction in _directions(sorted(point)):
        while True:
            trial = dict(best)
            for name, sign in direction:
                trial = _moved(trial, name, search.step**sign, search)
            if trial == best or cost(trial) >= least:
                break
            best, least = trial, cost(trial)
    return best


def _directions(names: Sequence[str]) -> list[tuple[tuple[str, int], ...]]:
    """Each parameter up and down; then two at once: a size is worth nothing as long as its reach is nought."""
    single = [((name, sign),) for name in names for sign in (1, -1)]
    double = [
        ((one, first), (other, second))
        for one, other in combinations(names, 2)
        for first in (1, -1)
        for second in (1, -1)
    ]
    return [*single, *double]


def _moved(point: Point, name: str, by: float, search: Search) -> dict[str, float]:
    low, high = (search.ends or {}).get(name, (0.0, math.inf))
    return {**point, name: min(high, max(low, point[name] * by))}


def _narrower(search: Search) -> Search:
    return replace(search, step=max(search.least_step, math.sqrt(search.step)))
