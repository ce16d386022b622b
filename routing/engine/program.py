"""Orders of more than twelve items: exact merging first, then a PuLP program beside two quick plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from routing.engine.pieces import Item
from routing.engine.price import FINE, FINER, NO_LIMIT, Rate, stock_cost
from routing.engine.quick import BROKEN, Scale, fills, improve, insertion
from routing.engine.search import EXACT_ITEMS, Found, Problem, assignment, search
from routing.engine.split import Block
from routing.engine.tariff import EXACT_PARCELS

TIME_LIMIT_SECONDS = 0.3
_UNLIKE = -(1 << 62)
_MAX_CHOICES = 1_500  # item-parcel pairs; larger programs were hardly ever proven optimal in time


def search_long(problem: Problem, *, alternatives: int) -> tuple[Problem, Found, str]:
    """Plan a long order; the problem returned has the items the plans speak of.

    Quick plans: the exact split of twelve groups of items with like sources (never worse than any single
    source), cheapest insertion, and one source after the other; the best three improved item by item. The
    program's plan counts only when proven optimal within 0.3 s, so that a slow machine repeats the quick plan
    instead of answering at random. The program opens one parcel a lane unless weight limits ask for more; the
    quick plans know no such bound.
    Where price curves go on over several parcels or lines, the program prices each as the first, and of duty it
    knows what every item pays in any parcel; all plans are compared at their full price.
    """
    problem = replace(problem, items=merge_exactly(problem))
    if len(problem.items) <= EXACT_ITEMS:
        return problem, search(problem, alternatives=alternatives), "subset_dp"
    coarse, groups = grouped(problem)
    found = search(coarse, alternatives=alternatives)
    plans = [
        [(source, _spread(bits, groups)) for source, bits in blocks] for blocks in (found.best, *found.others)
    ]
    scale = Scale(problem)
    starts = [plans[0], insertion(scale), *fills(scale, 3)]
    starts.sort(key=lambda blocks: (-_units(problem, blocks), scale.plan(blocks), sorted(blocks)))
    quick = [improve(scale, plan) for plan in starts[:3]]
    exact = program(problem) if problem.prices.ladder is None else None
    ranked = sorted(
        [*quick, *([] if exact is None else [exact]), *plans],
        key=lambda blocks: (-_units(problem, blocks), scale.plan(blocks), len(blocks), sorted(blocks)),
    )
    best, sent = ranked[0], _bits(ranked[0])
    others: list[list[Block]] = []
    seen = {assignment(best)}
    for blocks in ranked[1:]:
        if _bits(blocks) == sent and assignment(blocks) not in seen:
            seen.add(assignment(blocks))
            others.append(blocks)
    return problem, Found(sent, best, others[:alternatives]), "pulp"


def merge_exactly(problem: Problem) -> tuple[Item, ...]:
    """Merge items that only one lane of one source can send, where a joint parcel is never dearer.

    It is not dearer when the fixed cost of a parcel covers the weight its first step includes, and the lane
    has no weight limit; items that share a sku stay apart, because their stock is counted one by one, and those
    that duty is due on, because that may grow with the parcel.
    """
    if problem.shared_sku:
        return problem.items
    joint: dict[int, Item] = {}
    for item in problem.items:
        rates = (
            problem.prices.of_source(item.sources.bit_length() - 1) if item.sources.bit_count() == 1 else ()
        )
        joins = (
            len(rates) == 1
            and not _is_dutiable(problem, rates[0])
            and _saves_by_joining(rates[0], _least_slot(problem, rates[0]))
        )
        key = rates[0].source if joins else -1 - len(joint)
        held = joint.get(key)
        joint[key] = item if held is None else _joined(held, item)
    return tuple(sorted(joint.values(), key=lambda item: item.parts[0].need))


def _is_dutiable(problem: Problem, rate: Rate) -> bool:
    duties = problem.prices.duties
    return duties is not None and bool(duties.charges[rate.source])


def _saves_by_joining(rate: Rate, least_slot: int) -> bool:
    first = -(-rate.first_grams // rate.step_grams) * rate.step_fee
    fixed = (
        rate.first_fee
        + rate.handling_parcel
        + rate.carbon_parcel // (FINER // FINE)
        + (least_slot + rate.split - rate.bonus) * FINE
    )
    rounding = 8 * FINE
    return rate.max_grams == NO_LIMIT and not rate.dim and rate.time >= 0 and fixed >= first + rounding


def _least_slot(problem: Problem, rate: Rate) -> int:
    """The cheapest parcel on the price curve of a source."""
    curve = problem.prices.slot_curves.get(rate.source)
    return rate.capacity if curve is None else min(curve.cost(1, n) for n in range(EXACT_PARCELS))


def _joined(one: Item, two: Item) -> Item:
    return Item(one.parts + two.parts, one.grams + two.grams, one.cm3 + two.cm3, one.sources & two.sources)


def grouped(problem: Problem) -> tuple[Problem, list[int]]:
    """Twelve groups: the two items with the most like sources are joined until so many are left."""
    items: list[Item] = list(problem.items)
    bits = [1 << i for i in range(len(items))]
    likeness = np.full((len(items), len(items)), _UNLIKE, dtype=np.int64)
    for a, one in enumerate(items):
        likeness[a, a + 1 :] = [_likeness(one, two) for two in items[a + 1 :]]
    gone: set[int] = set()
    while len(items) - len(gone) > EXACT_ITEMS:
        a, b = divmod(int(np.argmax(likeness)), len(items))
        items[a], bits[a] = _joined(items[a], items[b]), bits[a] | bits[b]
        gone.add(b)
        likeness[b, :] = likeness[:, b] = _UNLIKE - 1
        for other in range(len(items)):
            if other != a and other not in gone:
                likeness[min(a, other), max(a, other)] = _likeness(items[a], items[other])
    kept = [n for n in range(len(items)) if n not in gone]
    return replace(problem, items=tuple(items[n] for n in kept)), [bits[n] for n in kept]


def _likeness(one: Item, two: Item) -> int:
    """Most shared sources, fewest lost by joining; light pairs before heavy ones."""
    both = one.sources & two.sources
    if not both:
        return _UNLIKE
    alike = both.bit_count() * 2 - (one.sources | two.sources).bit_count()
    return (alike << 40) - min(one.grams + two.grams, 1 << 39)


def _spread(bits: int, groups: Sequence[int]) -> int:
    """Group bits as item bits."""
    return sum(group for g, group in enumerate(groups) if bits >> g & 1)


def _bits(blocks: Sequence[Block]) -> int:
    return sum(bits for _, bits in blocks)


def _units(problem: Problem, blocks: Sequence[Block]) -> int:
    sent = _bits(blocks)
    return sum(item.units for i, item in enumerate(problem.items) if sent >> i & 1)


def program(problem: Problem) -> list[Block] | None:
    """The plan of least cost for all items, or None: too large, not feasible, or not proven in time."""
    slots = _slots(problem)
    choices = [
        (i, k)
        for i, item in enumerate(problem.items)
        for k, rate in enumerate(slots)
        if item.sources >> rate.source & 1
    ]
    if len(choices) > _MAX_CHOICES:
        return None
    import pulp  # here, because loading it with its solver takes longer than a hundred short decisions

    model = pulp.LpProblem("split", pulp.LpMinimize)
    opened = [model.add_variable(f"y{k}", cat="Binary") for k in range(len(slots))]
    steps = [model.add_variable(f"n{k}", lowBound=0, cat="Integer") for k in range(len(slots))]
    put = {(i, k): model.add_variable(f"z{i}_{k}", cat="Binary") for i, k in choices}
    model += pulp.lpSum(
        _parcel_cost(problem, rate) * opened[k] + rate.step_fee / FINE * steps[k]
        for k, rate in enumerate(slots)
    ) + pulp.lpSum(
        _item_cost(problem, problem.items[i], slots[k]) * variable for (i, k), variable in put.items()
    )
    for i in range(len(problem.items)):
        model += pulp.lpSum(put[i, k] for k in range(len(slots)) if (i, k) in put) == 1
    for (_, k), variable in put.items():
        model += variable <= opened[k]
    for k, rate in enumerate(slots):
        _weigh(model, problem, rate, opened[k], steps[k], {i: put[i, k] for i, j in choices if j == k}, pulp)
    _limit(model, problem, slots, opened, put, pulp)
    solver = pulp.HiGHS(msg=False, timeLimit=TIME_LIMIT_SECONDS, threads=1, gapRel=1e-9)
    if not solver.available() or pulp.LpStatus[model.solve(solver)] != "Optimal":
        return None
    if model.sol_status != pulp.LpSolutionOptimal:
        return None
    packed = [
        sum(1 << i for i, j in choices if j == k and put[i, k].value() > 0.5) for k in range(len(slots))
    ]
    plan = [(rate.source, bits) for rate, bits in zip(slots, packed, strict=True) if bits]
    return plan if Scale(problem).plan(plan) < BROKEN else None


def _slots(problem: Problem) -> list[Rate]:
    """Parcels the program may open: one a lane, more where a weight limit asks for them."""
    slots = []
    for rate in problem.prices.rates:
        goods = sum(item.grams for item in problem.items if item.sources >> rate.source & 1)
        room = max(1, rate.max_grams - rate.parcel_grams)
        count = 1 if goods <= room else -(-goods // room) + 1
        left = problem.sources[rate.source].node.capacity_left
        slots += [rate] * min(count, len(problem.items), len(problem.items) if left is None else left)
    return slots


def _parcel_cost(problem: Problem, rate: Rate) -> float:
    """What opening a parcel costs before anything is in it, in units of account."""
    time = 0 if problem.prices.time_share else rate.time
    carbon = rate.carbon_parcel + rate.parcel_grams * rate.carbon_gram
    return (
        (rate.first_fee + rate.handling_parcel + time) / FINE
        + carbon / FINER
        + (rate.capacity + rate.split - rate.bonus)
    )


def _item_cost(problem: Problem, item: Item, rate: Rate) -> float:
    """What an item adds to a parcel besides its weight steps, in units of account."""
    prices = problem.prices
    lines = len({part.need for part in item.parts})
    time = rate.time * lines / prices.time_share if prices.time_share else 0
    stock = stock_cost(prices, rate.source, (item,), problem.needs, 1)
    duty = 0 if prices.duties is None else prices.duties.least(rate.source, item)
    return (rate.handling_line * lines + time + stock + duty) / FINE + item.grams * rate.carbon_gram / FINER


def _weigh(
    model: Any, problem: Problem, rate: Rate, opened: Any, steps: Any, inside: dict[int, Any], pulp: Any
) -> None:
    """Charged weight steps of one parcel, its weight limit, and no parcel without goods."""
    goods = pulp.lpSum(problem.items[i].grams * z for i, z in inside.items())
    model += rate.step_grams * steps >= goods + (rate.parcel_grams - rate.first_grams) * opened
    if rate.dim:
        volume = pulp.lpSum(problem.items[i].cm3 * 1000 / rate.dim * z for i, z in inside.items())
        model += rate.step_grams * steps >= volume - rate.first_grams * opened
    if rate.max_grams < NO_LIMIT:
        model += goods <= (rate.max_grams - rate.parcel_grams) * opened
    model += opened <= pulp.lpSum(inside.values())


def _limit(
    model: Any,
    problem: Problem,
    slots: Sequence[Rate],
    opened: Sequence[Any],
    put: dict[tuple[int, int], Any],
    pulp: Any,
) -> None:
    """Parcels a plan, parcels a source, and stock that several items draw on."""
    if problem.max_parcels is not None:
        model += pulp.lpSum(opened) <= problem.max_parcels
    for s, source in enumerate(problem.sources):
        mine = [k for k, rate in enumerate(slots) if rate.source == s]
        if source.node.capacity_left is not None:
            model += pulp.lpSum(opened[k] for k in mine) <= source.node.capacity_left
        if not problem.shared_sku:
            continue
        wanted: dict[int, list[Any]] = {}
        for (i, k), variable in put.items():
            if k in mine:
                for part in problem.items[i].parts:
                    wanted.setdefault(problem.needs[part.need].sku_id, []).append(part.quantity * variable)
        for sku, terms in wanted.items():
            model += pulp.lpSum(terms) <= source.stock.get(sku, 0)
