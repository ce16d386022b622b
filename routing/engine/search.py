"""From items to the cheapest plans as bare blocks (source, items): limits found lazily, then next best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from routing.engine.model import Need
from routing.engine.pieces import Item
from routing.engine.price import COST, FINE, INFEASIBLE, Keys, Tariff, stock_cost
from routing.engine.screen import Source
from routing.engine.split import Block, Limit, Split
from routing.engine.subsets import curve_table, members, over_stock, price_subsets

EXACT_ITEMS = 12
_TRIED = 64  # candidate plans looked at for the alternatives


@dataclass(frozen=True, slots=True)
class Problem:
    """One order after the hard limits, ready to be split."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    needs: tuple[Need, ...]
    prices: Tariff
    max_parcels: int | None
    shared_sku: bool

    def kept(self, blocks: Sequence[Block]) -> set[int]:
        """Sources whose parcel slots or shared stock these parcels overrun."""
        count: dict[int, int] = {}
        mine: dict[int, int] = {}
        for source, bits in blocks:
            count[source] = count.get(source, 0) + 1
            mine[source] = mine.get(source, 0) | bits
        over = set()
        for source, parcels in count.items():
            node = self.sources[source].node
            if (node.capacity_left is not None and parcels > node.capacity_left) or (
                parcels > 1 and self.shared_sku and not self.in_stock(source, mine[source])
            ):
                over.add(source)
        return over

    def continued(self, blocks: Sequence[Block]) -> dict[int, int]:
        """By source with several of these parcels, what they cost beyond the sum of each by itself."""
        if not self.prices.slot_curves and not (self.shared_sku and self.prices.stock_curves):
            return {}
        mine: dict[int, list[int]] = {}
        for source, bits in blocks:
            mine.setdefault(source, []).append(bits)
        return {source: self._beyond(source, parcels) for source, parcels in mine.items() if len(parcels) > 1}

    def _beyond(self, source: int, parcels: Sequence[int]) -> int:
        slots = self.prices.slot_curves.get(source)
        cost = 0 if slots is None else slots.cost(len(parcels)) - len(parcels) * slots.cost(1)
        if self.shared_sku and self.prices.stock_curves:
            fine = stock_cost(self.prices, source, self.items, self.needs, sum(parcels)) - sum(
                stock_cost(self.prices, source, self.items, self.needs, bits) for bits in parcels
            )
            cost += fine // FINE
        return cost

    def in_stock(self, source: int, bits: int) -> bool:
        """Whether one source has the units of all these items together."""
        wanted: dict[int, int] = {}
        for i, item in enumerate(self.items):
            if bits >> i & 1:
                for part in item.parts:
                    sku = self.needs[part.need].sku_id
                    wanted[sku] = wanted.get(sku, 0) + part.quantity
        at = self.sources[source]
        left = at.node.make_left
        if at.made and left is not None and sum(wanted.get(sku, 0) for sku in at.made) > left:
            return False
        return all(at.stock.get(sku, 0) >= quantity for sku, quantity in wanted.items())


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan and the next ones, as blocks; ``sent`` are the bits of the items in them."""

    sent: int
    best: list[Block]
    others: list[list[Block]]


def search(problem: Problem, *, alternatives: int) -> Found:
    """The cheapest plan that sends the most units, and up to ``alternatives`` plans with other assignments.

    The runner-up is exact while no slot or shared-stock limit binds: any other assignment sends some item
    from another source, and the best plan through every single parcel is known. Later alternatives are the
    next best of these plans. Where a limit binds: best plans without each used source, and single parcels.
    A price curve binds only where a plan has several parcels of one node; the best plan is exact there too.
    """
    keys = price_subsets(
        problem.prices, problem.items, problem.sources, problem.needs, shared_sku=problem.shared_sku
    )
    split, sent, best = settle(problem, keys)
    others: list[list[Block]] = []
    seen = {assignment(best)}
    candidates = (
        _forbidding(problem, keys, best, sent) if split.limited else _through(problem, split, best, sent)
    )
    for blocks in candidates:
        if len(others) == alternatives:
            break
        if assignment(blocks) not in seen and not problem.kept(blocks):
            seen.add(assignment(blocks))
            others.append(blocks)
    return Found(sent, best, others)


def best_key(problem: Problem) -> tuple[int, int]:
    """Units the best plan sends, and its cost or sum of criteria, without ties."""
    keys = price_subsets(
        problem.prices, problem.items, problem.sources, problem.needs, shared_sku=problem.shared_sku
    )
    split, sent, _ = settle(problem, keys)
    units = sum(item.units for i, item in enumerate(problem.items) if sent >> i & 1)
    return units, int(split.best[sent]) // COST


def assignment(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Who sends which items, however packed: what makes two plans different."""
    mine: dict[int, int] = {}
    for source, bits in blocks:
        mine[source] = mine.get(source, 0) | bits
    return tuple(sorted(mine.items()))


def settle(problem: Problem, keys: Keys) -> tuple[Split, int, list[Block]]:
    """Solve without slot limits, then again with those that the plan overran, until none is."""
    limits = {source: _limit(problem, source) for source in _falling(problem)}
    while True:
        split = Split(keys, len(problem.items), problem.max_parcels, limits, problem.prices.infeasible)
        sent = _most_units(problem.items, split.best, split.unreached)
        best = split.plan(sent)
        over = problem.kept(best) | {source for source, cost in problem.continued(best).items() if cost}
        if over <= limits.keys():
            return split, sent, best
        for source in over:
            limits[source] = _limit(problem, source)


def _limit(problem: Problem, source: int) -> Limit:
    covered = None
    if problem.shared_sku:
        inside = members(len(problem.items))
        covered = ~over_stock(problem.items, [problem.sources[source]], problem.needs, inside)[0]
    slots = problem.sources[source].node.capacity_left
    most = len(problem.items) if slots is None else slots
    together = extra = None
    if problem.shared_sku:
        table = curve_table(problem.prices, source, problem.items, problem.needs)
        if table is not None:
            wide = problem.prices.infeasible > INFEASIBLE
            together = (table.astype(object) if wide else table) * (COST * problem.prices.money)
    curve = problem.prices.slot_curves.get(source)
    if curve is not None and not curve.is_flat:
        first = curve.cost(1)
        extra = tuple(
            (curve.cost(n) - n * first) * COST * problem.prices.money
            for n in range(min(most, len(problem.items)) + 1)
        )
    return Limit(most, covered, together, extra)


def _falling(problem: Problem) -> set[int]:
    """Sources whose curves fall somewhere: there a second parcel may cost less than the first promised."""
    falling = {s for s, curve in problem.prices.slot_curves.items() if not curve.is_rising}
    if problem.shared_sku:
        falling |= {s for (s, _), curve in problem.prices.stock_curves.items() if not curve.is_rising}
    return falling


def _most_units(items: Sequence[Item], best: Keys, unreached: int) -> int:
    """The feasible subset with the most units, the cheapest of equals."""
    whole = len(best) - 1
    if best[whole] < unreached:
        return whole
    units = np.array([item.units for item in items], dtype=np.int64) @ members(len(items))
    units[best >= unreached] = -1
    most = np.flatnonzero(units == units.max())
    return int(most[np.argmin(best[most])])


def _through(problem: Problem, split: Split, best: Sequence[Block], sent: int) -> Iterator[list[Block]]:
    """Best plans through each parcel that changes an assignment, cheapest first."""
    if not sent:
        return
    values, sources, blocks = split.through_parcels(sent, dict(assignment(best)), _TRIED)
    depth = None if split.most is None else split.most - 1
    for value, source, block in zip(values, sources, blocks, strict=True):
        if value >= split.unreached:
            return
        yield [(source, block), *split.free_blocks(sent & ~block, depth)]


def _forbidding(problem: Problem, keys: Keys, best: Sequence[Block], sent: int) -> Iterator[list[Block]]:
    """Best plans without each used source in turn, and single-parcel plans, cheapest first."""
    plans: list[tuple[int, list[Block]]] = [
        (int(keys[source, sent]), [(source, sent)])
        for source in range(len(keys))
        if keys[source, sent] < problem.prices.infeasible // 2
    ]
    for source, _ in assignment(best):
        without = keys.copy()
        without[source] = problem.prices.infeasible
        split, still, blocks = settle(problem, without)
        if still == sent:
            plans.append((int(split.best[sent]), blocks))
    for _, blocks in sorted(plans, key=lambda plan: (plan[0], sorted(plan[1]))):
        yield blocks
