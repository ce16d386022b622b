"""Routing batches: decisions kept, plans made, nothing oversubscribed, budgets held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from carbon.defaults import lane_for
from orderhub.events.invariants import declared, run
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import services as inventory
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order, OrderLine
from routing import queries, services, strategies
from routing.models import Decision, Strategy, StrategyVersion
from routing.subscribers import retry_lost_races
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def route(found: Sequence[Order]) -> dict[int, str]:
    """Route orders as the step would."""
    with transaction.atomic():
        locked = list(Order.objects.select_for_update().filter(pk__in=[o.pk for o in found]).order_by("pk"))
        return services.route(locked, now=make.NOW, actor="system")


def current(order: Order) -> Decision:
    found = queries.current(order.pk)
    assert found is not None
    return found


def broken() -> list[str]:
    """What the invariants of orders, stock, fulfillment and routing say."""
    mine = [each for each in declared() if each.id in {"I1", "I2", "I3", "I6"}]
    return [text for result in run(mine) for text in result.shown]


def test_a_decision_keeps_plan_terms_and_what_a_replay_needs() -> None:
    make.network()
    [order] = make.placed()

    assert route([order]) == {order.pk: "routed"}

    decision = current(order)
    assert (decision.status, decision.method, decision.strategy.values["code"]) == (
        "routed",
        "subset_dp",
        "balanced",
    )
    plan: dict[str, Any] = decision.plan or {}
    [parcel] = plan["parcels"]
    assert (parcel["code"], parcel["name"], parcel["name_en"]) == ("SHA", "上海仓", "Shanghai")
    assert parcel["pieces"] == [{"line_id": order.lines.get().pk, "quantity": 2}]
    assert (parcel["grams"], parcel["inputs"]["goods_grams"], parcel["inputs"]["mode"]) == (
        1150,
        1000,
        "road",
    )
    assert sum(map(Decimal, plan["terms"].values())) == decision.total == Decimal(plan["total"])
    assert plan["terms"]["freight"] == "10.0000"
    assert plan["notes"] == ["prices_missing"]
    assert len(decision.alternatives) == 1
    assert decision.alternatives[0]["parcels"][0]["code"] == "CAN"


def test_the_carbon_of_a_decision_can_be_reckoned_again_from_its_inputs() -> None:
    make.network()
    [order] = make.placed()
    route([order])

    [parcel] = (current(order).plan or {})["parcels"]
    kept = parcel["inputs"]["carbon"]
    lane = lane_for(**{**kept, "distance_km": Decimal(kept["distance_km"])})

    again = Decimal(parcel["inputs"]["goods_grams"]) / 1000 * lane.kgco2e_per_kg + lane.kgco2e_per_parcel
    assert abs(again - Decimal(parcel["kgco2e"])) < Decimal("1e-12")
    assert FulfillmentOrder.objects.get().estimated_kgco2e == again.quantize(Decimal("1e-12"))


def test_the_promise_is_six_hours_of_handling_and_the_planned_hours_with_a_quarter_more() -> None:
    make.network()
    [order] = make.placed()

    route([order])

    hours = Decimal((current(order).plan or {})["hours"])
    [order] = make.fresh([order])
    assert order.promised_at is not None
    assert hours == Decimal("15.59")
    assert order.promised_at - make.NOW == timedelta(hours=26)
    [told] = make.payloads(order, "routing.decided")
    assert told["promised_at"] == "2026-11-23T04:00:00.000000+00:00"
    assert (told["stage"], told["parcels"], told["warehouses"]) == ("routed", 1, ["上海仓"])
    assert told["warehouses_en"] == ["Shanghai"]


def test_a_new_decision_supersedes_the_old_one_and_its_plan() -> None:
    make.network()
    [order] = make.placed()
    route([order])
    first = current(order)

    route([order])

    assert Decision.objects.count() == 2
    assert current(order).pk != first.pk
    assert FulfillmentOrder.objects.count() == 1
    assert orders.ledger_of(order) == [(0, 0, 2, 0, 0, 0)]
    assert broken() == []


def test_a_batch_does_not_oversubscribe_itself_and_the_oldest_order_chooses_first() -> None:
    make.stock(5, at="SHA")
    make.stock(3, at="CAN")
    make.card()
    young, old = make.placed(2, lines=[("TEA", 3)])
    rest = make.placed(1, lines=[("TEA", 3)])
    Order.objects.filter(pk=old.pk).update(placed_at=make.NOW - timedelta(hours=1))

    statuses = route([young, old, *rest])

    assert statuses == {old.pk: "routed", young.pk: "routed", rest[0].pk: "partial"}
    plans = {row.order_id: row.warehouse.code for row in FulfillmentOrder.objects.select_related("warehouse")}
    assert (plans[old.pk], plans[young.pk], plans[rest[0].pk]) == ("SHA", "CAN", "SHA")
    assert orders.ledger_of(rest[0]) == [(0, 1, 2, 0, 0, 0)]
    assert broken() == []


def test_capacity_of_the_day_is_shared_by_a_batch() -> None:
    make.network()
    house = make.warehouse("SHA")
    house.capacity_per_day = 2
    house.save()

    found = make.walk(make.placed(4))

    rows = FulfillmentOrder.objects.order_by("pk")
    assert [order.stage for order in found] == ["released"] * 4
    assert [(row.warehouse.code, str(row.capacity_date)) for row in rows].count(("SHA", "2026-11-22")) == 2
    assert broken() == []


def test_an_order_without_stock_waits_and_goes_on_when_stock_arrives() -> None:
    make.network(units=0)
    [order] = make.placed()

    [waiting] = make.walk([order])
    assert (waiting.stage, waiting.step, waiting.waiting_for) == ("backordered", "routing.route", "stock")
    assert orders.ledger_of(order) == [(0, 2, 0, 0, 0, 0)]
    assert orders.kinds_of(order) == ["order.placed", "order.backordered"]
    assert make.payloads(order, "order.backordered")[0]["reason"] == "out_of_stock"
    assert current(order).status == "unroutable"

    inventory.receive(
        [(make.warehouse("SHA"), orders.sku("TEA"), 5)],
        reference="asn:1",
        actor="connection:wms",
        now=make.at(2),
    )
    reopened = orders_services.reopen([orders.sku("TEA").pk], now=make.at(2), actor="system")
    [gone] = make.walk([order], now=make.at(2))

    assert reopened == 1
    assert gone.stage == "released"
    assert make.counts("SHA") == (5, 2)
    assert make.stages(order) == ["received", "backordered", "received", "routed", "released"]


def test_part_of_an_order_ships_and_the_rest_follows_when_stock_arrives() -> None:
    make.stock(10, sku="TEA")
    make.card()
    [order] = make.placed(lines=[("TEA", 1), ("CUP", 2)])

    [part] = make.walk([order])
    assert (part.stage, part.step, part.waiting_for) == ("released", "routing.route", "stock")
    assert part.promised_at is None
    assert orders.ledger_of(order) == [(0, 0, 0, 1, 0, 0), (0, 2, 0, 0, 0, 0)]
    assert orders.kinds_of(order).count("order.backordered") == 1

    inventory.receive(
        [(make.warehouse("SHA"), orders.sku("CUP"), 2)],
        reference="asn:1",
        actor="connection:wms",
        now=make.at(2),
    )
    orders_services.reopen([orders.sku("CUP").pk], now=make.at(2), actor="system")
    [whole] = make.walk([order], now=make.at(2))

    assert orders.ledger_of(order) == [(0, 0, 0, 1, 0, 0), (0, 0, 0, 2, 0, 0)]
    assert (whole.step_state, whole.fulfillments.count()) == ("done", 2)
    assert broken() == []


def test_stock_taken_between_deciding_and_reserving_is_decided_again() -> None:
    make.network(units=2)
    first, second = make.placed(2)
    make.run_steps([first], until="routing.route")
    other = make.warehouse("SHA")
    inventory.take(
        [inventory.Take("rival", other.pk, orders.sku("TEA").pk, 2)],
        reference="test",
        actor="x",
        now=make.NOW,
    )

    [moved] = make.walk([first])
    [left] = make.walk([second])

    assert (moved.stage, make.row(first).warehouse.code, moved.attempts) == ("released", "CAN", 0)
    assert (left.stage, left.waiting_for) == ("backordered", "stock")
    assert "order.rerouted" in orders.kinds_of(first)
    assert make.stages(first) == ["received", "routed", "received", "routed", "released"]


def test_a_promise_that_cannot_be_kept_is_given_anew_and_the_decision_says_so() -> None:
    make.network()
    [order] = make.placed()
    Order.objects.filter(pk=order.pk).update(promised_at=make.at(1))

    route([order])

    assert "promise_dropped" in (current(order).plan or {})["notes"]
    [order] = make.fresh([order])
    assert order.promised_at == make.at(26)


def test_goods_go_abroad_by_the_zone_of_their_country() -> None:
    make.stock(10)
    make.card("home")
    make.card("world", mode="air", zones=[{"name": "world", "countries": ["*"], "first_fee": Decimal(78)}])
    [order] = make.placed(country="DE", province="Berlin", city="Berlin")

    assert route([order]) == {order.pk: "routed"}

    [parcel] = (current(order).plan or {})["parcels"]
    assert (parcel["card"], parcel["zone"]) == ("world", "world")
    assert parcel["inputs"]["carbon"]["same_country"] is False


def test_an_order_that_nobody_delivers_to_says_why() -> None:
    make.network()
    [order] = make.placed(country="DE", province="Berlin", city="Berlin")

    assert route([order]) == {order.pk: "unroutable"}

    assert make.payloads(order, "order.backordered")[0]["reason"] == "no_lane"
    document = queries.decision_document(order.pk, language="en")
    assert document is not None
    assert document["removed"][0]["text"] == "Shanghai: no lane to the destination"


def test_strategies_green_then_channel_then_default() -> None:
    make.network()
    shop = orders.channel("wechat")
    plain, green = [*make.placed(), *make.placed(green=True)]
    [special] = make.placed(channel=shop)
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    Strategy.objects.get(code="speed").channels.add(shop)

    chosen = strategies.choose([plain, green, special], now=make.NOW)

    assert [chosen[order.pk].values["code"] for order in (plain, green, special)] == [
        "balanced",
        "green",
        "speed",
    ]
    assert chosen[plain.pk].values["yuan_per_hour"] == "0.08"


def test_saving_a_strategy_makes_a_version_only_when_figures_changed_and_counts_at_once() -> None:
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    balanced = Strategy.objects.get(code="balanced")
    [order] = make.placed()

    same = strategies.save_version(balanced, actor=None, now=make.NOW)
    balanced.yuan_per_hour = Decimal("0.10")
    balanced.save()
    newer = strategies.save_version(balanced, actor=None, now=make.NOW)

    assert (same.number, newer.number) == (1, 2)
    assert StrategyVersion.objects.count() == len(strategies.PRESETS) + 1
    assert strategies.choose([order], now=make.NOW)[order.pk] == newer
    assert strategies.in_force(balanced) == newer


def test_the_document_says_in_both_languages_why_this_way() -> None:
    make.network()
    [order] = make.placed()
    route([order])

    zh = queries.decision_document(order.pk, merchant=orders.merchant(), language="zh-hans")
    en = queries.decision_document(order.pk, merchant=orders.merchant(), language="en")

    assert zh is not None
    assert en is not None
    assert zh["sentence"].startswith("上海仓优于广州仓 ¥")
    assert en["sentence"].startswith("Shanghai beats Guangzhou by ¥")
    assert zh["strategy"]["name"] == "均衡"
    assert en["notes"][0]["code"] == "prices_missing"
    assert zh["rounding_error"] == 0
    terms = {row["code"]: row for row in zh["terms"]}
    assert sum(row["difference"] for row in zh["terms"]) == Decimal(zh["winner"]["total"]) - Decimal(
        zh["runner_up"]["total"]
    )
    assert (terms["freight"]["label"], terms["freight"]["winner"]) == ("运费", Decimal("10.0000"))
    assert queries.decision_document(order.pk, merchant=orders.merchant("stranger")) is None


def test_many_removals_are_kept_as_examples_and_counts() -> None:
    make.stock(100)
    make.stock(1, at="CAN", sku="SKU0")
    make.card()
    [order] = make.placed(lines=[("TEA", 1), *((f"SKU{n}", 1) for n in range(60))])

    route([order])

    removed = current(order).removed
    assert len(removed) <= 51
    assert [row["count"] for row in removed if "count" in row] != []
    document = queries.decision_document(order.pk)
    assert document is not None
    assert any("另有" in row["text"] for row in document["removed"])


@pytest.mark.parametrize("count", [1, 50])
def test_the_journey_costs_a_constant_number_of_queries(count: int) -> None:
    """From routing to release, savepoints left out."""
    make.network(units=1000, skus=("TEA", "CUP"))
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    found = make.placed(count, lines=[("TEA", 1), ("CUP", 2)])
    make.run_steps(found, until="order.price")

    spent = {}
    for step in ("routing.route", "fulfillment.reserve", "routing.wave", "fulfillment.release"):
        with CaptureQueriesContext(connection) as made:
            make.run_steps(found, until=step)
        spent[step] = sum("SAVEPOINT" not in query["sql"] for query in made)

    assert Order.objects.filter(stage="released").count() == count
    assert OrderLine.objects.filter(released__gt=0).count() == 2 * count
    assert Event.objects.filter(kind="fulfillment.released").count() == count
    assert all(number <= BUDGET[step] for step, number in spent.items()), spent


#: Reading the orders, the step, and moving the step pointer.
BUDGET = {"routing.route": 36, "fulfillment.reserve": 22, "routing.wave": 10, "fulfillment.release": 19}


def test_an_order_that_lost_its_stock_three_times_waits_and_is_tried_again_by_the_clock() -> None:
    make.network(units=2, at=("SHA",))
    [order] = make.placed()
    make.run_steps([order], until="routing.route")
    Order.objects.filter(pk=order.pk).update(attempts=2)
    place = make.warehouse("SHA").pk, orders.sku("TEA").pk
    rival = [inventory.Take("rival", *place, 2)]
    inventory.take(rival, reference="test", actor="x", now=make.NOW)

    [waiting] = make.walk([order])
    told = make.payloads(order, "order.backordered")
    inventory.free(rival, reference="test", actor="x", now=make.at(1))
    tried = retry_lost_races(now=make.at(1))
    [after] = make.walk([order], now=make.at(1))

    assert (waiting.stage, waiting.waiting_for, waiting.attempts) == ("backordered", "stock", 0)
    assert told[0]["reason"] == "stock_taken"
    assert tried == 1
    assert retry_lost_races(now=make.at(2)) == 0
    assert after.stage == "released"


def test_the_only_warehouse_is_asked_twice_and_then_the_order_says_that_everybody_refused() -> None:
    make.network(at=("SHA",))
    [order] = make.released()
    make.apply(make.say("reject", order, 1, reason="damaged"))

    [asked_again] = make.walk([order], now=make.at(1))
    make.apply(make.say("reject", order, 2, reason="damaged"))
    [waiting] = make.walk([order], now=make.at(2))

    assert asked_again.stage == "released"
    assert waiting.stage == "backordered"
    assert make.payloads(order, "order.backordered")[0]["reason"] == "refused_before"
    document = queries.decision_document(order.pk, language="en")
    assert document is not None
    assert [row["text"] for row in document["removed"]] == [
        "Shanghai: refused this order before or could not pick it"
    ]


def test_a_decision_whose_terms_do_not_add_up_is_found() -> None:
    make.network()
    [order] = make.placed()
    route([order])
    Decision.objects.update(total=Decimal(1))

    assert broken()[0].startswith(f"decision {current(order).pk}: total 1")
