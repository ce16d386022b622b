"""The timeline follows the log: same rows however often and in whatever parts the log is read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orderhub.access.models import Merchant
from orderhub.events import tail
from orderhub.events.log import Fact, record
from orderhub.events.models import Event
from orderhub.orders.models import Order
from tests import cast, make
from tracking import invariants, projection
from tracking.models import Journey, TimelineEntry

pytestmark = pytest.mark.django_db


def told(order: Order) -> list[tuple[int, str]]:
    rows = TimelineEntry.objects.filter(journey__order=order).order_by("occurred_at", "seq")
    return [(row.seq, row.milestone) for row in rows]


def everything() -> list[tuple[object, ...]]:
    pages = Journey.objects.order_by("order_id").values_list("order_id", "seq", "stage", "changed_at")
    rows = TimelineEntry.objects.order_by("journey__order_id", "seq").values_list(
        "journey__order_id", "seq", "milestone", "occurred_at", "place", "parcel_id", "facts"
    )
    return [*pages, *((*row[:6], sorted(row[6].items())) for row in rows)]


def events() -> list[Event]:
    return list(Event.objects.filter(stream__startswith="order:").order_by("pk"))


def test_a_delivered_order_has_every_milestone_once(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()

    make.play(hub_clock)

    assert [code for _seq, code in told(order)] == [
        "ORDER_PLACED",
        "ALLOCATED",
        "WMS_ACCEPTED",
        "PICKED",
        "PACKED",
        "SHIPPED",
        "PICKED_UP",
        "DEPARTED",
        "ARRIVED",
        "OUT_FOR_DELIVERY",
        "DELIVERED",
    ]
    page = Journey.objects.get(order=order)
    assert (page.stage, page.seq) == ("delivered", Event.objects.filter(stream=order.stream).count())


def test_reading_the_log_again_changes_nothing(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1"), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    before, revisions = everything(), list(Journey.objects.order_by("pk").values_list("revision", flat=True))

    tail.rewind("tracking.timeline")
    make.run_until_idle()

    assert everything() == before
    assert list(Journey.objects.order_by("pk").values_list("revision", flat=True)) == revisions


def test_rebuilding_from_nothing_gives_the_same_rows(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1", lines={"LAMP": 1, "CUP": 2}), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    before = everything()

    Journey.objects.all().delete()
    tail.rewind("tracking.timeline")
    make.run_until_idle()

    assert everything() == before
    assert list(invariants.timelines_are_the_fold()) == []
    assert list(invariants.pages_follow_the_log()) == []


def test_the_parts_the_log_is_read_in_do_not_matter(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1"), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    before = everything()
    Journey.objects.all().delete()

    log = events()
    for start in range(0, len(log), 3):
        projection.apply(log[start : start + 3])

    assert everything() == before


def test_a_batch_costs_the_same_whatever_its_size(hub_clock: make.Clock) -> None:
    make.network()
    make.place(*(make.draft(f"A{n}") for n in range(9)))
    make.play(hub_clock)
    log = events()
    counts = []
    for streams in (1, 9):
        Journey.objects.all().delete()
        wanted = sorted({event.stream for event in log})[:streams]
        batch = [event for event in log if event.stream in wanted]
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            projection.apply(batch)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries.captured_queries))

    assert counts[0] == counts[1] <= 9


def test_a_late_scan_stands_where_it_happened(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.play(hub_clock)
    delivered = Event.objects.get(stream=order.stream, kind="parcel.delivered")
    parcel = delivered.payload["parcel"]

    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        late = Fact(
            order.stream,
            "parcel.scanned",
            {"parcel": parcel, "milestone": "ARRIVED", "place": "嘉兴市"},
            order.merchant_id,
            delivered.occurred_at - timedelta(hours=30),
        )
        record([late], now=hub_clock.now(), actor="connection:sim")
    make.run_until_idle()

    codes = told(order)
    assert codes[-1][1] == "DELIVERED"
    assert codes.index((delivered.seq + 1, "ARRIVED")) < len(codes) - 1
    assert Journey.objects.get(order=order).stage == "delivered"


def test_what_customers_may_not_see_is_not_copied(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    facts = [
        Fact(order.stream, "order.held", {"reason": "risk", "detail": "王芳 13800000001"}, order.merchant_id),
        Fact(order.stream, "fulfillment.rejected", {"reason": "damaged_stock"}, order.merchant_id),
        Fact(order.stream, "parcel.scanned", {"milestone": "INTERCEPT_FAILED"}, order.merchant_id),
        Fact(
            order.stream,
            "parcel.scanned",
            {"milestone": "ARRIVED", "text": "快递员张三 13900000000"},
            order.merchant_id,
        ),
    ]
    with transaction.atomic():
        written = record(facts, now=hub_clock.now(), actor="system")

    projection.apply(written)

    rows = TimelineEntry.objects.filter(journey__order=order, seq__gte=written[0].seq)
    assert [(row.milestone, row.facts) for row in rows.order_by("seq")] == [
        ("ORDER_HELD", {}),
        ("ARRIVED", {}),
    ]


def test_several_parcels_are_told_as_a_split() -> None:
    owner = Merchant.objects.create(code="m", name="M")
    event = Event(
        merchant=owner,
        stream="order:7",
        seq=1,
        kind="routing.decided",
        occurred_at=make.NOW,
        recorded_at=make.NOW,
        payload={"warehouses": ["HGH", "CAN"], "parcels": 2, "stage": "routed"},
    )

    folded = projection.fold([event])[7]

    assert [(said.milestone, said.facts) for said in folded.told] == [("SPLIT", {"n": 2})]
    assert folded.stage == "routed"


def test_streams_of_others_are_left_alone() -> None:
    event = Event(
        merchant_id=1,
        stream="stock:1",
        seq=1,
        kind="stock.received",
        occurred_at=make.NOW,
        recorded_at=make.NOW,
        payload={},
    )

    assert projection.fold([event]) == {}
