"""Accepted at once, read later: every body becomes an order or stays with its reason."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from orderhub.events.models import Delivery
from orderhub.fulfillment import accepting
from orderhub.fulfillment.models import IntakeMessage
from orderhub.inventory.models import Sku
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db
INTAKE = "/api/v1/intake/orders/"


def send(caller: Any, body: bytes | dict[str, Any], **headers: str) -> Any:
    """Post a raw body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return caller.post(INTAKE, raw, content_type="application/json", headers=headers)


def test_an_accepted_order_is_placed_moments_later() -> None:
    caller = make.client(make.network())

    answer = send(caller, make.order_json("W-1"))
    before = caller.get(answer["Location"]).json()
    placed_before = Order.objects.count()
    make.run_until_idle()
    after = caller.get(answer["Location"]).json()

    order = Order.objects.get()
    assert (answer.status_code, before["status"], placed_before) == (202, "received", 0)
    assert (after["status"], after["order"], after["order_number"]) == ("placed", order.pk, order.number)
    assert bytes(IntakeMessage.objects.get().body) == b""
    assert order.original.payload["external_id"] == "W-1"


def test_what_cannot_be_an_order_is_kept_with_its_reason_and_can_be_tried_again() -> None:
    caller = make.client(make.network())
    new = {**make.order_json("W-2"), "lines": [{"sku": "NEW", "quantity": 1, "unit_price": "1"}]}

    junk, unknown = send(caller, b"{not json"), send(caller, new)
    make.run_until_idle()
    said = [caller.get(answer["Location"]).json() for answer in (junk, unknown)]

    assert [row["status"] for row in said] == ["unreadable", "refused"]
    assert [row["problem"]["code"] for row in said] == ["bad_json", "unknown_sku"]
    assert bytes(IntakeMessage.objects.get(state="unreadable").body) == b"{not json"
    assert Order.objects.count() == 0

    Sku.objects.create(merchant=make.merchant(), code="NEW", name="新", grams=1, price=1)
    ids = list(IntakeMessage.objects.values_list("pk", flat=True))
    assert accepting.replay(ids, now=clock.now(), actor="user:op") == 2
    make.run_until_idle()

    assert [caller.get(answer["Location"]).json()["status"] for answer in (junk, unknown)] == [
        "unreadable",
        "placed",
    ]
    assert Order.objects.get().external_id == "W-2"


def test_a_repeat_under_a_key_is_the_same_message_and_another_body_409() -> None:
    caller = make.client(make.network())
    key = {"Idempotency-Key": "w"}

    first, again = send(caller, make.order_json(), **key), send(caller, make.order_json(), **key)
    other = send(caller, make.order_json("A2"), **key)

    assert first["Location"] == again["Location"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert IntakeMessage.objects.count() == 1
    assert Delivery.objects.filter(subscriber="fulfillment.intake").count() == 1


def test_one_bad_body_does_not_touch_the_others_of_its_batch() -> None:
    caller = make.client(make.network())
    for body in (make.order_json("G-1"), {"external_id": 7}, make.order_json("G-2"), make.order_json("G-1")):
        send(caller, body)

    make.run_until_idle()

    assert list(IntakeMessage.objects.order_by("pk").values_list("state", flat=True)) == [
        "placed", "refused", "placed", "placed",
    ]  # fmt: skip
    assert Order.objects.count() == 2


def test_another_merchants_message_is_not_there() -> None:
    where = send(make.client(make.network()), make.order_json())["Location"]

    answer = make.client(make.network(make.merchant(cast.BOB))).get(where)

    assert answer.status_code == 404


def test_finished_bodies_are_forgotten_after_30_days() -> None:
    send(make.client(make.network()), b"junk")
    make.run_until_idle()

    assert accepting.forget(now=clock.now() + timedelta(days=29)) == 0
    assert accepting.forget(now=clock.now() + timedelta(days=31)) == 1
