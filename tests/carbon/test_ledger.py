"""The ledger says what was planned and what happened; it adds up, chains, and can be done again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from carbon import invariants, ledger, posting, queries, services
from carbon.models import CalculationRun, CarbonHead, LedgerEntry
from orderhub.events import guard, tail
from orderhub.events.models import Event
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Warehouse
from orderhub.kernel import canonical
from orderhub.orders.models import Order
from tests import cast, make

pytestmark = pytest.mark.django_db


def total(order: Order, basis: str) -> Decimal:
    rows = LedgerEntry.objects.filter(order=order, basis=basis)
    return sum(rows.values_list("total_kgco2e", flat=True), Decimal(0))


def log() -> list[Event]:
    return list(Event.objects.filter(kind__in=ledger.KINDS).order_by("pk"))


def assert_sound() -> None:
    for check in (invariants.entries_add_up, invariants.chains_are_whole, invariants.runs_repeat):
        assert list(check()) == []


def test_the_estimate_is_the_figure_routing_priced(hub_clock: make.Clock) -> None:
    make.network()
    orders = make.place(
        make.draft("A1", to=cast.LEI, lines={"QUILT": 2}),
        make.draft("A2", to=cast.MEI, lines={"CUP": 1, "LAMP": 3}, green=True),
    )

    make.run_until_idle()

    for order in orders:
        planned = sum(row.estimated_kgco2e for row in FulfillmentOrder.objects.filter(order=order))
        assert abs(total(order, "estimate") - planned) < Decimal("0.00001")
        assert planned > 0
    assert_sound()


def test_facts_follow_the_parcel(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(to=cast.LEI, lines={"QUILT": 1, "CUP": 2}))

    make.play(hub_clock, until="ship")
    halfway = queries.of_order(order)
    make.play(hub_clock)
    order = Order.objects.get(pk=order.pk)
    document = queries.of_order(order)

    assert halfway is not None
    assert (halfway["basis"], halfway["actual"]["is_whole"]) == ("estimate", False)
    assert document is not None
    assert document["basis"] == "actual"
    parcel = Parcel.objects.get()
    delivered = Event.objects.get(kind="parcel.delivered")
    way = CalculationRun.objects.get(event_id=delivered.pk)
    haul = next(element for element in way.case["elements"] if element["id"] == "line_haul")
    assert Decimal(haul["mass_kg"]) == Decimal(parcel.grams) / 1000
    assert Decimal(haul["distance_km"]) == Decimal(str(delivered.payload["distance_km"]))
    assert (haul["distance_kind"], haul["data_type"]) == ("actual", "primary")
    packed = CalculationRun.objects.get(basis="actual", event_id__lt=delivered.pk)
    packaging = next(element for element in packed.case["elements"] if element["id"] == "packaging")
    assert Decimal(packaging["items"][0]["mass_kg"]) == Decimal(parcel.carton_grams) / 1000
    assert Decimal(document["kg"]) == total(order, "actual")
    assert sum(Decimal(line["kg"]) for line in document["lines"]) == Decimal(document["kg"])
    assert "千克" in document["explanation"]
    assert_sound()


def test_reading_the_log_again_posts_nothing(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1"), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    before = list(LedgerEntry.objects.order_by("pk").values_list("pk", "hash"))

    tail.rewind("carbon.ledger")
    make.run_until_idle()

    assert list(LedgerEntry.objects.order_by("pk").values_list("pk", "hash")) == before


def test_a_cancelled_order_costs_nothing(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    assert total(order, "estimate") > 0

    fulfillment.cancel([order.pk], reason="customer", actor="user:ops", now=hub_clock.now())
    make.play(hub_clock)

    assert Order.objects.get(pk=order.pk).stage == "cancelled"
    assert total(order, "estimate") == 0
    back = CalculationRun.objects.get(reason="REVERSAL")
    assert back.reverses is not None
    assert queries.of_order(order) is None
    assert_sound()


def test_a_new_plan_replaces_the_estimate(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place()
    make.run_until_idle()
    row = FulfillmentOrder.objects.get(order=order)

    make.tell(row, "reject", reason="damaged_stock")

    live = FulfillmentOrder.objects.exclude(pk=row.pk).get(order=order)
    assert live.warehouse.code != row.warehouse.code
    assert abs(total(order, "estimate") - live.estimated_kgco2e) < Decimal("0.00001")
    assert CalculationRun.objects.filter(reason="REVERSAL").count() == 1
    assert_sound()


def test_the_same_event_costs_the_same_whatever_the_batch(hub_clock: make.Clock) -> None:
    make.network()
    make.place(*(make.draft(f"A{n}", lines={"LAMP": 1, "CUP": 1}) for n in range(10)))
    make.play(hub_clock)
    events = log()
    counts = []
    for orders in (1, 10):
        _empty()
        streams = sorted({event.stream for event in events})[:orders]
        with CaptureQueriesContext(connection) as seen, transaction.atomic():
            ledger.apply([event for event in events if event.stream in streams])
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries))

    assert counts[1] - counts[0] <= 3, "only long inserts may be written in parts"
    assert LedgerEntry.objects.count() == 10 * 2 * (4 + 2 + 2)


def test_solar_power_changes_the_market_figure_only(hub_clock: make.Clock) -> None:
    make.network()
    Warehouse.objects.update(energy_source="solar")
    (order,) = make.place()

    make.run_until_idle()

    document = queries.of_order(order)
    assert document is not None
    hub = next(element for element in document["elements"] if element["element"] == "hub")
    assert Decimal(hub["kg"]) > 0
    assert Decimal(hub["market_kg"]) == 0
    assert Decimal(document["estimate"]["market_kg"]) < Decimal(document["kg"])
    assert_sound()


def test_goods_that_lost_their_weight_on_the_way_are_shared_by_pieces(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(lines={"LAMP": 1, "CUP": 3}))
    make.run_until_idle()
    for sku in make.goods().values():
        type(sku).objects.filter(pk=sku.pk).update(grams=0)

    make.play(hub_clock)

    run = CalculationRun.objects.filter(order=order).latest("pk")
    assert run.case["allocation"] == {"key": "items"}
    assert_sound()


def test_a_stored_run_can_be_done_again_to_the_same_bytes(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft(to=cast.MEI, green=True, lines={"LAMP": 2, "CUP": 1}))
    make.play(hub_clock)

    for run in CalculationRun.objects.all():
        again = services.recompute(run)
        assert canonical.dumps(again) == canonical.dumps(run.result)
        assert canonical.digest(run.case) == run.input_hash


def test_the_chain_is_unbroken_across_orders_and_a_changed_byte_is_found(hub_clock: make.Clock) -> None:
    make.network()
    make.place(make.draft("A1"), make.draft("A2", to=cast.LEI))
    make.play(hub_clock)
    entries = list(LedgerEntry.objects.order_by("seq"))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.prev_hash for entry in entries] == [posting.GENESIS, *(e.hash for e in entries[:-1])]
    assert CarbonHead.objects.get().hash == entries[-1].hash

    with guard.opened("test"):
        LedgerEntry.objects.filter(pk=entries[3].pk).update(data_type="primary")

    assert list(invariants.chains_are_whole()) == [f"merchant {make.merchant().pk}: entry 4 was changed"]


def test_entries_and_runs_are_never_changed(hub_clock: make.Clock) -> None:
    make.network()
    make.place()
    make.run_until_idle()

    for rows in (LedgerEntry.objects.all(), CalculationRun.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(basis="actual")


def test_who_listens_hears_of_changed_orders_only(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[int]] = []
    monkeypatch.setattr(ledger, "_listeners", [lambda ids: heard.append(set(ids))])
    make.network()
    (order,) = make.place()
    make.run_until_idle()

    tail.rewind("carbon.ledger")
    make.run_until_idle()

    assert heard == [{order.pk}]


def _empty() -> None:
    with guard.opened("test"):
        LedgerEntry.objects.all().delete()
        CalculationRun.objects.filter(reverses__isnull=False).delete()
        CalculationRun.objects.all().delete()
    CarbonHead.objects.all().delete()
