"""Orders that wait for something to be put right go on by themselves once it is, and nobody is told of mere tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub.events import registry, relay
from orderhub.events.models import Event
from orderhub.fulfillment.models import RateCard, RateZone
from orderhub.inventory.models import CustomsLane, Sku, Warehouse, Workshop
from orderhub.kernel import clock
from orderhub.orders.models import Order
from routing import drafts, mending, services, strategies
from routing.models import Strategy
from routing.pricing.models import SkuBan
from tests import make as hub
from tests.admin import desk
from tests.connectors import import_cast
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's clock stands at the builders' moment."""
    monkeypatch.setattr(clock, "now", lambda: make.at(1))


def run() -> None:
    """Work off the queue of orders and of what may let them go on."""
    while relay.run_queue("route"):
        pass


def stage(order: Order) -> str:
    return str(make.fresh([order])[0].stage)


def waiting(reason: str, **fields: Any) -> Order:
    """An order that was walked and waits for this reason; every delivery so far is done."""
    [order] = make.walk(make.placed(**fields))
    run()
    assert order.stage == "backordered"
    assert make.payloads(order, "order.backordered")[0]["reason"] == reason
    return order


def assert_goes_on(order: Order) -> None:
    """By what is in the log alone."""
    assert stage(order) == "backordered"
    run()
    assert stage(order) == "released"
    assert make.payloads(order, "order.rerouted")[-1]["reason"] == "mended"


# ---- a weight --------------------------------------------------------------------------------------


def no_weight() -> Order:
    make.network()
    Sku.objects.filter(code="TEA").update(grams=0)
    return waiting("no_weight")


def sku_form(**fields: Any) -> dict[str, Any]:
    sku = orders.sku("TEA")
    return {
        "merchant": sku.merchant_id, "code": "TEA", "name": "TEA", "name_en": "", "category": "", "price": "1.00",
        "currency": "CNY", "grams": str(sku.grams), "volume_cm3": "0", "traits": json.dumps(sku.traits),
        "hs_code": "", "is_active": "on", **fields,
    }  # fmt: skip


def test_a_weight_entered_in_the_admin() -> None:
    order = no_weight()

    page = desk.boss("en").post(
        reverse("admin:inventory_sku_change", args=(orders.sku("TEA").pk,)), sku_form(grams="300")
    )

    assert page.status_code == 302
    assert_goes_on(order)


def test_a_changed_name_alone_is_not_told() -> None:
    order = no_weight()

    desk.boss("en").post(
        reverse("admin:inventory_sku_change", args=(orders.sku("TEA").pk,)), sku_form(name="Tea", grams="0")
    )

    assert not Event.objects.filter(kind="sku.changed").exists()
    assert stage(order) == "backordered"


def test_a_weight_from_a_file_in_the_admin() -> None:
    order = no_weight()
    sku = orders.sku("TEA")
    client = desk.boss("en")
    text = f"id,merchant,code,name,price,currency,grams\n{sku.pk},{sku.merchant_id},TEA,TEA,1,CNY,300\n"

    confirm(client, "inventory_sku", text)

    assert_goes_on(order)
    assert Event.objects.filter(kind="sku.changed").count() == 1


def test_a_weight_by_the_api() -> None:
    order = no_weight()

    answer = api("stock:write").patch(f"/api/v1/skus/{orders.sku('TEA').pk}/", {"grams": 300}, format="json")

    assert answer.status_code == 200, answer.content
    assert_goes_on(order)


def test_a_weight_from_a_merchants_listing() -> None:
    """The file merchants upload; told only where a known SKU's weight is another."""
    order = no_weight()
    from_file("skus", "sku,name,price,grams\nTEA,TEA,1.00,300\nNEW,New,1.00,10\n")

    told = Event.objects.get(kind="sku.changed")
    assert told.payload == {"skus": ["TEA"]}
    assert_goes_on(order)


# ---- tariffs, borders, strategies, factories -------------------------------------------------------


def bad_tariff() -> Order:
    make.network(at=("SHA",))
    RateZone.objects.update(step_grams=0)
    return waiting("bad_tariff")


def zones(card: RateCard, **fields: Any) -> dict[str, Any]:
    zone = card.zones.get()
    return {
        "merchant": card.merchant_id, "code": card.code, "carrier": "SF", "name": card.name, "name_en": "",
        "service": "standard", "mode": "road", "currency": "CNY", "max_grams": "", "is_active": "on",
        "zones-TOTAL_FORMS": "1", "zones-INITIAL_FORMS": "1", "zones-0-id": zone.pk, "zones-0-card": card.pk,
        "zones-0-name": "all", "zones-0-countries": "[]", "zones-0-first_grams": "1000",
        "zones-0-first_fee": "8.00", "zones-0-step_grams": "1000", "zones-0-step_fee": "2.00",
        "zones-0-base_hours": "12.00", "zones-0-hours_per_100km": "1.800", **fields,
    }  # fmt: skip


def test_a_zone_saved_in_the_admin() -> None:
    order = bad_tariff()
    card = RateCard.objects.get()

    page = desk.boss("en").post(reverse("admin:fulfillment_ratecard_change", args=(card.pk,)), zones(card))

    assert page.status_code == 302, page.content.decode()[:2000]
    assert Event.objects.get(kind="rates.changed").payload == {"cards": ["ground"]}
    assert_goes_on(order)


def test_a_card_switched_on_by_a_file() -> None:
    make.network(at=("SHA",))
    RateCard.objects.update(is_active=False)
    order = waiting("no_lane")
    card = RateCard.objects.get()

    confirm(
        desk.boss("en"), "fulfillment_ratecard",
        "id,merchant,code,carrier,name,service,mode,currency,is_active\n"
        f"{card.pk},{card.merchant_id},ground,SF,ground,standard,road,CNY,1\n",
    )  # fmt: skip

    assert_goes_on(order)


def test_a_border_opened_in_the_admin() -> None:
    make.stock(100)
    make.card(zones=[{"countries": ["*"]}])
    row = CustomsLane.objects.create(
        merchant=orders.merchant(), from_country="CN", to_country="DE", is_open=False
    )
    order = waiting("no_customs_lane", country="DE", province="Berlin", city="Berlin")

    desk.boss("en").post(
        reverse("admin:inventory_customslane_change", args=(row.pk,)),
        {"merchant": row.merchant_id, "from_country": "CN", "to_country": "DE", "is_open": "on"},
    )

    assert_goes_on(order)


def test_a_strategy_version_published() -> None:
    make.network()
    strategies.ensure_presets(orders.merchant(), now=make.NOW)
    green = Strategy.objects.get(code="green")
    Strategy.objects.filter(pk=green.pk).update(yuan_per_hour=Decimal(-3))
    green.refresh_from_db()
    strategies.save_version(green, actor=None, now=make.NOW)
    order = waiting("bad_strategy", green=True)
    stand = drafts.stand(green)

    drafts.save(green, {**stand.live_values, "yuan_per_hour": "0.05"}, token=None, actor=None, now=make.at(1))
    drafts.publish(green, token=None, actor=None, now=make.at(1), replay=None, without_replay=True)

    assert Event.objects.filter(kind="routing.strategy_published").count() == 2
    assert_goes_on(order)


def test_a_factory_that_learns_to_make_it() -> None:
    make.network(at=("SHA",), skus=("CUP",))
    make.warehouse("CAN", kind="factory")
    order = waiting("out_of_stock")

    desk.boss("en").post(
        reverse("admin:inventory_workshop_add"),
        {
            "merchant": orders.merchant().pk, "warehouse": make.warehouse("CAN").pk, "units_per_day": "5",
            "skus": [orders.sku("TEA").pk], "hours": "24", "is_active": "on",
        },
    )  # fmt: skip

    assert_goes_on(order)


# ---- what does not help, and the clock -------------------------------------------------------------


def test_what_does_not_help_leaves_no_trace_on_the_order() -> None:
    order = no_weight()
    version = make.fresh([order])[0].version
    events = Event.objects.filter(stream=order.stream).count()

    desk.boss("en").post(
        reverse("admin:inventory_sku_change", args=(orders.sku("TEA").pk,)), sku_form(volume_cm3="5")
    )
    run()

    assert Event.objects.filter(kind="sku.changed").exists()
    assert stage(order) == "backordered"
    assert make.fresh([order])[0].version == version
    assert Event.objects.filter(stream=order.stream).count() == events


def test_orders_that_only_wait_for_goods_are_not_looked_at() -> None:
    make.network(units=0, at=("SHA",))
    waiting("out_of_stock")

    with CaptureQueriesContext(connection) as asked:
        assert mending.sweep(now=make.at(1)) == 0

    assert len(asked) == 1


SILENT: dict[str, tuple[str, Callable[[], Any], Callable[[], Any]]] = {
    "a weight": (
        "no_weight",
        lambda: Sku.objects.update(grams=0),
        lambda: Sku.objects.update(grams=300),
    ),
    "a tariff": (
        "bad_tariff",
        lambda: RateZone.objects.update(step_grams=0),
        lambda: RateZone.objects.update(step_grams=500),
    ),
    "a freeze": (
        "frozen",
        lambda: Warehouse.objects.update(is_frozen=True),
        lambda: Warehouse.objects.update(is_frozen=False),
    ),
    "capacity": (
        "no_capacity",
        lambda: Warehouse.objects.update(capacity_per_day=0),
        lambda: Warehouse.objects.update(capacity_per_day=9),
    ),
    "a ban": (
        "sku_banned",
        lambda: SkuBan.objects.create(
            merchant=orders.merchant(),
            warehouse=make.warehouse("SHA"),
            sku=orders.sku("TEA"),
            reason="recall",
        ),
        lambda: SkuBan.objects.update(valid_until=make.NOW),
    ),
}


@pytest.mark.parametrize("what", SILENT)
def test_the_clock_finds_what_nobody_told(what: str) -> None:
    reason, spoil, repair = SILENT[what]
    make.network(at=("SHA",))
    spoil()
    order = waiting(reason)
    assert mending.sweep(now=make.at(1)) == 0

    repair()

    assert mending.sweep(now=make.at(1)) == 1
    run()
    assert stage(order) == "released"
    assert mending.sweep(now=make.at(1)) == 0


def test_only_as_many_go_back_as_there_are_goods_for() -> None:
    make.network(units=4, at=("SHA",))
    Sku.objects.update(grams=0)
    found = make.walk(make.placed(4))
    run()
    Sku.objects.update(grams=300)

    assert mending.sweep(now=make.at(1)) == 2  # two units each
    run()

    assert [stage(order) for order in found] == ["released"] * 2 + ["backordered"] * 2


def test_sweeps_take_turns_where_there_are_more_than_one_can_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "MOST", 2)
    make.network(at=("SHA",))
    Sku.objects.update(grams=0)
    make.walk(make.placed(5))
    run()
    looked: list[int] = []

    def note(held: list[Order], *, now: Any) -> list[Order]:
        looked.extend(order.pk for order in held)
        return []

    monkeypatch.setattr(services, "sendable", note)

    for turn in range(3):
        mending.sweep(now=make.NOW + timedelta(seconds=turn * mending.SWEEP_SECONDS))

    assert sorted(looked) == sorted(Order.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("count", [1, 20])
def test_a_try_costs_the_same_for_any_number_of_orders(count: int) -> None:
    make.network(at=("SHA",))
    Sku.objects.update(grams=0)
    make.walk(make.placed(count))
    run()
    mending.sweep(now=make.at(1))

    with CaptureQueriesContext(connection) as asked:
        mending.sweep(now=make.at(1))

    assert len(asked) <= 24
    assert not any(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in asked)


def test_the_clock_knows_its_jobs() -> None:
    jobs = {name: job.seconds for name, job in registry.periodics.items()}

    assert jobs["routing.mending"] == 900
    assert jobs["routing.returns"] == 6 * 3600
    assert Workshop.objects.count() == 0


# ---- helpers ---------------------------------------------------------------------------------------


def api(*scopes: str) -> Any:
    return hub.client(orders.merchant(), scopes=list(scopes))


def from_file(kind: str, text: str) -> None:
    import_cast.imported(orders.merchant(), [(f"{kind}.csv", text.encode())], kind=kind)


def confirm(client: Client, model: str, text: str) -> None:
    """Upload a table in the admin and confirm it."""
    file = SimpleUploadedFile("rows.csv", text.encode(), content_type="text/csv")
    page = client.post(
        reverse(f"admin:{model}_import"), {"import_file": file, "format": "0"}
    ).content.decode()
    names = ("import_file_name", "original_file_name", "format", "resource")
    answer = client.post(
        reverse(f"admin:{model}_process_import"), {name: value(page, name) for name in names}
    )
    assert answer.status_code == 302, page


def value(page: str, name: str) -> str:
    """The value of a hidden field."""
    tag = next(tag for tag in page.split("<input") if f'name="{name}"' in tag)
    return tag.split('value="')[1].split('"')[0] if 'value="' in tag else ""
