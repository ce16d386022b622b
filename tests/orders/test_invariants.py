"""The checks find what they are for, and nothing in a healthy house."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from orderhub.events.models import Delivery
from orderhub.kernel import clock
from orderhub.orders import invariants, services
from orderhub.orders.models import Hold, Order, OrderLine
from tests.orders import builders as make

pytestmark = pytest.mark.django_db
CHECKS = (
    invariants.stage_is_told, invariants.ledgers_add_up, invariants.waiting_has_a_reason,
    invariants.ready_orders_move, invariants.money_is_conserved,
)  # fmt: skip


@pytest.fixture
def order() -> Order:
    [placed] = make.placed()
    return placed


def found() -> dict[str, list[str]]:
    return {check.__name__: texts for check in CHECKS if (texts := list(check()))}


def test_a_healthy_house_has_nothing_to_say(order: Order) -> None:
    services.hold([order.pk], reason="manual", actor="user:li", now=make.NOW)

    assert found() == {}


def test_a_stage_set_behind_the_logs_back_is_found(order: Order) -> None:
    Order.objects.update(stage="delivered")

    assert found() == {"stage_is_told": [f"order {order.pk} is delivered, its events say received"]}


def test_a_waiting_order_without_its_hold_is_found(order: Order) -> None:
    services.hold([order.pk], reason="manual", actor="user:li", now=make.NOW)
    Hold.objects.update(released_at=make.NOW)

    assert found() == {"waiting_has_a_reason": [f"order {order.pk} waits for a hold that it does not have"]}

    Order.objects.update(waiting_for="")

    assert found() == {"waiting_has_a_reason": [f"order {order.pk} waits for nothing"]}


def test_a_ready_order_that_nobody_takes_on_is_found_after_five_minutes(order: Order) -> None:
    Delivery.objects.update(state="done")
    Order.objects.update(updated_at=clock.now() - timedelta(minutes=4))

    assert found() == {}

    Order.objects.update(updated_at=clock.now() - timedelta(minutes=6))

    assert list(found()) == ["ready_orders_move"]

    Delivery.objects.update(state="dead")

    assert found() == {}


def test_money_that_does_not_add_up_is_found(order: Order) -> None:
    OrderLine.objects.update(discount="0.01")

    assert found() == {"money_is_conserved": [f"order {order.pk}: lines say 100.00 − 0.01, the order 100.00"]}


def test_cents_that_binary_fractions_cannot_hold_are_no_violation(order: Order) -> None:
    first = order.lines.get()
    OrderLine.objects.filter(pk=first.pk).update(line_total="0.10")
    first.pk, first.position, first.line_total = None, 2, Decimal("0.20")
    first.save()
    Order.objects.filter(pk=order.pk).update(goods_total="0.30", total="0.30")

    assert list(invariants.money_is_conserved()) == []
