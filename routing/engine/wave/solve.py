"""Plan a wave: prices and a proven bound, candidate plans, a linear program, an integer program, a search to the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from routing.engine.wave.bound import Prices, certified, cheapest, climb, plan_values
from routing.engine.wave.columns import Pool, best_plans, build, merged, priced, unlimited_plans
from routing.engine.wave.linear import Answer, Linear
from routing.engine.wave.master import solve_piece
from routing.engine.wave.model import Plan, Solved, Wave
from routing.engine.wave.piece import piece, places
from routing.engine.wave.rounds import search
from routing.engine.wave.search import Ground, Standing
from routing.engine.wave.shape import Floats, Ints, Shape, shape
from routing.engine.wave.state import State, complete, holds, state

LARGE = 2_000  # orders from which the linear program is left out: prices and search do better in the time
_WHOLE = 150  # orders up to which the whole wave is one integer program
_COLUMNS = 4_000  # plans in one integer program
_REPRICINGS = 60
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
        """Note the seconds since the last note."""
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
    large = len(packed.ids) >= LARGE
    y, _ = climb(
        packed,
        None if best is None else best.cost,
        steps=100 if large else 70,
        until=clock.until - 0.6 * seconds,
    )
    clock.note("prices")
    bound = certified(packed, y)
    pool = _first_pool(packed, y, best)
    open_orders = np.zeros(0, dtype=np.int64)
    if not large:
        pool, y, bound, best, open_orders = _linear(packed, pool, y, bound, best, clock, wave.max_changes)
        clock.note("linear")
    else:
        greedy = _greedy(packed, y, wave.max_changes)
        best = greedy if best is None or greedy.cost < best.cost else best
        clock.note("greedy")
    ground, standing = _ground(packed, pool, best, y, bound)
    done = _programs(ground, standing, bound, open_orders, clock, gap)
    clock.note("integer")
    rounds = 0 if done else search(ground, standing, bound, clock.until, gap=gap, seed=seed)
    clock.note("search")
    nodes = ground.pool.nodes[standing.place]
    return _answer(wave, packed, state(packed, nodes), bound, rounds, clock.parts)


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
    packed: Shape, pool: Pool, y: Floats, bound: float, best: State | None, clock: Clock, changes: int | None
) -> tuple[Pool, Floats, float, State, Ints]:
    """Solve the linear program, price all plans again until none is missing, round its answer.

    Returns the pool, the prices with the best bound, that bound, the best plan and the orders left in parts.
    """
    program, until = Linear(packed, pool, interior=False), clock.until - 0.55 * clock.left()
    answer = program.solve(until - time.monotonic())
    for _ in range(_REPRICINGS):
        if not answer.solved or time.monotonic() > until:
            break
        proven = certified(packed, answer.prices)
        if proven > bound:
            bound, y = proven, answer.prices
        fresh = _missing(packed, pool, answer.prices)
        if not len(fresh):
            break
        program.add(fresh)
        pool = _joined(pool, fresh)
        answer = program.solve(until - time.monotonic())
    rounded, open_orders = _round(packed, pool, answer, y, changes)
    return pool, y, bound, rounded if best is None or rounded.cost < best.cost else best, open_orders


def _greedy(packed: Shape, y: Floats, changes: int | None) -> State:
    """One order after the other at the prices, those first that lose most by taking their second choice."""
    prices = Prices(packed, y)
    found = cheapest(packed, prices)
    order, nodes = best_plans(packed, prices, found, within=np.inf, most=2)
    second = np.full(len(packed.ids), -np.inf)
    np.maximum.at(second, order, plan_values(packed, prices, order, nodes))
    urgent = np.argsort(found.value - second, kind="stable")
    nowhere = np.full(packed.sku.shape, -1)
    return state(packed, complete(packed, nowhere, urgent, y, changes, found.nodes))


def _missing(packed: Shape, pool: Pool, y: Floats) -> Pool:
    """Plans cheaper at these prices than all their order has in the pool, the best four of each."""
    prices = Prices(packed, y)
    found = cheapest(packed, prices)
    held = np.full(len(packed.ids), np.inf)
    np.minimum.at(held, pool.order, priced(packed, prices, pool))
    lacking = held - found.value - 1e-6 * (1.0 + np.abs(found.value))
    order, nodes = best_plans(packed, prices, found, within=lacking, most=4)
    return build(packed, order, nodes)


def _joined(pool: Pool, fresh: Pool) -> Pool:
    """The pool with further plans at its end, in the order of the program's columns."""
    return Pool(
        np.concatenate([pool.order, fresh.order]), np.concatenate([pool.nodes, fresh.nodes]),
        np.concatenate([pool.cost, fresh.cost]), np.concatenate([pool.start, fresh.start[1:] + pool.start[-1]]),
        np.concatenate([pool.row, fresh.row]), np.concatenate([pool.amount, fresh.amount]),
    )  # fmt: skip


def _round(packed: Shape, pool: Pool, answer: Answer, y: Floats, changes: int | None) -> tuple[State, Ints]:
    """Fix the plans that the linear program takes whole, complete the others one by one at its prices."""
    nodes = np.full(packed.sku.shape, -1)
    whole = np.flatnonzero(answer.share > 1.0 - 1e-6)
    nodes[pool.order[whole]] = pool.nodes[whole]
    every = np.arange(len(packed.ids))
    open_orders = np.setdiff1d(every, pool.order[whole])
    left = changes
    if left is not None:
        fixed = pool.order[whole]
        moved = (nodes[fixed] != packed.present[fixed]).any(axis=1) & packed.has_present[fixed]
        left -= int(moved.sum())
    done = state(packed, complete(packed, nodes, open_orders, y, left))
    if not holds(packed, done):
        done = state(packed, complete(packed, np.full_like(nodes, -1), every, y, changes))
    return done, open_orders


def _ground(packed: Shape, pool: Pool, best: State, y: Floats, bound: float) -> tuple[Ground, Standing]:
    """The pool with all plans that can matter, and the best plan so far as places in it."""
    every, prices = np.arange(len(packed.ids)), Prices(packed, y)
    found = cheapest(packed, prices)
    room = max(best.cost - bound, 0.0) + 1e-6 * (1.0 + abs(best.cost))
    window = min(room, _WINDOW * float(np.abs(found.value).mean()))
    near = best_plans(packed, prices, found, within=window, most=12)
    pool = merged(packed, pool, build(packed, *near), build(packed, every, best.nodes))
    above = np.maximum(priced(packed, prices, pool) - found.value[pool.order], 0.0)
    ground = Ground(packed, pool, above, above <= window, y)
    return ground, Standing(ground, places(pool, best.nodes, len(every)))


def _programs(
    ground: Ground, standing: Standing, bound: float, open_orders: Ints, clock: Clock, gap: float
) -> bool:
    """The integer program in PuLP: over all orders of a small wave, else over those the linear program left in parts.

    True when nothing better can be found within the pool's plans.
    """
    every = np.arange(len(ground.shape.ids))
    if standing.cost <= bound + gap * abs(bound) + 1e-6:
        return True
    whole = len(every) <= _WHOLE and int(ground.keep.sum()) <= _COLUMNS
    for chosen, share in ((open_orders, 0.15), (every if whole else every[:0], 0.5)):
        if 0 < len(chosen) <= _WHOLE and clock.left() > 0.1:
            program = piece(ground.shape, ground.pool, ground.keep, standing.place, standing.used, chosen)
            found, proven = solve_piece(program, share * clock.left(), gap=gap)
            standing.change(ground, chosen, program.pool[found])
            if proven and len(chosen) == len(every):
                return True
    return False


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
