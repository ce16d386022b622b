"""Units kept for carts: all lines or none, freed once, expired by the clock, and counted in what is reserved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orderhub.access import services as access
from orderhub.events.models import Delivery, Event
from orderhub.fulfillment import invariants as fulfillment
from orderhub.inventory import invariants, reservations
from orderhub.inventory.choosing import Want
from orderhub.inventory.models import Movement, Reservation, ReservationLine, Stock, Warehouse
from orderhub.inventory.reservations import Asked
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
URL = "/api/v1/stock/reservations/"


def client(code: str = "acme", **fields: Any) -> APIClient:
    _row, key = access.issue_key(make.merchant(code), name="shop", **fields)
    return APIClient(headers={"Authorization": f"Api-Key {key}"})


def asked(*wants: Want, province: str = "", minutes: int = 15) -> Asked:
    ends = NOW + timedelta(minutes=minutes)
    return Asked(make.merchant(), wants, ends, "api:shop", NOW, province)


def reserved() -> dict[str, int]:
    rows = Stock.objects.filter(reserved__gt=0).values_list("sku__code", "warehouse__code", "reserved")
    return {f"{sku}@{house}": units for sku, house, units in rows}


def violations() -> list[str]:
    return [*invariants.never_oversold(), *fulfillment.reserved_is_held()]


def test_a_cart_keeps_its_units_until_it_gives_them_back() -> None:
    make.stock(units=5)
    api = client()

    made = api.post(URL, {"lines": [{"sku": "TEA", "quantity": 2}], "minutes": 30})

    assert made.status_code == 201, made.json()
    assert made.json()["state"] == "active"
    assert made.json()["lines"] == [{"sku": "TEA", "warehouse": "SH1", "quantity": 2}]
    row = Reservation.objects.get()
    assert row.expires_at - row.created_at == timedelta(minutes=30)
    assert made["Location"] == f"{URL}{row.pk}/"
    assert (reserved(), violations()) == ({"TEA@SH1": 2}, [])
    assert Movement.objects.get(kind="reserve").reference == f"cart:{row.pk}"

    assert [api.delete(made["Location"]).status_code for _again in range(2)] == [204, 204]

    assert (reserved(), violations()) == ({}, [])
    assert api.get(made["Location"]).json()["state"] == "freed"
    assert Movement.objects.filter(kind="free").count() == 1
    assert [event.kind for event in Event.objects.filter(stream=row.stream)] == ["reservation.freed"]


def test_too_few_units_for_one_line_keep_nothing() -> None:
    make.stock(units=5), make.stock("CUP", units=1)
    lines = [{"sku": "TEA", "quantity": 2}, {"sku": "CUP", "quantity": 2}]

    answer = client().post(URL, {"lines": lines})

    assert (answer.status_code, answer.json()["code"]) == (409, "stock_short")
    assert answer.json()["facts"] == {"skus": "CUP, TEA"}
    assert (reserved(), Reservation.objects.count(), Movement.objects.count()) == ({}, 0, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "TEA", "quantity": 0}]}, "lines"),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, "lines"),
        ({"lines": [{"sku": "TEA", "quantity": 1, "warehouse": "FROZEN"}]}, "lines"),
        ({"lines": [{"sku": "TEA", "quantity": 1}], "minutes": 61}, "minutes"),
        ({"lines": [{"sku": "TEA", "quantity": 1}] * 101}, "lines"),
    ],
)
def test_what_cannot_be_kept_is_400_and_names_the_field(body: Any, field: str) -> None:
    make.stock(units=5), make.stock(units=5, at="FROZEN")
    Warehouse.objects.filter(code="FROZEN").update(is_frozen=True)

    answer = client().post(URL, body)

    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert (reserved(), Reservation.objects.count()) == ({}, 0)


def test_the_same_key_and_body_reserve_once() -> None:
    make.stock(units=5)
    api, body = client(), {"lines": [{"sku": "TEA", "quantity": 2}]}

    first, again = (api.post(URL, body, headers={"Idempotency-Key": "k1"}) for _try in range(2))

    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert reserved() == {"TEA@SH1": 2}


def test_another_merchants_reservation_does_not_exist() -> None:
    make.stock(units=5)
    kept = client().post(URL, {"lines": [{"sku": "TEA", "quantity": 2}]}).json()["id"]
    other = client("other")

    answers = [other.get(f"{URL}{kept}/"), other.delete(f"{URL}{kept}/"), other.get(f"{URL}no-uuid/")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert other.post(URL, {"lines": [{"sku": "TEA", "quantity": 1}]}).status_code == 400
    assert (other.get(URL).json()["results"], reserved()) == ([], {"TEA@SH1": 2})


def test_a_reading_key_keeps_nothing() -> None:
    make.stock(units=5)

    answer = client(scopes=["stock:read"]).post(URL, {"lines": [{"sku": "TEA", "quantity": 1}]})

    assert (answer.status_code, reserved()) == (403, {})


def test_units_come_from_the_warehouse_that_serves_the_province_then_from_the_fullest() -> None:
    near, far, full = (make.stock(units=n, at=at) for n, at in ((3, "GZ"), (8, "SH"), (9, "BJ")))
    Warehouse.objects.filter(code="GZ").update(serves_provinces=["广东省"])

    rows = [reservations.reserve(asked(Want(near.sku, units), province="广东")) for units in (2, 5, 10)]

    found = [[(x.warehouse.code, x.quantity) for x in row.lines.order_by("pk")] for row in rows]
    assert found == [[("GZ", 2)], [("BJ", 5)], [("GZ", 1), ("SH", 8), ("BJ", 1)]]
    assert {far.warehouse.code, full.warehouse.code} == {"SH", "BJ"}
    assert violations() == []


def test_a_race_lost_on_one_shelf_is_won_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = make.stock(units=2, at="A"), make.stock(units=1, at="B")
    stale = {(small.sku_id, large.warehouse_id): 9, (small.sku_id, small.warehouse_id): 2}
    monkeypatch.setattr(reservations.choosing, "free_units", lambda _wants: stale)

    row = reservations.reserve(asked(Want(small.sku, 2)))

    assert [(x.warehouse.code, x.quantity) for x in row.lines.all()] == [("A", 2)]
    with pytest.raises(Refused):
        reservations.reserve(asked(Want(small.sku, 2)))
    assert reserved() == {"TEA@A": 2}


def test_reservations_expire_once_and_wake_waiting_orders() -> None:
    row = make.stock(units=5)
    short = reservations.reserve(asked(Want(row.sku, 2), minutes=1))
    long = reservations.reserve(asked(Want(row.sku, 1), minutes=30))

    assert reservations.expire(now=NOW + timedelta(seconds=59)) == 0
    assert [reservations.expire(now=NOW + timedelta(minutes=1)) for _again in range(2)] == [1, 0]

    assert (reserved(), violations()) == ({"TEA@SH1": 1}, [])
    event = Event.objects.get(kind="reservation.expired")
    assert (event.stream, event.payload) == (short.stream, {"reservation": str(short.pk), "skus": ["TEA"]})
    assert Delivery.objects.get(event=event).subscriber == "orders.reopen"
    assert reservations.free(make.merchant(), short.pk, actor="", now=NOW).state == "expired"
    assert (reserved(), Event.objects.filter(stream=short.stream).count()) == ({"TEA@SH1": 1}, 1)
    long.refresh_from_db()
    assert long.state == "active"


def test_more_than_one_batch_expires_in_one_go() -> None:
    row = make.stock(units=500)
    outcomes = reservations.reserve_all([asked(Want(row.sku, 1))] * 450)
    assert not any(isinstance(outcome, Refused) for outcome in outcomes)

    assert reservations.expire(now=NOW + timedelta(hours=1)) == 450

    assert (reserved(), violations()) == ({}, [])


def test_a_lot_of_carts_costs_as_many_queries_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "max_query_params", 32_000)
    row = make.stock(units=500)
    costs = []
    for size in (1, 60):
        batch = [asked(Want(row.sku, 1, row.warehouse_id))] * size
        with CaptureQueriesContext(connection) as captured:
            reservations.reserve_all(batch)
        costs.append(len([x for x in captured if "SAVEPOINT" not in x["sql"]]))

    assert costs == ([1, 1] if connection.vendor == "postgresql" else [6, 6])
    assert ReservationLine.objects.count() == 61


def test_a_lost_line_is_noticed_by_the_invariant() -> None:
    row = make.stock(units=5)
    reservations.reserve(asked(Want(row.sku, 2)))
    ReservationLine.objects.update(quantity=1)

    assert len(violations()) == 1


def test_the_api_reads_its_clock_once() -> None:
    make.stock(units=5)
    before = clock.now()

    made = client().post(URL, {"lines": [{"sku": "TEA", "quantity": 1}]}).json()

    row = Reservation.objects.get(pk=made["id"])
    assert before <= row.created_at <= clock.now()
    assert Movement.objects.get(kind="reserve").moved_at == row.created_at
