"""What makes no sense ends in a reason on the order: no exception, no silent default, no harm to its batch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orderhub.fulfillment.models import RateZone
from orderhub.inventory.models import Sku, Warehouse
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from routing import inputs, queries, replaying, strategies
from routing.engine import explain
from routing.engine.decide import decide
from routing.engine.model import Decision, Node, Request, Strategy
from routing.models import Decision as Kept
from routing.models import Strategy as Saved
from tests.fulfillment import builders as make
from tests.orders import builders as orders
from tests.routing.test_engine_decide import FREE, lane, need, node, order, pieces, reasons

D = Decimal
GOOD = node(1, {1: 9, 2: 9})
TWO = order(need(1), need(2))


def case(
    request: Request = TWO, nodes: tuple[Node, ...] = (GOOD,), **figures: Any
) -> tuple[Request, tuple[Node, ...], Strategy]:
    return request, nodes, replace(FREE, **figures)


# Everything wrong in one way each: the input, the outcome, and the reasons that must be among the removals.
WRONG = {
    "no stock anywhere": (case(nodes=(node(1, {}), node(2, {}))), "unroutable", {"out_of_stock"}),
    "no warehouse at all": (case(nodes=()), "unroutable", set()),
    "zero capacity": (case(nodes=(replace(GOOD, capacity_left=0),)), "unroutable", {"no_capacity"}),
    "capacity below zero": (case(nodes=(replace(GOOD, capacity_left=-3),)), "unroutable", {"no_capacity"}),
    "nobody delivers there": (case(nodes=(replace(GOOD, lanes=()),)), "unroutable", {"no_lane"}),
    "no customs": (
        case(replace(TWO, country="DE"), (replace(GOOD, country="CN", customs=frozenset({"US"})),)),
        "unroutable",
        {"no_customs_lane"},
    ),
    "a weight missing": (case(order(need(1, grams_each=None))), "unroutable", {"no_weight"}),
    "one weight of two missing": (case(order(need(1, grams_each=None), need(2))), "partial", {"no_weight"}),
    "a weight below zero": (case(order(need(1, grams_each=-1))), "unroutable", {"bad_quantity"}),
    "no units": (case(order(need(1, 0), need(2))), "unroutable", {"bad_quantity"}),
    "a tariff without a step": (
        case(nodes=(replace(GOOD, lanes=(lane(step_grams=0),)),)), "unroutable", {"bad_tariff"},
    ),
    "a tariff below zero": (
        case(nodes=(replace(GOOD, lanes=(lane(fee="-1"),)),)), "unroutable", {"bad_tariff"},
    ),
    "a fee beyond any": (
        case(nodes=(replace(GOOD, lanes=(lane(fee="9e30"),)),)), "unroutable", {"beyond_range"},
    ),
    "a fee that is no number": (
        case(nodes=(replace(GOOD, lanes=(lane(fee="NaN"),)),)), "unroutable", {"beyond_range"},
    ),
    "a weight per hour below zero": (case(yuan_per_hour=D(-1)), "unroutable", {"bad_strategy"}),
    "a stock factor below zero": (case(stock_price_factor=D("-0.1")), "unroutable", {"bad_strategy"}),
    "an infinite rate": (case(yuan_per_kgco2e=D("Infinity")), "unroutable", {"bad_strategy"}),
    "no parcel allowed": (case(max_parcels=0), "unroutable", {"bad_strategy"}),
    "criteria nobody knows": (case(order=("luck",)), "unroutable", {"bad_strategy"}),
    "one parcel, two places": (
        case(nodes=(node(1, {1: 1}), node(2, {2: 1})), max_parcels=1), "partial", {"parcel_limit"},
    ),
    "one parcel, two places, all or nothing": (
        case(nodes=(node(1, {1: 1}), node(2, {2: 1})), max_parcels=1, allow_partial=False),
        "unroutable",
        {"parcel_limit"},
    ),
    "a promise already broken": (
        case(replace(TWO, promise_hours=D(-5))), "unroutable", {"misses_promise"},
    ),
    "everything banned and frozen": (
        case(nodes=(replace(GOOD, banned_skus=frozenset({1, 2})), replace(GOOD, id=2, frozen=True))),
        "unroutable",
        {"sku_banned", "frozen"},
    ),
    "no line": (case(order()), "unroutable", set()),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_senseless_input_is_answered_with_its_reason(what: str) -> None:
    given, status, codes = WRONG[what]

    decision = decide(*given)

    assert decision.status == status
    assert codes <= {removal.code for removal in decision.removed}
    sent = 0 if decision.plan is None else sum(x.quantity for p in decision.plan.parcels for x in p.pieces)
    asked = sum(max(0, each.quantity) for each in given[0].needs)
    short = sum(each.quantity for each in decision.shortages)
    # An order that must go whole names only the units that keep it.
    assert sent + short == asked or (decision.status == "unroutable" and 0 < short < asked)
    for language in ("zh", "en"):
        assert explain.sentence(decision, language)
        assert all("{" not in explain.removal_sentence(one, language) for one in decision.removed)
    assert decide(*given) == decision


@pytest.mark.parametrize("what", [each for each in WRONG if "number" not in each])
def test_what_was_wrong_is_kept_and_replayed(what: str) -> None:
    given, _, _ = WRONG[what]

    assert decide(*inputs.load(inputs.Writer().dump(*given))) == decide(*given)


def test_an_order_of_200_lines_is_answered_whole_and_the_method_says_how() -> None:
    lines = [need(n, 1 + n % 3, 100 + n) for n in range(1, 201)]
    sources = [
        node(k, {n: 5 for n in range(1, 201) if (n + k) % 5}, lanes=(lane(fee=str(8 + k), max_grams=30_000),))
        for k in range(1, 9)
    ]

    decision: Decision = decide(order(*lines), sources, FREE)

    assert (decision.status, decision.method) == ("routed", "pulp")
    assert sorted(line for _, held in pieces(decision) for line, _ in held) == list(range(1, 201))
    assert decide(order(*lines), sources[::-1], FREE) == decision


def test_200_lines_that_nobody_has_are_all_short() -> None:
    decision = decide(order(*[need(n) for n in range(1, 201)]), [node(1, {})], FREE)

    assert (decision.status, len(decision.shortages), len(reasons(decision))) == ("unroutable", 200, 200)


# ---- through the service ---------------------------------------------------------------------------


def backorder_reason(found: Order) -> str:
    [told] = make.payloads(found, "order.backordered")
    return str(told["reason"])


def removed_texts(found: Order, language: Any = "en") -> list[str]:
    document = queries.decision_document(found.pk, language=language)
    assert document is not None
    return [str(row["text"]) for row in document["removed"]]


@pytest.mark.django_db
def test_a_missing_weight_stops_its_order_only() -> None:
    make.network(skus=("TEA", "CUP"))
    [heavy] = make.placed(lines=[("CUP", 1)])
    [fine] = make.placed(lines=[("TEA", 1)])
    Sku.objects.filter(code="CUP").update(grams=0)

    waiting, gone = make.walk([heavy, fine])

    assert (waiting.stage, gone.stage) == ("backordered", "released")
    assert backorder_reason(heavy) == "no_weight"
    assert removed_texts(heavy)[0] == "Shanghai: CUP has no weight, so it cannot be priced"


@pytest.mark.django_db
def test_negative_figures_of_a_strategy_are_named_on_the_order_and_harm_nobody_else() -> None:
    make.network()
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    green = Saved.objects.get(code="green")
    Saved.objects.filter(pk=green.pk).update(yuan_per_hour=D(-3))
    green.refresh_from_db()
    strategies.save_version(green, actor=None, now=make.NOW)
    [odd] = make.placed(green=True)
    [fine] = make.placed()

    waiting, gone = make.walk([odd, fine])

    assert (waiting.stage, gone.stage) == ("backordered", "released")
    assert backorder_reason(odd) == "bad_strategy"
    assert "yuan_per_hour" in removed_texts(odd)[0]
    decision = queries.current(odd.pk)
    assert decision is not None
    assert replaying.compare(decision).is_identical


@pytest.mark.django_db
def test_a_tariff_with_a_hole_says_so() -> None:
    make.network(at=("SHA",))
    RateZone.objects.update(step_grams=0)
    [found] = make.placed()

    [waiting] = make.walk([found])

    assert (waiting.stage, backorder_reason(found)) == ("backordered", "bad_tariff")
    assert removed_texts(found) == ["Shanghai: the tariff ground is incomplete, nothing can be priced"]
    assert removed_texts(found, "zh")[0].startswith("上海仓：运价 ground 不完整")


@pytest.mark.django_db
def test_a_tariff_that_ends_too_near_says_so() -> None:
    make.stock(9)
    make.card("near", zones=[{"max_km": 5}])
    [found] = make.placed()

    make.walk([found])

    assert backorder_reason(found) == "no_lane"


@pytest.mark.django_db
def test_an_unknown_region_is_refused_at_the_door() -> None:
    make.network()

    with pytest.raises(Refused) as refusal:
        make.placed(province="亚特兰蒂斯", city="海底市")

    assert "亚特兰蒂斯" in str(refusal.value)
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_an_order_whose_region_is_no_longer_known_is_routed_by_its_place() -> None:
    make.network()
    [found] = make.placed()
    Order.objects.filter(pk=found.pk).update(province="亚特兰蒂斯", city="海底市")

    [gone] = make.walk(make.fresh([found]))

    assert (gone.stage, make.row(gone).warehouse.code) == ("released", "SHA")


@pytest.mark.django_db
def test_no_capacity_anywhere_says_so() -> None:
    make.network()
    Warehouse.objects.update(capacity_per_day=0, is_frozen=True)
    [found] = make.placed()

    [waiting] = make.walk([found])

    assert waiting.stage == "backordered"
    assert backorder_reason(found) in {"frozen", "no_capacity"}


@pytest.mark.django_db
def test_a_strategy_that_allows_one_parcel_is_named_where_two_are_needed() -> None:
    make.stock(5, at="SHA", sku="TEA")
    make.stock(5, at="CAN", sku="CUP")
    make.card()
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    default = Saved.objects.get(is_default=True)
    default.max_parcels = 1
    default.save()
    strategies.save_version(default, actor=None, now=make.NOW)
    [found] = make.placed(lines=[("TEA", 1), ("CUP", 1)])

    make.walk([found])

    assert backorder_reason(found) == "parcel_limit"
    first = Kept.objects.filter(order=found).order_by("pk")[0]
    assert first.status == "partial"
    assert "parcel_limit" in [row["reason"] for row in first.removed]
