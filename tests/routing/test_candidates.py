"""What a decision may choose from: stock, capacity by day, services, refusals, prices."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from carbon.defaults import lane_for
from orderhub.inventory.models import WarehouseDay
from orderhub.orders.models import Order, OrderLine
from routing import candidates, load
from routing.candidates import Offer
from routing.engine.model import Node
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def offer(order: Order, *, hours: float = 0) -> Offer:
    lines = list(OrderLine.objects.filter(order=order).select_related("sku"))
    return candidates.take_snapshot([order], lines, now=make.at(hours)).offer(order, lines)


def nodes(order: Order, *, hours: float = 0) -> dict[str, Node]:
    return {node.code: node for node in offer(order, hours=hours).nodes}


def test_sellable_stock_leaves_out_what_is_reserved_or_kept_for_safety() -> None:
    row = make.stock(10)
    row.reserved, row.safety = 3, 2
    row.save()
    make.card()
    [order] = make.placed()

    found = nodes(order)["SHA"]

    assert dict(found.stock) == {orders.sku("TEA").pk: 5}
    assert not found.frozen
    assert found.cutoff_wait_hours == 0


def test_after_the_cut_off_the_next_morning_counts() -> None:
    make.network(at=("SHA",))
    [order] = make.placed()

    # 10:00 in Shanghai; the cut-off is 16:00, work starts again at 08:00
    before, after = nodes(order, hours=6)["SHA"], nodes(order, hours=6.5)["SHA"]

    assert before.cutoff_wait_hours == 0
    assert after.cutoff_wait_hours == Decimal("15.50")


def test_a_full_day_moves_on_to_the_next_one_and_a_filling_day_costs() -> None:
    make.network(at=("SHA",))
    house = make.warehouse("SHA")
    house.capacity_per_day = 10
    house.save()
    WarehouseDay.objects.create(warehouse=house, date=date(2026, 11, 22), parcels=10)
    WarehouseDay.objects.create(warehouse=house, date=date(2026, 11, 23), parcels=9)
    [order] = make.placed()

    found = nodes(order)["SHA"]

    assert found.capacity_left == 1
    assert found.cutoff_wait_hours == Decimal("22.00")
    assert found.capacity_price == Decimal("2.00")


def test_a_week_of_full_days_leaves_no_capacity() -> None:
    make.network(at=("SHA",))
    house = make.warehouse("SHA")
    house.capacity_per_day = 1
    house.save()
    for n in range(load.DAYS_AHEAD):
        WarehouseDay.objects.create(warehouse=house, date=date(2026, 11, 22) + timedelta(days=n), parcels=1)
    [order] = make.placed()

    assert nodes(order)["SHA"].capacity_left == 0


def test_frozen_warehouses_goods_and_service_areas_reach_the_engine() -> None:
    make.network(at=("SHA",))
    house = make.warehouse("SHA")
    house.is_frozen, house.accepts, house.serves_provinces = True, ["cold"], ["浙江"]
    house.save()
    [order] = make.placed()

    found = nodes(order)["SHA"]

    assert (found.frozen, found.accepts, found.serves_region) == (True, frozenset({"cold"}), True)


def test_an_inactive_warehouse_is_no_candidate() -> None:
    make.network()
    house = make.warehouse("SHA")
    house.is_active = False
    house.save()
    [order] = make.placed()

    assert set(nodes(order)) == {"CAN"}


def test_the_service_asked_for_is_the_slowest_allowed_and_green_may_go_slowly() -> None:
    make.stock(10)
    for service in ("economy", "standard", "express"):
        make.card(service, service=service)
    [plain] = make.placed()
    [express] = make.placed(service="express")
    [green] = make.placed(green=True)

    def services(order: Order) -> list[str]:
        return [lane.service for lane in nodes(order)["SHA"].lanes]

    assert services(plain) == ["express", "standard"]
    assert services(express) == ["express"]
    assert services(green) == ["economy", "express", "standard"]


def test_a_service_that_nobody_offers_is_told_and_the_others_are_compared() -> None:
    make.network(at=("SHA",))
    [order] = make.placed(service="express")

    found = offer(order)

    assert [lane.service for lane in found.nodes[0].lanes] == ["standard"]
    assert "service_not_offered" in found.notes


def test_the_carbon_of_a_lane_is_the_carbon_apps_own() -> None:
    make.network(at=("SHA",))
    [order] = make.placed()

    [lane] = nodes(order)["SHA"].lanes
    option = offer(order).options[make.warehouse("SHA").pk, "ground"]
    own = lane_for(
        distance_km=option.great_circle_km.quantize(Decimal(1)), service="standard", same_country=True,
        province="sh", country="CN", iso3="CHN", green=False, remote=False, mode="road",
    )  # fmt: skip

    goods_grams = 1000
    told = Decimal(goods_grams + lane.parcel_grams) / 1000 * lane.kgco2e_per_kg + lane.kgco2e_per_parcel
    assert abs(told - (own.kgco2e_per_kg + own.kgco2e_per_parcel)) < Decimal("1e-12")


def test_a_warehouse_that_refused_the_order_is_not_asked_again() -> None:
    make.network()
    [order] = make.released()
    make.apply(make.say("reject", order, 1, reason="damaged"))

    found = offer(order)

    assert [node.code for node in found.nodes] == ["CAN"]
    assert found.refused == {make.warehouse("SHA").pk}


def test_without_a_price_book_stock_has_no_price_and_the_decision_says_so() -> None:
    make.network()
    [order] = make.placed()

    found = offer(order)

    assert {node.code: dict(node.stock_price) for node in found.nodes} == {"SHA": {}, "CAN": {}}
    assert found.notes == ["prices_missing"]
