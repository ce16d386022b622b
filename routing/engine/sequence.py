"""The sequential mode: criteria decide one after the other, exactly, over the same dynamic program.

Sums (parcels, units not from forward warehouses, kg CO2e, km, money) stand in one key, each weighed above all
that the later ones can add up to; where 64 bits are too few, in whole numbers of any size. The hours of the
last parcel are no sum: the least limit on the hours of every lane that costs none of the criteria before it
(nor any unit) is searched by halving, and all later criteria decide among the lanes within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.engine.model import CRITERIA, Senseless
from routing.engine.price import INFEASIBLE, MAX_COST, Ladder, Rate, Tariff, milligrams
from routing.engine.program import grouped, merge_exactly, search_long
from routing.engine.search import EXACT_ITEMS, Found, Problem, assignment, best_key, search
from routing.engine.split import Block

_SUMS = ("parcels", "forward", "kgco2e", "distance", "money")


def check_order(order: Sequence[str]) -> None:
    """Senseless for a criterion nobody knows or one named twice."""
    unknown = [name for name in order if name not in CRITERIA]
    if unknown or len(set(order)) < len(order):
        raise Senseless("bad_strategy", "criteria must be known ones, each once", figure="order")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Plans found, with the problem they speak of; slower ones speak of a problem with more lanes."""

    problem: Problem
    found: Found
    method: str
    slower: tuple[Problem, list[list[Block]]] | None = None


def sequential(problem: Problem, order: Sequence[str], *, alternatives: int) -> Ranked:
    """The best plan by ordered criteria, and next-best ones.

    Exact (``sequential``) up to twelve items; above (``seq_groups``) the least hours and a first plan are those
    of twelve groups, and single moves improve it. The next-best plans keep the least hours while there are
    any; then come slower ones by the other criteria.
    """
    if len(problem.items) > EXACT_ITEMS:
        problem = replace(problem, items=merge_exactly(problem))
    is_long = len(problem.items) > EXACT_ITEMS
    sums = [name for name in order if name != "hours"]
    within = problem
    if "hours" in order:
        few = grouped(problem)[0] if is_long else problem
        within = _within(problem, _least_hours(few, order[: order.index("hours")]))
    within = replace(within, prices=with_ladder(within, sums))
    if is_long:
        return Ranked(*search_long(within, alternatives=alternatives)[:2], "seq_groups")
    found = search(within, alternatives=alternatives)
    wanted = alternatives - len(found.others)
    if within.prices.rows == problem.prices.rows or wanted <= 0:
        return Ranked(within, found, "sequential")
    slow = replace(problem, prices=with_ladder(problem, sums))
    more = search(slow, alternatives=alternatives)
    seen = {assignment(blocks) for blocks in (found.best, *found.others)}
    slower = [blocks for blocks in (more.best, *more.others) if assignment(blocks) not in seen]
    if more.sent != found.sent:
        return Ranked(within, found, "sequential")
    return Ranked(within, found, "sequential", (slow, slower[:wanted]))


def _least_hours(problem: Problem, before: Sequence[str]) -> int:
    """The least hours (10^-4) of the last parcel among the plans best by the criteria before."""
    limits = sorted({rate.hours for rate in problem.prices.rates})
    goal = _value(problem, before)
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if _value(_within(problem, limits[middle]), before) == goal:
            high = middle
        else:
            low = middle + 1
    return limits[low]


def _value(problem: Problem, sums: Sequence[str]) -> tuple[int, int]:
    """Units sent and the least sum of some criteria, without ties."""
    return best_key(replace(problem, prices=with_ladder(problem, sums, alone=True)))


def _within(problem: Problem, hours: int) -> Problem:
    """The problem without the lanes that take longer."""
    prices = problem.prices
    rates = tuple(rate if rate.hours <= hours else rate._replace(max_grams=-1) for rate in prices.rates)
    table = prices.table.copy()
    table[Rate._fields.index("max_grams")] = [rate.max_grams for rate in rates]
    return replace(problem, prices=replace(prices, rows=rates, table=table))


def with_ladder(problem: Problem, sums: Sequence[str], *, alone: bool = False) -> Tariff:
    """The prices with weights for these criteria in order; the money comes last unless it is named or they
    stand ``alone``."""
    names = [*sums, *([] if alone or "money" in sums else ["money"])]
    most = _most(problem)
    weights = dict.fromkeys(_SUMS, 0)
    weight = 1
    for name in reversed(names):
        weights[name] = weight
        weight *= 2 * most[name] + 1
    infeasible = INFEASIBLE if weight < MAX_COST else weight << 64
    return replace(problem.prices, ladder=Ladder(**weights, infeasible=infeasible))


def _most(problem: Problem) -> dict[str, int]:
    """Bounds of what each criterion can sum up to over a plan, without its sign."""
    items, rates = problem.items, problem.prices.rates
    parcels = len(items)
    grams = sum(item.grams for item in items)
    heaviest = max(grams + rate.parcel_grams for rate in rates)
    return {
        "parcels": parcels,
        "forward": sum(item.units for item in items),
        "kgco2e": parcels * max(milligrams(rate, heaviest) for rate in rates),
        "distance": parcels * max(abs(rate.km) for rate in rates),
        "money": parcels * problem.prices.most,
    }
