"""A merchant's file of orders is uploaded, and every parcel is brought to its door."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from carbon.models import CalculationRun, LedgerEntry
from orderhub.access.models import Merchant
from orderhub.connectors import imports
from orderhub.connectors.models import ImportBatch, InboxMessage, SimulatedJob
from orderhub.events.models import Delivery, Event
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Movement
from orderhub.kernel import clock
from orderhub.orders import queries
from orderhub.orders.models import Order
from routing.models import Decision
from tests import cast, make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold
from tracking.models import TimelineEntry
from tracking.queries import page

pytestmark = pytest.mark.django_db

FILE = (
    ("W1", cast.FANG, {"LAMP": 1}),
    ("W2", cast.LEI, {"QUILT": 1, "CUP": 2}),
    ("W3", cast.MEI, {"CUP": 3}),
)
WAY = [
    "order.placed", "routing.decided", "fulfillment.reserved", "fulfillment.released",
    "fulfillment.acknowledged", "fulfillment.picking", "fulfillment.packed", "fulfillment.shipped",
    "parcel.scanned", "parcel.scanned", "parcel.scanned", "parcel.scanned", "parcel.delivered",
]  # fmt: skip
MILESTONES = [
    "ORDER_PLACED", "ALLOCATED", "WMS_ACCEPTED", "PICKED", "PACKED", "SHIPPED", "PICKED_UP", "DEPARTED",
    "ARRIVED", "OUT_FOR_DELIVERY", "DELIVERED",
]  # fmt: skip


def upload(merchant: Merchant, content: bytes) -> ImportBatch:
    """Upload the file as a person would, and let the hub read it."""
    batch = imports.upload(
        [("orders.csv", content)], merchant=merchant, kind="orders", actor="user:alice", now=clock.now(),
        user=None,
    )  # fmt: skip
    make.run_until_idle()
    batch.refresh_from_db()
    return batch


def test_every_order_of_a_file_reaches_its_door(hub_clock: make.Clock) -> None:
    alice = make.network()

    batch = upload(alice, make.csv_file(FILE))

    assert (batch.status, batch.rows, batch.accepted_orders, batch.refused_rows) == ("done", 4, 3, 0)
    assert queries.pool(now=hub_clock.now()).count() == 3
    assert set(Order.objects.values_list("stage", "source")) == {("released", f"import:{batch.pk}")}
    sites = dict(FulfillmentOrder.objects.values_list("order__external_id", "warehouse__code"))
    assert sites == {"W1": "HGH", "W2": "CAN", "W3": "CTU"}
    assert make.shelf("CAN", "CUP") == (100, 2)

    make.play(hub_clock)

    orders = list(Order.objects.order_by("external_id"))
    assert [order.stage for order in orders] == ["delivered"] * 3
    assert [make.kinds_of(order) for order in orders] == [WAY] * 3
    assert [order.promised_at is not None for order in orders] == [True] * 3
    assert make.shelf("CAN", "CUP") == (98, 0)
    assert make.shelf("CAN", "QUILT") == (99, 0)
    assert Parcel.objects.filter(status="delivered", delivered_at__isnull=False).count() == 3
    assert set(InboxMessage.objects.values_list("state", flat=True)) == {"applied"}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    replay.assert_told(*orders)
    assert_all_hold()


def test_the_same_file_again_changes_nothing(hub_clock: make.Clock) -> None:
    alice = make.network()
    upload(alice, make.csv_file(FILE))
    make.play(hub_clock)
    before = _everything()

    batch = upload(alice, make.csv_file(FILE))

    assert (batch.accepted_orders, batch.unchanged_orders, batch.refused_rows) == (0, 3, 0)
    assert _everything() == before


def test_a_changed_line_of_a_known_order_is_refused_and_told(hub_clock: make.Clock) -> None:
    alice = make.network()
    upload(alice, make.csv_file(FILE))

    batch = upload(alice, make.csv_file([("W1", cast.FANG, {"LAMP": 2})]))

    assert (batch.accepted_orders, batch.unchanged_orders, batch.refused_rows) == (0, 0, 1)
    assert batch.refused.get().kind == "order_changed"
    order = Order.objects.get(external_id="W1")
    assert make.kinds_of(order)[-1] == "order.repeat_refused"
    assert order.lines.get().ordered == 1


def test_the_buyer_sees_every_milestone(hub_clock: make.Clock) -> None:
    alice = make.network()
    upload(alice, make.csv_file(FILE))

    make.play(hub_clock)

    order = Order.objects.get(external_id="W1")
    rows = TimelineEntry.objects.filter(journey__order=order).order_by("seq")
    assert [row.milestone for row in rows] == MILESTONES
    assert order.journey.seq == len(WAY)


def test_the_buyers_page_tells_it_in_both_languages(hub_clock: make.Clock) -> None:
    alice = make.network()
    upload(alice, make.csv_file(FILE))
    make.play(hub_clock)
    order = Order.objects.select_related("merchant").get(external_id="W1")

    zh = page(order, language="zh-hans", now=hub_clock.now())
    en = page(order, language="en", now=hub_clock.now())

    texts = {"zh-hans": json.dumps(zh, ensure_ascii=False), "en": json.dumps(en)}
    assert (zh["language"], en["language"], zh["seq"]) == ("zh-hans", "en", en["seq"])
    for said in ("已签收", "已出库"):
        assert said in texts["zh-hans"]
        assert said not in texts["en"]
    assert "elivered" in texts["en"]
    for private in (cast.FANG.name, cast.FANG.phone, cast.FANG.address):
        assert private not in texts["zh-hans"] + json.dumps(en, ensure_ascii=False)


def test_carbon_of_the_lines_adds_up_to_the_order(hub_clock: make.Clock) -> None:
    alice = make.network()
    upload(alice, make.csv_file(FILE))

    make.play(hub_clock)

    for order in Order.objects.all():
        for basis in ("estimate", "actual"):
            entries = LedgerEntry.objects.filter(order=order, basis=basis)
            by_line = {
                line.pk: sum((e.total_kgco2e for e in entries if e.order_line_id == line.pk), Decimal(0))
                for line in order.lines.all()
            }
            runs = CalculationRun.objects.filter(order=order, basis=basis)
            assert runs.count() == {"estimate": 1, "actual": 2}[basis]
            total = sum((Decimal(run.result["ledger_total"]["total_kg"]) for run in runs), Decimal(0))
            assert all(kg > 0 for kg in by_line.values())
            assert sum(by_line.values()) == total


def test_the_terms_of_a_decision_add_up_to_its_total(hub_clock: make.Clock) -> None:
    alice = make.network()

    upload(alice, make.csv_file(FILE))

    decisions = list(Decision.objects.all())
    assert len(decisions) == 3
    for decision in decisions:
        terms = {name: Decimal(yuan) for name, yuan in decision.plan["terms"].items()}
        assert sum(terms.values()) == Decimal(decision.plan["total"]) == decision.total
        for name, yuan in terms.items():
            assert sum(Decimal(parcel["terms"].get(name, 0)) for parcel in decision.plan["parcels"]) == yuan


def _everything() -> dict[str, int]:
    """How many rows the story has written, the import itself apart."""
    told = Event.objects.exclude(stream__startswith="import:")
    owed = Delivery.objects.exclude(stream__startswith="import:")
    return {
        "orders": Order.objects.count(), "fulfillments": FulfillmentOrder.objects.count(),
        "parcels": Parcel.objects.count(), "movements": Movement.objects.count(), "events": told.count(),
        "deliveries": owed.count(), "jobs": SimulatedJob.objects.count(),
        "carbon": LedgerEntry.objects.count(), "messages": InboxMessage.objects.count(),
        "timeline": TimelineEntry.objects.count(),
    }  # fmt: skip
