"""One decision: filter, price, split exactly, and keep the next-best plans."""

from __future__ import annotations

from collections.abc import Sequence

from routing.engine.build import Desk
from routing.engine.model import ZERO, Decision, Node, Removal, Request, Shortage, Strategy
from routing.engine.pieces import Cut, cut
from routing.engine.program import search_long
from routing.engine.screen import Refusal, removal, screen
from routing.engine.search import EXACT_ITEMS, Problem, search
from routing.engine.sequence import Ranked, check_order, sequential
from routing.engine.tariff import tariff

ALTERNATIVES = 5


def decide(request: Request, nodes: Sequence[Node], strategy: Strategy) -> Decision:
    """The cheapest plan under all hard limits, with up to five next-best plans (method: ``search.search``).

    Exact (``subset_dp``) up to 12 items, a line or a piece of one; above, ``pulp`` (``program.search_long``).
    With ordered criteria these decide instead of the cost (``sequence.sequential``).
    Equal plans: fewer parcels, then lower node ids. The order of nodes, lanes and lines given does not count.
    With ``allow_partial`` what can be sent is planned and the rest is a shortage. ValueError when a quantity,
    weight, amount or figure of the strategy is out of range.
    """
    needs = tuple(sorted(request.needs, key=lambda need: need.line_id))
    if any(need.quantity <= 0 or (need.grams_each or 0) < 0 or need.cm3_each < 0 for need in needs):
        raise ValueError("quantities must be positive and weights not negative")
    check_strategy(strategy)
    screened = screen(request, needs, nodes)
    pieces = cut(needs, screened)
    removed = screened.removed + pieces.removed
    if not pieces.items:
        return _answer(request, strategy, None, pieces, removed)
    problem = Problem(
        pieces.items,
        screened.sources,
        needs,
        tariff(request, strategy, needs, screened.sources, shared=pieces.shared_sku),
        strategy.max_parcels,
        pieces.shared_sku,
    )
    if strategy.order:
        ranked = sequential(problem, strategy.order, alternatives=ALTERNATIVES)
    elif len(pieces.items) <= EXACT_ITEMS:
        ranked = Ranked(problem, search(problem, alternatives=ALTERNATIVES), "subset_dp")
    else:
        ranked = Ranked(*search_long(problem, alternatives=ALTERNATIVES))
    return _answer(request, strategy, ranked, pieces, removed + _unsent(ranked))


def check_strategy(strategy: Strategy) -> None:
    """ValueError for figures no plan can be chosen by: below zero, no parcel allowed, senseless criteria."""
    if strategy.max_parcels is not None and strategy.max_parcels < 1:
        raise ValueError("a strategy must allow at least one parcel")
    rates = (
        strategy.yuan_per_hour,
        strategy.yuan_per_hour_remote,
        strategy.yuan_per_kgco2e,
        strategy.stock_price_factor,
        strategy.yuan_per_extra_parcel,
        strategy.forward_bonus,
        strategy.capacity_price_factor,
    )
    if not all(rate.is_finite() and rate >= 0 for rate in rates):
        raise ValueError("exchange rates of a strategy must not be negative")
    check_order(strategy.order)


def _unsent(ranked: Ranked) -> tuple[Removal, ...]:
    """Why the sources able to send an item that the plan leaves out do not: limits that only all together meet."""
    problem, found = ranked.problem, ranked.found
    used = [source for source, _ in found.best]
    removed = []
    for i, item in enumerate(problem.items):
        if found.sent >> i & 1:
            continue
        need = problem.needs[item.parts[0].need]
        for s, source in enumerate(problem.sources):
            left = source.node.capacity_left
            if not item.sources >> s & 1:
                continue
            if problem.max_parcels is not None and len(used) >= problem.max_parcels:
                reason: Refusal = "parcel_limit", {"max_parcels": problem.max_parcels}
            elif left is not None and used.count(s) >= left:
                reason = "no_capacity", {"capacity_left": left}
            else:  # other lines took the stock they share
                reason = "out_of_stock", {"short_by": item.parts[0].quantity}
            removed.append(removal(source.node, need, *reason))
    return tuple(removed)


def _answer(
    request: Request,
    strategy: Strategy,
    ranked: Ranked | None,
    pieces: Cut,
    removed: tuple[Removal, ...],
) -> Decision:
    """Status, shortages and plans in their final form."""
    shortages = _shortages(request, ranked, pieces)
    order = strategy.order
    is_whole_only = not (request.allow_partial and strategy.allow_partial)
    if ranked is None or not ranked.found.sent or (shortages and is_whole_only):
        method = ranked.method if ranked else "sequential" if order else "subset_dp"
        return Decision(
            request.order_id, strategy.code, "unroutable", None, (), removed, shortages, method, ZERO, order
        )
    desk = Desk(ranked.problem, strategy.digits)
    plan = desk.plan(ranked.found.best)
    others = [desk.plan(blocks) for blocks in ranked.found.others]
    if not order:  # curves may make a plan with several parcels of one node dearer than the search ranked it
        others.sort(key=lambda other: other.total)
    if ranked.slower is not None:
        slow = Desk(ranked.slower[0], strategy.digits)
        others += [slow.plan(blocks) for blocks in ranked.slower[1]]
    status = "partial" if shortages else "routed"
    return Decision(
        order_id=request.order_id,
        strategy=strategy.code,
        status=status,
        plan=plan,
        alternatives=tuple(others),
        removed=removed,
        shortages=shortages,
        method=ranked.method,
        total=plan.total,
        order=order,
    )


def _shortages(request: Request, ranked: Ranked | None, pieces: Cut) -> tuple[Shortage, ...]:
    """Units no source has, and units of items the plan leaves out."""
    needs = sorted(request.needs, key=lambda need: need.line_id)
    short = dict(pieces.short)
    if ranked is not None:
        for i, item in enumerate(ranked.problem.items):
            if not ranked.found.sent >> i & 1:
                for part in item.parts:
                    short[part.need] = short.get(part.need, 0) + part.quantity
    return tuple(Shortage(needs[n].line_id, quantity) for n, quantity in sorted(short.items()))
