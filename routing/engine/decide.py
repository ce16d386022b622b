"""One decision: filter, price, split exactly, and keep the next-best plans."""

from __future__ import annotations

from collections.abc import Sequence

from routing.engine.build import Desk
from routing.engine.model import ZERO, Decision, Node, Removal, Request, Shortage, Strategy
from routing.engine.pieces import Cut, cut
from routing.engine.program import search_long
from routing.engine.screen import screen
from routing.engine.search import EXACT_ITEMS, Found, Problem, search
from routing.engine.tariff import tariff

ALTERNATIVES = 5


def decide(request: Request, nodes: Sequence[Node], strategy: Strategy) -> Decision:
    """The cheapest plan under all hard limits, with up to five next-best plans (method: ``search.search``).

    Exact (``subset_dp``) up to 12 items, a line or a piece of one; above, ``pulp`` (``program.search_long``).
    Equal plans: fewer parcels, then lower node ids. The order of nodes, lanes and lines given does not count.
    With ``allow_partial`` what can be sent is planned and the rest is a shortage. ValueError when a quantity,
    weight or amount is out of range.
    """
    needs = tuple(sorted(request.needs, key=lambda need: need.line_id))
    if any(need.quantity <= 0 or need.grams_each < 0 for need in needs):
        raise ValueError("quantities must be positive and weights not negative")
    if strategy.max_parcels is not None and strategy.max_parcels < 1:
        raise ValueError("a strategy must allow at least one parcel")
    screened = screen(request, needs, nodes)
    pieces = cut(needs, screened)
    removed = screened.removed + pieces.removed
    if not pieces.items:
        return _answer(request, strategy, None, None, pieces, removed, "subset_dp")
    problem = Problem(
        pieces.items,
        screened.sources,
        needs,
        tariff(request, strategy, needs, screened.sources, shared=pieces.shared_sku),
        strategy.max_parcels,
        pieces.shared_sku,
    )
    if len(pieces.items) <= EXACT_ITEMS:
        found, method = search(problem, alternatives=ALTERNATIVES), "subset_dp"
    else:
        problem, found, method = search_long(problem, alternatives=ALTERNATIVES)
    return _answer(request, strategy, problem, found, pieces, removed, method)


def _answer(
    request: Request,
    strategy: Strategy,
    problem: Problem | None,
    found: Found | None,
    pieces: Cut,
    removed: tuple[Removal, ...],
    method: str,
) -> Decision:
    """Status, shortages and plans in their final form."""
    shortages = _shortages(request, problem, found, pieces)
    if problem is None or found is None or not found.sent or (shortages and not request.allow_partial):
        return Decision(
            request.order_id, strategy.code, "unroutable", None, (), removed, shortages, method, ZERO
        )
    desk = Desk(problem, strategy.digits)
    plan = desk.plan(found.best)
    # Curves may make a plan with several parcels of one node dearer than the search ranked it.
    others = tuple(sorted(map(desk.plan, found.others), key=lambda other: other.total))
    status = "partial" if shortages else "routed"
    return Decision(
        request.order_id, strategy.code, status, plan, others, removed, shortages, method, plan.total
    )


def _shortages(
    request: Request, problem: Problem | None, found: Found | None, pieces: Cut
) -> tuple[Shortage, ...]:
    """Units no source has, and units of items the plan leaves out."""
    needs = sorted(request.needs, key=lambda need: need.line_id)
    short = dict(pieces.short)
    if problem is not None and found is not None:
        for i, item in enumerate(problem.items):
            if not found.sent >> i & 1:
                for part in item.parts:
                    short[part.need] = short.get(part.need, 0) + part.quantity
    return tuple(Shortage(needs[n].line_id, quantity) for n, quantity in sorted(short.items()))
