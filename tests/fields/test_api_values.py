"""Custom fields in the API: given, refused by their place, shown, found and changed again."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.events.models import Event
from orderhub.fulfillment.models import Parcel
from orderhub.inventory.models import Sku
from orderhub.orders.models import Order
from tests import cast, make
from tests.fields.conftest import WRAPS, Add

pytestmark = pytest.mark.django_db


def order_with(number: str = "A-1", *, line: dict[str, Any] | None = None, **custom: Any) -> dict[str, Any]:
    body = make.order_json(number)
    if custom:
        body["custom"] = custom
    if line is not None:
        body["lines"][0]["custom"] = line
    return body


def post(body: dict[str, Any], status: int = 201, language: str = "en") -> dict[str, Any]:
    answer = make.client(language=language).post("/api/v1/orders/", body, format="json")
    assert answer.status_code == status, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_carries_its_fields_and_its_lines_theirs(add: Add) -> None:
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    add("order", "due", "date")
    add("line", "engraving", "text", most="20")

    found = post(order_with(gift_wrap="red", due="2026-12-24", line={"engraving": " 给妈妈 "}))

    assert found["custom"] == {"gift_wrap": "red", "due": "2026-12-24"}
    assert found["lines"][0]["custom"] == {"engraving": "给妈妈"}
    order = Order.objects.get()
    assert order.custom == {"gift_wrap": "red", "due": "2026-12-24"}
    again = make.client().get(f"/api/v1/orders/{order.pk}/").json()
    assert (again["custom"], again["lines"][0]["custom"]) == (found["custom"], {"engraving": "给妈妈"})


def test_every_wrong_field_is_named_with_its_pointer(add: Add) -> None:
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    add("line", "pieces", "integer", most="5")

    found = post(order_with(gift_wrap="blue", nothing="x", line={"pieces": 6}), 400)

    errors = {error["pointer"]: (error["code"], error["message"]) for error in found["errors"]}
    assert errors == {
        "#/custom/gift_wrap": ("field_choice", "blue is none of its choices: red, gold."),
        "#/custom/nothing": ("field_unknown", "There is no such field."),
        "#/lines/0/custom/pieces": ("field_most", "Must be at most 5."),
    }
    assert not Order.objects.exists()


def test_required_fields_and_defaults_count_for_new_orders_only(add: Add) -> None:
    make.network()
    before = post(order_with("A-0"))
    add("order", "source_shop", "text", is_required=True)
    add("order", "priority", "integer", default=3)

    missing = post(order_with("A-1"), 400)
    placed = post(order_with("A-1", source_shop="M1"))

    assert [(x["pointer"], x["code"]) for x in missing["errors"]] == [
        ("#/custom/source_shop", "field_required")
    ]
    assert placed["custom"] == {"source_shop": "M1", "priority": 3}
    assert make.client().get(f"/api/v1/orders/{before['id']}/").json()["custom"] == {}


def test_what_the_merchant_may_not_see_does_not_exist_for_it(add: Add) -> None:
    make.network()
    add("order", "secret", merchant_may="none")
    add("order", "told", merchant_may="read", default="by us")

    refused = post(order_with(secret="x", told="y"), 400)
    placed = post(order_with())

    codes = {x["pointer"]: x["code"] for x in refused["errors"]}
    assert codes == {"#/custom/secret": "field_unknown", "#/custom/told": "field_read_only"}
    assert placed["custom"] == {"told": "by us"}


def test_another_merchants_field_is_unknown(add: Add) -> None:
    make.network()
    add("order", "bobs", owner=make.merchant(cast.BOB))

    assert post(order_with(bobs="x"), 400)["errors"][0]["code"] == "field_unknown"


def test_a_bulk_call_refuses_only_what_is_wrong(add: Add) -> None:
    make.network()
    add("order", "floor", "integer")
    bodies = [order_with("B-1", floor=3), order_with("B-2", floor="3"), order_with("B-3")]

    answer = make.client().post("/api/v1/orders/bulk/", {"orders": bodies}, format="json").json()

    assert [result["status"] for result in answer["results"]] == ["created", "refused", "created"]
    assert answer["results"][1]["error"]["errors"][0]["pointer"] == "#/custom/floor"


def test_the_same_order_again_is_the_same_order(add: Add) -> None:
    make.network()
    add("order", "floor", "integer")
    first = post(order_with(floor=3))

    assert post(order_with(floor=3), 200)["id"] == first["id"]
    assert post(order_with(floor=4), 409)["code"] == "order_exists"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("custom.gift_wrap=red", ["A-1"]),
        ("custom.gift_wrap=红色", ["A-1"]),
        ("custom.floor=12", ["A-2"]),
        ("custom.floor.from=3", ["A-1", "A-2"]),
        ("custom.floor.from=4&custom.floor.to=12", ["A-2"]),
        ("custom.tags=b", ["A-1", "A-2"]),
        ("custom.tags=a;b", ["A-1"]),
        ("custom.due.to=2026-12-01", ["A-2"]),
        ("custom.weight.from=2.5", ["A-2"]),
        ("custom.fragile=true", ["A-1"]),
    ],
)
def test_orders_are_found_by_their_fields(add: Add, query: str, found: list[str]) -> None:
    make.network()
    add("order", "gift_wrap", "choice", choices=WRAPS)
    add("order", "floor", "integer")
    add("order", "weight", "decimal")
    add("order", "due", "date")
    add("order", "fragile", "boolean")
    tags = [{"code": code, "name": code.upper()} for code in "ab"]
    add("order", "tags", "choices", choices=tags)
    post(
        order_with(
            "A-1", gift_wrap="red", floor=3, tags=["b", "a"], due="2026-12-24", weight="2.25", fragile=True
        )
    )
    post(
        order_with("A-2", gift_wrap="gold", floor=12, tags=["b"], due="2026-11-30", weight=10, fragile=False)
    )
    post(order_with("A-3"))

    rows = make.client().get(f"/api/v1/orders/?ordering=id&{query}").json()["results"]

    assert [row["external_id"] for row in rows] == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("custom.nothing=1", "unknown_filter"),
        ("custom.floor=x", "bad_filter"),
        ("custom.floor.between=1", "unknown_filter"),
        ("custom.=1", "unknown_filter"),
        ("custom.note.from=a", "bad_filter"),
    ],
)
def test_bad_filters_are_refused(add: Add, query: str, code: str) -> None:
    make.network()
    add("order", "floor", "integer")
    add("order", "note")

    answer = make.client().get(f"/api/v1/orders/?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_fields_of_a_placed_order_are_changed_and_told(add: Add) -> None:
    make.network()
    add("order", "floor", "integer")
    add("order", "door")
    add("line", "engraving")
    placed = post(order_with(floor=3, door="left"))
    address = f"/api/v1/orders/{placed['id']}/custom/"

    body = {"custom": {"floor": 4, "door": None}, "lines": [{"position": 1, "custom": {"engraving": "M"}}]}
    answer = make.client().patch(address, body, format="json")

    assert answer.status_code == 200, answer.json()
    assert answer.json()["custom"] == {"floor": 4}
    assert answer.json()["lines"][0]["custom"] == {"engraving": "M"}
    assert answer.json()["version"] == placed["version"] + 1
    told = Event.objects.filter(stream=f"order:{placed['id']}", kind="order.fields_changed").order_by("seq")
    assert [event.payload for event in told] == [
        {"fields": ["door", "floor"]},
        {"fields": ["engraving"], "line": 1},
    ]
    wrong = {
        "custom": {"floor": "x"},
        "lines": [{"position": 9, "custom": {}}, {"position": 1, "custom": {"y": 1}}],
    }
    refused = make.client().patch(address, wrong, format="json").json()
    assert {x["pointer"] for x in refused["errors"]} == {
        "#/custom/floor", "#/lines/0/position", "#/lines/1/custom/y",
    }  # fmt: skip
    stale = make.client().patch(address, {"custom": {"floor": 5}}, format="json", HTTP_IF_MATCH='"v1-x"')
    assert stale.status_code == 412
    assert make.client(make.merchant(cast.BOB)).patch(address, body, format="json").status_code == 404


def test_skus_and_warehouses_carry_fields(add: Add) -> None:
    make.network()
    add("sku", "length_cm", "integer", least="1")
    add("sku", "care", "text", default="dry")
    client = make.client()

    made = client.post(
        "/api/v1/skus/", {"sku": "NEW", "name": "New", "custom": {"length_cm": 30}}, format="json"
    )
    plain = client.post("/api/v1/skus/", {"sku": "PLAIN", "name": "Plain"}, format="json")
    bad = client.patch(f"/api/v1/skus/{made.json()['id']}/", {"custom": {"length_cm": 0}}, format="json")
    good = client.patch(f"/api/v1/skus/{made.json()['id']}/", {"custom": {"length_cm": 31}}, format="json")

    assert made.status_code == 201, made.json()
    assert made.json()["custom"] == {"length_cm": 30, "care": "dry"}
    assert plain.json()["custom"] == {"care": "dry"}
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "#/custom/length_cm")
    assert good.json()["custom"] == {"length_cm": 31, "care": "dry"}
    assert [x["sku"] for x in client.get("/api/v1/skus/?custom.length_cm=31").json()["results"]] == ["NEW"]
    assert Sku.objects.get(code="NEW").custom == {"length_cm": 31, "care": "dry"}


def test_parcels_carry_fields(add: Add, hub_clock: make.Clock) -> None:
    make.network()
    add("parcel", "seal", pattern="[A-Z]\\d{3}")
    make.place(make.draft("P-1"))
    make.play(hub_clock)
    parcel = Parcel.objects.get()
    address = f"/api/v1/parcels/{parcel.pk}/custom/"

    bad = make.client().patch(address, {"custom": {"seal": "A12"}}, format="json")
    good = make.client().patch(address, {"custom": {"seal": "A123"}}, format="json")

    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "#/custom/seal")
    assert good.json()["custom"] == {"seal": "A123"}
    found = make.client().get("/api/v1/parcels/?custom.seal=A123").json()["results"]
    assert [row["id"] for row in found] == [parcel.pk]
    assert (
        make.client(make.merchant(cast.BOB)).patch(address, {"custom": {}}, format="json").status_code == 404
    )
