"""From orders to witnesses: what the challenger costs more than the champion, one figure per pair of regions and cycle.

Three things are known of every order: what it really cost, what the twin of *this* assignment says, and what the twins
with one arm everywhere say. A witness is the twins' effect for the pair and cycle, corrected by how much the live
difference departs from what the twin of the same assignment foresaw. Shared stock makes the live difference alone
lie; the twin of the assignment lies just as much, so it cancels. What a cluster of regions was dearer than the twin
foresaw in the cycles before is taken off too: the draw of the next cycle does not know it, so it biases nothing and
takes away what is always so there. Stock that really went elsewhere than the twin has it
is charged at prices worked out afterwards (``hindsight``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.experiments.engine.watching import ALPHA, Seen, look

CHAMPION, CHALLENGER = 0, 1
#: Fewer orders in a cell are a story, not a mean.
LEAST_ORDERS = 5
#: How much of what is known of a cluster stays when a new cycle is over.
KEEP = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """One order of the experiment, all amounts in yuan; ``stock`` at hindsight prices; ``side`` of the pair is 0 or 1.

    Orders of cycles below zero, before the experiment, only tell what is always so in a cluster.
    ``twin_yuan`` and ``twin_stock``: from the replay in which each region has the arm it really had; ``champion_yuan`` and
    ``challenger_yuan``: from the replays with one arm everywhere.
    """

    pair: int
    side: int
    cycle: int
    arm: int
    yuan: float
    stock: float
    twin_yuan: float
    twin_stock: float
    champion_yuan: float
    challenger_yuan: float

    @property
    def surprise(self) -> float:
        """What it cost more than the twin foresaw, stock included."""
        return self.yuan + self.stock - self.twin_yuan - self.twin_stock

    @property
    def foreseen(self) -> float:
        """What the twins say the challenger costs more if everybody has it."""
        return self.challenger_yuan - self.champion_yuan


@dataclass(frozen=True, slots=True)
class Witness:
    """Challenger less champion per order in one pair and cycle, in yuan; orders of (champion, challenger)."""

    cycle: int
    pair: int
    difference: float
    foreseen: float
    orders: tuple[int, int]

    @property
    def surprise(self) -> float:
        """How much of the difference the twins did not foresee."""
        return self.difference - self.foreseen


@dataclass(frozen=True, slots=True)
class Result:
    """The witnesses in order of time, how things stand after them, and cells without enough orders."""

    witnesses: tuple[Witness, ...]
    seen: Seen
    left_out: int


@dataclass(slots=True)
class _Cell:
    """Sums over the orders of one cluster in one cycle."""

    arm: int = CHAMPION
    orders: int = 0
    surprise: float = 0.0
    foreseen: float = 0.0


def witnesses(outcomes: Iterable[Outcome]) -> tuple[list[Witness], int]:
    """Witnesses by cycle and pair, and how many cells were left out because an arm had too few orders.

    Raises ValueError where one cluster has both arms in one cycle: that is not the design.
    """
    cells: dict[tuple[int, int], tuple[_Cell, _Cell]] = {}
    for one in outcomes:
        cell = cells.setdefault((one.cycle, one.pair), (_Cell(), _Cell()))[one.side]
        if cell.orders and cell.arm != one.arm:
            raise ValueError("a cluster of regions has one arm in a cycle")
        cell.arm = one.arm
        cell.orders += 1
        cell.surprise += one.surprise
        cell.foreseen += one.foreseen
    usual: dict[tuple[int, int], float] = {}
    found, left_out = [], 0
    for (cycle, pair), sides in sorted(cells.items()):
        before = [usual.get((pair, side), 0.0) for side in (0, 1)]
        for side, cell in enumerate(sides):
            _remember(usual, (pair, side), cell)
        if cycle < 0:
            continue
        if min(cell.orders for cell in sides) < LEAST_ORDERS or sides[0].arm == sides[1].arm:
            left_out += 1
            continue
        found.append(_witness(cycle, pair, sides, before))
    return found, left_out


def _remember(usual: dict[tuple[int, int], float], cluster: tuple[int, int], cell: _Cell) -> None:
    """What is always so in a cluster: half of what was known, half of what this cycle says."""
    if cell.orders >= LEAST_ORDERS:
        mean = cell.surprise / cell.orders
        usual[cluster] = mean if cluster not in usual else KEEP * usual[cluster] + (1 - KEEP) * mean


def _witness(cycle: int, pair: int, sides: tuple[_Cell, _Cell], before: list[float]) -> Witness:
    surprise = [cell.surprise / cell.orders - usual for cell, usual in zip(sides, before, strict=True)]
    new, old = (0, 1) if sides[0].arm == CHALLENGER else (1, 0)
    orders = sides[old].orders, sides[new].orders
    foreseen = (sides[0].foreseen + sides[1].foreseen) / sum(orders)
    return Witness(cycle, pair, foreseen + surprise[new] - surprise[old], foreseen, orders)


def estimate(outcomes: Iterable[Outcome], *, alpha: float = ALPHA) -> Result:
    """The difference per order with an interval that holds at every look."""
    found, left_out = witnesses(outcomes)
    return Result(tuple(found), look([one.difference for one in found], alpha=alpha), left_out)
