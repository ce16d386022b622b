"""Quick good plans for long orders: cheapest insertion, then single moves while they lower the cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from routing.engine.build import cheapest_lane
from routing.engine.search import Problem
from routing.engine.split import Block

BROKEN = 1 << 300  # the cost of a plan that breaks a limit
_ROUNDS = 40


class Scale:
    """Weighs plans of one problem in units of account, each parcel once; a broken limit weighs BROKEN."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.known: dict[Block, int] = {}
        self.money = problem.prices.money
        self.able = [
            sum(1 << i for i, item in enumerate(problem.items) if item.sources >> source & 1)
            for source in range(len(problem.sources))
        ]

    def parcel(self, block: Block) -> int:
        """Cost of one parcel."""
        cost = self.known.get(block)
        if cost is None:
            cost = self.known[block] = self._weigh(*block)
        return cost

    def plan(self, blocks: Sequence[Block], *, below: int = BROKEN) -> int:
        """Cost of a plan, or BROKEN when it is not under ``below``."""
        most = self.problem.max_parcels
        cost = sum(map(self.parcel, blocks)) + self.money * sum(self.problem.continued(blocks).values())
        if cost >= below or (most is not None and len(blocks) > most) or self.problem.kept(blocks):
            return BROKEN
        return cost

    def least(self, plans: Iterable[list[Block]], *, below: int) -> tuple[int, list[Block]] | None:
        """The first cheapest of some plans under a cost."""
        best = None
        for blocks in plans:
            cost = self.plan(blocks, below=below)
            if cost < below:
                below, best = cost, (cost, blocks)
        return best

    def _weigh(self, source: int, bits: int) -> int:
        if bits & ~self.able[source] or (self.problem.shared_sku and not self.problem.in_stock(source, bits)):
            return BROKEN
        priced = cheapest_lane(self.problem, source, bits)
        return BROKEN if priced is None else priced[0]


def insertion(scale: Scale) -> list[Block]:
    """Items with the fewest sources first, each where it adds the least; one with no place is left out."""
    items = scale.problem.items
    plan: list[Block] = []
    for i in sorted(range(len(items)), key=lambda i: (items[i].sources.bit_count(), i)):
        better = scale.least(_placements(scale, plan, 1 << i), below=BROKEN)
        plan = plan if better is None else better[1]
    return plan


def improve(scale: Scale, plan: list[Block]) -> list[Block]:
    """Move single items, join parcels or change their source while that lowers the cost."""
    cost = scale.plan(plan)
    for _ in range(_ROUNDS):
        better = scale.least(_neighbors(scale, plan), below=cost)
        if better is None:
            break
        cost, plan = better
    return plan


def _placements(scale: Scale, plan: Sequence[Block], bit: int) -> Iterator[list[Block]]:
    """The plan with one more item, in each of its parcels or in a new one of each able source."""
    for n, (source, bits) in enumerate(plan):
        if scale.able[source] & bit:
            yield [*plan[:n], (source, bits | bit), *plan[n + 1 :]]
    for source, able in enumerate(scale.able):
        if able & bit:
            yield [*plan, (source, bit)]


def _neighbors(scale: Scale, plan: Sequence[Block]) -> Iterator[list[Block]]:
    for n, (source, bits) in enumerate(plan):
        others = [*plan[:n], *plan[n + 1 :]]
        for other, able in enumerate(scale.able):
            if other != source and not bits & ~able:
                yield [*others, (other, bits)]
        for m, (other, mine) in enumerate(others):
            yield [*others[:m], (other, mine | bits), *others[m + 1 :]]
        for i in range(len(scale.problem.items)):
            if bits >> i & 1 and bits != 1 << i:
                yield from _placements(scale, [*others, (source, bits & ~(1 << i))], 1 << i)
