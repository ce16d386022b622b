"""Late, repeated and impossible messages; refusals, short picks and cancellations."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from orderhub.fulfillment import services
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.fulfillment.updates import Count, UpdateKind
from orderhub.orders import services as orders_services
from tests.fulfillment import builders as make
from tests.orders import builders as orders

pytestmark = pytest.mark.django_db


def test_late_messages_are_told_once_and_change_no_state() -> None:
    make.network()
    [order] = make.released()
    shipped = make.say("ship", order, 4, tracking_number="SF1")
    scanned = make.say(
        "scan", order, 5, tracking_number="SF1", status="in_transit", milestone="DEPARTED", place="上海"
    )
    make.apply(make.say("pick", order, 2), shipped, scanned)
    told = Event.objects.count()
    late = (
        make.say("acknowledge", order, 1),
        make.say("pick", order, 2),
        make.say("pack", order, 3),
        shipped,
        scanned,
    )

    outcomes = make.apply(*late)

    assert outcomes == [
        ("applied", ""),
        ("ignored", "repeat"),
        ("applied", ""),
        ("ignored", "repeat"),
        ("ignored", "repeat"),
    ]
    assert Event.objects.count() == told + 2
    assert [status for status, _reason in make.apply(*late)] == ["ignored"] * 5
    assert Event.objects.count() == told + 2
    assert make.row(order).state == "shipped"
    assert make.counts("SHA") == (98, 0)


def test_messages_of_one_batch_are_applied_in_the_order_they_occurred() -> None:
    make.network()
    [order] = make.released()

    outcomes = make.apply(
        make.say("deliver", order, 9),
        make.say("ship", order, 4),
        make.say("pick", order, 2),
        make.say("acknowledge", order, 1),
    )

    assert outcomes == [("applied", "")] * 4
    assert make.row(order).state == "delivered"


def test_an_older_scan_is_told_but_moves_no_status_back() -> None:
    make.network()
    [order] = make.released()
    make.apply(
        make.say("ship", order, 4, tracking_number="SF1"),
        make.say(
            "scan", order, 10, tracking_number="SF1", status="out_for_delivery", milestone="OUT_FOR_DELIVERY"
        ),
    )

    outcome = make.apply(
        make.say(
            "scan", order, 8, tracking_number="SF1", status="in_transit", milestone="ARRIVED", place="杭州"
        )
    )

    parcel = Parcel.objects.get()
    assert outcome == [("applied", "")]
    assert (parcel.status, parcel.status_at) == ("out_for_delivery", make.at(10))
    assert [p["milestone"] for p in make.payloads(order, "parcel.scanned")] == ["OUT_FOR_DELIVERY", "ARRIVED"]


@pytest.mark.parametrize(
    ("kind", "facts", "reason"),
    [
        ("ship", {"lines": (Count("TEA", 3),)}, "too_many"),
        ("ship", {"lines": (Count("CUP", 1),)}, "unknown_sku"),
        ("scan", {"tracking_number": "SF9"}, "unknown_parcel"),
        ("deliver", {}, "unknown_parcel"),
        ("short", {"lines": (Count("TEA", 0),)}, "no_units"),
    ],
)
def test_a_message_that_cannot_be_true_is_refused_and_changes_nothing(
    kind: UpdateKind, facts: dict[str, Any], reason: str
) -> None:
    make.network()
    [order] = make.released()
    told = Event.objects.count()

    outcome = make.apply(make.say(kind, order, 3, **facts))

    assert outcome == [("refused", reason)]
    assert make.row(order).state == "released"
    assert orders.ledger_of(order) == [(0, 0, 0, 2, 0, 0)]
    assert Event.objects.count() == told


def test_a_refused_message_leaves_the_others_of_its_batch_alone() -> None:
    make.network()
    first, second = make.released(2)

    outcomes = make.apply(make.say("ship", first, 1, lines=(Count("CUP", 1),)), make.say("ship", second, 1))

    assert outcomes == [("refused", "unknown_sku"), ("applied", "")]
    assert [order.stage for order in make.fresh([first, second])] == ["released", "shipped"]


def test_fulfillment_orders_of_other_merchants_are_unknown() -> None:
    make.network()
    [order] = make.released()

    [outcome] = services.apply(
        [make.say("acknowledge", order)],
        merchant=orders.merchant("stranger"),
        now=make.at(1),
        actor="connection:x",
    )

    assert (outcome.status, outcome.reason) == ("refused", "unknown_fulfillment")
    assert make.row(order).state == "released"


def test_a_tracking_number_has_one_owner() -> None:
    make.network()
    first, second = make.released(2)

    outcomes = make.apply(
        make.say("ship", first, 1, tracking_number="SF1"), make.say("ship", second, 2, tracking_number="SF1")
    )

    assert outcomes == [("applied", ""), ("refused", "tracking_number_taken")]
    assert Parcel.objects.get().fulfillment == make.row(first)


def test_a_refused_order_is_routed_to_another_warehouse() -> None:
    make.network()
    [order] = make.released()

    make.apply(make.say("reject", order, 1, reason="location_blocked"))
    [rejected] = make.fresh([order])
    before = orders.ledger_of(order)
    [rerouted] = make.walk([order])

    assert (rejected.stage, rejected.step, rejected.step_state) == ("received", "routing.route", "ready")
    assert before == [(2, 0, 0, 0, 0, 0)]
    assert (make.counts("SHA"), make.counts("CAN")) == ((100, 0), (100, 2))
    assert rerouted.stage == "released"
    assert [(row.number, row.state, row.warehouse.code) for row in order.fulfillments.order_by("pk")] == [
        (f"{order.number}-1", "rejected", "SHA"),
        (f"{order.number}-2", "released", "CAN"),
    ]
    assert make.payloads(order, "fulfillment.rejected") == [
        {
            "fulfillment": f"{order.number}-1",
            "warehouse": "SHA",
            "reason": "location_blocked",
            "stage": "received",
        }
    ]
    assert "refused_before" in {row["reason"] for row in order.decisions.get(superseded_at=None).removed}


def test_units_picked_short_ship_from_elsewhere() -> None:
    make.network()
    [order] = make.released()

    make.apply(make.say("ship", order, 2, lines=(Count("TEA", 1),)))
    [short] = make.fresh([order])
    [after] = make.walk([order])

    assert short.stage == "partially_shipped"
    assert make.payloads(order, "fulfillment.short_picked")[0]["lines"][0]["quantity"] == 1
    assert after.stage == "partially_shipped"
    assert orders.ledger_of(order) == [(0, 0, 0, 1, 1, 0)]
    assert (make.counts("SHA"), make.counts("CAN")) == ((99, 0), (100, 1))
    assert [(row.state, row.warehouse.code) for row in order.fulfillments.order_by("pk")] == [
        ("shipped", "SHA"),
        ("released", "CAN"),
    ]
    make.apply(make.say("ship", order, 3), make.say("deliver", order, 4))
    first = order.fulfillments.order_by("pk")[0]
    make.apply(make.say("deliver", first, 5))
    assert make.fresh([order])[0].stage == "delivered"


def test_more_to_come_is_no_short_pick() -> None:
    make.network()
    [order] = make.released()

    make.apply(make.say("ship", order, 2, lines=(Count("TEA", 1),), tracking_number="A", more_to_come=True))
    half = (make.row(order).state, make.fresh([order])[0].stage)
    make.apply(make.say("ship", order, 3, tracking_number="B"))

    assert half == ("in_progress", "partially_shipped")
    assert (make.row(order).state, make.fresh([order])[0].stage) == ("shipped", "shipped")
    assert sorted(Parcel.objects.values_list("tracking_number", flat=True)) == ["A", "B"]
    assert make.counts("SHA") == (98, 0)


def test_a_message_of_short_units_counts_once_and_all_of_them_is_a_refusal() -> None:
    make.network()
    first, second = make.released(2)

    outcomes = make.apply(
        make.say("short", first, 1, lines=(Count("TEA", 1),)),
        make.say("short", first, 1, lines=(Count("TEA", 1),)),
        make.say("short", second, 1, lines=(Count("TEA", 2),)),
    )

    assert outcomes == [("applied", ""), ("ignored", "repeat"), ("applied", "")]
    assert orders.ledger_of(first) == [(1, 0, 0, 1, 0, 0)]
    assert orders.ledger_of(second) == [(2, 0, 0, 0, 0, 0)]
    assert (make.row(first).state, make.row(second).state) == ("in_progress", "rejected")
    assert make.counts("SHA") == (100, 1)


def test_cancelling_before_release_frees_stock_at_once() -> None:
    make.network()
    [order] = make.placed()
    make.run_steps([order], until="fulfillment.reserve")
    held = make.counts("SHA")

    [outcome] = services.cancel([order.pk], reason="changed_mind", actor="user:ann", now=make.at(1))

    assert held == (100, 2)
    assert (outcome.done, outcome.refused) == (True, None)
    [gone] = make.fresh([order])
    assert (gone.stage, gone.step_state) == ("cancelled", "done")
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 0, 2)]
    assert make.counts("SHA") == (100, 0)
    assert make.row(order).state == "cancelled"


def test_the_orders_own_cancel_is_followed_by_freeing_the_stock() -> None:
    make.network()
    [order] = make.placed()
    make.run_steps([order], until="fulfillment.reserve")

    orders_services.cancel([order.pk], reason="x", actor="user:ann", now=make.at(1))
    held = make.counts("SHA")
    dropped = services.drop_unreleased([order.pk], now=make.at(1), actor="system")
    again = services.drop_unreleased([order.pk], now=make.at(2), actor="system")

    assert (held, dropped, again) == ((100, 2), 1, 0)
    assert make.counts("SHA") == (100, 0)


def test_cancelling_after_release_asks_the_warehouse_and_ends_when_it_agrees() -> None:
    make.network()
    [order] = make.released()

    [outcome] = services.cancel([order.pk], reason="changed_mind", actor="user:ann", now=make.at(1))
    asked = (make.row(order).state, make.fresh([order])[0].stage, make.counts("SHA"))
    make.apply(make.say("cancelled", order, 2))

    assert (outcome.done, outcome.refused) == (False, None)
    assert asked == ("cancel_requested", "released", (100, 2))
    [gone] = make.fresh([order])
    assert (gone.stage, gone.step_state, make.row(order).state) == ("cancelled", "done", "cancelled")
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 0, 2)]
    assert make.counts("SHA") == (100, 0)
    assert orders.kinds_of(order)[-3:] == [
        "fulfillment.cancel_requested",
        "fulfillment.cancelled",
        "order.cancelled",
    ]


def test_a_warehouse_that_cannot_stop_goes_on() -> None:
    make.network()
    [order] = make.released()
    services.cancel([order.pk], reason="changed_mind", actor="user:ann", now=make.at(1))

    outcomes = make.apply(make.say("cancel_refused", order, 2), make.say("ship", order, 3))

    assert outcomes == [("applied", "")] * 2
    assert make.fresh([order])[0].stage == "shipped"


def test_a_shipped_order_is_not_cancelled() -> None:
    make.network()
    [order] = make.released()
    make.apply(make.say("ship", order, 1))
    told = Event.objects.count()

    [outcome] = services.cancel([order.pk], reason="late", actor="user:ann", now=make.at(2))

    assert outcome.refused is not None
    assert outcome.refused.code == "already_shipped"
    assert Event.objects.count() == told


def test_rerouting_before_release_decides_again_and_after_release_asks_back() -> None:
    make.network()
    early, late = make.placed(2)
    make.run_steps([early], until="fulfillment.reserve")
    make.walk([late])

    outcomes = services.reroute([early.pk, late.pk], reason="moved", actor="user:ann", now=make.at(1))
    make.walk([early])
    make.apply(make.say("cancelled", late, 2))
    make.walk([late])

    assert [outcome.done for outcome in outcomes] == [True, False]
    assert [(row.state, row.warehouse.code) for row in early.fulfillments.order_by("pk")] == [
        ("cancelled", "SHA"),
        ("released", "SHA"),
    ]
    assert [(row.state, row.warehouse.code) for row in late.fulfillments.order_by("pk")] == [
        ("cancelled", "SHA"),
        ("released", "SHA"),
    ]
    assert make.counts("SHA") == (100, 4)
    assert FulfillmentOrder.objects.filter(state="released").count() == 2


@pytest.mark.parametrize("count", [1, 50])
def test_a_batch_of_updates_costs_a_constant_number_of_queries(count: int) -> None:
    """Ship messages, the dearest ones; savepoints left out."""
    make.network(units=1000)
    found = make.released(count)
    updates = [make.say("ship", order, 1) for order in found]

    with CaptureQueriesContext(connection) as made:
        outcomes = make.apply(*updates)

    assert outcomes == [("applied", "")] * count
    assert sum("SAVEPOINT" not in query["sql"] for query in made) <= 21


def test_the_later_wish_counts_while_the_warehouse_has_not_answered() -> None:
    make.network()
    [order] = make.released()
    services.reroute([order.pk], reason="moved", actor="user:ann", now=make.at(1))

    services.cancel([order.pk], reason="changed_mind", actor="user:ann", now=make.at(2))
    make.apply(make.say("cancelled", order, 3))

    assert make.fresh([order])[0].stage == "cancelled"
    assert orders.ledger_of(order) == [(0, 0, 0, 0, 0, 2)]
    assert orders.kinds_of(order).count("fulfillment.cancel_requested") == 1


def test_cancelling_an_order_in_parts_ends_the_waiting_part_at_once() -> None:
    make.stock(10, sku="TEA")
    make.card()
    [order] = make.released(lines=[("TEA", 1), ("CUP", 2)])

    services.cancel([order.pk], reason="changed_mind", actor="user:ann", now=make.at(1))
    [asked] = make.fresh([order])
    half = orders.ledger_of(order)
    make.apply(make.say("cancelled", order, 2))

    assert (asked.stage, asked.step_state) == ("released", "done")
    assert half == [(0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 2)]
    assert make.fresh([order])[0].stage == "cancelled"


def test_an_unknown_order_is_refused_by_every_verb() -> None:
    [cancelled] = services.cancel([999], reason="x", actor="user:ann", now=make.NOW)
    [rerouted] = services.reroute([999], reason="x", actor="user:ann", now=make.NOW)

    assert cancelled.refused is not None
    assert rerouted.refused is not None
    assert {cancelled.refused.code, rerouted.refused.code} == {"unknown_order"}


def test_a_part_that_comes_back_while_another_is_planned_leads_through_received() -> None:
    make.stock(10, sku="TEA")
    make.card()
    [order] = make.released(lines=[("TEA", 1), ("CUP", 2)])
    make.stock(5, sku="CUP")
    orders_services.reopen([orders.sku("CUP").pk], now=make.at(1), actor="system")
    make.run_steps([order], until="routing.route")
    first = order.fulfillments.order_by("pk")[0]

    outcome = make.apply(make.say("reject", first, 2, reason="damaged"))

    assert outcome == [("applied", "")]
    assert make.fresh([order])[0].stage == "routed"
    assert orders.ledger_of(order) == [(1, 0, 0, 0, 0, 0), (0, 0, 2, 0, 0, 0)]
