"""The same key and body always get the same answer; many at once make one order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from orderhub.access.models import IdempotencyKey
from orderhub.events.models import Event
from orderhub.orders.models import Order
from tests import cast, make

KEY = {"Idempotency-Key": "k-1"}


@pytest.mark.django_db
def test_the_same_request_gets_the_same_answer() -> None:
    api = make.client(make.network())

    first = api.post("/api/v1/orders/", make.order_json(), headers=KEY)
    second = api.post("/api/v1/orders/", make.order_json(), headers=KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_409() -> None:
    api = make.client(make.network())
    api.post("/api/v1/orders/", make.order_json(), headers=KEY)

    answer = api.post("/api/v1/orders/", make.order_json("A2"), headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_two_merchants_do_not_meet() -> None:
    for shop in (cast.ALICE, cast.BOB):
        answer = make.client(make.network(make.merchant(shop))).post(
            "/api/v1/orders/", make.order_json(), headers=KEY
        )
        assert answer.status_code == 201

    assert Order.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_request_leaves_the_key_free() -> None:
    api = make.client(make.network())

    refused = api.post("/api/v1/orders/", make.order_json(lines={"LAMP": 0}), headers=KEY)
    accepted = api.post("/api/v1/orders/", make.order_json(), headers=KEY)

    assert (refused.status_code, accepted.status_code) == (400, 201)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_50_at_once_make_one_order() -> None:
    """50 clients, one key: 1 order, 50 equal answers."""
    merchant = make.network()
    api = make.client(merchant)

    def send(_number: int) -> Any:
        try:
            return api.post("/api/v1/orders/", make.order_json(), headers=KEY)
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 49
    assert Order.objects.count() == IdempotencyKey.objects.count() == 1
    assert Event.objects.filter(kind="order.placed").count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_20_at_once_without_a_key_make_one_order() -> None:
    """The order's number is enough: one is created, the others are told it stands."""
    api = make.client(make.network())

    def send(_number: int) -> Any:
        try:
            return api.post("/api/v1/orders/", make.order_json())
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Order.objects.count() == 1
