"""One order from placing to the door, with the ledger, the stock and the log checked at every stop."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orderhub.fulfillment.models import FulfillmentLine, Parcel, ParcelLine
from orderhub.inventory.models import Movement, WarehouseDay
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def test_a_placed_order_is_routed_reserved_and_released() -> None:
    make.network()

    [order] = make.released()

    assert orders.kinds_of(order) == [
        "order.placed",
        "routing.decided",
        "fulfillment.reserved",
        "fulfillment.released",
    ]
    assert (order.stage, order.step, order.step_state) == ("released", "", "done")
    assert orders.ledger_of(order) == [(0, 0, 0, 2, 0, 0)]
    assert make.counts("SHA") == (100, 2)
    assert make.counts("CAN") == (100, 0)
    row = make.row(order)
    assert (row.number, row.state, row.warehouse.code) == (f"{order.number}-1", "released", "SHA")
    assert (row.grams, row.freight) == (1150, Decimal("10"))
    assert make.stages(order) == ["received", "routed", "released"]
    assert WarehouseDay.objects.get(warehouse=row.warehouse).parcels == 1


def test_a_released_order_walks_to_the_door() -> None:
    make.network()
    [order] = make.released()
    row = make.row(order)

    outcomes = make.apply(
        make.say("acknowledge", row, 1),
        make.say("pick", row, 2),
        make.say("pack", row, 3, grams=1180, carton_grams=180),
        make.say("ship", row, 4, tracking_number="SF1", carrier="SF"),
        make.say(
            "scan", row, 5, tracking_number="SF1", status="picked_up", milestone="PICKED_UP", place="上海"
        ),
        make.say(
            "scan", row, 20, tracking_number="SF1", status="out_for_delivery", milestone="OUT_FOR_DELIVERY"
        ),
        make.say("deliver", row, 24, tracking_number="SF1", place="杭州", distance_km=Decimal("201.5")),
    )

    assert outcomes == [("applied", "")] * 7
    [order] = make.fresh([order])
    row = make.row(order)
    assert (order.stage, row.state) == ("delivered", "delivered")
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 2, 0)]
    assert order.lines.get().delivered == 2
    assert make.counts("SHA") == (98, 0)
    assert orders.kinds_of(order)[4:] == [
        "fulfillment.acknowledged",
        "fulfillment.picking",
        "fulfillment.packed",
        "fulfillment.shipped",
        "parcel.scanned",
        "parcel.scanned",
        "parcel.delivered",
    ]
    assert make.stages(order) == ["received", "routed", "released", "shipped", "delivered"]


def test_a_shipped_parcel_keeps_weights_contents_and_arrival() -> None:
    make.network()
    [order] = make.released()

    make.apply(
        make.say("pack", order, 3, grams=1180, carton_grams=180),
        make.say("ship", order, 4, tracking_number="SF1", carrier="SF"),
    )

    parcel = Parcel.objects.get()
    assert (parcel.tracking_number, parcel.status, parcel.grams, parcel.carton_grams) == (
        "SF1",
        "pending",
        1180,
        180,
    )
    assert (parcel.packed_at, parcel.shipped_at) == (make.at(3), make.at(4))
    row = make.row(order)
    seconds = int(row.planned_hours * 3600)
    assert parcel.eta_from_at is not None
    assert parcel.eta_to_at is not None
    assert (parcel.eta_from_at - make.at(4)).total_seconds() == int(seconds * Decimal("0.8"))
    assert (parcel.eta_to_at - make.at(4)).total_seconds() == int(seconds * Decimal("1.3"))
    assert ParcelLine.objects.get().quantity == 2
    part = FulfillmentLine.objects.get()
    assert (part.quantity, part.reserved, part.shipped) == (2, 0, 2)
    [told] = make.payloads(order, "fulfillment.shipped")
    assert told == {
        "fulfillment": row.number,
        "warehouse": "SHA",
        "parcel": parcel.pk,
        "tracking_number": "SF1",
        "carrier": "SF",
        "grams": 1180,
        "carton_grams": 180,
        "stage": "shipped",
        "lines": [{"line": part.order_line_id, "position": 1, "sku": "TEA", "quantity": 2}],
    }


def test_stock_movements_name_the_order_and_add_up() -> None:
    make.network()
    [order] = make.released()
    make.apply(make.say("ship", order, 4))

    moved = Movement.objects.filter(stock__warehouse__code="SHA", kind__in=["reserve", "free", "ship"])

    assert list(
        moved.order_by("id").values_list("kind", "on_hand_change", "reserved_change", "reference")
    ) == [
        ("reserve", 0, 2, f"order:{order.pk}"),
        ("ship", -2, -2, f"order:{order.pk}"),
    ]


def test_out_for_delivery_narrows_the_arrival_and_a_delay_moves_it() -> None:
    make.network()
    [order] = make.released()
    make.apply(make.say("ship", order, 1, tracking_number="SF1"))
    shipped = Parcel.objects.get()

    make.apply(
        make.say("scan", order, 2, tracking_number="SF1", status="delivery_delayed", milestone="DELAYED")
    )
    delayed = Parcel.objects.get()
    make.apply(make.say("scan", order, 9, tracking_number="SF1", milestone="OUT_FOR_DELIVERY"))
    out = Parcel.objects.get()

    assert shipped.eta_to_at is not None
    assert delayed.eta_to_at is not None
    assert (delayed.eta_to_at - shipped.eta_to_at).total_seconds() == 24 * 3600
    assert (out.eta_from_at, out.eta_to_at) == (make.at(9), make.at(19))
    assert make.row(order).eta_to_at == make.at(19)


def test_an_order_in_two_parcels_is_delivered_with_its_last_one() -> None:
    make.stock(10, at="SHA", sku="TEA")
    make.stock(10, at="CAN", sku="CUP")
    make.card()
    [order] = make.released(lines=[("TEA", 1), ("CUP", 3)])
    first, second = order.fulfillments.order_by("pk")

    make.apply(make.say("ship", first, 1), make.say("deliver", first, 9))
    after_first = make.fresh([order])[0].stage
    make.apply(make.say("ship", second, 2), make.say("deliver", second, 10))

    assert {first.warehouse.code, second.warehouse.code} == {"SHA", "CAN"}
    assert after_first == "partially_delivered"
    assert make.fresh([order])[0].stage == "delivered"
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 3, 0)]
