"""One decision: filter, price, split exactly, and keep the next-best plans."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from routing.engine.build import Desk
from routing.engine.model import (
    RATES,
    ZERO,
    Decision,
    Need,
    Node,
    Removal,
    Request,
    Senseless,
    Shortage,
    Strategy,
)
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
    With ``allow_partial`` what can be sent is planned and the rest is a shortage. Quantities, weights, amounts
    or figures of the strategy that are out of range make the order unroutable: every node is removed with what
    is wrong as the reason.
    """
    needs = tuple(sorted(request.needs, key=lambda need: need.line_id))
    try:
        return _decided(request, needs, nodes, strategy)
    except Senseless as fault:
        return _refused(request, needs, nodes, strategy, fault)
    except ArithmeticError:  # a price that is no number, or far beyond any
        return _refused(request, needs, nodes, strategy, Senseless("beyond_range", "not a number"))


def _refused(
    request: Request, needs: Sequence[Need], nodes: Sequence[Node], strategy: Strategy, fault: Senseless
) -> Decision:
    """No plan, and for every node the reason that holds for all."""
    facts = dict(fault.facts)
    line_id = None
    if fault.need is not None:
        line_id, facts = fault.need.line_id, {"sku_code": fault.need.sku_code, **facts}
    removed = tuple(
        Removal(node.id, node.code, line_id, fault.code, facts, node.name)
        for node in sorted(nodes, key=lambda node: node.id)
    )
    shortages = tuple(Shortage(need.line_id, need.quantity) for need in needs if need.quantity > 0)
    method = "sequential" if strategy.order else "subset_dp"
    return Decision(
        request.order_id,
        strategy.code,
        "unroutable",
        None,
        (),
        removed,
        shortages,
        method,
        ZERO,
        strategy.order,
    )


def _decided(
    request: Request, needs: tuple[Need, ...], nodes: Sequence[Node], strategy: Strategy
) -> Decision:
    """The decision on input that makes sense; Senseless if it does not."""
    for need in needs:
        if need.quantity <= 0 or (need.grams_each or 0) < 0 or need.cm3_each < 0:
            raise Senseless("bad_quantity", "quantities must be positive, weights not negative", need=need)
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
    """Senseless for figures no plan can be chosen by: below zero, no parcel allowed, unknown criteria."""
    if strategy.max_parcels is not None and strategy.max_parcels < 1:
        raise Senseless("bad_strategy", "at least one parcel must be allowed", figure="max_parcels")
    for name in RATES:
        rate: Decimal = getattr(strategy, name)
        if not (rate.is_finite() and rate >= 0):
            raise Senseless("bad_strategy", "exchange rates must not be negative", figure=name)
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
