"""Many orders in one call: the good ones are placed, each bad one is told why."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.fulfillment import bulk
from orderhub.orders.models import Order
from tests import make

pytestmark = pytest.mark.django_db
BULK = "/api/v1/orders/bulk/"


@pytest.fixture
def caller() -> Any:
    """A merchant's client."""
    return make.client(make.network())


def test_good_ones_are_placed_and_bad_ones_named(caller: Any) -> None:
    first = make.order_json("B-1")
    bad_line = {**make.order_json("B-3"), "lines": [{"sku": "NOPE", "quantity": 1, "unit_price": "1"}]}
    orders = [
        first,
        {"external_id": 5},
        bad_line,
        first,
        {**first, "note": "other"},
        "junk",
        make.order_json("B-2"),
    ]

    answer = caller.post(BULK, {"orders": orders})

    said = answer.json()
    assert answer.status_code == 200
    assert [row["status"] for row in said["results"]] == [
        "created", "refused", "refused", "unchanged", "refused", "refused", "created",
    ]  # fmt: skip
    assert [row["index"] for row in said["results"]] == list(range(7))
    codes = [row["error"]["code"] for row in said["results"] if row["error"]]
    assert codes == ["invalid", "unknown_sku", "order_exists", "invalid"]
    assert said["results"][2]["error"]["errors"][0]["field"] == "lines[0].sku"
    assert (said["created"], said["unchanged"], said["refused"]) == (2, 1, 4)
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["B-1", "B-2"]
    assert said["results"][0]["number"] == Order.objects.get(external_id="B-1").number


def test_the_same_call_again_gives_the_same_answer_and_another_under_its_key_409(caller: Any) -> None:
    body = {"orders": [make.order_json(f"B-{n}") for n in range(3)]}
    key = {"Idempotency-Key": "bulk-1"}

    first = caller.post(BULK, body, headers=key)
    again = caller.post(BULK, body, headers=key)
    other = caller.post(BULK, {"orders": body["orders"][:1]}, headers=key)

    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Order.objects.count() == 3


def test_more_than_a_thousand_are_413_and_an_empty_or_shapeless_call_400(caller: Any) -> None:
    many = caller.post(BULK, {"orders": [{}] * (bulk.MOST + 1)})
    none = caller.post(BULK, {"orders": []})
    shapeless = caller.post(BULK, [make.order_json()])

    assert (many.status_code, many.json()["code"]) == (413, "too_many_orders")
    assert many.json()["remedy"]
    assert (none.status_code, shapeless.status_code) == (400, 400)
    assert Order.objects.count() == 0


def test_chunks_are_placed_one_after_the_other(caller: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)

    answer = caller.post(BULK, {"orders": [make.order_json(f"B-{n}") for n in range(5)]})

    assert answer.json()["created"] == 5
    assert Order.objects.count() == 5
