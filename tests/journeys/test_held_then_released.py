"""An order that a rule stops waits for a person, then goes on where it stood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services
from orderhub.orders.models import Hold, Order
from rules import services as rules
from rules.models import Rule, RuleSet
from tests import make
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def large_orders_are_checked(merchant: Merchant) -> None:
    """A published screening rule: from 500 on, somebody looks at the order."""
    ruleset = RuleSet.objects.create(
        scope=f"merchant:{merchant.pk}", code="risk", name="风险", purpose="screen"
    )
    Rule.objects.create(
        ruleset=ruleset, code="large", name="大额", priority=1,
        condition={"fact": "order.total", "op": ">=", "value": "500"},
        actions=[{"do": "hold", "with": {"reason": "risk", "detail": "大额订单"}}],
    )  # fmt: skip
    rules.publish(ruleset, actor=None, note="", now=make.NOW)


def stand(order: Order) -> tuple[str, str, str, str]:
    """Stage, step, step state and what it waits for."""
    found = make.fresh(order)
    return found.stage, found.step, found.step_state, found.waiting_for


def test_a_large_order_waits_for_a_person_and_then_ships(hub_clock: make.Clock) -> None:
    alice = make.network()
    large_orders_are_checked(alice)
    large, small = make.place(make.draft("L", lines={"QUILT": 1}), make.draft("S", lines={"CUP": 1}))

    make.run_until_idle()

    assert stand(large) == ("reviewing", "order.screen", "waiting", "hold")
    assert stand(small)[0] == "released"
    hold = Hold.objects.get()
    assert (hold.order, hold.reason, hold.detail, hold.placed_by) == (large, "risk", "大额订单", "system")
    assert not FulfillmentOrder.objects.filter(order=large).exists()
    assert make.shelf("HGH", "QUILT") == (100, 0)

    hub_clock.advance(hours=3)
    answer = make.client(alice).post(f"/api/v1/orders/{large.pk}/release/", {"reason": "已电话确认"})
    make.run_until_idle()

    assert (answer.status_code, answer.json()["stage"]) == (200, "received")
    hold.refresh_from_db()
    assert (hold.released_at, hold.released_by) == (hub_clock.now(), "api:test")
    assert hold.release_note == "已电话确认"
    assert make.kinds_of(large) == [
        "order.placed", "order.held", "order.hold_released", "routing.decided", "fulfillment.reserved",
        "fulfillment.released",
    ]  # fmt: skip

    make.play(hub_clock)

    assert stand(large) == ("delivered", "", "done", "")
    replay.assert_told(large, small)
    assert_all_hold()


def test_two_holds_must_both_go(hub_clock: make.Clock) -> None:
    alice = make.network()
    large_orders_are_checked(alice)
    (order,) = make.place(make.draft(lines={"QUILT": 1}))
    make.run_until_idle()
    services.hold([order.pk], reason="customer", detail="改地址", actor="user:li", now=hub_clock.now())

    services.release_holds([order.pk], reason="risk", actor="user:li", now=hub_clock.now())
    make.run_until_idle()

    assert stand(order)[0] == "reviewing"

    services.release_holds([order.pk], reason="customer", actor="user:li", now=hub_clock.now())
    make.run_until_idle()

    assert stand(order)[0] == "released"
    replay.assert_told(order)


def test_the_merge_window_lets_go_by_itself(hub_clock: make.Clock) -> None:
    make.network()
    window = make.channel("tmall", merge_window_seconds=600)
    (order,) = make.place(make.draft(channel=window))
    make.run_until_idle()

    hub_clock.advance(seconds=599)
    make.run_until_idle()

    assert stand(order)[0] == "reviewing"

    hub_clock.advance(seconds=1)
    make.run_until_idle()

    assert stand(order)[0] == "released"
    assert Hold.objects.get().released_at == make.NOW + timedelta(seconds=600)
    replay.assert_told(order)


def test_what_the_warehouse_has_cannot_be_held(hub_clock: make.Clock) -> None:
    alice = make.network()
    (order,) = make.place()
    make.run_until_idle()
    told = make.kinds_of(order)

    answer: Any = make.client(alice).post(f"/api/v1/orders/{order.pk}/hold/", {"reason": "manual"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_released")
    assert make.kinds_of(order) == told
    assert not Hold.objects.exists()
