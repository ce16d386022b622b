"""Quick good plans for long orders: cheapest insertion, then single moves while they lower the cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routing.engine.build import cheapest_lane
from routing.engine.model import ZERO
from routing.engine.price import duty_cost, parcel_terms, risk_cost, stock_cost
from routing.engine.search import Problem
from routing.engine.split import Block

BROKEN = 1 << 300  # the cost of a plan that breaks a limit
_BUDGET = 60_000  # changes weighed for one order; counted, not timed, so that every machine gives one answer
_FIRSTS = 24  # sources that a plan is begun with, those cheapest an item
Change = tuple[tuple[int, ...], tuple[Block, ...]]  # parcels to take out by position, and what comes instead


class Scale:
    """Weighs plans of one problem in units of account, each parcel once; a broken limit weighs BROKEN."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.known: dict[Block, int] = {}
        self.money = problem.prices.money
        items, prices = problem.items, problem.prices
        self.able = [
            sum(1 << i for i, item in enumerate(items) if item.sources >> source & 1)
            for source in range(len(problem.sources))
        ]
        # Where no two items share a stock or a line, all but lane and duty is a sum over the items.
        self.is_plain = not problem.shared_sku and prices.ladder is None
        self.is_plain = self.is_plain and not any(source.made for source in problem.sources)
        self.goods = [(item.grams, item.cm3, len(item.parts)) for item in items]
        self.measures: dict[int, tuple[int, int, int]] = {}
        self.worth: dict[tuple[int, int], tuple[int, int]] = {}

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

    def least(
        self, plan: Sequence[Block], changes: Iterator[Change], *, cost: int, below: int
    ) -> tuple[int, list[Block]] | None:
        """The first cheapest of some changed plans under a cost; ``cost`` is what the parcels cost now.

        A change is weighed by its own parcels first, and whole only if these promise something.
        """
        best = None
        parcel = self.parcel
        for gone, new in changes:
            changed = cost
            for n in gone:
                changed -= parcel(plan[n])
            for block in new:
                changed += parcel(block)
            if changed < below:
                blocks = [*(block for n, block in enumerate(plan) if n not in gone), *new]
                whole = self.plan(blocks, below=below)
                if whole < below:
                    below, best = whole, (whole, blocks)
        return best

    def _weigh(self, source: int, bits: int) -> int:
        if bits & ~self.able[source] or (self.problem.shared_sku and not self.problem.in_stock(source, bits)):
            return BROKEN
        if not self.is_plain:
            priced = cheapest_lane(self.problem, source, bits)
            return BROKEN if priced is None else priced[0]
        grams, cm3, lines = self._measure(bits)
        stock, risk = self._worth(source, bits)
        prices = self.problem.prices
        duty = duty_cost(prices, source, self.problem.items, bits)
        return min(
            (
                sum(
                    parcel_terms(
                        rate,
                        goods_grams=grams,
                        cm3=cm3,
                        lines=lines,
                        stock=stock,
                        time_share=prices.time_share,
                        risk=risk,
                        duty=duty,
                    )
                )
                for rate in prices.of_source(source)
                if grams + rate.parcel_grams <= rate.max_grams
            ),
            default=BROKEN,
        )

    def _measure(self, bits: int) -> tuple[int, int, int]:
        """Grams, cm³ and lines of some items."""
        found = self.measures.get(bits)
        if found is None:
            chosen = [self.goods[i] for i in positions(bits)]
            grams, cm3, lines = (sum(column) for column in zip(*chosen, strict=True))
            found = self.measures[bits] = grams, cm3, lines
        return found

    def _worth(self, source: int, bits: int) -> tuple[int, int]:
        """Scaled stock price and return risk of some items at a source."""
        stock = risk = 0
        for i in positions(bits):
            pair = self.worth.get((source, i))
            if pair is None:
                of = self.problem.prices, source, self.problem.items, self.problem.needs, 1 << i
                pair = self.worth[source, i] = stock_cost(*of), risk_cost(*of)
            stock += pair[0]
            risk += pair[1]
        return stock, risk


def positions(bits: int) -> Iterator[int]:
    """The positions of the set bits."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def insertion(scale: Scale) -> list[Block]:
    """Items with the fewest sources first, each where it adds the least; one with no place is left out."""
    items = scale.problem.items
    plan: list[Block] = []
    for i in sorted(range(len(items)), key=lambda i: (items[i].sources.bit_count(), i)):
        cost = sum(map(scale.parcel, plan))
        better = scale.least(plan, _placements(scale, plan, 1 << i), cost=cost, below=BROKEN)
        plan = plan if better is None else better[1]
    return plan


def fills(scale: Scale, keep: int) -> list[list[Block]]:
    """The cheapest plans that begin with one source and let others fill up: nearest first, or cheapest an item."""
    problem = scale.problem
    everything = (1 << len(problem.items)) - 1
    near = sorted(
        range(len(scale.able)),
        key=lambda s: (min((lane.distance_km for lane in problem.sources[s].lanes), default=ZERO), s),
    )
    apiece = {s: scale.parcel((s, able)) / able.bit_count() for s, able in enumerate(scale.able) if able}
    firsts = sorted(apiece, key=lambda s: (apiece[s], s))[:_FIRSTS]
    found: dict[tuple[Block, ...], int] = {}
    for first in firsts:
        for plan in (
            _filled(scale, [first, *near], everything),
            _greedy(scale, first, [s for s in firsts if s != first], everything),
        ):
            if sum(bits for _, bits in plan) == everything:
                found[tuple(sorted(plan))] = scale.plan(plan)
    best = sorted((cost, plan) for plan, cost in found.items() if cost < BROKEN)
    return [list(plan) for _, plan in best[:keep]]


def _filled(scale: Scale, order: Sequence[int], rest: int) -> list[Block]:
    """Every source in turn takes all it can."""
    plan = []
    for source in order:
        mine = scale.able[source] & rest
        if mine and scale.parcel((source, mine)) < BROKEN:
            plan.append((source, mine))
            rest &= ~mine
    return plan


def _greedy(scale: Scale, first: int, others: Sequence[int], rest: int) -> list[Block]:
    """After the first source, always the one that sends what it can of the rest cheapest an item."""
    plan: list[Block] = []
    source: int | None = first
    while source is not None:
        mine = scale.able[source] & rest
        plan.append((source, mine))
        rest &= ~mine
        choices = [
            (cost / bits.bit_count(), s)
            for s in others
            if (bits := scale.able[s] & rest) and (cost := scale.parcel((s, bits))) < BROKEN
        ]
        source = min(choices)[1] if choices else None
    return plan


def improve(scale: Scale, plan: list[Block]) -> list[Block]:
    """Move single items, join parcels or change their source while that lowers the cost.

    Item by item the best move is made at once; it ends when nothing lowers the cost or the budget is spent.
    """
    cost, left = scale.plan(plan), _BUDGET
    if cost >= BROKEN:
        return plan
    moved = True
    while moved and left > 0:
        moved = False
        for bit in (None, *(1 << i for i in range(len(scale.problem.items)))):
            changes = list(_whole_moves(scale, plan) if bit is None else _moves(scale, plan, bit))
            left -= len(changes)
            if left < 0:
                break
            better = scale.least(plan, iter(changes), cost=sum(map(scale.parcel, plan)), below=cost)
            if better is not None:
                (cost, plan), moved = better, True
    return plan


def _placements(scale: Scale, plan: Sequence[Block], bit: int) -> Iterator[Change]:
    """One more item, in each parcel or in a new one of each able source."""
    for n, (source, bits) in enumerate(plan):
        if scale.able[source] & bit:
            yield (n,), ((source, bits | bit),)
    for source, able in enumerate(scale.able):
        if able & bit:
            yield (), ((source, bit),)


def _whole_moves(scale: Scale, plan: Sequence[Block]) -> Iterator[Change]:
    """Each parcel from another source, and each two parcels joined at the source of one."""
    for n, (source, bits) in enumerate(plan):
        for other, able in enumerate(scale.able):
            if other != source and not bits & ~able:
                yield (n,), ((other, bits),)
        for m, (other, mine) in enumerate(plan):
            if m != n and not bits & ~scale.able[other]:
                yield (n, m), ((other, mine | bits),)


def _moves(scale: Scale, plan: Sequence[Block], bit: int) -> Iterator[Change]:
    """One item out of its parcel into another one or a new one."""
    held = next((n for n, (_, bits) in enumerate(plan) if bits & bit), None)
    if held is None or plan[held][1] == bit:
        return
    rest = plan[held][0], plan[held][1] & ~bit
    for gone, new in _placements(scale, plan, bit):
        if gone != (held,):
            yield (held, *gone), (rest, *new)
