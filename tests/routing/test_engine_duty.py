"""Duty and taxes in a decision: exact for every split, told as a term, and nothing where no border is crossed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from routing import inputs
from routing.engine import explain
from routing.engine.decide import decide
from routing.engine.model import Decision, Levy, Need, Request
from routing.engine.pieces import cut
from routing.engine.program import merge_exactly, program
from routing.engine.quick import Scale
from routing.engine.screen import screen
from routing.engine.search import Problem, search
from routing.engine.subsets import price_subsets
from routing.engine.tariff import tariff
from tests.routing.test_engine_brute import (
    best_of_most_units,
    check_plan,
    random_case,
    shuffled,
    units,
)
from tests.routing.test_engine_decide import FREE, lane, need, node, order

D = Decimal
#: 3 EUR at ¥8 for each tariff code of a parcel worth 150 at most, as the EU asks from July 2026 on.
FLAT = Levy("eu-flat-duty", frozenset({1, 2}), up_to=D(150), yuan_per_code=D(24))


def taxed(over: str, share: str, *lines: int, nodes: tuple[int, ...] = (1, 2)) -> Levy:
    """A share of the value of parcels that are worth more than a limit."""
    return Levy("over", frozenset(nodes), over=D(over), yuan_per_value=dict.fromkeys(lines, D(share)))


def worth(line: int, value: str, code: str = "", **fields: Any) -> Need:
    return need(line, value_each=D(value), tariff_code=code, **fields)


def places(decision: Decision) -> list[tuple[int, list[int]]]:
    assert decision.plan is not None
    return [(p.node_id, [x.line_id for x in p.pieces]) for p in decision.plan.parcels]


def sends_whole_lines(decision: Decision, request: Request) -> bool:
    """Whether every line in the plan is there whole and in one parcel, as brute force has them."""
    wanted = {need.line_id: need.quantity for need in request.needs}
    assert decision.plan is not None
    return all(x.quantity == wanted[x.line_id] for parcel in decision.plan.parcels for x in parcel.pieces)


# ---- against brute force -------------------------------------------------------------------------


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize(("tight", "shared"), [(False, False), (True, False), (False, True), (True, True)])
def test_the_best_plan_with_duty_equals_brute_force(tight: bool, shared: bool, curved: bool) -> None:
    exact = changed = 0
    for seed in range(150):
        request, nodes, strategy = random_case(seed, tight=tight, shared=shared, curved=curved, levied=True)

        decision = decide(request, nodes, strategy)
        most, plans = best_of_most_units(request, strategy, nodes)

        for plan in [] if decision.plan is None else [decision.plan, *decision.alternatives]:
            check_plan(plan, request, nodes, strategy)
        settled = shared and decision.status == "partial"
        if (
            decision.plan is not None
            and units(decision.plan) == most
            and sends_whole_lines(decision, request)
            and not settled
        ):
            assert decision.total == min(plans.values()), seed
            exact += 1
            changed += decide(replace(request, levies=()), nodes, strategy).plan != decision.plan

    assert exact >= 60
    assert changed >= 20


def test_the_runner_up_is_the_second_best_with_duty() -> None:
    compared = 0
    for seed in range(3000, 3120):
        request, nodes, strategy = random_case(seed, tight=False, shared=False, levied=True)
        decision = decide(request, nodes, strategy)
        most, plans = best_of_most_units(request, strategy, nodes)
        if decision.plan is None or units(decision.plan) > most or not sends_whole_lines(decision, request):
            continue
        lines = {p.line_id for parcel in decision.plan.parcels for p in parcel.pieces}
        kept = {
            key: total
            for key, total in plans.items()
            if {line for _, those in key for line in those} == lines
        }
        assert [plan.total for plan in decision.alternatives[:1]] == sorted(kept.values())[1:2], seed
        compared += 1

    assert compared >= 60


def test_pricing_one_parcel_and_all_subsets_agree_to_the_last_digit_and_the_program_never_beats_them() -> (
    None
):
    programs = 0
    for seed in range(60):
        request, nodes, strategy = random_case(seed, tight=False, shared=False, curved=False, levied=True)
        screened = screen(request, request.needs, nodes)
        pieces = cut(request.needs, screened)
        if not pieces.items or pieces.short:
            continue
        prices = tariff(request, strategy, request.needs, screened.sources, shared=pieces.shared_sku)
        problem = Problem(pieces.items, screened.sources, request.needs, prices, None, pieces.shared_sku)
        keys = price_subsets(
            prices, pieces.items, screened.sources, request.needs, shared_sku=pieces.shared_sku
        )
        scale = Scale(problem)
        for source in range(len(screened.sources)):
            for bits in range(1, 1 << len(pieces.items)):
                one = scale.parcel((source, bits))
                assert one == keys[source, bits] >> 20 or keys[source, bits] >= prices.infeasible, seed
        peer = program(problem)
        if peer is not None:
            best = search(problem, alternatives=0).best
            assert scale.plan(peer) >= scale.plan(best), seed
            programs += 1

    assert programs >= 10


def test_the_order_of_nodes_lines_and_levies_changes_nothing_and_inputs_come_back_whole() -> None:
    for seed in range(40):
        request, nodes, strategy = random_case(seed, tight=False, shared=seed % 3 == 0, levied=True)
        first = decide(request, nodes, strategy)
        mixed = replace(
            request, needs=tuple(shuffled(seed, request.needs)), levies=tuple(shuffled(seed, request.levies))
        )

        assert repr(decide(mixed, shuffled(seed, nodes), strategy)) == repr(first), seed
        kept = inputs.load(inputs.Writer().dump(request, nodes, strategy))
        assert kept.request == request
        assert repr(decide(*kept)) == repr(first), seed


# ---- what it means -------------------------------------------------------------------------------


def test_one_parcel_pays_a_code_once_so_the_cheaper_split_loses() -> None:
    """Two T-shirts of one code: 24 in one parcel, 48 in two; without duty the split is ¥1 cheaper."""
    both = node(1, {1: 1, 2: 1}, lanes=(lane(fee="31"),))
    near = node(2, {1: 1}, lanes=(lane(fee="2"),))
    two = worth(1, "40", "610910"), worth(2, "40", "610910")
    apart = node(3, {2: 1}, lanes=(lane(fee="28"),))
    flat = replace(FLAT, nodes=frozenset({1, 2, 3}))

    free = decide(order(*two), [both, near, apart], FREE)
    decision = decide(order(*two, levies=(flat,)), [both, near, apart], FREE)

    assert places(free) == [(2, [1]), (3, [2])]
    assert places(decision) == [(1, [1, 2])]
    assert decision.plan is not None
    assert decision.plan.terms["duty"] == D(24)
    assert explain.sentence(decision, "zh") == (
        "仓1优于仓2＋仓3 ¥23.00：运费 +1.00，关税 −24.00；不计关税则次优方案更省"
    )
    assert explain.sentence(decision, "en") == (
        "仓1 beats 仓2 + 仓3 by ¥23.00: freight +1.00, duty −24.00; without duty the runner-up would be cheaper"
    )


def test_two_parcels_stay_free_where_one_would_be_dutiable() -> None:
    """800 are free: 900 in one parcel owe 10 %, 450 and 450 nothing, which is worth a second parcel at ¥40."""
    house = node(1, {1: 1, 2: 1}, lanes=(lane(fee="40"),))
    lines = worth(1, "450"), worth(2, "450")

    assert len(places(decide(order(*lines), [house], FREE))) == 1
    decision = decide(order(*lines, levies=(taxed("800", "0.1", 1, 2),)), [house], FREE)

    assert places(decision) == [(1, [1]), (1, [2])]
    assert decision.total == D(80)
    below = decide(order(*lines, levies=(taxed("900", "0.1", 1, 2),)), [house], FREE)
    assert len(places(below)) == 1  # 900 is not above 900


def test_a_dearer_warehouse_inside_the_customs_territory_wins_over_duty() -> None:
    china, berlin = node(1, {1: 1}), node(2, {1: 1}, lanes=(lane(fee="30"),))
    tax = taxed("0", "1.5", 1, nodes=(1,))

    assert places(decide(order(worth(1, "20")), [china, berlin], FREE)) == [(1, [1])]
    decision = decide(order(worth(1, "20"), levies=(tax,)), [china, berlin], FREE)

    assert places(decision) == [(2, [1])]
    assert decision.alternatives[0].terms["duty"] == D(30)


def test_ordered_criteria_count_duty_as_money() -> None:
    china, berlin = node(1, {1: 1}), node(2, {1: 1}, lanes=(lane(fee="30"),))
    strategy = replace(FREE, order=("parcels", "money"))

    decision = decide(
        order(worth(1, "20"), levies=(taxed("0", "1.5", 1, nodes=(1,)),)), [china, berlin], strategy
    )

    assert places(decision) == [(2, [1])]


def test_a_long_order_is_compared_at_its_full_duty() -> None:
    """Fourteen codes: from China each pays; Berlin costs more freight and no duty."""
    lines = [worth(n, "5", f"{n:06d}") for n in range(1, 15)]
    stock = dict.fromkeys(range(1, 15), 1)
    china, berlin = node(1, stock), node(2, stock, lanes=(lane(fee="60"),))
    levy = replace(FLAT, nodes=frozenset({1}))

    assert places(decide(order(*lines), [china, berlin], FREE))[0][0] == 1
    decision = decide(order(*lines, levies=(levy,)), [china, berlin], FREE)

    assert {place for place, _ in places(decision)} == {2}
    assert decision.plan is not None
    assert decision.plan.terms["duty"] == 0


def test_lines_that_owe_duty_are_not_merged_beforehand() -> None:
    lines = [worth(n, "100") for n in range(1, 15)]
    request = order(*lines, levies=(taxed("100", "0.5", *range(1, 15), nodes=(1,)),))
    screened = screen(request, request.needs, [node(1, dict.fromkeys(range(1, 15), 1))])
    pieces = cut(request.needs, screened)

    def merged(levies: tuple[Levy, ...]) -> int:
        prices = tariff(replace(request, levies=levies), FREE, request.needs, screened.sources)
        return len(merge_exactly(Problem(pieces.items, screened.sources, request.needs, prices, None, False)))

    assert (merged(()), merged(request.levies)) == (1, 14)
    decision = decide(request, [node(1, dict.fromkeys(range(1, 15), 1))], FREE)
    assert decision.plan is not None
    assert decision.plan.terms["duty"] == 0
    assert len(decision.plan.parcels) == 14


@pytest.mark.parametrize(
    ("line", "levy", "reason"),
    [
        (worth(1, "-1"), FLAT, "bad_quantity"),
        (worth(1, "NaN"), FLAT, "bad_quantity"),
        (worth(1, "9e15"), FLAT, "beyond_range"),
        (worth(1, "1"), replace(FLAT, yuan_per_code=D("-1")), "beyond_range"),
        (worth(1, "1"), replace(FLAT, yuan_per_code=D("1e17")), "beyond_range"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(line: Need, levy: Levy, reason: str) -> None:
    decision = decide(order(line, levies=(levy,)), [node(1, {1: 1})], FREE)

    assert decision.status == "unroutable"
    assert [removal.code for removal in decision.removed] == [reason]


def test_a_levy_on_other_places_costs_nothing() -> None:
    decision = decide(
        order(worth(1, "10"), levies=(replace(FLAT, nodes=frozenset({9})),)), [node(1, {1: 1})], FREE
    )

    assert decision == decide(order(worth(1, "10")), [node(1, {1: 1})], FREE)
