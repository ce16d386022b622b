"""What can be promised is read from its own table, follows every movement and never falls apart from the rows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orderhub.access import services as access
from orderhub.inventory import invariants, promising, services
from orderhub.inventory.models import MovementCursor, Promisable, Stock, Warehouse
from orderhub.inventory.services import Take
from tests.admin import desk
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
URL = "/api/v1/stock/atp/"


def client(code: str = "acme") -> APIClient:
    _row, key = access.issue_key(make.merchant(code), name="shop")
    return APIClient(headers={"Authorization": f"Api-Key {key}"})


def count(units: int, code: str = "TEA", *, at: str = "SH1") -> None:
    services.set_counts([(make.warehouse(at), make.sku(code), units)], actor="", now=NOW)


def told(**query: Any) -> dict[str, tuple[int, int, int]]:
    answer = client().get(URL, query)
    assert answer.status_code == 200, answer.content
    return {x["sku"]: (x["units"], x["serving"], x["elsewhere"]) for x in answer.json()["results"]}


def test_every_kind_of_movement_is_followed() -> None:
    count(10), count(4, at="BJ1"), count(1, "CUP")
    promising.follow()
    assert told() == {"CUP": (1, 0, 1), "TEA": (14, 0, 14)}

    taken = [Take("a", make.warehouse().pk, make.sku().pk, 3)]
    services.take(taken, reference="t", actor="", now=NOW)
    services.set_safety(Stock.objects.get(warehouse__code="BJ1"), 3, actor="user:li", now=NOW)
    assert told()["TEA"] == (14, 0, 14)
    promising.follow()

    assert told()["TEA"] == (8, 0, 8)
    services.ship(taken, reference="t", actor="", now=NOW)
    services.receive([(make.warehouse("BJ1"), make.sku("CUP"), 5)], reference="po", actor="", now=NOW)
    promising.follow()
    assert told() == {"CUP": (6, 0, 6), "TEA": (8, 0, 8)}
    assert promising.follow() == 0


def test_warehouses_that_serve_the_province_are_told_apart_and_closed_ones_left_out() -> None:
    count(10, at="GZ1"), count(4, at="BJ1"), count(2, at="SH1")
    Warehouse.objects.filter(code="GZ1").update(serves_provinces=["广东省"])
    promising.follow()

    assert told(province="广东", sku="TEA") == {"TEA": (16, 10, 6)}
    Warehouse.objects.filter(code="GZ1").update(is_frozen=True)
    assert told(province="广东", sku="TEA") == {"TEA": (6, 0, 6)}


def test_named_skus_come_alone_and_unknown_ones_not_at_all() -> None:
    count(1, "A"), count(2, "B"), count(3, "C"), make.sku("EMPTY")
    promising.follow()

    assert told(sku="A,C,NONE") == {"A": (1, 0, 1), "C": (3, 0, 3)}
    assert told(sku="EMPTY") == {"EMPTY": (0, 0, 0)}
    answer = client().get(URL, {"sku": ",".join(f"S{n}" for n in range(201))})
    assert answer.status_code == 400
    assert client().get(URL, {"sku": "A"}).json()["results"][0]["as_of"] is not None


def test_another_merchant_reads_nothing() -> None:
    count(10)
    promising.follow()

    assert client("other").get(URL, {"sku": "TEA"}).json()["results"] == []


def test_200_skus_cost_as_many_queries_as_one() -> None:
    api = client()
    costs = []
    for first, size in ((0, 1), (1000, 200)):
        codes = [f"S{first + n}" for n in range(size)]
        services.set_counts([(make.warehouse(), make.sku(code), 1) for code in codes], actor="", now=NOW)
        promising.follow()
        with CaptureQueriesContext(connection) as captured:
            assert api.get(URL, {"sku": ",".join(codes), "page_size": 200}).status_code == 200
        costs.append(sum("inventory_" in query["sql"] for query in captured))

    assert costs == [3, 3]


def test_random_changes_in_any_order_leave_what_a_rebuild_would() -> None:
    dice = random.Random(7)
    for _change in range(60):
        code, at = dice.choice("ABC"), dice.choice(["N", "S"])
        if dice.random() < 0.5:
            count(dice.randint(0, 9), code, at=at)
        else:
            wanted = [Take("k", make.warehouse(at).pk, make.sku(code).pk, dice.randint(1, 4))]
            services.take(wanted, reference="t", actor="", now=NOW)
        if dice.random() < 0.3:
            promising.follow()
            assert list(invariants.promised_is_read()) == []
    promising.follow()
    followed = dict(Promisable.objects.values_list("sku_id", "units"))

    promising.rebuild()

    assert dict(Promisable.objects.values_list("sku_id", "units")) == followed


def test_a_row_changed_behind_the_movements_is_noticed() -> None:
    count(10)
    promising.follow()
    Stock.objects.update(safety=4)

    assert len(list(invariants.promised_is_read())) == 1
    count(11)
    assert list(invariants.promised_is_read()) == []  # its movement was not read yet
    MovementCursor.objects.all().delete()
    assert promising.follow() == 1
    assert list(invariants.promised_is_read()) == []


def test_the_admin_shows_what_can_be_promised_and_follows_a_new_safety_stock() -> None:
    count(77)
    row = Stock.objects.get()

    desk.boss().post(f"/admin/inventory/stock/{row.pk}/change/", {"safety": "5"})
    promising.follow()

    assert ">72<" in desk.boss().get("/admin/inventory/sku/").content.decode()
