"""Waves against brute force: best plans, bounds that hold, end values, promises, changes, frozen orders, limits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from routing.engine.wave.bound import certified
from routing.engine.wave.model import UNLIMITED, EndValues, Plan, Solved, Wave, WaveOrder
from routing.engine.wave.shape import shape
from routing.engine.wave.solve import solve

LONG = 60.0


def _plan(nodes: tuple[int, ...]) -> Plan:
    subsets: dict[int, int] = {}
    for line, node in enumerate(nodes):
        subsets[node] = subsets.get(node, 0) | 1 << line
    return tuple(sorted(subsets.items()))


def _plans(order: WaveOrder) -> list[Plan]:
    """Every plan of an order, whatever the limits."""
    choices = product(range(order.cost.shape[1]), repeat=len(order.lines))
    plans = [_plan(nodes) for nodes in choices]
    return [plan for plan in plans if np.isfinite(sum(order.cost[subset, node] for node, subset in plan))]


def _value(wave: Wave, plans: list[Plan]) -> float:
    """Cost of a whole plan with the end values given up, inf where a limit is broken; counted the slow way."""
    stock, free = wave.stock.copy(), wave.capacity.copy()
    cost = 0.0
    for order, plan in zip(wave.orders, plans, strict=True):
        for node, subset in plan:
            cost += order.cost[subset, node]
            free[node] -= wave.capacity[node] < UNLIMITED
            for line, (sku, units) in enumerate(order.lines):
                if subset >> line & 1 and wave.stock[node, sku] < UNLIMITED:
                    stock[node, sku] -= units
    if (stock < 0).any() or (free < 0).any():
        return np.inf
    changed = sum(o.present is not None and o.present != p for o, p in zip(wave.orders, plans, strict=True))
    if wave.max_changes is not None and changed > wave.max_changes:
        return np.inf
    if any(o.frozen and o.present != p for o, p in zip(wave.orders, plans, strict=True)):
        return np.inf
    return float(cost + _lost(wave, stock, free))


def _lost(wave: Wave, stock: np.ndarray, free: np.ndarray) -> float:
    keep = wave.keep or EndValues()
    limited = wave.stock < UNLIMITED
    roomy = wave.capacity < UNLIMITED
    lost = 0.0
    for (node, sku), curve in keep.local.items():
        lost += sum(curve[: wave.stock[node, sku]]) - sum(curve[: stock[node, sku]])
    for sku, curve in keep.network.items():
        at = limited[:, sku]
        lost += sum(curve[: wave.stock[at, sku].sum()]) - sum(curve[: stock[at, sku].sum()])
    for node, curve in keep.parcel.items():
        lost += sum(curve[: wave.capacity[node]]) - sum(curve[: free[node]])
    return lost + sum(keep.parcels[: wave.capacity[roomy].sum()]) - sum(keep.parcels[: free[roomy].sum()])


def _best(wave: Wave) -> float:
    return min(_value(wave, list(plans)) for plans in product(*(_plans(order) for order in wave.orders)))


def _wave(seed: int, *, orders: int = 3, nodes: int = 2, keep: bool = False, scale: float = 1.0) -> Wave:
    """A small wave with scarce stock; the last node is unlimited and dear; all orders are there at present."""
    random = np.random.default_rng(seed)
    skus = 3
    stock = random.integers(0, 5, (nodes + 1, skus))
    stock[-1] = UNLIMITED
    capacity = np.append(random.integers(1, 4, nodes), UNLIMITED)
    made = []
    for _ in range(orders):
        length = int(random.integers(1, 4 if orders < 4 else 3))
        lines = tuple(
            (int(sku), int(random.integers(1, 4))) for sku in random.choice(skus, length, replace=False)
        )
        parcel = np.append(random.integers(500, 2500, nodes), 3000) * scale
        unit = np.append(random.integers(30, 140, nodes), 600) * scale
        units = np.array([sum(u for i, (_, u) in enumerate(lines) if s >> i & 1) for s in range(1 << length)])
        cost = parcel + units[:, None] * unit
        cost[0] = np.inf
        made.append(WaveOrder(lines, cost, ((nodes, (1 << length) - 1),)))
    values = None
    if keep:
        curve = lambda top, n: tuple(sorted((random.random(n) * top * scale).tolist(), reverse=True))  # noqa: E731
        values = EndValues(
            {(node, sku): curve(700, 3) for node in range(nodes) for sku in range(skus)},
            {0: curve(500, 6), 2: curve(300, 2)},
            {0: curve(900, 2)},
            curve(400, 4),
        )
    return Wave(made, stock, capacity, values)


def _checked(wave: Wave, solved: Solved) -> Solved:
    """What every answer must keep: the cost it claims, all limits, a bound not above it."""
    assert not solved.unplanned
    assert _value(wave, solved.plans) == pytest.approx(solved.cost, abs=1e-6)
    assert solved.lower_bound <= solved.cost
    for order, plan in zip(wave.orders, solved.plans, strict=True):
        assert sorted(line for _, s in plan for line in range(8) if s >> line & 1) == list(
            range(len(order.lines))
        )
        assert len({node for node, _ in plan}) == len(plan)
    return solved


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_small_waves_are_planned_as_well_as_brute_force_can(seed: int, keep: bool) -> None:
    wave = _wave(seed, keep=keep)
    solved = _checked(wave, solve(wave, seconds=LONG))
    assert solved.cost == pytest.approx(_best(wave), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_holds_at_any_prices(seed: int) -> None:
    wave = _wave(seed, keep=seed % 2 == 0)
    packed, random, best = shape(wave), np.random.default_rng(seed), _best(wave)
    for top in (0.0, 50.0, 500.0, 5000.0):
        assert certified(packed, random.random(packed.rows.count) * top) <= best + 1e-6


def test_money_in_small_fractions_is_planned_as_well() -> None:
    wave = _wave(3, keep=True, scale=0.0137)
    assert _checked(wave, solve(wave, seconds=LONG)).cost == pytest.approx(_best(wave), abs=1e-6)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_orders_change_than_allowed(most: int) -> None:
    wave = _wave(5)
    wave = Wave(wave.orders, wave.stock, wave.capacity, None, most)
    solved = _checked(wave, solve(wave, seconds=LONG))
    assert solved.changed <= most
    assert solved.cost == pytest.approx(_best(wave), abs=1e-6)


def test_frozen_orders_keep_their_plan_and_their_goods() -> None:
    wave = _wave(2)
    first = wave.orders[0]
    kept = next(
        plan
        for plan in _plans(first)
        if np.isfinite(_value(wave, [plan, *(o.present for o in wave.orders[1:])]))
    )  # type: ignore[list-item]
    orders = [WaveOrder(first.lines, first.cost, kept, frozen=True), *wave.orders[1:]]
    wave = Wave(orders, wave.stock, wave.capacity)
    solved = _checked(wave, solve(wave, seconds=LONG))
    assert solved.plans[0] == kept
    assert solved.cost == pytest.approx(_best(wave), abs=1e-6)


def test_a_parcel_that_breaks_the_promise_is_never_chosen() -> None:
    wave = _wave(1)
    order = wave.orders[0]
    late = order.cost.copy()
    late[:, :-1] = np.inf
    wave = Wave([WaveOrder(order.lines, late, order.present), *wave.orders[1:]], wave.stock, wave.capacity)
    solved = _checked(wave, solve(wave, seconds=LONG))
    assert solved.plans[0] == order.present


def test_without_time_the_present_plans_stay() -> None:
    wave = _wave(7, orders=8)
    present = [order.present or () for order in wave.orders]
    solved = _checked(wave, solve(wave, seconds=0.0))
    assert solved.cost <= _value(wave, present)


def test_orders_nobody_can_serve_stay_unplanned_and_say_so() -> None:
    cost = np.array([[np.inf], [10.0]])
    orders = [WaveOrder(((0, 2),), cost), WaveOrder(((0, 2),), cost + 1.0)]
    solved = solve(Wave(orders, np.array([[3]]), np.array([5])), seconds=LONG)
    assert solved.plans == [((0, 1),), ()]
    assert solved.unplanned == (1,)
    assert solved.cost == pytest.approx(10.0 + solved.unplanned_price)


def test_two_lines_of_one_sku_share_its_stock() -> None:
    cost = np.array([[np.inf, np.inf], [5.0, 50.0], [5.0, 50.0], [6.0, 60.0]])
    order = WaveOrder(((0, 2), (0, 2)), cost)
    solved = solve(Wave([order], np.array([[3], [UNLIMITED]]), np.array([9, UNLIMITED])), seconds=LONG)
    assert solved.cost == pytest.approx(55.0)
    solved = solve(Wave([order], np.array([[4], [UNLIMITED]]), np.array([9, UNLIMITED])), seconds=LONG)
    assert solved.plans == [((0, 3),)]


def test_a_joint_parcel_that_is_impossible_leaves_other_plans() -> None:
    """Too heavy together for one parcel: one node may not send two, so the second goes elsewhere."""
    cost = np.array([[np.inf, np.inf], [5.0, 9.0], [5.0, 9.0], [np.inf, np.inf]])
    wave = Wave([WaveOrder(((0, 1), (1, 1)), cost)], np.array([[5, 5], [5, 5]]), np.array([9, 9]))
    solved = solve(wave, seconds=LONG)
    assert solved.cost == pytest.approx(14.0)
    assert solved.lower_bound <= 14.0


def test_no_orders_no_plans() -> None:
    solved = solve(Wave([], np.zeros((2, 1), dtype=np.int64), np.zeros(2, dtype=np.int64)), seconds=1.0)
    assert solved.plans == []
    assert solved.cost == solved.lower_bound == solved.gap == 0.0


def test_a_larger_wave_is_never_worse_than_its_present_plans_and_repeats() -> None:
    wave = _wave(11, orders=60, nodes=4)
    wave = Wave(wave.orders, wave.stock * 5, np.minimum(wave.capacity * 6, UNLIMITED))
    first = solve(wave, seconds=LONG, gap=0.01)
    assert first.cost < _value(wave, [order.present or () for order in wave.orders])
    assert first.gap < 0.05
    assert solve(wave, seconds=LONG, gap=0.01).plans == first.plans
