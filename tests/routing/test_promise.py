"""A checkout asks what it may promise: by the router's own decision, in few queries, writing nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orderhub.fulfillment.models import FulfillmentOrder, RateCard
from orderhub.inventory.models import ExpectedReceipt, Stock, Warehouse
from orderhub.kernel import clock
from orderhub.orders.models import Order
from routing import services
from routing.models import Decision, Strategy
from routing.promise import network
from tests import cast, make

pytestmark = pytest.mark.django_db

HANGZHOU = {"country": "CN", "province": "浙江省", "city": "杭州市"}
PATH = "/api/v1/routing/promise/"


@pytest.fixture(autouse=True)
def _at_ten_on_sunday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


def ask(
    lines: dict[str, int] | None = None, *, to: dict[str, str] | None = None, client: APIClient | None = None,
    **fields: Any,
) -> dict[str, Any]:  # fmt: skip
    """The options by name."""
    body = {
        "lines": [{"sku": code, "quantity": units} for code, units in (lines or {"LAMP": 2}).items()],
        "destination": HANGZHOU if to is None else to,
        **fields,
    }
    answer = (client or make.client()).post(PATH, body)
    assert answer.status_code == 200, answer.content
    return {option["option"]: option for option in answer.json()["options"]}


def refusal(body: Any, *, client: APIClient | None = None) -> tuple[int, dict[str, Any]]:
    """Status and problem of a body that is refused."""
    answer = (client or make.client()).post(PATH, body)
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()


def test_the_standard_option_is_what_the_next_order_gets() -> None:
    make.network()
    option = ask()["standard"]
    [order] = make.place(make.draft("A1", lines={"LAMP": 2}))

    services.route([order], now=make.NOW, actor="system")

    plan: dict[str, Any] = Decision.objects.get().plan or {}
    assert option["available"] is True
    assert Decimal(option["price"]) == Decimal(plan["terms"]["freight"]).quantize(Decimal("0.01"))
    assert option["currency"] == "CNY"
    assert Decimal(option["kgco2e"]) == Decimal(plan["kgco2e"]).quantize(Decimal("0.001"))
    assert option["parcels"] == 1
    promised_at = Order.objects.get().promised_at
    assert promised_at is not None
    assert option["arrives_from"] <= option["arrives_to"]
    assert abs((promised_at + timedelta(hours=8)).date().toordinal() - _ordinal(option["arrives_to"])) <= 1
    assert option["expires_at"] == (make.NOW + timedelta(minutes=15, hours=8)).strftime(
        "%Y-%m-%dT%H:%M:%S+08:00"
    )


def _ordinal(day: str) -> int:
    from datetime import date

    return date.fromisoformat(day).toordinal()


def test_express_needs_a_carrier_that_offers_it_and_green_goes_with_the_green_strategy() -> None:
    make.network()
    assert ask()["express"]["reason"] == "service_not_offered"

    card = make.rate_card("FAST", service="express")
    card.zones.update(base_hours=Decimal(2), first_fee=Decimal(30))
    network.forget()
    found = ask()

    assert found["express"]["available"] is True
    assert Decimal(found["express"]["price"]) > Decimal(found["standard"]["price"])
    assert found["express"]["arrives_to"] <= found["standard"]["arrives_to"]
    assert found["green"]["available"] is True
    assert Decimal(found["green"]["kgco2e"]) <= Decimal(found["standard"]["kgco2e"])


def test_pick_up_is_at_the_nearest_store_that_has_everything() -> None:
    make.network()
    assert ask()["pick_up"]["reason"] == "no_store"
    Warehouse.objects.filter(code="HGH").update(kind="store", address="延安路 1 号")
    network.forget()

    found = ask()["pick_up"]

    assert found["available"] is True
    assert (found["price"], found["parcels"]) == ("0.00", 1)
    assert found["pick_up_at"]["address"] == "延安路 1 号"
    assert ask(to={"province": "四川省", "city": "成都市"})["pick_up"]["reason"] == "no_store_near"
    assert ask({"LAMP": 101})["pick_up"]["reason"] == "store_out_of_stock"


def test_where_the_goods_lie_is_not_told() -> None:
    make.network()
    Warehouse.objects.filter(code="HGH").update(kind="store")
    network.forget()
    said = json.dumps(ask({"LAMP": 2, "CUP": 1}), ensure_ascii=False)

    for house in Warehouse.objects.all():
        for secret in (house.code, house.name, house.name_en):
            assert secret not in said
    assert "warehouse" not in said
    assert "TONGDA" not in said


def test_only_reads_and_few_of_them() -> None:
    make.network()
    services.route(make.place(), now=make.NOW, actor="system")
    client = make.client(scopes=["promises:read"])
    ask(client=client)

    with CaptureQueriesContext(
        connection,
    ) as seen:
        ask({"LAMP": 1, "CUP": 1}, client=client)

    statements = [row["sql"] for row in seen.captured_queries]
    assert [sql for sql in statements if not sql.startswith(("SELECT", "WITH"))] == []
    assert len(statements) <= 14, "\n".join(statements)


def test_nothing_is_written_even_for_a_merchant_without_strategies() -> None:
    make.network()
    assert ask()["standard"]["available"] is True

    assert Strategy.objects.count() == 0
    assert (Order.objects.count(), Decision.objects.count(), FulfillmentOrder.objects.count()) == (0, 0, 0)
    assert set(Stock.objects.values_list("reserved", flat=True)) == {0}


def test_what_is_out_of_stock_says_when_expected_receipts_allow_it() -> None:
    make.network(units=1)
    short = ask({"LAMP": 5})["standard"]
    assert (short["available"], short["reason"], short["earliest"]) == (False, "out_of_stock", None)
    assert short["short"] == [{"sku": "LAMP", "quantity": 2}]
    house, lamp = Warehouse.objects.get(code="HGH"), make.goods()["LAMP"]
    for days, units in ((2, 1), (4, 5)):
        ExpectedReceipt.objects.create(
            merchant=house.merchant, warehouse=house, sku=lamp, units=units,
            expected_at=make.NOW + timedelta(days=days),
        )  # fmt: skip

    assert ask({"LAMP": 5})["standard"]["earliest"] == "2026-11-26"


def test_stock_and_levers_count_at_once() -> None:
    make.network()
    assert ask()["standard"]["available"] is True

    Stock.objects.update(on_hand=0)

    assert ask()["standard"]["reason"] == "out_of_stock"


@pytest.mark.parametrize(
    ("place", "city"),
    [
        ({"postcode": "310012"}, "浙江"),
        ({"province": "ZJ"}, "浙江"),
        ({"city": "成都"}, "成都"),
        ({"country": "US", "province": "CA", "city": "Los Angeles"}, "abroad"),
    ],
)
def test_a_region_a_postcode_or_a_city_is_enough(place: dict[str, str], city: str) -> None:
    make.network()
    RateCard.objects.get().zones.filter(name="全国").update(countries=["*", "CN"])
    network.forget()

    option = ask(to=place)["standard"]

    assert option["available"] is True, option
    assert option["arrives_from"] >= "2026-11-22"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"lines": [{"sku": "NONE", "quantity": 1}], "destination": HANGZHOU}, "lines[0].sku", "unknown_sku"),
        ({"lines": [{"sku": "LAMP", "quantity": 0}], "destination": HANGZHOU}, "lines[0].quantity", "min_value"),
        ({"lines": [{"sku": "LAMP", "quantity": -2}], "destination": HANGZHOU}, "lines[0].quantity", "min_value"),
        ({"lines": [], "destination": HANGZHOU}, "lines", "empty"),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": {"province": "亚特兰蒂斯", "city": "x"}},
            "destination.province", "unknown_region",
        ),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": {"country": "QQ", "city": "x"}},
            "destination.country", "unknown_region",
        ),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": {"postcode": "999999"}},
            "destination.postcode", "unknown_region",
        ),
        ({"lines": [{"sku": "LAMP", "quantity": 1}], "destination": {}}, "destination.province", "unknown_region"),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU, "channel": "?"},
            "channel", "unknown_channel",
        ),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU, "options": ["drone"]},
            "options[0]", "invalid_choice",
        ),
        ({"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU, "sku": 1}, "sku", "unknown_field"),
        ({"destination": HANGZHOU}, "lines", "required"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field(body: Any, field: str, code: str) -> None:
    make.network()

    status, problem = refusal(body)

    assert status == 400
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]


def test_another_merchants_goods_do_not_exist() -> None:
    make.network()
    bob = make.merchant(cast.BOB)

    status, problem = refusal(
        {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU}, client=make.client(bob)
    )

    assert (status, problem["errors"][0]["code"]) == (400, "unknown_sku")


def test_the_scope_is_to_read_promises() -> None:
    make.network()
    body = {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU}

    assert make.client(scopes=["promises:read"]).post(PATH, body).status_code == 200
    assert make.client(scopes=["orders:read"]).post(PATH, body).status_code == 403
    assert make.client(scopes=["promises:read"]).get(PATH).status_code == 405


def test_the_limit_of_calls_is_its_own(settings: Any) -> None:
    make.network()
    settings.API_RATES = {**settings.API_RATES, "promise": 1}
    client = make.client()
    body = {"lines": [{"sku": "LAMP", "quantity": 1}], "destination": HANGZHOU}

    statuses = [client.post(PATH, body).status_code for _ in range(4)]

    assert statuses[:2] == [200, 200]
    assert 429 in statuses
    assert client.get("/api/v1/skus/").status_code == 200


def test_reasons_are_in_the_callers_language() -> None:
    make.network()

    english = ask({"LAMP": 1000}, client=make.client(language="en"))["standard"]["reason_text"]
    chinese = ask({"LAMP": 1000}, client=make.client(language="zh-hans"))["standard"]["reason_text"]

    assert english == "Not enough units are in stock"
    assert chinese == "库存不足"
