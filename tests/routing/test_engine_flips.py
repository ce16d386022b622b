"""Which weight would flip a decision: at the figure that is named the order of the plans has really turned."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

from bench import decide as cases
from routing.engine import explain, flips
from routing.engine.decide import decide
from routing.engine.flips import STEP, Flip, flip_sentence, no_flip_sentence
from routing.engine.model import Decision, Node, Plan, Request


def decided(seed: int, **size: int) -> tuple[Request, list[Node], Decision]:
    """A random order, its network and its decision."""
    request, nodes = cases.random_case(random.Random(seed), **size)
    return request, nodes, decide(request, nodes, cases.BALANCED)


def who(plan: Plan) -> list[tuple[int, str, tuple[int, ...]]]:
    """Who sends what by which carrier."""
    return [
        (parcel.node_id, parcel.carrier, tuple(piece.line_id for piece in parcel.pieces))
        for parcel in plan.parcels
    ]


def test_at_the_named_figure_the_chosen_plan_is_no_longer_chosen() -> None:
    tried: Counter[str] = Counter()
    for seed in range(60):
        request, nodes, decision = decided(seed, lines=3, nodes=5, lanes=2)
        if decision.plan is None:
            continue
        for flip in flips.flips(decision, cases.BALANCED, remote=request.remote):
            changed = decide(request, nodes, replace(cases.BALANCED, **{flip.weight: flip.then}))  # type: ignore[arg-type]
            assert changed.plan is not None
            assert who(changed.plan) != who(decision.plan), (seed, flip)
            tried[flip.weight] += 1
    assert set(tried) >= {"yuan_per_kgco2e", "stock_price_factor", "yuan_per_extra_parcel"}
    assert {"yuan_per_hour", "yuan_per_hour_remote"} & set(tried)


def test_half_way_to_the_figure_the_chosen_plan_is_still_cheaper_than_that_alternative() -> None:
    measures = {
        "yuan_per_hour": lambda plan: sum(parcel.hours for parcel in plan.parcels),
        "yuan_per_hour_remote": lambda plan: sum(parcel.hours for parcel in plan.parcels),
        "yuan_per_kgco2e": lambda plan: sum(parcel.kgco2e for parcel in plan.parcels),
        "yuan_per_extra_parcel": lambda plan: len(plan.parcels) - 1,
    }
    checked = 0
    for seed in range(30):
        request, _nodes, decision = decided(seed, lines=2, nodes=4, lanes=1)
        if decision.plan is None:
            continue
        for flip in flips.flips(decision, cases.BALANCED, remote=request.remote):
            assert flip.then >= 0
            assert flip.then == flip.then.quantize(STEP)
            if flip.weight not in measures or abs(flip.then - flip.now) < Decimal("0.01"):
                continue
            other, step = decision.alternatives[flip.alternative], (flip.then - flip.now) / 2
            dearer = [
                plan.total + step * Decimal(measures[flip.weight](plan)) for plan in (other, decision.plan)
            ]
            assert dearer[0] >= dearer[1] - Decimal("0.001")
            checked += 1
    assert checked > 10


def test_equal_plans_in_all_that_is_weighed_and_sequential_strategies_do_not_flip() -> None:
    _request, _nodes, decision = decided(3, lines=1, nodes=4, lanes=1)
    assert decision.plan is not None
    same = replace(decision, alternatives=(replace(decision.plan, total=decision.plan.total + 1),))
    sequential = replace(cases.BALANCED, order=("parcels", "money"))

    assert flips.flips(same, cases.BALANCED, remote=False) == []
    assert flips.flips(decision, sequential, remote=False) == []
    assert flips.flips(replace(decision, plan=None), cases.BALANCED, remote=False) == []
    assert no_flip_sentence(cases.BALANCED, "en") == "no change of a single weight flips it"
    assert "先后" in no_flip_sentence(sequential, "zh")


def test_sentences_name_the_figure_and_the_plan() -> None:
    _request, _nodes, decision = decided(3, lines=1, nodes=4, lanes=1)
    name = decision.alternatives[0].parcels[0].node_name
    up = Flip("yuan_per_hour", Decimal("0.0800"), Decimal("0.1234"), 0)
    down = Flip("stock_price_factor", Decimal(1), Decimal("0.5000"), 0)

    assert flip_sentence(up, decision, "en") == (
        f"at ¥0.1234 per hour or more (now 0.08) the plan from {name} is cheaper"
    )
    assert flip_sentence(down, decision, "zh") == f"库存价格 × 0.5以下（现为 1）时，{name}的方案更便宜"


def test_what_a_customer_hears_has_no_amounts_and_no_places() -> None:
    for seed in range(25):
        _request, nodes, decision = decided(seed, lines=3, nodes=5, lanes=2)
        for language in ("zh", "en"):
            said = explain.customer_sentence(decision, language)
            assert said
            assert "¥" not in said
            for node in nodes:
                assert node.name not in said
                assert node.code not in said
