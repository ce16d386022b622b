"""What a batch costs in queries does not grow with the batch: as many for 25 orders as for 5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors import imports, inbox
from orderhub.connectors.base import Incoming
from orderhub.events import registry, rows
from orderhub.events.models import Delivery, Event
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.updates import Update
from orderhub.inventory import locks
from orderhub.journey import JOURNEY
from orderhub.kernel import clock
from orderhub.orders import advance as journey
from orderhub.orders import journeys
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from rules import flow
from tests import cast, make

pytestmark = pytest.mark.django_db

SIZES = (5, 25)
STOCK = 'UPDATE "inventory_stock"'
BUYERS = (cast.FANG, cast.LEI, cast.MEI)


@pytest.fixture(autouse=True)
def _warm_shop(hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that has shipped before: strategies, factors and caches are there.

    Django cuts long inserts on SQLite after 999 values; the limit is lifted, as cut ones say nothing.
    """
    monkeypatch.setattr(connection.features, "max_query_params", 32_000)
    monkeypatch.setattr(rows, "_AT_ONCE_ON_SQLITE", 1000)
    make.network(units=10_000)
    make.channel("generic")
    make.place(*(make.draft(f"warm{number}", to=buyer) for number, buyer in enumerate(BUYERS)))
    make.play(hub_clock)


def batch(size: int) -> list[Any]:
    """Drafts of two lines for three buyers."""
    return [
        make.draft(f"{size}-{number}", to=BUYERS[number % 3], lines={"LAMP": 1 + number % 2, "CUP": 2})
        for number in range(size)
    ]


def released(size: int) -> list[str]:
    """The fulfillment numbers of that many orders that warehouses have."""
    placed = make.place(*batch(size))
    make.run_until_idle()
    rows = FulfillmentOrder.objects.filter(order__in=placed, state="released")
    numbers = list(rows.order_by("pk").values_list("number", flat=True))
    assert len(numbers) == size
    return numbers


def queries(work: Callable[[], object]) -> list[str]:
    """The statements that `work` runs, without savepoints.

    Stock rows are written by up to eight UPDATEs, one for each different change; they count as one.
    """
    journeys.forget()  # what was read before is kept for half a second
    locks.forget()  # and which days have their row, for as long as the process lives
    with CaptureQueriesContext(connection) as captured:
        work()
    said = [row["sql"] for row in captured.captured_queries if "SAVEPOINT" not in row["sql"]]
    assert sum(sql.startswith(STOCK) for sql in said) <= 8
    return [
        sql for sql, before in zip(said, ["", *said], strict=False)
        if not (sql.startswith(STOCK) and before.startswith(STOCK))
    ]  # fmt: skip


def assert_same(costs: Sequence[list[str]], *, at_most: int) -> None:
    """Both sizes cost the same, within the budget; on failure the longer list is shown."""
    few, many = costs
    assert len(few) == len(many), "\n".join(sql[:160] for sql in max(few, many, key=len))
    assert len(many) <= at_most


def test_placing() -> None:
    drafts = {size: batch(size) for size in SIZES}

    costs = [queries(lambda size=size: make.place(*drafts[size])) for size in SIZES]

    assert_same(costs, at_most=14)


def test_every_step_of_the_journey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "_AT_ONCE", {})
    costs: dict[str, list[list[str]]] = {name: [] for name in JOURNEY}

    def counted(step: flow.Step) -> flow.Step:
        def run(subjects: Sequence[Any], context: flow.Context) -> Any:
            found: list[Any] = []
            costs[step.name].append(queries(lambda: found.append(step.run(subjects, context))))
            return found[0]

        return replace(step, run=run)

    monkeypatch.setattr(flow, "_steps", {name: counted(flow.get(name)) for name in flow.names()})
    for size in (1, *SIZES):  # the first batch of a process also reads what changes seldom
        placed = make.place(*batch(size))
        journey.advance([order.pk for order in placed], now=clock.now(), actor="system")

    assert set(Order.objects.exclude(stage="delivered").values_list("stage", flat=True)) == {"released"}
    budgets = {
        "order.screen": 4, "order.price": 3, "routing.route": 33, "fulfillment.reserve": 22,
        "routing.wave": 1, "fulfillment.release": 14,
    }  # fmt: skip
    for name in JOURNEY:
        assert_same(costs[name][1:], at_most=budgets[name])


@pytest.mark.parametrize("verb", ["hold", "release_holds", "cancel", "reroute"])
def test_the_verbs_on_orders(verb: str) -> None:
    extra: dict[str, Any] = {} if verb == "release_holds" else {"reason": "customer"}
    costs = []
    for size in SIZES:
        ids = [order.pk for order in make.place(*batch(size))]
        if verb == "release_holds":
            orders.hold(ids, reason="customer", actor="user:li", now=clock.now())
        work = partial(getattr(orders, verb), ids, actor="user:li", now=clock.now(), **extra)
        costs.append(queries(work))

    assert_same(costs, at_most=22)


@pytest.mark.parametrize("kind", ["acknowledge", "pick", "pack", "ship", "reject"])
def test_what_warehouses_say(kind: str) -> None:
    costs = []
    for size in SIZES:
        now = clock.now()
        updates = [Update(kind=kind, fulfillment_number=number, occurred_at=now) for number in released(size)]
        costs.append(queries(partial(fulfillment.apply, updates, now=now)))

    assert_same(costs, at_most=32)


def test_draining_the_inbox() -> None:
    costs = []
    connected = make.connection()
    for size in SIZES:
        body = {"kind": "acknowledge", "occurred_at": clock.now().isoformat()}
        messages = [Incoming(f"k{number}", {**body, "reference": number}) for number in released(size)]
        inbox.receive(connected, messages, now=clock.now())
        costs.append(queries(lambda: inbox.drain(connected.pk, now=clock.now())))

    assert_same(costs, at_most=32)


def test_receiving_messages() -> None:
    connected = make.connection()

    costs = [
        queries(
            lambda size=size: inbox.receive(
                connected, [Incoming(f"{size}-{n}", {"kind": "?"}) for n in range(size)], now=clock.now()
            )
        )
        for size in SIZES
    ]

    assert_same(costs, at_most=10)


def test_importing_a_chunk() -> None:
    costs = []
    for size in (1, *SIZES):  # the first file of a process also reads the merchant's own fields
        rows = [(f"{size}-{n}", BUYERS[n % 3], {"LAMP": 1, "CUP": 2}) for n in range(size)]
        uploaded = imports.upload(
            [("orders.csv", make.csv_file(rows))], merchant=make.merchant(), kind="orders", actor="user:li",
            now=clock.now(), user=None,
        )  # fmt: skip
        costs.append(queries(lambda at=uploaded.pk: imports.run(at)))
        uploaded.refresh_from_db()
        assert uploaded.accepted_orders == size

    assert_same(costs[1:], at_most=60)


def test_pushing_releases() -> None:
    costs = []
    push = registry.subscribers["connectors.push"]
    for size in SIZES:
        placed = make.place(*batch(size))
        journey.advance([order.pk for order in placed], now=clock.now(), actor="system")
        owed = Delivery.objects.filter(subscriber=push.name, state="ready").select_related("event")
        rows = list(owed.order_by("pk"))
        assert len(rows) == size
        costs.append(queries(partial(push.handle, rows)))
        make.run_until_idle()

    assert_same(costs, at_most=14)


@pytest.mark.parametrize("name", ["tracking.timeline", "carbon.ledger"])
def test_projections(name: str, hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole life of the orders in one batch of events."""
    projection = registry.projections[name]
    costs = []
    for size in SIZES:
        with monkeypatch.context() as patch:
            patch.delitem(registry.projections, name)
            placed = make.place(*batch(size))
            make.play(hub_clock)
        streams = {order.stream for order in placed}
        events = list(Event.objects.filter(stream__in=streams, kind__in=projection.kinds).order_by("pk"))
        assert len(events) >= size
        costs.append(queries(partial(projection.apply, events)))

    assert_same(costs, at_most=24)
