"""Plan a wave: prices and a proven bound, candidate plans, a linear program, an integer program, a search to the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from routing.engine.wave.bound import Prices, certified, cheapest, climb
from routing.engine.wave.columns import Pool, best_plans, build, merged, reduced_costs, unlimited_plans
from routing.engine.wave.linear import Answer, Linear
from routing.engine.wave.master import solve_piece
from routing.engine.wave.model import Plan, Solved, Wave
from routing.engine.wave.piece import piece, places, with_plans
from routing.engine.wave.shape import Floats, Ints, Shape, shape, taken
from routing.engine.wave.state import State, complete, holds, limits, state

LARGE = 2_000  # orders from which the road for large waves is taken
_COLUMNS = 4_000  # plans in one integer program
_WINDOW = 0.12  # plans priced within this share of the mean cost of an order become columns


@dataclass(slots=True)
class Clock:
    """Wall-clock seconds left, and the seconds each part took."""

    until: float
    began: float = field(default_factory=time.monotonic)
    parts: dict[str, float] = field(default_factory=dict)

    def left(self) -> float:
        return self.until - time.monotonic()

    def note(self, part: str) -> None:
        self.parts[part] = round(time.monotonic() - self.began - sum(self.parts.values()), 3)


def solve(wave: Wave, *, seconds: float, gap: float = 0.0, seed: int = 0) -> Solved:
    """The best plans found for a wave within ``seconds``, or as soon as they are within ``gap`` of the bound.

    If all orders have a present plan and these fit together, the answer costs no more than they do.
    """
    clock = Clock(time.monotonic() + seconds)
    packed = shape(wave)
    if not len(packed.ids):
        return _answer(wave, packed, _empty(packed), 0.0, 0, clock.parts)
    best = _present(packed, wave.max_changes)
    y, _ = climb(
        packed, np.inf if best is None else best.cost, steps=_steps(packed), until=clock.until - 0.5 * seconds
    )
    clock.note("prices")
    pool = _first_pool(packed, y, best)
    answer, pool, y, bound = _linear(packed, pool, y, clock, seconds)
    clock.note("linear")
    rounded = _round(packed, pool, answer, y, wave.max_changes)
    if best is None or rounded.cost < best.cost:
        best = rounded
    best, _ = _integer(packed, pool, best, y, bound, clock, gap)
    clock.note("integer")
    return _answer(wave, packed, best, min(bound, best.cost), 0, clock.parts)


def _steps(packed: Shape) -> int:
    return 60 if len(packed.ids) < LARGE else 150


def _empty(packed: Shape) -> State:
    return State(np.full(packed.sku.shape, -1), np.zeros(packed.rows.count), 0.0)


def _present(packed: Shape, changes: int | None) -> State | None:
    """The plans the orders have now if they fit together; small waves without them get one order after the other."""
    if packed.has_present.all():
        counted = state(packed, packed.present)
        if holds(packed, counted):
            return counted
    if len(packed.ids) >= LARGE:
        return None
    every = np.argsort(~packed.has_present, kind="stable")
    return state(
        packed,
        complete(packed, np.full(packed.sku.shape, -1), every, np.zeros(packed.rows.count), changes),
    )


def _first_pool(packed: Shape, y: Floats, best: State | None) -> Pool:
    """Plans near the cheapest under prices, all from an unlimited source, the present ones, and none at all."""
    prices = Prices(packed, y)
    found = cheapest(packed, prices)
    window = _WINDOW * max(float(found.value.mean()), 1e-9)
    near = best_plans(packed, prices, found, within=window, most=12)
    safe = unlimited_plans(packed)
    orders, nodes = [near[0], safe[0]], [near[1], safe[1]]
    every = np.arange(len(packed.ids))
    lost = np.setdiff1d(every, safe[0])
    orders.append(lost)
    nodes.append(np.full((len(lost), packed.sku.shape[1]), -1))
    orders.append(np.flatnonzero(packed.has_present))
    nodes.append(packed.present[packed.has_present])
    if best is not None:
        orders.append(every)
        nodes.append(best.nodes)
    return build(packed, np.concatenate(orders), np.concatenate(nodes))


def _linear(
    packed: Shape, pool: Pool, y: Floats, clock: Clock, seconds: float
) -> tuple[Answer, Pool, Floats, float]:
    """Solve the linear program and price all plans again until none is missing; the best bound and its prices."""
    bound, best_y = certified(packed, y), y
    large = len(packed.ids) >= LARGE
    program = Linear(packed, pool, interior=large)
    answer = program.solve(clock.left() * 0.6)
    for _ in range(3 if large else 40):
        if not answer.solved or clock.left() < 0.45 * seconds:
            break
        proven = certified(packed, answer.prices)
        if proven > bound:
            bound, best_y = proven, answer.prices
        fresh = _missing(packed, pool, answer.prices)
        if not len(fresh):
            break
        program.add(fresh)
        pool = _joined(pool, fresh)
        answer = program.solve(clock.left() * 0.6)
    return answer, pool, best_y, bound


def _missing(packed: Shape, pool: Pool, y: Floats) -> Pool:
    """Plans that the linear program would like to have and does not."""
    prices = Prices(packed, y)
    found = cheapest(packed, prices)
    order, nodes = best_plans(packed, prices, found, within=1e-9, most=4)
    held = np.full(len(packed.ids), np.inf)
    np.minimum.at(
        held, pool.order, reduced_costs(packed, prices, pool, np.full(len(packed.ids), -1e18)) - 1e18
    )
    better = found.value[order] < held[order] - 1e-6 * (1.0 + np.abs(found.value[order]))
    return build(packed, order[better], nodes[better])


def _joined(pool: Pool, fresh: Pool) -> Pool:
    """The pool with further plans at its end, in the order of the program's columns."""
    return Pool(
        np.concatenate([pool.order, fresh.order]), np.concatenate([pool.nodes, fresh.nodes]),
        np.concatenate([pool.cost, fresh.cost]), np.concatenate([pool.start, fresh.start[1:] + pool.start[-1]]),
        np.concatenate([pool.row, fresh.row]), np.concatenate([pool.amount, fresh.amount]),
    )  # fmt: skip


def _round(packed: Shape, pool: Pool, answer: Answer, y: Floats, changes: int | None) -> State:
    """Fix the plans that the linear program takes whole, complete the others one by one at its prices."""
    nodes = np.full(packed.sku.shape, -1)
    whole = np.flatnonzero(answer.share > 1.0 - 1e-6)
    nodes[pool.order[whole]] = pool.nodes[whole]
    open_orders = np.setdiff1d(np.arange(len(packed.ids)), pool.order[whole])
    if changes is not None:
        fixed = pool.order[whole]
        moved = (nodes[fixed] != packed.present[fixed]).any(axis=1) & packed.has_present[fixed]
        changes -= int(moved.sum())
    done = state(packed, complete(packed, nodes, open_orders, y, changes))
    if holds(packed, done):
        return done
    every = np.arange(len(packed.ids))
    return state(packed, complete(packed, np.full_like(nodes, -1), every, y, changes))


def _integer(
    packed: Shape, pool: Pool, best: State, y: Floats, bound: float, clock: Clock, gap: float
) -> tuple[State, bool]:
    """The integer program over the plans that can matter, from the best plan so far."""
    every = np.arange(len(packed.ids))
    prices = Prices(packed, y)
    found = cheapest(packed, prices)
    room = max(best.cost - bound, 0.0)
    near = best_plans(packed, prices, found, within=room + 1e-9, most=12)
    pool = merged(packed, pool, build(packed, *near), build(packed, every, best.nodes))
    above = reduced_costs(packed, prices, pool, found.value)
    many = min(len(pool), _COLUMNS) - 1
    keep = above <= min(room + 1e-6 * (1 + abs(best.cost)), float(np.partition(above, many)[many]))
    place = places(pool, best.nodes, len(every))
    program = piece(packed, pool, keep, place, best, every)
    chosen, proven = solve_piece(program, clock.left(), gap=gap)
    better = state(packed, with_plans(packed, best, program, pool, chosen))
    return (better if holds(packed, better) and better.cost < best.cost else best), proven


def _plan(nodes: Ints) -> Plan:
    """(node, subset) pairs of one order's node per line."""
    subset: dict[int, int] = {}
    for line, node in enumerate(nodes.tolist()):
        if node >= 0:
            subset[node] = subset.get(node, 0) | 1 << line
    return tuple(sorted(subset.items()))


def _answer(
    wave: Wave, packed: Shape, best: State, bound: float, rounds: int, parts: Mapping[str, float]
) -> Solved:
    """Back to the wave's own terms; frozen orders keep their plan, their costs count on both sides."""
    plans: list[Plan] = [order.present or () for order in wave.orders]
    kept = sum(
        float(order.cost[subset, node])
        for order in wave.orders
        if order.frozen
        for node, subset in order.present or ()
        if np.isfinite(order.cost[subset, node])
    )
    for row, order in enumerate(packed.ids):
        plans[order] = _plan(best.nodes[row])
    changed = sum(
        order.present is not None and tuple(sorted(order.present)) != tuple(sorted(plan))
        for order, plan in zip(wave.orders, plans, strict=True)
    )
    unplanned = tuple(
        int(packed.ids[row]) for row in np.flatnonzero((best.nodes < 0).all(axis=1) & (packed.length > 0))
    )
    cost, low = best.cost + kept, bound + kept
    gap = cost / low - 1.0 if low > 0 else (0.0 if cost == low else float("inf"))
    return Solved(plans, cost, low, gap, int(changed), rounds, unplanned, packed.unplanned_price, dict(parts))


__all__ = ["limits", "solve", "taken"]
