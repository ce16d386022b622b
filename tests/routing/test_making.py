"""A factory makes to order what no shelf has: routed, promised with the hours of making, counted by day, shipped."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.events.models import Event
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentLine
from orderhub.fulfillment.updates import Count
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Movement, Stock, Warehouse, WarehouseDay, Workshop
from orderhub.orders.models import Order, OrderLine
from routing import candidates, mending, queries, replaying
from routing.models import Decision
from routing.promise import places, quoting
from routing.waves import planning
from tests import make as hub
from tests.admin import desk
from tests.fulfillment import builders as make
from tests.journeys.invariants import assert_all_hold
from tests.orders import builders as orders
from tests.routing import twin_cast as twin

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 22)


def factory(*skus: str, units: int | None = 5, hours: int = 48, at: str = "CAN", **fields: Any) -> Workshop:
    """A factory that makes these SKUs to order; its shelf is empty."""
    house = make.warehouse(at, kind=Warehouse.Kind.FACTORY)
    shop, _made = Workshop.objects.get_or_create(
        warehouse=house,
        defaults={
            "merchant": orders.merchant(), "units_per_day": units, "hours": Decimal(hours), **fields,
        },
    )  # fmt: skip
    shop.skus.set([orders.sku(code) for code in skus])
    return shop


def part(order: Order) -> FulfillmentLine:
    return FulfillmentLine.objects.select_related("fulfillment__warehouse").get(
        fulfillment__order=order, fulfillment=make.row(order)
    )


def made_days() -> dict[date, int]:
    return dict(WarehouseDay.objects.exclude(made=0).values_list("date", "made"))


def kept(order: Order) -> Decision:
    found = queries.current(order.pk)
    assert found is not None
    return found


def test_a_sku_that_no_warehouse_has_is_made_promised_and_shipped() -> None:
    make.network(at=("SHA",), skus=("CUP",))
    make.stock(0, at="SHA")
    factory("TEA")
    [order] = make.placed()

    [gone] = make.walk([order])

    line = part(order)
    assert (gone.stage, line.fulfillment.warehouse.code) == ("released", "CAN")
    assert (line.quantity, line.reserved, line.made_on) == (2, 2, TODAY)
    assert made_days() == {TODAY: 2}
    assert not Movement.objects.filter(stock__warehouse__code="CAN").exists()
    plan = kept(order).plan
    assert plan is not None
    lane = line.fulfillment.planned_hours - 48
    assert lane > 0  # the carrier's own hours beside those of making
    assert gone.promised_at is not None
    assert gone.promised_at >= make.NOW + timedelta(hours=float(line.fulfillment.planned_hours) * 1.25)
    assert "made_to_order" in plan["notes"]
    assert replaying.compare(kept(order)).is_identical
    assert orders.ledger_of(order) == [(0, 0, 0, 2, 0, 0)]
    assert_all_hold()

    assert make.apply(make.say("ship", order, 60, tracking_number="SF1")) == [("applied", "")]

    [sent] = make.fresh([order])
    assert sent.stage == "shipped"
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 2, 0)]
    assert not Movement.objects.filter(kind="ship").exists()
    assert made_days() == {TODAY: 2}  # the work of that day is done, not given back
    assert_all_hold()


def test_beyond_the_units_of_a_day_the_next_day_makes_it_and_the_promise_says_so() -> None:
    make.network(at=("SHA",), skus=("CUP",))
    factory("TEA", units=3)
    first, second = make.walk(make.placed(2))

    assert {first.stage, second.stage} == {"released"}
    assert [part(order).made_on for order in (first, second)] == [TODAY, TODAY + timedelta(days=1)]
    assert made_days() == {TODAY: 2, TODAY + timedelta(days=1): 2}
    # 22 hours from ten in the morning to eight the next one.
    hours = [part(order).fulfillment.planned_hours for order in (first, second)]
    assert hours[1] - hours[0] == 22
    assert_all_hold()


def test_with_all_days_full_it_waits_and_goes_on_when_a_day_begins() -> None:
    make.network(at=("SHA",), skus=("CUP",))
    factory("TEA", units=2)
    placed = make.placed(8)

    found = make.walk(placed)

    assert [order.stage for order in found] == ["released"] * 7 + ["backordered"]
    assert make.payloads(placed[7], "order.backordered")[0]["reason"] == "out_of_stock"
    events = Event.objects.count()
    assert mending.sweep(now=make.at(1)) == 0
    assert Event.objects.count() == events  # trying makes no noise

    assert mending.sweep(now=make.at(24)) == 1
    [late] = make.walk([placed[7]], now=make.at(24))
    assert (late.stage, part(late).made_on) == ("released", TODAY + timedelta(days=7))
    assert_all_hold()


def test_a_line_longer_than_a_day_goes_out_in_parts() -> None:
    factory("TEA", units=5)
    make.card()
    [order] = make.placed(lines=[("TEA", 8)])

    [found] = make.walk([order])

    assert found.stage == "released"
    parts = FulfillmentLine.objects.filter(fulfillment__order=order).order_by("pk")
    assert [(one.quantity, one.made_on) for one in parts] == [(5, TODAY), (3, TODAY + timedelta(days=1))]
    assert_all_hold()


def test_stock_elsewhere_is_taken_where_that_is_cheaper() -> None:
    make.network(at=("SHA",))
    factory("TEA")
    [order] = make.placed()

    make.walk([order])

    assert (part(order).fulfillment.warehouse.code, part(order).made_on) == ("SHA", None)
    assert made_days() == {}


def test_what_lies_on_its_own_shelf_is_not_made() -> None:
    make.stock(2, at="CAN")
    factory("TEA")
    make.card()
    Warehouse.objects.filter(code="CAN").update(kind="factory")
    first, second = make.walk(make.placed(2))

    assert [part(order).made_on for order in (first, second)] == [None, TODAY]
    assert make.counts("CAN") == (2, 2)
    assert_all_hold()


@pytest.mark.parametrize("how", ["cancel", "reject", "short"])
def test_what_is_not_made_after_all_gives_the_day_its_units_back(how: str) -> None:
    factory("TEA")
    make.card()
    [order] = make.walk(make.placed())
    if how == "cancel":
        fulfillment.cancel([order.pk], reason="customer", actor="user:li", now=make.at(1))
        make.apply(make.say("cancelled", order, 2))
    elif how == "reject":
        make.apply(make.say("reject", order, 2, reason="machine"))
    else:
        make.apply(make.say("short", order, 2, lines=(Count("TEA", 1),)))

    assert made_days() == ({TODAY: 1} if how == "short" else {})
    assert Stock.objects.filter(warehouse__code="CAN").count() == 0
    assert_all_hold()


def test_an_order_cancelled_before_its_release_gives_the_day_its_units_back() -> None:
    factory("TEA")
    make.card()
    [order] = make.placed()
    make.run_steps([order], until="fulfillment.reserve")
    assert made_days() == {TODAY: 2}
    assert_all_hold()

    fulfillment.cancel([order.pk], reason="customer", actor="user:li", now=make.at(1))

    assert made_days() == {}
    assert_all_hold()


def test_units_of_a_day_are_never_promised_twice() -> None:
    """Somebody else took the day's units between deciding and reserving: the order is planned afresh."""
    shop = factory("TEA", units=3)
    make.card()
    [order] = make.placed()
    make.run_steps([order], until="routing.route")
    rival = [inventory.Load("rival", shop.warehouse_id, TODAY, parcels=0, made=2)]
    assert inventory.take_capacity(rival) == set()
    assert inventory.take_capacity(rival) == {"rival"}

    [gone] = make.walk([order])

    assert (gone.stage, part(order).made_on) == ("released", TODAY + timedelta(days=1))
    assert make.payloads(order, "order.rerouted")[0]["reason"] == "capacity_taken"
    inventory.free_capacity(rival)
    assert_all_hold()


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"warehouse__kind": "warehouse"}, {"warehouse__is_frozen": True}]
)
def test_what_is_no_working_factory_makes_nothing(change: dict[str, Any]) -> None:
    shop = factory("TEA")
    make.card()
    for name, value in change.items():
        row: Any = shop.warehouse if name.startswith("warehouse__") else shop
        setattr(row, name.removeprefix("warehouse__"), value)
        row.save()
    [order] = make.walk(make.placed())

    assert order.stage == "backordered"
    assert made_days() == {}


def test_a_factory_switched_off_between_deciding_and_reserving_is_not_given_the_order() -> None:
    shop = factory("TEA")
    make.card()
    [order] = make.placed()
    make.run_steps([order], until="routing.route")
    Workshop.objects.filter(pk=shop.pk).update(is_active=False)

    [waiting] = make.walk([order])

    assert waiting.stage == "backordered"
    assert_all_hold()


def test_orders_with_goods_made_to_order_keep_their_plan_in_a_wave() -> None:
    factory("TEA")
    make.card()
    [order] = make.placed()
    make.run_steps([order], until="fulfillment.reserve")
    Order.objects.filter(pk=order.pk).update(step="routing.wave", step_state="waiting", waiting_for="wave")

    proposal = planning.propose(orders.merchant().pk, releases_at=make.at(2), max_changes=None, seconds=1.0)

    assert (proposal.orders, proposal.untouched, proposal.changes) == (0, 1, ())


def shop_of(units: int, hours: int) -> Workshop:
    """The shop's warehouse in Guangzhou becomes a factory that makes lamps."""
    house = Warehouse.objects.get(code="CAN")
    Warehouse.objects.filter(pk=house.pk).update(kind=Warehouse.Kind.FACTORY)
    found = Workshop.objects.create(
        merchant=house.merchant, warehouse=house, units_per_day=units, hours=Decimal(hours)
    )
    found.skus.add(hub.goods()["LAMP"])
    return found


def test_a_what_if_replays_orders_that_were_made() -> None:
    twin.shop({"HGH": {"CUP": 5}, "CAN": {"CUP": 0}})
    shop_of(2, 24)
    now = hub.NOW
    for number in range(6):
        now += timedelta(minutes=20)
        twin.ordered(number, {"LAMP": 1, "CUP": 1} if number % 2 else {"LAMP": 1}, now=now)

    result = twin.result_of(now + timedelta(hours=1))

    assert FulfillmentLine.objects.exclude(made_on=None).count() == 6
    assert result["fidelity"]["same"] == result["fidelity"]["plans"] == 6
    assert result["changed"] == 0


def test_a_cart_is_promised_what_a_factory_makes() -> None:
    hub.network(units=0)
    shop = shop_of(9, 72)
    spot = places.Spot("CN", "浙江省", "杭州市", Decimal("30.27"), Decimal("120.15"), is_remote=False)

    def quoted(code: str) -> quoting.Option:
        cart = quoting.Cart(shop.merchant_id, {hub.goods()[code]: 1}, spot, now=hub.NOW)
        return quoting.quote(cart, ["standard"])[0]

    made, missing = quoted("LAMP"), quoted("CUP")

    assert made.is_available
    assert made.arrives_from >= (hub.NOW + timedelta(hours=72)).date()
    assert missing.reason == "out_of_stock"


@pytest.mark.parametrize("count", [1, 20])
def test_reading_what_factories_make_is_one_query_for_a_batch(count: int) -> None:
    factory("TEA", units=None)
    make.card()
    placed = make.placed(count)
    lines = list(OrderLine.objects.filter(order__in=placed).select_related("sku"))
    network = candidates.read_network([orders.merchant().pk])

    with CaptureQueriesContext(connection) as made:
        candidates.take_snapshot(placed, lines, now=make.NOW, network=network)

    assert sum("inventory_workshop" in query["sql"] for query in made) == 1
    assert len(made) <= 8


# ---- in the admin ----------------------------------------------------------------------------------


def form(**fields: Any) -> dict[str, Any]:
    return {
        "merchant": orders.merchant().pk, "warehouse": make.warehouse("CAN").pk, "skus": [orders.sku("TEA").pk],
        "units_per_day": "5", "hours": "48", "is_active": "on", **fields,
    }  # fmt: skip


def test_an_operator_says_what_a_factory_makes_and_waiting_orders_are_told() -> None:
    make.warehouse("CAN", kind="factory")
    client = desk.member("operator", "en")

    answer = client.post(reverse("admin:inventory_workshop_add"), form())

    assert answer.status_code == 302
    shop = Workshop.objects.get()
    assert [sku.code for sku in shop.skus.all()] == ["TEA"]
    told = Event.objects.get(kind="workshop.changed")
    assert told.payload == {"warehouse": "CAN", "takes_orders": True}
    page = client.get(reverse("admin:inventory_workshop_changelist")).content.decode()
    assert "48" in page


def test_only_a_factory_of_the_merchant_makes_to_order() -> None:
    make.warehouse("CAN")
    other = orders.sku("ODD", owner=orders.merchant("other"))
    client = desk.boss("en")

    answer = client.post(reverse("admin:inventory_workshop_add"), form(skus=[other.pk], hours="-1"))

    text = answer.content.decode()
    assert "Only a factory makes to order" in text
    assert "This belongs to another merchant." in text
    assert "greater than or equal to 0" in text
    assert not Workshop.objects.exists()
