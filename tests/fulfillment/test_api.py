"""Orders through the API: placed once, refused in words, acted on by the verbs the order's document offers."""

from __future__ import annotations

from typing import Any

import pytest

from orderhub.events.models import Event
from orderhub.orders.models import Order
from tests import make

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


@pytest.fixture
def body() -> dict[str, Any]:
    """A good order."""
    make.network()
    make.channel()
    return make.order_json("A-1")


def test_a_new_order_is_answered_whole_and_a_replay_gives_the_same_bytes(body: dict[str, Any]) -> None:
    caller = make.client()

    first = caller.post(ORDERS, body, headers={"Idempotency-Key": "one"})
    again = caller.post(ORDERS, body, headers={"Idempotency-Key": "one"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["Location"] == f"{ORDERS}{first.json()['id']}/"
    assert (first.json()["stage"], first.json()["external_id"]) == ("received", "A-1")
    assert first.json()["tracking_url"].endswith("/")
    assert Order.objects.count() == 1


def test_the_same_number_again_is_the_same_order_and_with_other_content_a_conflict(
    body: dict[str, Any],
) -> None:
    caller = make.client()
    first = caller.post(ORDERS, body)

    same = caller.post(ORDERS, body)
    other = caller.post(ORDERS, {**body, "note": "other"})

    assert (same.status_code, same.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "order_exists")
    assert other["Content-Type"].startswith("application/problem+json")
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"lines": []}, "empty", "lines"),
        ({"lines": [{"sku": "NOPE", "quantity": 1, "unit_price": "1"}]}, "unknown_sku", "lines[0].sku"),
        ({"lines": [{"sku": "LAMP", "quantity": -1, "unit_price": "1"}]}, "min_value", "lines[0].quantity"),
        (
            {"lines": [{"sku": "LAMP", "quantity": 1, "unit_price": "1e309"}]},
            "max_digits",
            "lines[0].unit_price",
        ),
        (
            {"lines": [{"sku": "LAMP", "quantity": 100000, "unit_price": "999999999"}]},
            "amount_too_large",
            "lines",
        ),
        ({"currency": "yuan"}, "invalid", "currency"),
        ({"placed_at": "2026-02-30T10:00:00Z"}, "invalid", "placed_at"),
        ({"external_id": "A\u0000B"}, "null_characters_not_allowed", "external_id"),
        ({"channel": "nowhere"}, "unknown_channel", "channel"),
    ],
)
def test_bad_input_is_named_and_nothing_happens(
    body: dict[str, Any], change: dict[str, Any], code: str, field: str
) -> None:
    answer = make.client().post(ORDERS, {**body, **change})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["remedy"]
    assert Order.objects.count() == 0
    assert not Event.objects.filter(stream__startswith="order:").exists()


def test_an_unknown_province_is_refused_in_the_callers_language(body: dict[str, Any]) -> None:
    body["destination"]["province"] = "火星省"

    zh = make.client().post(ORDERS, body)
    en = make.client(language="en").post(ORDERS, body)

    assert (zh.status_code, zh.json()["code"]) == (400, "unknown_province")
    assert "火星省" in zh.json()["title"]
    assert en.json()["title"].isascii() or "province" in en.json()["title"]
    assert zh.json()["remedy"] != en.json()["remedy"]


def test_lists_filter_by_number_import_and_stage_and_refuse_other_filters(body: dict[str, Any]) -> None:
    caller = make.client()
    caller.post(ORDERS, body)

    assert caller.get(ORDERS, {"external_id": "A-1"}).json()["count"] == 1
    assert caller.get(ORDERS, {"stage": "delivered"}).json()["count"] == 0
    assert caller.get(ORDERS, {"import": "7"}).json()["count"] == 0
    assert caller.get(ORDERS, {"stage": "nowhere"}).status_code == 400
    assert caller.get(ORDERS, {"sort": "id"}).status_code == 400


def test_an_unpaid_order_waits_until_it_is_paid(body: dict[str, Any]) -> None:
    caller = make.client()
    order = caller.post(ORDERS, {**body, "paid": False}).json()
    make.run_until_idle()
    waiting = caller.get(f"{ORDERS}{order['id']}/").json()

    caller.post(f"{ORDERS}{order['id']}/pay/", {})
    make.run_until_idle()

    released = caller.get(f"{ORDERS}{order['id']}/").json()
    assert [hold["reason"] for hold in waiting["holds"] if hold["active"]] == ["awaiting_payment"]
    assert (waiting["stage"], released["stage"]) == ("reviewing", "released")
    assert caller.get(f"{ORDERS}{order['id']}/decision/").json()["status"] == "routed"
    told = [row["kind"] for row in caller.get(f"{ORDERS}{order['id']}/events/").json()["results"]]
    assert told[0] == "order.placed"
    assert "order.paid" in told


def test_hold_release_reroute_and_cancel_by_api(body: dict[str, Any]) -> None:
    caller = make.client()
    where = f"{ORDERS}{caller.post(ORDERS, body).json()['id']}/"

    held = caller.post(f"{where}hold/", {"reason": "manual", "detail": "请稍等"}).json()
    freed = caller.post(f"{where}release/", {"reason": "好了"}).json()
    ended = caller.post(f"{where}cancel/", {"reason": "不要了"}).json()
    refused = caller.post(f"{where}reroute/", {})

    assert (held["stage"], held["holds"][0]["active"]) == ("reviewing", True)
    assert freed["holds"][0]["active"] is False
    assert ended["stage"] == "cancelled"
    assert refused.status_code == 409
    assert refused.json()["remedy"]


def test_an_address_that_is_not_there_is_a_problem_document_too(client: Any) -> None:
    answer = client.get("/api/v1/nothing/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
