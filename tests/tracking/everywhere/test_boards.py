"""Boards: which orders, which blocks, by which link; and one reader for all open ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from orderhub.orders.models import Order
from tests import cast, make
from tracking import live
from tracking.everywhere import board_sockets, boards
from tracking.everywhere.models import Board

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(hub_clock: make.Clock) -> list[Order]:
    make.network()
    placed = make.place(
        make.draft("A1", to=cast.LEI), make.draft("A2", to=cast.LEI), make.draft("B1", to=cast.MEI)
    )
    make.run_until_idle()
    return [make.fresh(order) for order in placed]


def board(orders: list[Order], **fields: Any) -> Board:
    row = Board(merchant=orders[0].merchant, name="VIP", token_hash="new", **fields)
    row.save()
    boards.stamp(row)
    row.save()
    return row


def test_a_customer_sees_their_orders_and_nobody_elses(orders: list[Order], hub_clock: make.Clock) -> None:
    row = board(orders, phone=orders[0].person.phone)
    body = Client().get(f"/b/{boards.token(row)}/").content.decode()

    assert "A1" in body
    assert "A2" in body
    assert "B1" not in body
    assert orders[0].person.name not in body
    assert orders[0].person.phone not in body


def test_links_end_and_can_be_withdrawn(orders: list[Order], hub_clock: make.Clock) -> None:
    row = board(orders)
    row.orders.add(orders[2])
    path = f"/b/{boards.token(row)}/"
    answer = Client().get(path, {"format": "json"})
    assert [one["external_id"] for one in answer.json()["orders"]] == ["B1"]
    again = Client().get(path, {"format": "json"}, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304

    boards.withdraw(row)
    assert Client().get(path).status_code == 404
    fresh = f"/b/{boards.token(row)}/"
    assert Client().get(fresh).status_code == 200
    Board.objects.update(expires_at=hub_clock.now())
    assert Client().get(fresh).status_code == 404


def test_an_empty_board_says_so(orders: list[Order]) -> None:
    row = board(orders)
    assert "还没有订单" in Client().get(f"/b/{boards.token(row)}/").content.decode()


@pytest.mark.django_db(transaction=False)
def test_one_reader_tells_each_board_what_changed_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {1: {7: 3, 8: 1}, 2: {9: 5}}
    now_at = {7: 3, 8: 1, 9: 5}
    monkeypatch.setattr(board_sockets, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(board_sockets, "_members", lambda ids: {pk: dict(members[pk]) for pk in ids})
    monkeypatch.setattr(live, "revisions", lambda ids: {pk: now_at[pk] for pk in ids})
    told: list[tuple[int, int]] = []

    async def story() -> None:
        reader = board_sockets.Reader()
        tells = {}
        for number in (1, 2):

            async def tell(seq: int, number: int = number) -> None:
                told.append((number, seq))

            tells[number] = tell
            reader.join(Board(pk=number), tell)
        await asyncio.sleep(0.2)
        now_at[8] = 4
        await asyncio.sleep(0.3)
        for number, one in tells.items():
            reader.leave(number, one)
        await asyncio.sleep(0.1)
        assert reader._task is not None
        assert reader._task.done()

    asyncio.run(story())

    assert told == [(1, 7)]
