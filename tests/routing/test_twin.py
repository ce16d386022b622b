"""The twin: real orders routed again, faithful to what happened, under other figures, touching nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Warehouse
from orderhub.orders import services as orders
from orderhub.orders.advance import advance
from orderhub.orders.models import Order
from routing import strategies
from routing.models import Decision
from routing.twin.models import TwinRun
from tests import cast, make
from tests.routing import twin_cast as twin

pytestmark = pytest.mark.django_db


def plans(result: dict[str, Any]) -> tuple[int, int]:
    """Decisions replayed as they really were, and all."""
    return result["fidelity"]["same"], result["fidelity"]["plans"]


def test_the_same_figures_do_what_was_really_done() -> None:
    twin.shop()
    now = twin.a_week()
    statuses = set(Decision.objects.values_list("status", flat=True))
    houses = set(FulfillmentOrder.objects.values_list("warehouse_id", flat=True))

    result = twin.result_of(now)

    assert statuses == {"routed", "partial", "unroutable"}
    assert len(houses) == 3
    assert plans(result) == (Decision.objects.count(), Decision.objects.count())
    assert result["fidelity"]["cost_gap"] == 0
    assert (result["orders"], result["changed"]) == (24, 0)
    assert all(figure["difference"] == 0 for figure in result["figures"].values())


def test_capacity_that_runs_out_is_replayed_too() -> None:
    twin.shop({"HGH": {"LAMP": 50}, "CAN": {"LAMP": 50}}, capacity_per_day=2)
    now = make.NOW
    for number in range(9):
        now += timedelta(minutes=20)
        twin.ordered(number, {"LAMP": 1}, now=now)

    result = twin.result_of(now + timedelta(hours=1))

    assert Decision.objects.filter(status="routed").count() == 9
    assert plans(result) == (9, 9)
    assert result["changed"] == 0


def test_a_receipt_brings_waiting_orders_back_in_the_replay() -> None:
    twin.shop({"HGH": {"LAMP": 1}})
    now = make.NOW
    first = twin.ordered(1, {"LAMP": 1}, now=now)
    waiting = twin.ordered(2, {"LAMP": 2}, now=now + timedelta(hours=1))
    _receive(5, at=now + timedelta(hours=20))
    again = now + timedelta(hours=21)
    orders.reroute([waiting.pk], reason="stock", actor="system", now=again)
    advance([waiting.pk], now=again, actor="system")

    result = twin.result_of(again + timedelta(hours=1))

    assert first.stage == "released"
    statuses = Decision.objects.filter(order=waiting).order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["unroutable", "routed"]
    assert plans(result) == (3, 3)
    assert result["statuses"][0] == {"routed": 2}


def test_what_was_cancelled_is_free_again_for_the_orders_after_it() -> None:
    twin.shop({"HGH": {"LAMP": 2}})
    now = make.NOW
    first = twin.ordered(1, {"LAMP": 2}, now=now)
    _cancel_at_warehouse(first, now=now + timedelta(hours=1))
    twin.ordered(2, {"LAMP": 2}, now=now + timedelta(hours=2))

    result = twin.result_of(now + timedelta(hours=3))

    assert plans(result) == (2, 2)
    assert result["statuses"] == [{"cancelled": 1, "routed": 1}] * 2


def test_nothing_but_the_run_is_written() -> None:
    twin.shop()
    now = twin.a_week(count=8)
    twin.replayed(now - timedelta(seconds=1))

    with CaptureQueriesContext(connection) as queries:
        twin.result_of(now, yuan_per_hour="0.9")

    words = [query["sql"].split(None, 3)[:3] for query in queries]
    written = {
        _table(parts) for parts in words if parts and parts[0].upper() in ("INSERT", "UPDATE", "DELETE")
    }
    assert written == {"routing_twinrun"}


def test_figures_are_those_counted_by_hand() -> None:
    """Two orders, two warehouses: the near one has one lamp, the far one costs ¥7 more and 10 hours."""
    twin.shop({"HGH": {"LAMP": 1, "CUP": 0}, "CAN": {"LAMP": 9, "CUP": 9}})
    now = make.NOW
    one = twin.ordered(1, {"LAMP": 1}, now=now)
    two = twin.ordered(2, {"LAMP": 1, "CUP": 1}, now=now + timedelta(hours=1))

    result = twin.result_of(now + timedelta(hours=2))

    logged = [Decision.objects.get(order=order).plan or {} for order in (one, two)]
    assert [[p["code"] for p in plan["parcels"]] for plan in logged] == [["HGH"], ["CAN"]]
    money = [_sum(plan, ("freight", "handling")) for plan in logged]
    hours = [Decimal(plan["hours"]) for plan in logged]
    figures = result["figures"]
    assert figures["money"]["current"] == pytest.approx(float(sum(money) / 2))
    assert figures["hours"]["current"] == pytest.approx(float(sum(hours) / 2), abs=1e-3)
    assert figures["kgco2e"]["current"] == pytest.approx(
        float(sum(Decimal(plan["kgco2e"]) for plan in logged) / 2), abs=1e-6
    )
    rates = strategies.rates_of(twin.figures())
    value = (
        sum(money)
        + sum(hours) * rates.yuan_per_hour
        + sum(Decimal(plan["kgco2e"]) * rates.yuan_per_kgco2e for plan in logged)
    )
    assert figures["value"]["current"] == pytest.approx(float(value / 2), abs=1e-4)
    assert figures["split"]["current"] == figures["late"]["current"] == 0
    assert figures["parcels"]["current"] == 1
    assert {row["parcels"][0] for row in result["warehouses"]} == {1}
    assert (result["paired"], result["days"]) == (2, 1)
    assert figures["money"]["low"] is None, "one day has no range"


def test_a_draft_that_hates_splitting_sends_one_parcel_and_what_it_took_is_gone_for_later_orders() -> None:
    """Three heavy lamps lie near and far, the quilt only far: two parcels are cheaper unless splitting is dear."""
    twin.shop({"HGH": {"LAMP": 5, "QUILT": 0}, "CAN": {"LAMP": 3, "QUILT": 9}})
    now = make.NOW
    both = twin.ordered(1, {"LAMP": 3, "QUILT": 1}, now=now)
    later = twin.ordered(2, {"LAMP": 1}, now=now + timedelta(hours=1), to=cast.LEI)

    result = twin.result_of(now + timedelta(hours=2), yuan_per_extra_parcel="50")

    house = {row.code: row.pk for row in Warehouse.objects.all()}
    rows = {row["order"]: row for row in result["top"]}
    assert sorted(rows[both.pk]["current"]["warehouses"]) == sorted(house.values())
    assert rows[both.pk]["draft"]["warehouses"] == [house["CAN"]]
    # Guangzhou's lamps went with the quilt, so the later order comes from Hangzhou.
    assert rows[later.pk]["current"]["warehouses"] == [house["CAN"]]
    assert rows[later.pk]["draft"]["warehouses"] == [house["HGH"]]
    assert (result["changed"], plans(result)) == (2, (2, 2))
    assert (result["figures"]["split"]["current"], result["figures"]["split"]["draft"]) == (0.5, 0)
    assert {row["warehouse"]: row["parcels"] for row in result["warehouses"]} == {
        house["HGH"]: [1, 1],
        house["CAN"]: [2, 1],
    }


def test_a_strategy_that_routed_nothing_stands_for_all_orders_and_says_so() -> None:
    twin.shop()
    now = twin.a_week(count=6)
    green = twin.default().__class__.objects.get(code="green")

    run = twin.service.start(green, twin.figures(), 7, now=now)
    twin.service.work(now)

    run.refresh_from_db()
    assert run.state == TwinRun.State.DONE
    assert run.result is not None
    assert run.result["scope"] == "all"
    assert [row["code"] for row in run.result["notes"]] == ["unused"]
    assert run.result["orders"] == 6


def test_agreement_is_judged_with_the_figures_of_the_day() -> None:
    twin.shop()
    now = twin.a_week(count=10)
    strategy = twin.default()
    strategy.yuan_per_hour = Decimal("0.9")
    strategy.save()
    strategies.save_version(strategy, actor=None, now=now)

    result = twin.result_of(now)

    assert plans(result) == (Decision.objects.count(), Decision.objects.count())
    assert "changed_since" in [row["code"] for row in result["notes"]]


def test_decisions_without_kept_inputs_use_todays_values_and_say_so() -> None:
    twin.shop({"HGH": {"LAMP": 50}, "CAN": {"LAMP": 50}})
    for number in range(4):
        twin.ordered(number, {"LAMP": 1}, now=make.NOW + timedelta(hours=number))
    Decision.objects.update(inputs=None)

    result = twin.result_of(make.NOW + timedelta(hours=5))

    assert {"code": "unlogged", "count": 4} in result["notes"]
    assert result["orders"] == 4


def _receive(units: int, *, at: Any) -> None:
    inventory.receive(
        [(make.warehouse("HGH"), make.goods()["LAMP"], units)], reference="asn:1", actor="test", now=at
    )


def _cancel_at_warehouse(order: Order, *, now: Any) -> None:
    """Cancelled before the warehouse had it: reserved units go back to the shelf."""
    rows = list(FulfillmentOrder.objects.filter(order=order).prefetch_related("lines"))
    takes = [
        inventory.Take(order.pk, row.warehouse_id, line.sku_id, line.reserved)
        for row in rows
        for line in row.lines.all()
    ]
    inventory.free(takes, reference="order", actor="test", now=now)


def _sum(plan: dict[str, Any], terms: Iterable[str]) -> Decimal:
    return sum((Decimal(plan["terms"][term]) for term in terms), Decimal(0))


def _table(parts: list[str]) -> str:
    name = parts[1] if parts[0].upper() == "UPDATE" else parts[2]
    return name.strip('"').split("(")[0].strip('" ')
