"""Decisions one by one: golden examples, every hard limit, pieces, ties, partial orders, long orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from routing.engine.decide import decide
from routing.engine.model import Decision, Lane, Need, Node, Piece, Request, Shortage, Strategy

D = Decimal
FREE = Strategy("s", D(0), D(0), D(0))


def lane(carrier: str = "sf", fee: str = "10", **fields: Any) -> Lane:
    return replace(
        Lane(carrier, "std", "z1", 1000, D(fee), 1000, D(2), D(24), D(500), D("0.1"), D("0.05")), **fields
    )


def node(number: int, stock: dict[int, int], **fields: Any) -> Node:
    return replace(
        Node(
            number,
            f"W{number:02d}",
            f"仓{number}",
            "warehouse",
            stock,
            (lane(),),
            None,
            False,
            frozenset({"cold"}),
            frozenset(),
            D(0),
            D(0),
            {},
            D(0),
            False,
        ),
        **fields,
    )


def need(line: int, quantity: int = 1, grams: int = 100, **fields: Any) -> Need:
    return replace(Need(line, line, f"S{line:03d}", quantity, grams), **fields)


def order(*needs: Need, **fields: Any) -> Request:
    return replace(Request(7, needs, False, None), **fields)


def pieces(decision: Decision) -> list[tuple[int, list[tuple[int, int]]]]:
    assert decision.plan is not None
    return [(p.node_id, [(x.line_id, x.quantity) for x in p.pieces]) for p in decision.plan.parcels]


def reasons(decision: Decision) -> list[tuple[int, int | None, str]]:
    return [(r.node_id, r.line_id, r.code) for r in decision.removed]


def test_two_parcels_are_chosen_when_cheaper_than_one_as_in_the_published_example() -> None:
    both = node(1, {1: 1, 2: 1}, lanes=(lane(fee="22.56"),))
    first = node(2, {1: 1}, lanes=(lane(fee="8.34"),))
    second = node(3, {2: 1}, lanes=(lane(fee="7.57"),))

    decision = decide(order(need(1), need(2)), [both, first, second], FREE)

    assert decision.total == D("15.91")
    assert pieces(decision) == [(2, [(1, 1)]), (3, [(2, 1)])]
    assert decision.alternatives[0].total == D("22.56")
    assert (decision.status, decision.method) == ("routed", "subset_dp")


def test_split_charge_reverses_that_choice() -> None:
    both = node(1, {1: 1, 2: 1}, lanes=(lane(fee="22.56"),))
    parts = [node(2, {1: 1}, lanes=(lane(fee="8.34"),)), node(3, {2: 1}, lanes=(lane(fee="7.57"),))]

    decision = decide(order(need(1), need(2)), [both, *parts], replace(FREE, yuan_per_extra_parcel=D("6.66")))

    assert decision.total == D("22.56")
    assert decision.alternatives[0].terms["split"] == D("6.66")
    assert decision.alternatives[0].total == D("22.57")


def test_every_term_is_priced_by_its_definition() -> None:
    source = node(
        1,
        {1: 9},
        kind="forward",
        serves_region=True,
        handling_per_parcel=D("1.50"),
        handling_per_line=D("0.30"),
        stock_price={1: D("0.25")},
        return_risk={1: D("0.9")},
        capacity_price=D("0.70"),
        cutoff_wait_hours=D(6),
        lanes=(lane(parcel_grams=150),),
    )
    strategy = Strategy("s", D("0.08"), D("0.5"), D(5), D(2), D(1), D("0.40"))

    decision = decide(order(need(1, 3, 800), remote=True), [source], strategy)

    assert decision.plan is not None
    assert decision.plan.terms == {
        "freight": D(14),  # 2,550 g: first kilogram and two steps
        "handling": D("1.8"),
        "time": D(15),  # (24 + 6) h at the remote rate
        "carbon": D("1.525"),  # 2.55 kg × 0.1 + 0.05 kg, at ¥5
        "stock_price": D("1.5"),
        "capacity_price": D("0.7"),
        "split": D(0),
        "forward_bonus": D("-0.4"),
        "return_risk": D("0.9"),
        "duty": D(0),
    }
    assert decision.total == D("35.025")
    assert (decision.plan.hours, decision.plan.kgco2e) == (D(30), D("0.305"))


def test_time_may_be_shared_by_lines() -> None:
    sources = [node(1, {1: 1}), node(2, {2: 1}, lanes=(lane(hours=D(48)),))]
    strategy = replace(FREE, yuan_per_hour=D("0.1"))

    in_full = decide(order(need(1), need(2)), sources, strategy)
    shared = decide(order(need(1), need(2)), sources, replace(strategy, time_by_line_share=True))

    assert in_full.plan is not None
    assert shared.plan is not None
    assert in_full.plan.terms["time"] == D("7.2")
    assert shared.plan.terms["time"] == D("3.6")


@pytest.mark.parametrize(
    ("changes", "request_changes", "line", "code", "facts"),
    [
        ({"frozen": True}, {}, None, "frozen", {}),
        ({"capacity_left": 0}, {}, None, "no_capacity", {"capacity_left": 0}),
        ({"lanes": ()}, {}, None, "no_lane", {}),
        (
            {"cutoff_wait_hours": D(3)},
            {"promise_hours": D(26)},
            None,
            "misses_promise",
            {"hours": D(27), "promise_hours": D(26)},
        ),
        ({"banned_skus": frozenset({1})}, {}, 1, "sku_banned", {"sku_code": "S001"}),
        ({"accepts": frozenset()}, {}, 1, "trait_not_accepted", {"sku_code": "S001", "traits": ["cold"]}),
        ({"stock": {1: 1}}, {}, 1, "out_of_stock", {"sku_code": "S001", "short_by": 2}),
        (
            {"lanes": (lane(max_grams=90),)},
            {},
            1,
            "too_heavy",
            {"sku_code": "S001", "grams": 300, "max_grams": 90},
        ),
    ],
)
def test_each_hard_limit_removes_the_node_with_its_reason(
    changes: dict[str, Any],
    request_changes: dict[str, Any],
    line: int | None,
    code: str,
    facts: dict[str, Any],
) -> None:
    limited = replace(node(1, {1: 9}, lanes=(lane(fee="1"),)), **changes)
    dear = node(2, {1: 9}, lanes=(lane(fee="99"),))

    decision = decide(order(need(1, 3, traits=frozenset({"cold"})), **request_changes), [limited, dear], FREE)

    assert pieces(decision) == [(2, [(1, 3)])]
    assert [(r.node_id, r.line_id, r.code, r.facts) for r in decision.removed] == [(1, line, code, facts)]


def test_nothing_feasible_is_unroutable_with_reasons_and_shortages() -> None:
    decision = decide(order(need(1, 2)), [node(1, {}), node(2, {1: 5}, frozen=True)], FREE)

    assert (decision.status, decision.plan, decision.alternatives, decision.total) == (
        "unroutable",
        None,
        (),
        0,
    )
    assert decision.shortages == (Shortage(1, 2),)
    assert reasons(decision) == [(2, None, "frozen"), (1, 1, "out_of_stock")]


def test_no_nodes_at_all_is_unroutable() -> None:
    assert decide(order(need(1)), [], FREE).status == "unroutable"


def test_what_is_in_stock_ships_and_the_rest_is_short() -> None:
    decision = decide(order(need(1), need(2, 4)), [node(1, {1: 1, 2: 3})], FREE)

    assert decision.status == "partial"
    assert pieces(decision) == [(1, [(1, 1), (2, 3)])]
    assert decision.shortages == (Shortage(2, 1),)


def test_partial_shipping_can_be_refused() -> None:
    decision = decide(order(need(1), need(2), allow_partial=False), [node(1, {1: 1})], FREE)

    assert (decision.status, decision.plan, decision.total) == ("unroutable", None, 0)
    assert decision.shortages == (Shortage(2, 1),)


def test_line_no_node_covers_is_divided_over_the_fewest_nodes_largest_first() -> None:
    sources = [node(1, {1: 2}), node(2, {1: 5}), node(3, {1: 4})]

    decision = decide(order(need(1, 8)), sources, FREE)

    assert decision.status == "routed"
    assert pieces(decision) == [(2, [(1, 5)]), (3, [(1, 3)])]


def test_two_lines_of_one_sku_do_not_oversell_a_node() -> None:
    cheap = node(1, {1: 4}, lanes=(lane(fee="1"), lane("yt", fee="1")))
    dear = node(2, {1: 4}, lanes=(lane(fee="50"),))

    decision = decide(order(need(1, 3), need(2, 3, sku_id=1)), [cheap, dear], FREE)

    assert pieces(decision) == [(1, [(1, 3)]), (2, [(2, 3)])]
    assert decision.total == 51


def test_line_heavier_than_every_parcel_goes_in_several() -> None:
    source = node(1, {1: 10}, lanes=(lane(max_grams=20_000, parcel_grams=100),))

    decision = decide(order(need(1, 10, 3000)), [source], FREE)

    assert pieces(decision) == [(1, [(1, 6)]), (1, [(1, 4)])]
    assert decision.plan is not None
    assert [p.grams for p in decision.plan.parcels] == [18_100, 12_100]


def test_slots_left_bound_the_parcels_of_one_node() -> None:
    # Two parcels by the light lane cost 2, but there is one slot: one parcel by the heavy lane.
    light, heavy = lane("a", fee="1", max_grams=1000), lane("b", fee="30")
    free = node(1, {1: 1, 2: 1}, lanes=(light, heavy))

    unlimited = decide(order(need(1, 1, 900), need(2, 1, 900)), [free], FREE)
    one_slot = decide(order(need(1, 1, 900), need(2, 1, 900)), [replace(free, capacity_left=1)], FREE)

    assert unlimited.total == 2
    assert pieces(unlimited) == [(1, [(1, 1)]), (1, [(2, 1)])]
    assert one_slot.total == 32
    assert pieces(one_slot) == [(1, [(1, 1), (2, 1)])]


def test_too_few_slots_everywhere_ship_the_most_units() -> None:
    source = node(1, {1: 1, 2: 3}, capacity_left=1, lanes=(lane(max_grams=900),))

    decision = decide(order(need(1, 1, 800), need(2, 3, 200)), [source], FREE)

    assert decision.status == "partial"
    assert pieces(decision) == [(1, [(2, 3)])]
    assert decision.shortages == (Shortage(1, 1),)


def test_strategy_bounds_the_parcels_of_a_plan() -> None:
    sources = [
        node(1, {1: 1}, lanes=(lane(fee="1"),)),
        node(2, {2: 1}, lanes=(lane(fee="1"),)),
        node(3, {1: 1, 2: 1}, lanes=(lane(fee="40"),)),
    ]

    decision = decide(order(need(1), need(2)), sources, replace(FREE, max_parcels=1))

    assert pieces(decision) == [(3, [(1, 1), (2, 1)])]
    assert decision.alternatives == ()


def test_equal_plans_prefer_fewer_parcels_then_lower_node_ids() -> None:
    split = [node(1, {1: 1}, lanes=(lane(fee="5"),)), node(2, {2: 1}, lanes=(lane(fee="5"),))]
    whole = [node(n, {1: 1, 2: 1}, lanes=(lane(fee="10"),)) for n in (5, 4)]

    decision = decide(order(need(1), need(2)), [*whole, *split], FREE)

    assert pieces(decision) == [(4, [(1, 1), (2, 1)])]
    assert [[p.node_id for p in plan.parcels] for plan in decision.alternatives[:2]] == [[5], [1, 2]]


def test_at_most_five_different_alternatives_cheapest_first() -> None:
    sources = [node(n, {1: 1}, lanes=(lane(fee=str(n)),)) for n in range(1, 10)]

    decision = decide(order(need(1)), sources, FREE)

    assert decision.total == 1
    assert [plan.total for plan in decision.alternatives] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("bad", [need(1, 0), need(1, -1), need(1, 1, -5), need(1, cm3_each=-1)])
def test_senseless_quantities_are_refused(bad: Need) -> None:
    decision = decide(order(bad), [node(1, {1: 1})], FREE)

    assert (decision.status, reasons(decision)) == ("unroutable", [(1, 1, "bad_quantity")])


def test_amounts_beyond_64_bits_are_refused_not_wrapped() -> None:
    decision = decide(order(need(1)), [node(1, {1: 1}, lanes=(lane(fee="99999999999"),))], FREE)

    assert (decision.status, reasons(decision)) == ("unroutable", [(1, None, "beyond_range")])


def test_long_order_from_one_node_and_lane_is_merged_exactly() -> None:
    lines = [need(n) for n in range(1, 21)]

    decision = decide(order(*lines), [node(1, dict.fromkeys(range(1, 21), 1))], FREE)

    assert decision.method == "subset_dp"
    assert pieces(decision) == [(1, [(n, 1) for n in range(1, 21)])]
    assert decision.total == 12  # 2,000 g: first kilogram and one step


def test_long_order_is_split_by_the_program_as_well_as_by_hand() -> None:
    # Fifteen lines: three pairs of nodes hold five lines each; the cheaper of each pair is best.
    sources = []
    for group in range(3):
        stock = dict.fromkeys(range(group * 5 + 1, group * 5 + 6), 1)
        sources += [
            node(group * 2 + 1, stock, lanes=(lane(fee="9"),)),
            node(group * 2 + 2, stock, lanes=(lane(fee="8"),)),
        ]

    decision = decide(order(*[need(n) for n in range(1, 16)]), sources, FREE)

    assert decision.method == "pulp"
    assert decision.total == 24
    assert [node_id for node_id, _ in pieces(decision)] == [2, 4, 6]
    assert decision.alternatives[0].total == 25


def test_long_order_respects_slots_stock_and_weight() -> None:
    heavy = lane(max_grams=5000)
    sources = [node(n, dict.fromkeys(range(1, 15), 1), capacity_left=2, lanes=(heavy,)) for n in (1, 2)]

    decision = decide(order(*[need(n, 1, 1000) for n in range(1, 15)]), sources, FREE)

    assert decision.status == "routed"
    assert decision.plan is not None
    assert len(decision.plan.parcels) == 3
    assert all(p.grams <= 5000 for p in decision.plan.parcels)
    assert max(sum(p.node_id == n for p in decision.plan.parcels) for n in (1, 2)) == 2
    assert sorted(x.line_id for p in decision.plan.parcels for x in p.pieces) == list(range(1, 15))


def test_long_order_with_missing_lines_is_partial() -> None:
    decision = decide(
        order(*[need(n) for n in range(1, 16)]),
        [node(1, dict.fromkeys(range(1, 15), 1)), node(2, dict.fromkeys(range(1, 15), 1))],
        FREE,
    )

    assert decision.status == "partial"
    assert decision.shortages == (Shortage(15, 1),)
    assert decision.plan is not None
    assert decision.plan.parcels[0].pieces == tuple(Piece(n, 1) for n in range(1, 15))
