"""The sequential mode: criteria one after the other, against every plan there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import permutations, product

import pytest

from routing.engine.decide import decide
from routing.engine.model import CRITERIA, Lane, Need, Node, Plan, Request, Strategy
from tests.routing.test_engine_brute import (
    curve_cost,
    divided,
    groupings,
    in_stock,
    money,
    parcel_cost,
    random_case,
    shuffled,
)
from tests.routing.test_engine_decide import FREE, lane, need, node, order, pieces

D = Decimal
Chosen = list[tuple[Node, Lane, list[Need]]]
ORDERS = [
    ("parcels", "hours", "money"),
    ("hours", "money"),
    ("kgco2e", "distance"),
    ("forward", "parcels", "hours", "kgco2e"),
    ("distance", "hours"),
    ("money",),
]


def chosen_plans(
    request: Request, strategy: Strategy, nodes: list[Node], needs: list[Need]
) -> Iterator[Chosen]:
    """Every way to send these whole lines: groups, nodes and lanes, within stock and slots."""
    for grouping in groupings(needs):
        if strategy.max_parcels is not None and len(grouping) > strategy.max_parcels:
            continue
        options = [
            [
                (node, lane, group)
                for node in nodes
                if not node.frozen
                and not any(n.sku_id in node.banned_skus or not n.traits <= node.accepts for n in group)
                for lane in node.lanes
                if parcel_cost(request, strategy, node, lane, group) is not None
            ]
            for group in grouping
        ]
        for choice in product(*options):
            mine: dict[int, list[Need]] = {}
            for source, _, group in choice:
                mine.setdefault(source.id, []).extend(group)
            if all(
                in_stock(source, mine[source.id])
                and (
                    source.capacity_left is None
                    or sum(other.id == source.id for other, _, _ in choice) <= source.capacity_left
                )
                for source, _, _ in choice
            ):
                yield list(choice)


def vector(request: Request, strategy: Strategy, plan: Chosen) -> dict[str, Decimal]:
    """What each criterion says of a plan, by its definition."""
    total = -money(strategy.yuan_per_extra_parcel)
    milligrams = kilometers = away = D(0)
    mine: dict[int, tuple[Node, list[Need], int]] = {}
    for source, by, group in plan:
        cost = parcel_cost(request, strategy, source, by, group)
        assert cost is not None
        total += cost
        grams = sum(n.quantity * (n.grams_each or 0) for n in group) + by.parcel_grams
        kg = D(grams) / 1000 * by.kgco2e_per_kg + by.kgco2e_per_parcel
        milligrams += (kg * 10**6).to_integral_value(ROUND_HALF_UP)
        kilometers += by.distance_km
        is_forward = source.kind == "forward" and source.serves_region
        away += 0 if is_forward else sum(n.quantity for n in group)
        _, held, parcels = mine.get(source.id, (source, [], 0))
        mine[source.id] = source, [*held, *group], parcels + 1
    total += sum((curve_cost(strategy, *each) for each in mine.values()), D(0))
    return {
        "parcels": D(len(plan)),
        "hours": max(by.hours + source.cutoff_wait_hours for source, by, _ in plan),
        "money": total,
        "kgco2e": milligrams,
        "forward": away,
        "distance": kilometers,
    }


def answered(nodes: list[Node], request: Request, plan: Plan) -> Chosen:
    """A plan of the engine in the same form."""
    by_id = {source.id: source for source in nodes}
    by_line = {each.line_id: each for each in request.needs}
    return [
        (
            by_id[p.node_id],
            next(x for x in by_id[p.node_id].lanes if x.carrier == p.carrier),
            [by_line[piece.line_id] for piece in p.pieces],
        )
        for p in plan.parcels
    ]


@pytest.mark.parametrize("criteria", ORDERS)
def test_the_winner_is_the_first_of_all_plans_in_the_order_of_the_criteria(criteria: tuple[str, ...]) -> None:
    compared = 0
    for seed in range(60):
        request, nodes, strategy = random_case(
            seed, tight=seed % 2 == 0, shared=seed % 3 == 0, curved=seed % 4 == 0
        )
        request = replace(request, needs=request.needs[:3])
        strategy = replace(strategy, order=criteria)

        decision = decide(request, nodes, strategy)

        if decision.plan is None or decision.status != "routed" or divided(decision):
            continue
        full = (*criteria, *(["money"] if "money" not in criteria else []))
        found = [
            tuple(vector(request, strategy, plan)[name] for name in full)
            for plan in chosen_plans(request, strategy, nodes, list(request.needs))
        ]
        mine = vector(request, strategy, answered(nodes, request, decision.plan))
        assert tuple(mine[name] for name in full) == min(found), seed
        assert decision.total == mine["money"], seed
        assert decision.method == "sequential"
        assert decision.order == criteria
        for plan in decision.alternatives:
            assert sum(plan.terms.values()) == plan.total
            assert tuple(vector(request, strategy, answered(nodes, request, plan))[n] for n in full) >= min(
                found
            )
        compared += 1
    assert compared >= 25


def test_the_order_of_nodes_lanes_and_lines_does_not_change_a_byte() -> None:
    for seed, criteria in zip(range(40), [*permutations(CRITERIA, 3)] * 2, strict=False):
        request, nodes, strategy = random_case(seed, tight=seed % 2 == 0, shared=seed % 3 == 0)
        strategy = replace(strategy, order=criteria)
        mixed = [replace(node, lanes=tuple(shuffled(seed, node.lanes))) for node in shuffled(seed, nodes)]

        first = decide(request, nodes, strategy)
        second = decide(replace(request, needs=tuple(shuffled(seed, request.needs))), mixed, strategy)

        assert repr(first) == repr(second), seed


def test_fewest_parcels_come_before_any_money() -> None:
    both = node(1, {1: 1, 2: 1}, lanes=(lane(fee="99"),))
    parts = [node(2, {1: 1}, lanes=(lane(fee="1"),)), node(3, {2: 1}, lanes=(lane(fee="1"),))]

    money_first = decide(order(need(1), need(2)), [both, *parts], FREE)
    decision = decide(order(need(1), need(2)), [both, *parts], replace(FREE, order=("parcels", "money")))

    assert len(pieces(money_first)) == 2
    assert pieces(decision) == [(1, [(1, 1), (2, 1)])]
    assert [plan.total for plan in decision.alternatives] == [D(2)]


def test_the_fastest_wins_and_a_slower_cheaper_plan_is_shown_beside_it() -> None:
    fast = node(1, {1: 1}, lanes=(lane(fee="30", hours=D(10)),))
    slow = node(2, {1: 1}, lanes=(lane(fee="3", hours=D(90)),))

    decision = decide(order(need(1)), [fast, slow], replace(FREE, order=("hours",)))

    assert [node_id for node_id, _ in pieces(decision)] == [1]
    assert [(plan.parcels[0].node_id, plan.total) for plan in decision.alternatives] == [(2, D(3))]


def test_long_orders_keep_the_order_of_criteria() -> None:
    whole = node(1, dict.fromkeys(range(1, 21), 1), lanes=(lane(fee="500", max_grams=30_000),))
    halves = [
        node(n, dict.fromkeys(range(first, first + 10), 1), lanes=(lane(fee="1", max_grams=30_000),))
        for n, first in ((2, 1), (3, 11))
    ]

    decision = decide(
        order(*[need(n) for n in range(1, 21)]), [whole, *halves], replace(FREE, order=("parcels",))
    )

    assert decision.method == "seq_groups"
    assert [node_id for node_id, _ in pieces(decision)] == [1]


@pytest.mark.parametrize("criteria", [("cheapest",), ("money", "money")])
def test_senseless_criteria_are_refused(criteria: tuple[str, ...]) -> None:
    decision = decide(order(need(1)), [node(1, {1: 1})], replace(FREE, order=criteria))

    assert decision.status == "unroutable"
    assert [(r.code, r.facts) for r in decision.removed] == [("bad_strategy", {"figure": "order"})]


def test_twelve_lines_with_many_criteria_need_more_than_64_bits_and_get_them() -> None:
    sources = [
        node(
            n,
            dict.fromkeys(range(1, 13), 1),
            lanes=(lane(fee=str(10 + n), distance_km=D(100 * n), kgco2e_per_kg=D("0.3") / n),),
        )
        for n in range(1, 4)
    ]
    strategy: Strategy = replace(FREE, order=("forward", "kgco2e", "distance", "money"))

    decision = decide(order(*[need(n) for n in range(1, 13)]), sources, strategy)

    assert [node_id for node_id, _ in pieces(decision)] == [3]
