"""The value functions on plain numbers: worth of units and slots, and forecasts that learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from routing.engine.value.demand import Demand
from routing.engine.value.prices import (
    Horizon,
    Savings,
    at_least,
    capacity_curve,
    local_curve,
    scarcity_curve,
)
from routing.engine.value.tables import Costs, Setting, Supply, Values


def test_the_chance_of_demand_is_the_negative_binomial_s() -> None:
    """Against its definition: P(D = k) = C(k + r − 1, k) (r/(r+m))^r (m/(r+m))^k."""
    mean, shape = 3.5, 8
    mass = [
        math.comb(k + shape - 1, k) * (shape / (shape + mean)) ** shape * (mean / (shape + mean)) ** k
        for k in range(6)
    ]
    expected = [1 - sum(mass[:k]) for k in range(1, 6)]
    assert at_least(mean, 5) == pytest.approx(expected)
    assert at_least(0.0, 3).tolist() == [0, 0, 0]
    assert at_least([1.0, 2.0], 0).shape == (2, 0)


def test_each_further_unit_is_worth_less_and_the_first_nearly_all_when_it_is_sure_to_be_sold() -> None:
    curve = local_curve([0.2, 60.0], [7.0, 7.0], 80)
    assert (np.diff(curve, axis=1) <= 1e-12).all()
    assert curve[1, 0] == pytest.approx(7.0, abs=1e-6)
    assert curve[0, 0] < 1.5
    assert curve[1, 79] < curve[1, 59] < 7.0


def test_a_unit_of_the_network_is_worth_the_saving_of_the_demand_that_would_go_without() -> None:
    savings = Savings.of([40, 10, 20], [2, 1, 1])
    assert savings.quantile(np.array([0.0, 0.1, 0.3, 0.6])).tolist() == [0, 10, 20, 40]
    sure = [Horizon(100.0, 0.01, 0.0)]  # 100 units will be wanted
    curve = scarcity_curve(savings, sure, 100, part=1.0, trust=1.0)
    assert curve[9] == 40  # ten units left: the demand without supply reaches far into the dear half
    assert curve[59] == 20
    assert curve[89] == 10
    assert (np.diff(curve) <= 0).all()
    half = scarcity_curve(savings, sure, 100, part=0.5, trust=1.0)
    assert half == pytest.approx(curve / 2)
    soon = [Horizon(100.0, 0.01, 500.0)]
    assert scarcity_curve(savings, soon, 5, part=1.0, trust=1.0).tolist() == [0] * 5
    assert scarcity_curve(Savings.of([], []), sure, 3, part=1.0, trust=1.0).tolist() == [0, 0, 0]
    assert scarcity_curve(savings, [], 3, part=1.0, trust=1.0).tolist() == [0, 0, 0]


def test_a_slot_costs_more_the_fewer_are_left() -> None:
    prices = [capacity_curve(50, 60, left, 8.0)[0] for left in (200, 60, 50, 40, 1)]
    assert prices == sorted(prices)
    assert prices[0] == 0
    assert prices[-1] == pytest.approx(8.0, abs=0.01)
    first, second = capacity_curve(50, 60, 50, 8.0, 2)
    assert second == capacity_curve(50, 60, 49, 8.0)[0]
    assert first < second


def test_a_forecast_twice_too_high_is_corrected_within_a_few_days() -> None:
    demand = Demand(np.full((2, 2), 50.0), 100.0)  # says 200 units a day
    for n in range(300):  # three days with 100 units each
        demand.observe(n * 72 / 300, n % 2, ((n // 2 % 2, 1),))
    level = demand.level(72.0)
    assert 0.5 < level < 0.65
    assert demand.orders_level(72.0) == pytest.approx(1.0)  # and of orders it was right
    factors = demand.sku_factors(72.0, level)
    assert factors == pytest.approx([0.9, 0.9], abs=0.12)


def test_a_sku_that_sells_more_than_its_share_gets_a_higher_share() -> None:
    demand = Demand(np.full((1, 2), 50.0), 100.0)
    for n in range(100):
        demand.observe(n * 0.24, 0, ((0 if n % 10 else 1, 1),))
    first, second = demand.sku_factors(24.0, demand.level(24.0))
    assert first > 1.4 > 0.5 > second


def test_the_hours_of_the_day_are_learned() -> None:
    demand = Demand(np.ones((1, 1)), 10.0)
    for _ in range(2000):
        demand.observe(9.5, 0, ((0, 1),))
    assert demand.days(0, 24) == pytest.approx(1.0)
    assert demand.days(9, 10) > 0.9
    assert demand.days(10, 9) == 0


def values(factor: float = 1.0, *, stock: int = 6, per_day: float = 4.0) -> Values:
    """Two warehouses, two cities, one SKU; amounts of money times ``factor``."""
    unit = np.array([[[10.0], [18.0]], [[16.0], [9.0]]]) * factor
    cheapest = np.array([[[10.0], [9.0]], [[12.0], [11.0]], [[14.0], [13.0]]]) * factor
    costs = Costs(
        unit, unit[:, :, 0] * 0.8, np.full((3, 2, 1), 50.0) * factor, cheapest, np.zeros(1, dtype=int)
    )
    supply = Supply(np.full((2, 1), 12.0), (72.0,), 144.0)
    made = Values(costs, Demand(np.full((2, 1), per_day / 2), 3.0), supply, np.full((2, 1), stock), Setting())
    made.received(0.0)
    made.tick(1.0)
    return made


def test_prices_are_in_the_currency_of_the_tariff() -> None:
    one, seven = values(), values(7.0)
    assert seven.taken(0, 3) == pytest.approx(7 * one.taken(0, 3))
    left = np.array([3, 2])
    assert np.array(seven.slots(left, 2)) == pytest.approx(7 * np.array(one.slots(left, 2)))


def test_the_second_unit_taken_costs_more_and_plenty_costs_nothing() -> None:
    first, second = values().taken(0, 2)[0]
    assert 0 < first < second
    assert values(stock=500).taken(0, 2) == pytest.approx(0, abs=1e-6)


def test_what_stays_is_worth_what_taking_it_costs() -> None:
    """End values of a wave and prices of a decision are the same curves, read from their two ends."""
    made = values(stock=4)
    table = made.table(0)
    assert made.taken(0, 1)[0, 0] == pytest.approx(table.local[0, 3] + table.network[7])
    own, together = made.slot_worths(np.array([3, 2]))
    price = made.slots(np.array([3, 2]), 1)[0][0]
    assert price == pytest.approx(own[0][2] + (together[4] if len(together) > 4 else 0), abs=1e-6)


def test_a_warehouse_that_runs_out_leaves_its_customers_to_the_other() -> None:
    made = values()
    before = made.taken(0, 1)[1, 0]
    made.stock[0, 0] = 0
    after = made.taken(0, 1)[1, 0]
    assert after > before
