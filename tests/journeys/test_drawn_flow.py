"""Whole orders on ready-made flows with a real network: routed by the assigned strategy, held, merged, split."""

from __future__ import annotations

import pytest
from django.db import transaction

from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import journeys, parting, services
from orderhub.orders.flows import reading
from orderhub.orders.models import Order
from routing.models import Decision
from routing.strategies import ensure_presets
from rules.flows import publishing, starters
from rules.models import Flow
from tests import make
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def use(code: str) -> Flow:
    """Put a ready-made flow in force for the merchant."""
    merchant = make.merchant()
    ensure_presets(merchant, now=make.NOW)
    row = Flow.objects.create(
        code=code, name=code, scope=f"merchant:{merchant.pk}", draft=starters.get(code).content
    )
    publishing.publish(row, None, now=make.NOW)
    journeys.forget()
    return row


@pytest.fixture(autouse=True)
def _shop(hub_clock: make.Clock) -> None:
    make.network(units=1000)


def way(order: Order) -> list[str]:
    return [row["node"] for row in reading.trace(order, language="en")["way"]]


@pytest.mark.parametrize("code", [starter.code for starter in starters.all_()])
def test_an_ordinary_order_comes_through_every_ready_made_flow(code: str, hub_clock: make.Clock) -> None:
    use(code)
    [order] = make.place(make.draft("A"))
    make.run_until_idle()
    hub_clock.advance(minutes=31)  # a merge window is over

    make.play(hub_clock)

    found = Order.objects.get(pk=order.pk)
    assert found.stage == "delivered"
    assert found.flow_version_id is not None
    assert way(found)[0] == "screen"
    assert way(found)[-1] == "release"
    assert_all_hold()


def test_a_gold_member_goes_by_the_assigned_strategy_and_express(hub_clock: make.Clock) -> None:
    make.rate_card("SWIFT", service="express")
    use("vip")
    gold, plain = make.place(make.draft("G", extra={"member_level": "gold"}), make.draft("P"))

    make.run_until_idle()

    chosen = {
        row.order_id: row.strategy.strategy.code
        for row in Decision.objects.select_related("strategy__strategy")
    }
    assert (chosen[gold.pk], chosen[plain.pk]) == ("speed", "balanced")
    found = Order.objects.get(pk=gold.pk)
    assert (found.service, found.tags) == ("express", ["VIP"])
    assert "fast" in way(found)
    assert "wave" not in way(found)
    assert "wave" in way(Order.objects.get(pk=plain.pk))


def test_a_high_order_waits_for_a_person_before_any_stock_is_taken(hub_clock: make.Clock) -> None:
    use("high-value")
    [order] = make.place(make.draft("H", lines={"LAMP": 200}))
    make.run_until_idle()

    found = Order.objects.get(pk=order.pk)
    assert found.total >= 5000
    assert (found.flow_node, found.waiting_for) == ("review", "hold")
    assert not FulfillmentOrder.objects.exists()

    services.release_holds([order.pk], note="ok", actor="user:li", now=make.NOW)
    make.run_until_idle()

    assert way(Order.objects.get(pk=order.pk))[-1] == "release"
    assert_all_hold()


def test_a_part_split_off_goes_on_from_where_its_order_stands(hub_clock: make.Clock) -> None:
    use("high-value")
    [order] = make.place(make.draft("H", lines={"LAMP": 200, "CUP": 2}))
    make.run_until_idle()
    held = Order.objects.get(pk=order.pk)

    part = _split(held, {1: 100})
    services.release_holds([held.pk, part.pk], note="ok", actor="user:li", now=make.NOW)
    make.run_until_idle()

    for pk in (held.pk, part.pk):
        found = Order.objects.get(pk=pk)
        assert way(found)[-1] == "release"
        assert found.flow_version_id == held.flow_version_id
    assert way(Order.objects.get(pk=part.pk))[0] == "review"
    assert_all_hold()


@transaction.atomic
def _split(order: Order, portions: dict[int, int]) -> Order:
    locked = Order.objects.select_for_update().get(pk=order.pk)
    return parting.split(locked, portions, reason="customer", now=make.NOW, actor="user:li")


def test_what_the_flow_tells_is_in_the_log_once(hub_clock: make.Clock) -> None:
    use("make-to-order")
    [order] = make.place(make.draft("A"))

    make.play(hub_clock)

    moved = Event.objects.filter(stream=order.stream, kind="order.flow_moved")
    assert [row["node"] for event in moved for row in event.payload["way"]].count("release") == 1
