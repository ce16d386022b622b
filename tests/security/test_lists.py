"""Lists by cursor and whitelist, sparse fields, and tags of what was read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orderhub.inventory.models import Sku
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"
SKUS = "/api/v1/skus/"


@pytest.fixture
def api() -> APIClient:
    """Alice's client, with seven SKUs."""
    merchant = make.merchant()
    Sku.objects.bulk_create(Sku(merchant=merchant, code=f"S{n}", name=f"S{n}") for n in range(7))
    return make.client(merchant)


def walk(api: APIClient, url: str, way: str = "next") -> list[list[str]]:
    """The codes of each page from there on."""
    pages = []
    while url:
        page = api.get(url).json()
        pages.append([row["sku"] for row in page["results"]])
        url = page[way]
    return pages


def test_next_and_previous_walk_every_row_once(api: APIClient) -> None:
    forward = walk(api, f"{SKUS}?page_size=3")
    last = api.get(api.get(api.get(f"{SKUS}?page_size=3").json()["next"]).json()["next"]).json()
    back = walk(api, last["previous"], "previous")

    assert forward == [["S0", "S1", "S2"], ["S3", "S4", "S5"], ["S6"]]
    assert back == [["S3", "S4", "S5"], ["S0", "S1", "S2"]]
    assert last["next"] is None


def test_rows_that_come_meanwhile_shift_no_page(api: APIClient) -> None:
    first = api.get(f"{SKUS}?page_size=3&ordering=-code").json()
    Sku.objects.create(merchant=make.merchant(), code="S9", name="new")
    Sku.objects.filter(code="S5").delete()

    second = api.get(first["next"]).json()

    assert [row["sku"] for row in first["results"]] == ["S6", "S5", "S4"]
    assert [row["sku"] for row in second["results"]] == ["S3", "S2", "S1"]


def test_rows_with_one_moment_are_neither_lost_nor_doubled() -> None:
    make.network()
    orders = make.place(*(make.draft(f"A{n}") for n in range(5)))
    Order.objects.update(updated_at=make.NOW)
    caller = make.client()

    seen, url = [], f"{ORDERS}?page_size=2&ordering=updated_at&updated_from=2026-01-01T00:00:00Z"
    while url:
        page = caller.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]

    assert seen == sorted(order.pk for order in orders)


def test_only_the_first_page_counts_and_only_so_far(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderhub.access.paging.COUNTED", 5)

    many = api.get(f"{SKUS}?page_size=3").json()
    few = api.get(f"{SKUS}?sku=S1").json()
    with CaptureQueriesContext(connection) as seen:
        later = api.get(many["next"]).json()

    assert (many["count"], few["count"], later["count"]) == (None, 1, None)
    assert not any("COUNT" in row["sql"] for row in seen.captured_queries)


def test_orders_of_an_import_are_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderhub.access.paging.COUNTED", 1)
    make.network()
    make.place(*(make.draft(f"A{n}") for n in range(3)))
    Order.objects.update(source="import:7")
    caller = make.client()

    assert caller.get(ORDERS, {"import": "7"}).json()["count"] == 3
    assert caller.get(ORDERS).json()["count"] is None


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("cursor=abc", "bad_cursor", "cursor"),
        ("cursor=", "bad_cursor", "cursor"),
        ("page_size=0", "bad_page_size", "page_size"),
        ("page_size=201", "bad_page_size", "page_size"),
        ("page_size=x", "bad_page_size", "page_size"),
        ("ordering=grams", "unknown_ordering", "ordering"),
        ("color=red", "unknown_filter", "color"),
        ("is_active=perhaps", "bad_filter", "is_active"),
        ("sku=%00", "bad_filter", "sku"),
        ("fields=id,secret", "unknown_field", "fields"),
    ],
)
def test_what_a_list_does_not_know_is_refused_by_name(
    api: APIClient, query: str, code: str, field: str
) -> None:
    answer = api.get(f"{SKUS}?{query}")

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, code, field)
    assert answer.json()["remedy"]


def test_an_unknown_filter_is_told_the_known_ones(api: APIClient) -> None:
    remedy = api.get(f"{ORDERS}?color=red").json()["remedy"]

    for name in ("external_id", "import", "stage", "channel", "updated_from", "waiting_for", "cursor"):
        assert name in remedy


def test_a_changed_cursor_or_one_of_another_order_of_rows_is_refused(api: APIClient) -> None:
    link = api.get(f"{SKUS}?page_size=3").json()["next"]

    changed = api.get(link[:-1] + ("A" if link[-1] != "A" else "B"))
    other = api.get(f"{link}&ordering=-code")

    assert [answer.json()["code"] for answer in (changed, other)] == ["bad_cursor", "bad_cursor"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("channel=api", ["A0", "A1"]),
        ("channel=other", []),
        ("stage=received", ["A0", "A1"]),
        ("external_id=A1", ["A1"]),
        ("placed_from=2026-11-22T02:00:00Z&placed_to=2026-11-22T02:00:01Z", ["A0", "A1"]),
        ("placed_to=2026-11-22T02:00:00Z", []),
        ("placed_from=2026-11-22T00:00:00%2B23:59", ["A0", "A1"]),  # an offset that PostgreSQL refuses
        ("updated_from=2999-01-01T00:00:00%2B08:00", []),
        ("waiting_for=payment", []),
    ],
)
def test_orders_filter_by_each_declared_name(query: str, found: list[str], hub_clock: make.Clock) -> None:
    make.network()
    make.place(*(make.draft(f"A{n}") for n in range(2)))

    rows = make.client().get(f"{ORDERS}?ordering=id&{query}").json()["results"]

    assert [row["external_id"] for row in rows] == found


def test_numbered_pages_still_work_and_say_until_when(api: APIClient) -> None:
    answer = api.get(f"{SKUS}?page=2&page_size=3")

    assert [row["sku"] for row in answer.json()["results"]] == ["S3", "S4", "S5"]
    assert answer.json()["count"] == 7
    assert answer["Deprecation"].startswith("@")
    assert answer["Sunset"].endswith("GMT")
    assert 'rel="deprecation"' in answer["Link"]


def test_a_filter_by_its_old_name_works_and_says_until_when() -> None:
    make.stock({"HGH": {"LAMP": 3}})

    old = make.client().get("/api/v1/stock/?sku__code=LAMP")
    new = make.client().get("/api/v1/stock/?sku=LAMP")

    assert old.json()["results"] == new.json()["results"] != []
    assert "Deprecation" in old
    assert "Deprecation" not in new


def test_only_the_wanted_fields_are_answered(api: APIClient) -> None:
    rows = api.get(f"{SKUS}?fields=sku,%20grams&page_size=1").json()["results"]
    one = api.get(f"{SKUS}{Sku.objects.get(code='S0').pk}/?fields=sku").json()

    assert rows == [{"sku": "S0", "grams": 500}]
    assert one == {"sku": "S0"}


# ---- tags ------------------------------------------------------------------------------------------


@pytest.fixture
def placed() -> tuple[APIClient, str]:
    """A client and the address of an order."""
    make.network()
    (order,) = make.place()
    return make.client(), f"{ORDERS}{order.pk}/"


def test_what_the_caller_has_is_not_sent_again(placed: tuple[APIClient, str]) -> None:
    api, url = placed
    tag = api.get(url)["ETag"]

    same = api.get(url, headers={"If-None-Match": f'"other", W/{tag}'})
    english = api.get(url, headers={"If-None-Match": tag, "Accept-Language": "en"})
    api.post(f"{url}hold/", {"reason": "manual"})
    changed = api.get(url, headers={"If-None-Match": tag})

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    assert english.status_code in (200, 304)
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_a_deed_on_what_has_changed_since_is_not_done(placed: tuple[APIClient, str]) -> None:
    api, url = placed
    old = api.get(url)["ETag"]
    held = api.post(f"{url}hold/", {"reason": "manual"}, headers={"If-Match": old})
    before = make.kinds_of(Order.objects.get())

    late = api.post(f"{url}cancel/", {}, headers={"If-Match": old})

    assert held.status_code == 200
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert late["ETag"] == late.json()["facts"]["etag"]
    assert make.kinds_of(Order.objects.get()) == before
    assert api.post(f"{url}cancel/", {}, headers={"If-Match": held["ETag"]}).json()["stage"] == "cancelled"


@pytest.mark.parametrize("tag", ["*", '"v1-anything", "v999-x"'])
def test_any_of_the_named_versions_will_do(placed: tuple[APIClient, str], tag: str) -> None:
    api, url = placed
    version = api.get(url).json()["version"]

    answer = api.post(f"{url}hold/", {}, headers={"If-Match": tag.replace("v999", f"v{version}")})

    assert answer.status_code == 200


@pytest.mark.parametrize("tag", ['W/"v{}-x"', "v{}-x", '"{}"', '""'])
def test_weak_and_broken_tags_match_nothing(placed: tuple[APIClient, str], tag: str) -> None:
    api, url = placed
    version = api.get(url).json()["version"]

    answer = api.post(f"{url}hold/", {}, headers={"If-Match": tag.format(version)})

    assert answer.status_code == 412


def test_the_stale_tag_of_a_412_can_be_sent_back(placed: tuple[APIClient, str]) -> None:
    api, url = placed
    tag = api.post(f"{url}hold/", {}, headers={"If-Match": '"v0-x"'})["ETag"]

    assert api.post(f"{url}hold/", {}, headers={"If-Match": tag}).status_code == 200


# ---- catalog ---------------------------------------------------------------------------------------


def test_a_sku_is_made_changed_and_switched_off(api: APIClient) -> None:
    made = api.post(SKUS, {"sku": "NEW", "name": "新品", "price": "9.90", "grams": 300})
    url = made["Location"]

    changed = api.patch(url, {"grams": 310}, headers={"If-Match": made["ETag"]})
    late = api.patch(url, {"grams": 320}, headers={"If-Match": made["ETag"]})
    off = api.patch(url, {"is_active": False}, headers={"If-Match": changed["ETag"]})

    assert (made.status_code, made.json()["sku"]) == (201, "NEW")
    assert (changed.json()["grams"], late.status_code, off.json()["is_active"]) == (310, 412, False)
    row = Sku.objects.get(code="NEW")
    assert (row.merchant, row.grams, row.is_active) == (make.merchant(), 310, False)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"sku": "S1", "name": "x"}, "sku", "exists"),
        ({"name": "x"}, "sku", "required"),
        ({"sku": "X", "name": "x", "price": "-1"}, "price", "min_value"),
        ({"sku": "X", "name": "x", "grams": 0}, "grams", "min_value"),
    ],
)
def test_a_wrong_sku_is_named_and_nothing_is_made(
    api: APIClient, body: dict[str, Any], field: str, code: str
) -> None:
    answer = api.post(SKUS, body)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert answer.json()["field"] == field
    assert Sku.objects.count() == 7


def test_codes_stay_and_nothing_is_deleted(api: APIClient) -> None:
    url = f"{SKUS}{Sku.objects.get(code='S1').pk}/"

    assert api.patch(url, {"sku": "S99"}).json()["errors"][0]["code"] == "fixed"
    assert api.put(url, {"sku": "S1", "name": "x"}).status_code == 405
    assert api.delete(url).status_code == 405
    assert set(Sku.objects.values_list("code", flat=True)) == {f"S{n}" for n in range(7)}


def test_a_warehouse_is_made_and_frozen_by_api(api: APIClient) -> None:
    body = {"code": "NKG", "name": "南京仓", "province": "江苏省", "city": "南京市"}

    made = api.post("/api/v1/warehouses/", {**body, "latitude": "32.06", "longitude": "118.78"})
    frozen = api.patch(made["Location"], {"is_frozen": True})
    wrong = api.post("/api/v1/warehouses/", {**body, "code": "X", "latitude": "132", "longitude": "1"})

    assert (made.status_code, made.json()["cutoff_at"]) == (201, "16:00:00")
    assert frozen.json()["is_frozen"] is True
    assert (wrong.status_code, wrong.json()["field"]) == (400, "latitude")


def test_counted_stock_is_set_all_or_none(api: APIClient) -> None:
    make.stock({"HGH": {"LAMP": 3, "CUP": 1}})
    row = {"warehouse": "HGH", "sku": "LAMP", "on_hand": 8}

    done = api.post("/api/v1/stock/counts/", {"counts": [row]})
    wrong = api.post("/api/v1/stock/counts/", {"counts": [{**row, "on_hand": 9}, {**row, "sku": "NO"}]})

    assert done.json() == {"results": [{**row, "limited": False}]}
    assert (wrong.status_code, wrong.json()["field"]) == (400, "counts[1].sku")
    assert make.shelf("HGH", "LAMP") == (8, 0)


def test_to_bob_alices_codes_do_not_exist(api: APIClient) -> None:
    make.stock({"HGH": {"LAMP": 3}})
    bob = make.client(make.merchant(cast.BOB))

    answer = bob.post(
        "/api/v1/stock/counts/", {"counts": [{"warehouse": "HGH", "sku": "LAMP", "on_hand": 8}]}
    )

    assert answer.status_code == 400
    assert make.shelf("HGH", "LAMP") == (3, 0)
