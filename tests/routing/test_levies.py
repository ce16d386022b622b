"""Duty as a term of real decisions: it changes which warehouses ship, says so, and costs orders at home nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.inventory.models import Sku, Warehouse
from orderhub.orders.compliance import engine, levying
from orderhub.orders.compliance.models import ComplianceRule, CustomsGoods, ExchangeRate
from orderhub.orders.models import Order, OrderLine
from routing import candidates, queries, replaying, services, strategies
from routing.engine import explain, model
from routing.engine.decide import decide
from routing.engine.duty import duties
from routing.engine.model import Levy, Need
from routing.engine.pieces import Item, Part
from routing.models import Decision
from routing.waves import costs
from tests.fulfillment import builders as make
from tests.orders import builders as orders
from tests.orders.test_compliance_engine import RATES, book, goods, parcel

D = Decimal
AMERICA: dict[str, Any] = {
    "country": "US",
    "province": "California",
    "city": "Los Angeles",
    "currency": "USD",
}
BERLIN: dict[str, Any] = {"country": "DE", "province": "Berlin", "city": "Berlin", "currency": "EUR"}
db = pytest.mark.django_db


def rule(kind: str, to: str, params: dict[str, Any], **fields: Any) -> ComplianceRule:
    return ComplianceRule.objects.create(**{
        "rule": f"t-{kind}".replace("_", "-"), "origin": "*", "destination": to, "kind": kind, "params": params,
        "valid_from": date(2026, 7, 1), "status": "in_force", "source": "test", "activated_at": make.NOW,
        "confirmed_at": None, **fields,
    })  # fmt: skip


def free_up_to(limit: str = "800", duty: str = "0.25") -> ComplianceRule:
    """The USA let values up to a limit in free, and ask a quarter of what is worth more."""
    return rule("value_regime", "US", {"currency": "USD", "de_minimis": limit, "duty": duty})


def flat(**fields: Any) -> ComplianceRule:
    """The EU's flat duty: 3 EUR for each different HS6 up to 150 EUR."""
    params = {"amount": "3", "currency": "EUR", "intrinsic_max": "150"}
    return rule("duty_per_item_kind", "EU", params, **fields)


def worlds_rates() -> None:
    for code, in_cny in (("USD", "7"), ("EUR", "8.2")):
        ExchangeRate.objects.create(currency=code, on=date(2026, 11, 1), in_cny=D(in_cny))


def shop() -> None:
    """Chengdu has everything and is dear to handle, Shanghai has the tea only and Canton the mug only."""
    make.warehouse("CTU", handling_per_parcel=D(30))
    for at, sku in (("SHA", "TEA"), ("CAN", "MUG"), ("CTU", "TEA"), ("CTU", "MUG")):
        make.stock(100, at=at, sku=sku)
    Sku.objects.update(hs_code="6109100010")
    make.card(zones=[{"countries": ["*"], "first_fee": D(8), "step_fee": D(0)}])
    worlds_rates()


def placed(price: str, **fields: Any) -> Order:
    [order] = orders.placed(
        orders.draft(lines=[orders.line("TEA", price=price), orders.line("MUG", price=price)], **fields)
    )
    return order


def routed(order: Order) -> tuple[Decision, dict[str, Any]]:
    services.route([order], now=make.NOW, actor="system")
    decision = queries.current(order.pk)
    document = queries.decision_document(order.pk, language="en")
    assert decision is not None
    assert document is not None
    return decision, document


def houses(decision: Decision) -> list[str]:
    return [parcel["code"] for parcel in (decision.plan or {})["parcels"]]


def term(document: dict[str, Any], code: str = "duty") -> tuple[str, Decimal, Decimal | None]:
    row = next(row for row in document["terms"] if row["code"] == code)
    other = row["runner_up"]
    return row["label"], D(row["winner"]), None if other is None else D(other)


# ---- the decision changes --------------------------------------------------------------------------


@db
def test_two_parcels_undercut_what_is_free_and_the_decision_says_what_that_saves() -> None:
    """500 + 500 USD in one parcel owe a quarter of 1,000 USD at ¥7; 500 and 500 in two enter free."""
    shop()
    make.warehouse("CTU")
    Warehouse.objects.filter(code="CTU").update(handling_per_parcel=0)
    before, _ = routed(placed("500", **AMERICA, external_id="U0"))
    assert houses(before) == ["CTU"]

    free_up_to()
    decision, document = routed(placed("500", **AMERICA, external_id="U1"))

    assert len(houses(decision)) == 2
    assert term(document)[:2] == ("duty and taxes", D(0))
    [note] = [note["text"] for note in document["notes"] if note["code"].startswith("duty_by")]
    assert note == (
        "Duty and taxes by t-value-regime v1: duty of 25% of the value above 800 USD; 1 USD = ¥7 (2026-11-01)"
    )
    assert replaying.compare(decision).is_identical


@db
def test_at_the_limit_one_parcel_stays_one_parcel() -> None:
    shop()
    Warehouse.objects.filter(code="CTU").update(handling_per_parcel=0)
    free_up_to("1000")

    decision, document = routed(placed("500", **AMERICA))

    assert houses(decision) == ["CTU"]
    assert term(document)[1] == 0


@db
def test_the_flat_duty_makes_one_parcel_of_what_would_go_in_two_and_the_sentence_says_so() -> None:
    """Both goods have one HS6: 3 EUR in one parcel, twice that in two; the dear warehouse becomes the cheaper one."""
    shop()
    order = placed("20", **BERLIN)
    lines = lines_of(order)

    def decided() -> model.Decision:
        offer = candidates.take_snapshot([order], lines, now=make.NOW).offer(order, lines)
        return decide(offer.request, offer.nodes, model.Strategy("money", D(0), D(0), D(0)))

    before = decided()
    assert before.plan is not None
    assert [p.node_code for p in before.plan.parcels] == ["SHA", "CAN"]

    flat()
    after = decided()

    assert after.plan is not None
    assert [p.node_code for p in after.plan.parcels] == ["CTU"]
    assert after.plan.terms["duty"] == D("24.6")
    sentence = explain.sentence(after, "zh")
    assert "关税 −24.60" in sentence
    assert sentence.endswith("；不计关税则次优方案更省")


def lines_of(order: Order) -> list[OrderLine]:
    return list(order.lines.select_related("sku").order_by("position"))


@db
def test_a_warehouse_inside_the_territory_owes_nothing_and_wins_where_duty_is_dear() -> None:
    make.stock(100, at="SHA")
    make.stock(100, at="CAN")
    Warehouse.objects.filter(code="CAN").update(
        country="DE", province="Berlin", city="Berlin", latitude=D("52.5"), longitude=D("13.4"),
        handling_per_parcel=D(90),
    )  # fmt: skip
    make.card(zones=[{}, {"countries": ["*"]}])
    worlds_rates()
    rule("surcharge", "EU", {"rate": "0.2"})
    [order] = orders.placed(orders.draft(lines=[orders.line("TEA", price="100")], **BERLIN))

    decision, document = routed(order)

    assert houses(decision) == ["CAN"]
    assert term(document) == ("duty and taxes", D(0), D("164.0000"))


@db
def test_hong_kong_is_another_territory_and_taxes_of_retail_imports_count_by_the_regime() -> None:
    """Cosmetics from Hong Kong into China: (15 % + 13 %) / 85 % × 70 %; the tea beside them 9.1 %."""
    make.stock(100, at="SHA", sku="TEA")
    make.stock(100, at="SHA", sku="MUG")
    Warehouse.objects.update(
        country="CN", province="香港", city="香港", latitude=D("22.3"), longitude=D("114.2")
    )
    make.card(zones=[{}, {"countries": ["*"]}])
    CustomsGoods.objects.create(sku=Sku.objects.get(code="MUG"), traits=["cosmetics"], milliliters=1)
    regime = {"regime": "CBEC"}
    rule("tax", "CN", {"vat": "0.13", "vat_and_consumption_factor": "0.70", "duty": "0", **regime})
    rule(
        "tax", "CN", {"goods": "cosmetics", "consumption_tax": "0.15", "from_cny_per_ml_or_g": "10", **regime},
        rule="t-cosmetics",
    )  # fmt: skip

    _decision, document = routed(placed("100"))

    share = (D("0.15") + D("0.13")) / (1 - D("0.15")) * D("0.70")
    assert term(document)[1] == (100 * share + 100 * D("0.13") * D("0.70")).quantize(D("0.0001"))
    assert "9.1% – 23.06%" in str(document["notes"])
    _decision, general = routed(placed("100", external_id="G", extra={"customs_regime": "general"}))
    assert term(general)[1] == 0


# ---- what cannot be told ---------------------------------------------------------------------------


@db
@pytest.mark.parametrize(
    ("fields", "note"),
    [
        (
            {"status": "verify"},
            "The duty rule t-duty-per-item-kind waits to be confirmed and was not counted",
        ),
        ({"status": "verify", "confirmed_at": make.NOW - timedelta(days=2)}, ""),
        ({"activated_at": None}, ""),
    ],
)
def test_a_rule_that_waits_for_a_person_is_told_and_not_counted(fields: dict[str, Any], note: str) -> None:
    shop()
    flat(**fields)

    _decision, document = routed(placed("20", **BERLIN))

    texts = [row["text"] for row in document["notes"] if row["code"].startswith("duty")]
    if note:
        assert texts == [note]
    else:
        assert len(texts) == (1 if fields.get("confirmed_at") else 0)
    assert (term(document)[1] > 0) is bool(fields.get("confirmed_at"))


@db
def test_a_missing_exchange_rate_and_a_surcharge_without_a_rate_are_told() -> None:
    shop()
    flat()
    rule("surcharge", "EU", {"rate": "operator must enter"})
    ExchangeRate.objects.all().delete()

    _decision, document = routed(placed("20", **BERLIN))

    assert [row["text"] for row in document["notes"] if row["code"].startswith("duty")] == [
        "There is no exchange rate for EUR: duty in it was not counted",
        "The duty rule t-surcharge has no rate yet and was not counted",
    ]


# ---- what it costs ---------------------------------------------------------------------------------


@db
def test_orders_at_home_cost_no_statement_and_carry_nothing() -> None:
    shop()
    order = placed("20")
    lines = lines_of(order)
    with CaptureQueriesContext(connection) as before:
        candidates.take_snapshot([order], lines, now=make.NOW)
    free_up_to()
    rule("surcharge", "*", {"rate": "0.2"})
    with CaptureQueriesContext(connection) as captured:
        snapshot = candidates.take_snapshot([order], lines, now=make.NOW)
        offer = snapshot.offer(order, lines)

    assert len(captured) == len(before)
    assert not any("compliance" in query["sql"] for query in captured)
    assert offer.request.levies == ()
    assert [need.value_each for need in offer.request.needs] == [0, 0]
    assert not any(note.startswith("duty") for note in offer.notes)


@db
def test_a_warehouse_abroad_without_a_way_home_costs_orders_at_home_nothing() -> None:
    shop()
    rule("surcharge", "*", {"rate": "0.2"})
    Warehouse.objects.filter(code="CTU").update(country="DE", province="Berlin", city="Berlin")
    RateCard = type(make.card("local", zones=[{"countries": ["DE"]}]))
    ground = RateCard.objects.get(code="ground")
    ground.warehouses.set(Warehouse.objects.exclude(code="CTU"))
    RateCard.objects.get(code="local").warehouses.set(Warehouse.objects.filter(code="CTU"))
    order = placed("20")

    with CaptureQueriesContext(connection) as captured:
        candidates.take_snapshot([order], lines_of(order), now=make.NOW)

    assert not any("compliance" in query["sql"] for query in captured)


@db
def test_orders_abroad_cost_three_statements_a_batch_and_one_without_rules() -> None:
    shop()
    several = [placed("20", **BERLIN, external_id=f"Q{n}") for n in range(3)]
    lines = [line for order in several for line in lines_of(order)]
    found = list(Order.objects.filter(pk__in=[o.pk for o in several]).select_related("channel"))

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            snapshot = candidates.take_snapshot(found, lines, now=make.NOW)
            for order in found:
                snapshot.offer(order, [line for line in lines if line.order_id == order.pk])
        return sum("compliance" in query["sql"] for query in captured)

    assert asked() == 1
    flat()
    assert asked() == 3


# ---- waves, and the checks' own sums ---------------------------------------------------------------


@db
def test_a_wave_prices_parcels_with_duty() -> None:
    shop()
    flat()
    order = placed("20", **BERLIN)
    lines = lines_of(order)
    decision, _ = routed(order)
    snapshot = candidates.take_snapshot([order], lines, now=make.NOW, is_making=False)
    offer = snapshot.offer(order, lines)
    positions = {node.id: n for n, node in enumerate(offer.nodes)}
    strategy = strategies.rates(decision.strategy)

    priced = costs.price(offer.request, offer.nodes, strategy, positions)
    bare = costs.price(replace(offer.request, levies=()), offer.nodes, strategy, positions)

    assert priced is not None
    assert bare is not None
    at = positions[Warehouse.objects.get(code="CTU").pk]
    assert [round(priced.cost[bits, at] - bare.cost[bits, at], 4) for bits in (1, 2, 3)] == [24.6, 24.6, 24.6]


def test_what_routing_counts_is_what_the_checks_of_the_order_count() -> None:
    """Random consignments into the EU and the USA: both sums agree to the cents that each rounds."""
    rng = random.Random(7)
    rules = engine.compile_rows([
        *book(confirmed=True).rows,
        engine.Row("us-duty", 1, "*", "US", "value_regime", {"currency": "USD", "de_minimis": "80", "gift_max": "100",
                   "duty": "0.175"}, date(2026, 1, 1)),
        engine.Row("gb-duty", 1, "*", "GB", "value_regime", {"currency": "GBP", "intrinsic_max": "135", "duty": "0.04"},
                   date(2026, 1, 1)),
        engine.Row("gb-more", 1, "*", "GB", "surcharge", {"rate": "0.033"}, date(2026, 1, 1)),
    ])  # fmt: skip
    due = 0
    for seed in range(300):
        lines = [
            goods(
                f"S{n}",
                str(D(rng.randint(1, 9000)) / 100),
                hs_code=rng.choice(["", "6109100010", "6403990000"]),
            )
            for n in range(rng.randint(1, 4))
        ]
        whole = parcel(
            rng.choice(["DE", "US", "GB"]), *lines, currency=rng.choice(["EUR", "USD", "CNY", "GBP"]),
            is_gift=rng.random() < 0.3, rates=RATES,
        )  # fmt: skip
        asked, unknown = engine.levies(rules, whole)
        assert unknown == []
        levies = [
            Levy(x.rule, frozenset({1}), x.over, x.up_to, x.per_code, dict(enumerate(x.shares)))
            for x in asked
        ]
        needs = [
            Need(n, n, x.sku, 1, 1, value_each=x.value, tariff_code=x.hs_code[:6])
            for n, x in enumerate(lines)
        ]
        table = duties(levies, needs, [1], 10**8)
        items = [Item((Part(n, 1),), 1, 0, 1) for n in range(len(lines))]
        for bits in range(1, 1 << len(lines)):
            inside = tuple(x for n, x in enumerate(lines) if bits >> n & 1)
            told = engine.duty(rules, [replace(whole, goods=inside)])
            mine = D(0) if table is None else D(table.cost(0, items, bits)) / 10**8
            assert told.cny is not None
            assert abs(mine - told.cny) <= D("0.06") * max(1, len(told.lines)), (seed, bits)
            due += mine > 0

    assert due >= 300


def test_the_value_of_a_unit_is_what_it_cost_after_discounts() -> None:
    line = OrderLine(ordered=3, line_total=D("100"), discount=D("10"))

    assert levying.value_each(line) == 30
    assert levying.value_each(OrderLine(ordered=0, line_total=D("100"))) == 0
