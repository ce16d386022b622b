"""A merchant that picks at two: its orders wait, are planned together before, and go out with the promise kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import sharing
from orderhub.orders.models import Order
from routing.models import Decision
from routing.waves.models import PickWave
from tests import make, waves
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db


def test_three_orders_are_planned_together_and_released_at_two(hub_clock: make.Clock) -> None:
    waves.schedule()
    mei, lei, fang = waves.three_orders()
    orders = mei, lei, fang

    waiting = ("routed", "routing.wave", "waiting", "wave")
    assert [waves.standing(order) for order in orders] == [waiting] * 3
    assert waves.sources(*orders) == ["CAN reserved", "HGH reserved", "HGH reserved"]
    promised = {order.pk: make.fresh(order).promised_at for order in orders}
    assert all(at is not None and at > waves.RELEASE for at in promised.values())

    hub_clock.moment = waves.RELEASE.replace(hour=5, minute=55)
    make.run_until_idle()

    wave = PickWave.objects.get()
    assert (wave.state, wave.orders, wave.changed, wave.conflicts, wave.error) == ("planned", 3, 2, 0, "")
    assert [waves.standing(order) for order in orders] == [waiting] * 3
    assert waves.sources(*orders) == ["HGH reserved", "CAN reserved", "HGH reserved"]
    assert (make.shelf("CAN", "LAMP"), make.shelf("HGH", "LAMP")) == ((1, 1), (2, 2))
    assert wave.cost_before is not None
    assert wave.cost_after is not None
    assert wave.lower_bound is not None
    assert wave.cost_before - wave.cost_after > 5
    assert wave.lower_bound <= wave.cost_after
    assert {row["number"]: (row["from_codes"], row["to_codes"]) for row in wave.changes} == {
        make.fresh(mei).number: (["CAN"], ["HGH"]),
        make.fresh(lei).number: (["HGH"], ["CAN"]),
    }
    assert {row["name_en"]: (row["before"], row["after"]) for row in wave.loads} == {
        "HGH": (2, 2), "CAN": (1, 1),
    }  # fmt: skip

    hub_clock.moment = waves.RELEASE
    make.run_until_idle()

    wave.refresh_from_db()
    assert (wave.state, wave.released) == ("released", 3)
    released = FulfillmentOrder.objects.exclude(state="cancelled").values_list("released_at", flat=True)
    assert set(released) == {waves.RELEASE}
    assert {order.pk: make.fresh(order).promised_at for order in orders} == promised
    assert make.kinds_of(lei)[:7] == [
        "order.placed", "routing.decided", "fulfillment.reserved",
        "fulfillment.cancelled", "routing.decided", "fulfillment.reserved",
        "routing.wave_released",
    ]  # fmt: skip
    assert_all_hold()

    make.play(hub_clock)

    assert set(Order.objects.values_list("stage", flat=True)) == {"delivered"}
    rows = FulfillmentOrder.objects.filter(state="delivered").select_related("order")
    assert len(rows) == 3
    for row in rows:
        assert row.order.promised_at is not None
        assert waves.RELEASE + timedelta(hours=float(row.planned_hours)) <= row.order.promised_at
    assert (make.shelf("CAN", "LAMP"), make.shelf("HGH", "LAMP")) == ((0, 0), (0, 0))
    replay.assert_told(*orders)
    assert_all_hold()


def test_the_decision_says_what_the_wave_changed(hub_clock: make.Clock) -> None:
    waves.schedule()
    mei, lei, _fang = waves.three_orders()
    old = Decision.objects.get(order=lei)

    hub_clock.moment = waves.RELEASE
    make.run_until_idle()

    old.refresh_from_db()
    new = Decision.objects.get(order=lei, superseded_at__isnull=True)
    assert old.superseded_at == waves.RELEASE
    assert (new.method, new.status) == ("wave", "routed")
    assert new.plan is not None
    assert "wave" in new.plan["notes"]
    assert [parcel["code"] for parcel in new.plan["parcels"]] == ["CAN"]
    (before,) = new.alternatives
    assert [parcel["code"] for parcel in before["parcels"]] == ["HGH"]
    assert new.total is not None
    assert Decimal(before["total"]) - new.total > 5
    dearer = Decision.objects.get(order=mei, superseded_at__isnull=True)
    assert dearer.plan is not None
    assert dearer.plan["notes"][-1] == "wave_dearer"


def test_the_customer_sees_the_warehouse_it_ships_from(hub_clock: make.Clock) -> None:
    waves.schedule()
    _mei, lei, _fang = waves.three_orders()

    hub_clock.moment = waves.RELEASE
    make.run_until_idle()

    answer = APIClient().get(f"/api/v1/tracking/{sharing.token(make.fresh(lei))}/")
    assert answer.status_code == 200
    told = str(answer.json())
    assert "广州" in told
    assert "fulfillment.cancelled" not in told


def test_a_merchant_without_waves_waits_for_nothing(hub_clock: make.Clock) -> None:
    waves.three_orders()

    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}
    assert not PickWave.objects.exists()
