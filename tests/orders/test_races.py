"""Two at once, on PostgreSQL: one order per number, one walk per order. 200 buyers for 50 units: 50 win."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from orderhub.events.models import Event
from orderhub.inventory import invariants as stock_invariants
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Movement, Stock
from orderhub.inventory.services import Take
from orderhub.orders import advance, invariants, services
from orderhub.orders.models import Order, Person
from tests.orders import builders as make

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
CLIENTS = 50


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run the jobs in CLIENTS threads that all start together, each with a connection of its own."""
    start = Barrier(min(CLIENTS, len(jobs)), timeout=30)
    shares = [jobs[n :: start.parties] for n in range(start.parties)]

    def client(share: list[Callable[[], Any]]) -> list[Any]:
        try:
            connection.ensure_connection()
            start.wait()
            return [job() for job in share]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(start.parties) as pool:
        return [answer for answers in pool.map(client, shares) for answer in answers]


def test_200_takes_of_50_units_let_exactly_50_win() -> None:
    row = make.stock(units=0)
    inventory.receive([(row.warehouse, row.sku, 53)], reference="po", actor="", now=make.NOW)
    Stock.objects.update(safety=3)

    def buy(key: int) -> bool:
        take = Take(key, row.warehouse_id, row.sku_id, 1)
        return not inventory.take([take], reference="order", actor="", now=make.NOW)

    won = at_once([lambda key=key: buy(key) for key in range(200)])

    assert Counter(won) == {True: 50, False: 150}
    row.refresh_from_db()
    assert (row.on_hand, row.reserved) == (53, 50)
    assert Movement.objects.filter(kind="reserve").count() == 50
    assert [*stock_invariants.never_oversold(), *stock_invariants.movements_add_up()] == []


def test_takes_of_several_rows_in_any_order_never_lock_in_a_circle() -> None:
    rows = [make.stock(code, units=30) for code in ("A", "B", "C")]

    def buy(key: int) -> bool:
        turned = rows[key % 3 :] + rows[: key % 3]
        takes = [Take(key, row.warehouse_id, row.sku_id, 1) for row in turned]
        return not inventory.take(takes, reference="order", actor="", now=make.NOW)

    won = at_once([lambda key=key: buy(key) for key in range(80)])

    assert Counter(won) == {True: 30, False: 50}


def test_the_same_number_from_50_requests_is_one_order() -> None:
    make.channel(), make.sku()
    merchant, same, other = make.merchant(), make.draft("T1"), make.draft("T1", note="other")

    def place(draft: Any) -> str:
        return services.place([draft], merchant=merchant, actor="api:t", now=make.NOW, source="api")[
            0
        ].outcome

    outcomes = Counter(at_once([lambda n=n: place(other if n % 10 == 9 else same) for n in range(50)]))

    assert outcomes["created"] == 1
    assert sum(outcomes.values()) == 50
    assert sorted(outcomes.values())[-1] == max(outcomes["unchanged"], outcomes["conflict"])
    assert (Order.objects.count(), Person.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="order.placed").count() == 1
    assert Event.objects.filter(kind="order.repeat_refused").count() == 1


def test_overlapping_batches_in_opposite_order_place_each_number_once() -> None:
    make.channel(), make.sku()
    merchant, drafts = make.merchant(), [make.draft(f"T{n:02}") for n in range(30)]

    def place(turned: bool) -> list[str]:
        batch = drafts[::-1] if turned else drafts
        placements = services.place(batch, merchant=merchant, actor="api:t", now=make.NOW, source="api")
        return [placement.outcome for placement in placements]

    outcomes = at_once([lambda n=n: place(n % 2 == 1) for n in range(8)])

    assert Counter(x for batch in outcomes for x in batch) == {"created": 30, "unchanged": 210}
    assert Order.objects.count() == 30


def test_eight_workers_on_the_same_orders_take_each_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [
        order.pk for order in make.placed(*[make.draft(f"T{n}", paid=False, paid_at=None) for n in range(20)])
    ]

    at_once([lambda: advance.advance(ids, now=make.NOW, actor="system") for _worker in range(8)])

    assert Event.objects.filter(kind="order.held").count() == 20
    assert [*invariants.stage_is_told(), *invariants.waiting_has_a_reason()] == []
