"""Experiments on plain numbers: which designs are refused, hindsight prices, a test for any look, guardrails, power."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest

from routing.experiments.engine.design import Design, arm_of_cluster, arm_of_order, check, place_of
from routing.experiments.engine.estimate import Outcome, estimate, witnesses
from routing.experiments.engine.guards import CAPACITY, LATE, Counted, harm
from routing.experiments.engine.hindsight import unit_prices
from routing.experiments.engine.power import cycles_needed, power_by_cycle
from routing.experiments.engine.watching import LEAST, course, look

PAIRS = ((("CN-44",), ("CN-31",)), (("CN-11", "CN-12"), ("CN-51",)))
GOOD = Design(
    "region_cycle", "strategy", ("old", "new"), PAIRS, datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC), 8,
)  # fmt: skip


def _codes(**changes: object) -> set[str]:
    return {fault.code for fault in check(replace(GOOD, **changes))}  # type: ignore[arg-type]


def test_the_design_that_works_is_allowed_and_those_that_lie_are_refused_with_their_reason() -> None:
    assert not check(GOOD)
    assert _codes(unit="order") == {"order_split_shares_stock"}
    assert _codes(unit="user") == {"user_split_shares_stock"}
    assert _codes(unit="day") == {"day_switch_carries_over"}
    assert _codes(unit="region") == {"region_only_shares_stock"}
    assert _codes(has_twin=False) == {"needs_twin"}
    assert _codes(prices="arm") == {"arm_prices_favor_arm"}
    assert _codes(prices="none") == {"stock_unpriced"}


@pytest.mark.parametrize("what", ["carrier", "packaging", "message"])
def test_orders_may_be_split_where_no_stock_is_touched(what: str) -> None:
    assert not _codes(unit="order", changes=what, pairs=(), cycles=0, has_twin=False)


def test_bad_input_is_named() -> None:
    assert _codes(arms=("old", "old")) == {"one_arm"}
    assert _codes(ends_at=GOOD.starts_at) == {"ends_before_start"}
    assert _codes(cycles=2) == {"too_few_cycles"}
    assert _codes(pairs=()) == {"no_pairs"}
    assert _codes(pairs=((("CN-44",), ()),)) == {"empty_cluster"}
    twice = check(replace(GOOD, pairs=((("CN-44",), ("CN-31", "CN-44")),)))
    assert [(fault.code, fault.facts["regions"]) for fault in twice] == [("overlapping_regions", "CN-44")]


def test_a_region_inside_another_overlaps_it() -> None:
    assert _codes(pairs=((("CN",), ("CN-31",)),)) == {"overlapping_regions"}


def test_assignment_is_stable_fair_and_opposite_within_a_pair() -> None:
    cells = [(pair, cycle) for pair in range(20) for cycle in range(50)]
    arms = [arm_of_cluster("salt", pair, 0, cycle) for pair, cycle in cells]
    assert arms == [arm_of_cluster("salt", pair, 0, cycle) for pair, cycle in cells]
    assert all(
        arm + arm_of_cluster("salt", *cell[:1], 1, cell[1]) == 1
        for arm, cell in zip(arms, cells, strict=True)
    )
    assert 430 < sum(arms) < 570
    assert 430 < sum(arm_of_order("salt", n) for n in range(1000)) < 570
    assert place_of("CN-31-01", PAIRS) == (0, 1)
    assert place_of("CN-310", PAIRS) is None


def _cheapest(costs: np.ndarray, supply: list[int]) -> float:
    """The least cost by trying everything."""
    best = np.inf
    for plan in product(range(costs.shape[1]), repeat=len(costs)):
        if all(plan.count(n) <= units for n, units in enumerate(supply)):
            best = min(best, sum(costs[n, house] for n, house in enumerate(plan)))
    return float(best)


def test_hindsight_prices_are_what_one_more_unit_would_have_saved() -> None:
    random = np.random.default_rng(3)
    for _ in range(25):
        costs = np.concatenate([random.uniform(1, 20, (5, 3)), random.uniform(15, 40, (5, 1))], axis=1)
        supply = random.integers(0, 3, 3).tolist()
        least = _cheapest(costs, supply)
        for house, price in enumerate(unit_prices(costs, supply)):
            more = [units + (n == house) for n, units in enumerate(supply)]
            assert price == pytest.approx(least - _cheapest(costs, more), abs=1e-6)


def test_hindsight_prices_refuse_what_has_no_answer() -> None:
    with pytest.raises(ValueError, match="one column"):
        unit_prices(np.ones((2, 2)), [1, 1])
    with pytest.raises(ValueError, match="finite"):
        unit_prices(np.array([[1.0, np.inf]]), [1])


def test_the_interval_is_where_the_evidence_passes() -> None:
    drawn = np.random.default_rng(5).normal(0.6, 1.0, 120).tolist()
    for seen in course(drawn):
        assert seen.is_decided == (seen.low is not None and seen.evidence > 20)
    assert look(drawn).is_decided
    # Moved to the end of its own interval, the same series is just at the limit.
    low = look(drawn).low
    assert low is not None
    assert look([one - low for one in drawn]).evidence == pytest.approx(20, rel=1e-6)


def test_looking_all_the_time_stops_falsely_in_at_most_one_of_twenty() -> None:
    random = np.random.default_rng(8)
    stopped = sum(
        any(seen.is_decided for seen in course(random.normal(0, 3, 80).tolist())) for _ in range(200)
    )
    assert stopped <= 14


def test_too_few_or_equal_witnesses_conclude_nothing() -> None:
    assert look([5.0] * (LEAST - 1)).low is None
    assert look([5.0] * 30).low is None
    with pytest.raises(ValueError, match="alpha"):
        look([1.0], alpha=0)


def test_power_rises_with_cycles_and_the_helper_finds_the_first_that_suffices() -> None:
    course_ = power_by_cycle(0.5, 1.0, 4, 20)
    assert course_ == sorted(course_)
    size = cycles_needed(0.5, 1.0, 4)
    assert size.cycles is not None
    assert course_[size.cycles - 1] >= 0.8 > course_[size.cycles - 2]
    assert cycles_needed(0.001, 1.0, 1).cycles is None
    for wrong in ({"effect": 0.0, "spread": 1.0}, {"effect": 1.0, "spread": 0.0}):
        with pytest.raises(ValueError, match="must"):
            cycles_needed(**wrong, pairs=4)


def test_guardrails_trip_on_sure_harm_only_and_on_any_breach_of_capacity() -> None:
    assert harm(LATE, Counted(1000, 30), Counted(1000, 32)) is None
    assert harm(LATE, Counted(20, 0), Counted(20, 20)) is None
    tripped = harm(LATE, Counted(1000, 30), Counted(1000, 120))
    assert tripped is not None
    assert tripped.least > 0.01
    assert harm(CAPACITY, Counted(0, 0), Counted(10, 1)) is not None


def test_guardrails_seldom_trip_on_equal_arms_though_always_watched() -> None:
    random = np.random.default_rng(2)
    tripped = 0
    for _ in range(200):
        late = random.random((2, 2000)) < 0.05
        sums = late.cumsum(axis=1)
        tripped += any(
            harm(LATE, Counted(n, int(sums[0, n - 1])), Counted(n, int(sums[1, n - 1])), margin=0.0)
            for n in range(50, 2001, 150)
        )
    assert tripped <= 6


def _order(arm: int, side: int, yuan: float, cycle: int = 0) -> Outcome:
    return Outcome(0, side, cycle, arm, yuan, 0.0, 10.0, 0.0, 10.0, 9.5)


def test_a_witness_is_what_the_twins_foresaw_and_what_they_did_not() -> None:
    rows = [_order(0, 0, 10.2)] * 6 + [_order(1, 1, 10.9)] * 7
    found, left_out = witnesses(rows)
    assert (len(found), left_out) == (1, 0)
    assert found[0].foreseen == pytest.approx(-0.5)
    assert found[0].surprise == pytest.approx(0.7)
    assert found[0].orders == (6, 7)


def test_what_is_always_so_in_a_region_is_taken_off() -> None:
    before = [_order(0, 0, 10.0, -1)] * 6 + [_order(0, 1, 13.0, -1)] * 6
    rows = [_order(0, 0, 10.0)] * 6 + [_order(1, 1, 13.0)] * 6
    assert estimate(before + rows).witnesses[0].surprise == pytest.approx(0.0)


def test_cells_with_few_orders_are_left_out_and_mixed_ones_refused() -> None:
    assert witnesses([_order(0, 0, 1.0)] * 6 + [_order(1, 1, 1.0)] * 2) == ([], 1)
    with pytest.raises(ValueError, match="one arm"):
        witnesses([_order(0, 0, 1.0), _order(1, 0, 1.0)])
