"""The verbs on orders: each tells per order what became of it, and changes nothing where it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orderhub.events.models import Delivery, Event
from orderhub.inventory import services as inventory
from orderhub.orders import holding, ledger, lifecycle, services, subscribers
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
LATER = make.NOW + timedelta(minutes=5)


def by(**more: Any) -> dict[str, Any]:
    return {"actor": "user:li", "now": LATER, **more}


def state(order: Order) -> tuple[str, str, str, str]:
    found = Order.objects.get(pk=order.pk)
    return found.stage, found.step, found.step_state, found.waiting_for


def allocate(order: Order, column: ledger.Column = "allocated", *, stage: Stage = Stage.ROUTED) -> None:
    """Bring an order where a plan (or a release) would have brought it."""
    found = Order.objects.get(pk=order.pk)
    lines = list(found.lines.all())
    ledger.move(ledger.all_of(lines, ("open",), column))
    ledger.save(lines)
    lifecycle.transition([found], stage)
    lifecycle.send_to([found], "fulfillment.reserve")
    if stage == Stage.RELEASED:
        lifecycle.finish([found])
    lifecycle.save([found], ["stage", *lifecycle.STEP_FIELDS], now=make.NOW)


def wait_for_stock(*orders: Order) -> None:
    found = list(Order.objects.filter(pk__in=[order.pk for order in orders]))
    with transaction.atomic():
        services.backorder(found, reason="stock", now=make.NOW, actor="system")
        for order in found:
            order.step = lifecycle.ROUTING_STEP
        lifecycle.park(found, "stock")
        lifecycle.save(found, lifecycle.STEP_FIELDS, now=make.NOW)


def test_a_hold_stops_the_order_and_its_release_lets_it_go_on() -> None:
    [order] = make.placed()

    [held] = services.hold([order.pk], reason="manual", detail="电话核实", **by())

    assert (held.done, held.refused) == (True, None)
    assert state(order) == ("reviewing", "order.screen", "waiting", "hold")
    assert make.last_event(order).payload == {
        "reason": "manual", "detail": "电话核实", "until": None, "stage": "reviewing",
    }  # fmt: skip

    [released] = services.release_holds([order.pk], note="没问题", **by())

    assert released.done
    assert state(order) == ("received", "order.screen", "ready", "")
    assert make.kinds_of(order) == ["order.placed", "order.held", "order.hold_released"]
    assert make.last_event(order).payload == {"reason": "manual", "note": "没问题", "stage": "received"}
    assert (Hold.objects.get().released_by, Hold.objects.get().released_at) == ("user:li", LATER)


def test_the_order_waits_until_its_last_hold_is_released() -> None:
    [order] = make.placed()
    services.hold([order.pk], reason="manual", **by())
    services.hold([order.pk], reason="risk", **by())

    services.release_holds([order.pk], reason="manual", **by())

    assert state(order)[0::3] == ("reviewing", "hold")

    services.release_holds([order.pk], reason="risk", **by())

    assert state(order) == ("received", "order.screen", "ready", "")


def test_the_same_reason_twice_is_one_hold() -> None:
    [order] = make.placed()

    outcomes = [services.hold([order.pk], reason="manual", **by())[0].done for _time in range(2)]

    assert outcomes == [True, False]
    assert Hold.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.create(order=order, reason="manual", placed_at=LATER)


def test_a_planned_order_goes_on_as_routed() -> None:
    [order] = make.placed()
    allocate(order)
    services.hold([order.pk], reason="address_change", **by())

    services.release_holds([order.pk], **by())

    assert state(order) == ("routed", "fulfillment.reserve", "ready", "")


def test_a_released_order_cannot_be_held_and_nothing_happens() -> None:
    [order] = make.placed()
    allocate(order, "released", stage=Stage.RELEASED)
    before = make.kinds_of(order)

    [outcome] = services.hold([order.pk], reason="manual", **by())

    assert outcome.refused is not None
    assert (outcome.done, outcome.refused.code) == (False, "already_released")
    assert str(outcome.refused.remedy)
    assert (Hold.objects.count(), make.kinds_of(order), state(order)[0]) == (0, before, "released")


def test_an_unknown_order_and_an_unknown_reason_are_told() -> None:
    [outcome] = services.hold([404], reason="manual", **by())

    assert outcome.refused is not None
    assert (outcome.refused.code, outcome.refused.status) == ("unknown_order", 404)
    with pytest.raises(ValueError, match="nonsense"):
        services.hold([404], reason="nonsense", **by())


def test_paying_releases_only_the_hold_that_waited_for_it() -> None:
    [order] = make.placed(make.draft(paid=False, paid_at=None))
    services.hold([order.pk], reason="awaiting_payment", **by())
    services.hold([order.pk], reason="risk", **by())

    [outcome] = services.pay([order.pk], **by())

    assert outcome.done
    found = Order.objects.get()
    assert (found.payment, found.paid_at, found.waiting_for) == ("paid", LATER, "hold")
    assert make.kinds_of(order)[-2:] == ["order.hold_released", "order.paid"]
    assert list(Hold.objects.filter(released_at=None).values_list("reason", flat=True)) == ["risk"]


def test_paying_twice_tells_nothing_new() -> None:
    [order] = make.placed()

    [outcome] = services.pay([order.pk], **by())

    assert (outcome.done, outcome.refused) == (False, None)
    assert make.kinds_of(order) == ["order.placed"]


def test_a_cancelled_order_cannot_be_paid() -> None:
    [order] = make.placed(make.draft(paid=False, paid_at=None))
    services.cancel([order.pk], reason="buyer", **by())

    [outcome] = services.pay([order.pk], **by())

    assert outcome.refused is not None
    assert outcome.refused.code == "order_cancelled"
    assert Order.objects.get().payment == "unpaid"


def test_holds_whose_time_is_up_are_released() -> None:
    early, late, open_end = make.placed(make.draft("A"), make.draft("B"), make.draft("C"))
    services.hold([early.pk], reason="merge_window", until=LATER, **by())
    services.hold([late.pk], reason="merge_window", until=LATER + timedelta(seconds=1), **by())
    services.hold([open_end.pk], reason="manual", **by())

    assert services.expire_holds(now=LATER) == 1

    assert [state(order)[2] for order in (early, late, open_end)] == ["ready", "waiting", "waiting"]
    assert services.expire_holds(now=LATER) == 0


def test_cancelling_takes_every_unit_and_ends_the_journey() -> None:
    [order] = make.placed(make.draft(lines=[make.line(quantity=2), make.line("CUP")]))
    allocate(order)
    services.hold([order.pk], reason="manual", **by())

    [outcome] = services.cancel([order.pk], reason="buyer", **by())

    assert outcome.done
    assert make.ledger_of(order) == [(0, 0, 0, 0, 0, 2), (0, 0, 0, 0, 0, 1)]
    assert state(order) == ("cancelled", "", "done", "")
    assert make.last_event(order).payload == {"reason": "buyer", "stage": "cancelled"}
    assert not Hold.objects.filter(released_at=None).exists()


def test_cancelling_twice_is_once_and_what_is_released_is_refused() -> None:
    cancelled, released = make.placed(make.draft("A"), make.draft("B"))
    services.cancel([cancelled.pk], reason="buyer", **by())
    allocate(released, "released", stage=Stage.RELEASED)

    again, refused = services.cancel([cancelled.pk, released.pk], reason="buyer", **by())

    assert (again.done, again.refused) == (False, None)
    assert refused.refused is not None
    assert refused.refused.code == "already_released"
    assert make.ledger_of(released) == [(0, 0, 0, 1, 0, 0)]
    assert make.kinds_of(cancelled).count("order.cancelled") == 1


def test_rerouting_points_to_routing_and_owes_a_delivery() -> None:
    [order] = make.placed()
    allocate(order)
    Delivery.objects.all().delete()

    [outcome] = services.reroute([order.pk], reason="closer stock", **by())

    assert outcome.done
    assert state(order) == ("received", "routing.route", "ready", "")
    assert make.last_event(order).payload == {"reason": "closer stock", "stage": "received"}
    assert Delivery.objects.filter(subscriber="orders.advance", stream=order.stream).count() == 1


def test_a_held_order_waits_at_routing_and_a_released_one_is_refused() -> None:
    held, released = make.placed(make.draft("A"), make.draft("B"))
    services.hold([held.pk], reason="manual", **by())
    allocate(released, "released", stage=Stage.RELEASED)

    first, second = services.reroute([held.pk, released.pk], reason="x", **by())

    assert first.done
    assert state(held) == ("reviewing", "routing.route", "waiting", "hold")
    assert second.refused is not None
    assert second.refused.code == "already_released"


def test_backordering_moves_open_units_and_is_told_once() -> None:
    [order] = make.placed(make.draft(lines=[make.line(quantity=2), make.line("CUP")]))

    wait_for_stock(order)
    wait_for_stock(order)

    assert make.ledger_of(order) == [(0, 2, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0)]
    assert state(order) == ("backordered", "routing.route", "waiting", "stock")
    assert make.kinds_of(order) == ["order.placed", "order.backordered"]
    assert make.last_event(order).payload == {
        "reason": "stock", "lines": [{"position": 1, "units": 2}, {"position": 2, "units": 1}],
        "stage": "backordered",
    }  # fmt: skip


def test_new_stock_reopens_the_oldest_orders_it_reaches() -> None:
    younger, oldest, big, other = make.placed(
        make.draft("B"),
        make.draft("A"),
        make.draft("C", lines=[make.line(quantity=9)]),
        make.draft("D", lines=[make.line("CUP")]),
    )
    Order.objects.filter(pk=oldest.pk).update(received_at=make.NOW - timedelta(days=1))
    wait_for_stock(younger, oldest, big, other)
    make.stock(units=3, safety=2)

    assert services.reopen([make.sku().pk], now=LATER, actor="system") == 1

    assert state(oldest) == ("received", "routing.route", "ready", "")
    assert make.ledger_of(oldest) == [(1, 0, 0, 0, 0, 0)]
    assert [state(order)[3] for order in (younger, big, other)] == ["stock"] * 3
    assert make.kinds_of(oldest)[-1] == "order.rerouted"
    assert make.kinds_of(younger)[-1] == "order.backordered"


def test_an_order_that_lacks_another_sku_does_not_block_the_queue() -> None:
    both, single = make.placed(make.draft("A", lines=[make.line(), make.line("CUP")]), make.draft("B"))
    wait_for_stock(both, single)
    make.stock(units=1)

    services.reopen([make.sku().pk], now=LATER, actor="system")

    assert [state(order)[2] for order in (both, single)] == ["waiting", "ready"]


def test_stock_received_in_the_log_reopens(django_assert_max_num_queries: Any) -> None:
    orders = make.placed(*[make.draft(f"T{n}") for n in range(10)])
    wait_for_stock(*orders)
    inventory.receive([(make.warehouse(), make.sku(), 10)], reference="po:1", actor="user:li", now=LATER)
    deliveries = list(Delivery.objects.filter(subscriber="orders.reopen").select_related("event"))

    with django_assert_max_num_queries(20):
        subscribers.reopen_orders(deliveries)

    assert len(deliveries) == 1
    assert {state(order)[2] for order in orders} == {"ready"}


def test_every_stage_in_the_log_is_the_stage_that_stands() -> None:
    orders = make.placed(make.draft("A"), make.draft("B"), make.draft("C"))
    services.hold([order.pk for order in orders], reason="manual", **by())
    services.release_holds([orders[0].pk], **by())
    services.cancel([orders[1].pk], reason="x", **by())
    wait_for_stock(orders[0])

    for order in Order.objects.all():
        told = Event.objects.filter(stream=order.stream, payload__has_key="stage").order_by("-seq")[0]
        assert told.payload["stage"] == order.stage


def test_a_batch_of_verbs_costs_as_many_queries_as_one(django_assert_max_num_queries: Any) -> None:
    ids = [order.pk for order in make.placed(*[make.draft(f"T{n}") for n in range(60)])]

    with django_assert_max_num_queries(14):
        services.hold(ids, reason="manual", **by())
    with django_assert_max_num_queries(16):
        services.release_holds(ids, **by())
    with django_assert_max_num_queries(14):
        services.reroute(ids, reason="x", **by())
    with django_assert_max_num_queries(16):
        services.cancel(ids, reason="x", **by())
    assert set(OrderLine.objects.values_list("cancelled", flat=True)) == {1}
    assert holding.active(ids) == []
