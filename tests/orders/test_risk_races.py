"""Interception before release, raced on PostgreSQL: a blocked or held order never reaches a warehouse unseen."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services
from orderhub.orders.advance import advance
from orderhub.orders.models import Hold, Order
from orderhub.orders.risk import again, desk, policies
from orderhub.orders.risk import screening as risk
from orderhub.orders.risk.models import Assessment, Tally
from tests import make
from tests.orders import risk_shop as shop
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
NOW = shop.NOW
ROUNDS = 12


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def _fresh(number: str, **fields: Any) -> Order:
    [order] = services.place(
        [shop.draft(number, **fields)], merchant=make.merchant(), actor="api:test", now=NOW, source="api"
    )
    assert order.order is not None
    return order.order


def _walk(order: Order) -> Callable[[], Any]:
    return lambda: advance([order.pk], now=NOW, actor="system")


def _is_with_a_warehouse(order: Order) -> bool:
    return FulfillmentOrder.objects.filter(order=order, state="released").exists()


def test_blocking_a_phone_while_its_order_is_screened_catches_it_or_came_after_its_release() -> None:
    """Never both: on the block list, waiting, and not held. 12 rounds."""
    shop.shop()
    make.stock(
        {"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}}
    )  # so every order that passes still waits
    for n in range(ROUNDS):
        phone = f"1310000{n:04}"
        order = _fresh(f"K{n}", phone=phone, address=f"某路 {n} 号")

        at_once([
            _walk(order),
            lambda phone=phone: desk.put_on_list(  # type: ignore[misc]
                make.merchant().pk, "phone", phone, "block", reason="x", actor="user:li", now=NOW
            ),
        ])  # fmt: skip

        assert not _is_with_a_warehouse(order)
        assert shop.held_for(order) == {"risk"}, f"round {n}: it slipped through"


def test_an_order_that_must_be_held_never_reaches_a_warehouse_however_many_workers_take_it() -> None:
    """The same flagged order, taken by eight workers at once, while somebody releases its other holds. 12 rounds."""
    shop.shop()
    for n in range(ROUNDS):
        order = _fresh(f"F{n}", phone=f"1320000{n:04}", address=f"某路 {n} 号", extra={"risk_flag": "high"})
        release = lambda order=order: services.release_holds(  # noqa: E731
            [order.pk], reason="merge_window", actor="user:li", now=NOW
        )

        at_once([*[_walk(order) for _worker in range(8)], release])

        assert not _is_with_a_warehouse(order)
        assert Hold.objects.filter(order=order, reason="risk", released_at=None).count() == 1
        assert Assessment.objects.get(pk=order.pk).state == "open"


def test_a_policy_going_live_while_an_order_walks_catches_it_or_came_after_its_release() -> None:
    """12 rounds with stock: whoever is first, an order that waits is held, one that is held is with no warehouse."""
    policy = shop.shop()
    quiet, loud = _without_flag(policy), {"risk_flag": "high"}
    seen = []
    for n in range(ROUNDS):
        policies.roll_back(policy, quiet, None, now=NOW)
        order = _fresh(f"G{n}", phone=f"1350000{n:04}", address=f"某路 {n} 号", extra=loud)
        policy.signals.filter(code="platform_flag").update(mode="live")

        at_once([_walk(order), lambda n=n: _go_live(policy, after=0.004 * n)])  # type: ignore[misc]

        is_held = shop.held_for(order) == {"risk"}
        assert is_held != _is_done(order), f"round {n}: it slipped through"
        assert not (is_held and _is_with_a_warehouse(order))
        scored_by = shop.risk_of(order).policy_number
        assert is_held == (scored_by % 2 == 1 and scored_by > 1)
        seen.append(is_held)
    print(f"held {sum(seen)}, released by the policy before {len(seen) - sum(seen)}")


@pytest.mark.parametrize("has_stock", [True, False])
def test_a_policy_published_between_the_score_and_the_release_of_an_order(
    monkeypatch: pytest.MonkeyPatch, has_stock: bool
) -> None:
    """The narrowest gap, held open on purpose: scored by the old policy, not yet released, and the new one commits.

    What the same transaction releases was scored before; what waits afterwards is held before anything else can take it.
    """
    policy = shop.shop()
    _without_flag(policy)
    if not has_stock:
        make.stock({"HGH": {"LAMP": 0}, "CAN": {"LAMP": 0}, "CTU": {"LAMP": 0}})
    order = _fresh("GAP", extra={"risk_flag": "high"})
    policy.signals.filter(code="platform_flag").update(mode="live")
    is_scored, is_published = Event(), Event()
    assess = risk.assess

    def slowly(*args: Any, **kwargs: Any) -> Any:
        found = assess(*args, **kwargs)
        is_scored.set()
        assert is_published.wait(20)
        return found

    def publish() -> int:
        assert is_scored.wait(20)
        monkeypatch.setattr(risk, "assess", assess)
        policies.publish(policy, None, now=NOW)
        is_published.set()
        return again.catch_up(now=NOW, actor="user:li")

    monkeypatch.setattr(risk, "assess", slowly)
    _steps, caught = at_once([_walk(order), publish])

    assert _is_with_a_warehouse(order) == _is_done(order) == has_stock
    assert (caught, shop.held_for(order)) == ((0, set()) if has_stock else (1, {"risk"}))
    assert again.outdated().count() == 0


def test_an_order_taken_by_eight_workers_is_scored_and_released_once() -> None:
    shop.shop()
    for n in range(ROUNDS):
        order = _fresh(f"E{n}", phone=f"1360000{n:04}", address=f"某路 {n} 号", extra={"device_id": f"d{n}"})

        at_once([_walk(order) for _worker in range(8)])

        assert FulfillmentOrder.objects.filter(order=order).count() == 1
        assert order.risk_keys.count() == 4
    assert Assessment.objects.count() == ROUNDS
    assert set(Tally.objects.filter(key__kind="device", what="order").values_list("count", flat=True)) == {1}


def _is_done(order: Order) -> bool:
    return Order.objects.get(pk=order.pk).step_state == "done"


def _without_flag(policy: Any) -> int:
    """Publish a version in which the channel's flag is in shadow; its number."""
    policy.signals.filter(code="platform_flag").update(mode="shadow")
    return policies.publish(policy, None, now=NOW).number


def _go_live(policy: Any, *, after: float) -> int:
    time.sleep(after)  # so that either is first in some of the rounds
    policies.publish(policy, None, now=NOW)
    return again.catch_up(now=NOW, actor="user:li")


def test_twenty_orders_in_one_second_on_one_device_see_each_other() -> None:
    """20 workers, an order each: whoever comes fifth or later in the row of its device sees the others."""
    shop.shop()
    orders = [
        _fresh(
            f"T{n}",
            phone=f"1330000{n:04}",
            address=f"某路 {n} 号",
            extra={"device_id": "one", "buyer_id": f"u{n}"},
        )
        for n in range(20)
    ]

    at_once([_walk(order) for order in orders])

    seeing = [order for order in orders if "accounts_per_device" in shop.codes(order)]
    assert len(seeing) >= 16
    [row] = Tally.objects.filter(key__kind="device", what="order")
    assert row.count == 20


def test_two_reviewers_at_once_decide_once() -> None:
    shop.shop()
    for n in range(ROUNDS):
        [order] = shop.placed(
            shop.draft(f"D{n}", phone=f"1340000{n:04}", address=f"某路 {n} 号", extra={"risk_flag": "high"})
        )

        answers = at_once([
            lambda order=order: desk.decide([order.pk], "release", reason="a", actor="user:li", now=NOW)[0],  # type: ignore[misc]
            lambda order=order: desk.decide([order.pk], "cancel", reason="b", actor="user:mei", now=NOW)[0],  # type: ignore[misc]
        ])  # fmt: skip

        assert sorted(x.done for x in answers) == [False, True]
        assert order.risk_reviews.count() == 1
        assert shop.risk_of(order).state == "done"
        later = NOW + timedelta(minutes=1)
        assert desk.escalate(now=later) == 0
