"""Waves that are cut short, race, fail, are switched off or are made by hand: orders always have one whole plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orderhub.fulfillment import reserve
from orderhub.fulfillment import services as fulfillment
from orderhub.inventory.models import Warehouse
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders import services as orders_services
from orderhub.orders.advance import advance
from orderhub.orders.models import Order
from routing.models import Decision
from routing.waves import applying, planning, services
from routing.waves.models import PickWave
from tests import cast, make, waves
from tests.journeys.invariants import assert_all_hold

pytestmark = pytest.mark.django_db

MYOPIC = ["CAN reserved", "HGH reserved", "HGH reserved"]
TOGETHER = ["HGH reserved", "CAN reserved", "HGH reserved"]
WAITING = ("routed", "routing.wave", "waiting", "wave")


class Killed(BaseException):
    """What ends a worker; nothing of ours catches it."""


@pytest.fixture(autouse=True)
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """A clock of the test's own."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    return own


def to_planning(time: make.Clock) -> None:
    time.moment = waves.RELEASE - timedelta(minutes=5)


def tick(time: make.Clock) -> int:
    return services.tick(now=time.now())


def killed_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool = False) -> None:
    """Let a function kill its worker the first time it is called, before or after its work."""
    work: Callable[..., Any] = getattr(owner, name)
    calls: list[int] = []

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            return work(*args, **kwargs)
        if after:
            work(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(owner, name, dying)


# ---- cut short -----------------------------------------------------------------------------------


def test_killed_between_planning_and_moving_it_is_planned_anew(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    placed = waves.three_orders()
    to_planning(hub_clock)
    killed_once(monkeypatch, applying, "apply")

    with pytest.raises(Killed):
        tick(hub_clock)

    assert waves.sources(*placed) == MYOPIC
    assert PickWave.objects.get().state == "open"
    assert_all_hold()

    tick(hub_clock)

    assert waves.sources(*placed) == TOGETHER
    wave = PickWave.objects.get()
    assert (wave.state, wave.attempts, wave.changed) == ("planned", 2, 2)
    assert_all_hold()


@pytest.mark.parametrize(
    ("owner", "name"), [(reserve, "drop"), (reserve, "take"), (applying, "_lock_places")]
)
def test_killed_in_the_middle_of_moving_nothing_is_moved(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    waves.schedule()
    placed = waves.three_orders()
    decisions = set(Decision.objects.values_list("pk", "superseded_at"))
    to_planning(hub_clock)
    killed_once(monkeypatch, owner, name, after=True)

    with pytest.raises(Killed):
        tick(hub_clock)

    assert waves.sources(*placed) == MYOPIC
    assert [waves.standing(order) for order in placed] == [WAITING] * 3
    assert set(Decision.objects.values_list("pk", "superseded_at")) == decisions
    assert_all_hold()

    tick(hub_clock)
    assert waves.sources(*placed) == TOGETHER
    assert_all_hold()


def test_killed_between_two_batches_the_rest_goes_on(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    placed = waves.three_orders()
    to_planning(hub_clock)
    killed_once(monkeypatch, services, "_finish_planning")

    with pytest.raises(Killed):
        tick(hub_clock)

    assert waves.sources(*placed) == TOGETHER
    assert (PickWave.objects.get().state, PickWave.objects.get().changed) == ("open", 2)

    tick(hub_clock)

    wave = PickWave.objects.get()
    assert (wave.state, wave.changed) == ("planned", 2)
    assert wave.cost_before is not None
    assert wave.cost_after is not None
    assert wave.cost_before - wave.cost_after > 5
    assert_all_hold()


def test_a_wave_that_keeps_killing_is_released_as_it_stands(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    placed = waves.three_orders()
    to_planning(hub_clock)

    def dying(*_args: Any, **_kwargs: Any) -> None:
        raise Killed

    monkeypatch.setattr(planning, "propose", dying)
    for _time in range(services.MOST_ATTEMPTS):
        with pytest.raises(Killed):
            tick(hub_clock)
    hub_clock.moment = waves.RELEASE
    make.run_until_idle()

    assert waves.sources(*placed) == ["CAN released", "HGH released", "HGH released"]
    assert PickWave.objects.get().error != ""
    assert_all_hold()


def test_a_fault_in_planning_is_told_and_the_orders_are_released(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    placed = waves.three_orders()
    hub_clock.moment = waves.RELEASE

    def failing(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("no solver today")

    monkeypatch.setattr(planning, "solve", failing)
    make.run_until_idle()

    wave = PickWave.objects.get()
    assert (wave.state, wave.released, wave.changed) == ("released", 3, 0)
    assert wave.error == "RuntimeError: no solver today"
    assert waves.sources(*placed) == ["CAN released", "HGH released", "HGH released"]


def test_killed_in_the_middle_of_the_release_the_rest_follows(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    waves.three_orders()
    monkeypatch.setattr(services, "RELEASE_BATCH", 1)
    hub_clock.moment = waves.RELEASE
    sent: list[int] = []
    send = services._send_on

    def dying(*args: Any, **kwargs: Any) -> int:
        if len(sent) == 1:
            sent.append(1)
            raise Killed
        sent.append(1)
        return send(*args, **kwargs)

    monkeypatch.setattr(services, "_send_on", dying)
    with pytest.raises(Killed):
        tick(hub_clock)
    assert PickWave.objects.get().released == 1
    make.run_until_idle()

    assert (PickWave.objects.get().state, PickWave.objects.get().released) == ("released", 3)
    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}
    assert_all_hold()


# ---- what somebody else does meanwhile ------------------------------------------------------------


def between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen after the wave was planned and before its orders are moved."""
    apply = applying.apply

    def late(*args: Any, **kwargs: Any) -> int:
        happens()
        return apply(*args, **kwargs)

    monkeypatch.setattr(applying, "apply", late)


def test_an_order_that_is_cancelled_meanwhile_stays_cancelled(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waves.schedule()
    mei, lei, fang = waves.three_orders()
    to_planning(hub_clock)
    between(
        monkeypatch, lambda: fulfillment.cancel([lei.pk], reason="asked", actor="user:li", now=clock.now())
    )

    tick(hub_clock)

    # Mei was only to make room for Lei; without her that saves nothing.
    assert waves.standing(lei)[0] == "cancelled"
    assert waves.sources(mei, fang) == ["CAN reserved", "HGH reserved"]
    assert (make.shelf("CAN", "LAMP"), make.shelf("HGH", "LAMP")) == ((1, 1), (2, 1))
    assert (PickWave.objects.get().changed, PickWave.objects.get().conflicts) == (0, 2)
    assert PickWave.objects.get().cost_before == PickWave.objects.get().cost_after
    assert_all_hold()


def test_what_no_one_needs_anymore_still_moves_if_that_saves(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mei, who was to make room, cancels: her lamp is free for Lei, who saves by it."""
    waves.schedule()
    mei, lei, fang = waves.three_orders()
    to_planning(hub_clock)
    between(
        monkeypatch, lambda: fulfillment.cancel([mei.pk], reason="asked", actor="user:li", now=clock.now())
    )

    tick(hub_clock)

    assert waves.sources(lei, fang) == ["CAN reserved", "HGH reserved"]
    assert (make.shelf("CAN", "LAMP"), make.shelf("HGH", "LAMP")) == ((1, 1), (2, 1))
    assert (PickWave.objects.get().changed, PickWave.objects.get().conflicts) == (1, 1)
    assert_all_hold()


def test_units_that_are_gone_meanwhile_leave_both_plans_as_they_were(
    hub_clock: make.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two swaps need one another: where one loses its units, the other keeps its plan too."""
    waves.schedule(max_changes=2)
    mei, lei, fang = waves.three_orders()
    to_planning(hub_clock)
    # Mei is held in between: Guangzhou's lamp is not given back, and Lei cannot have it.
    between(
        monkeypatch,
        lambda: orders_services.hold([mei.pk], reason="customer", actor="user:li", now=clock.now()),
    )

    tick(hub_clock)

    assert waves.sources(mei, lei, fang) == MYOPIC
    assert (PickWave.objects.get().changed, PickWave.objects.get().conflicts) == (0, 2)
    assert waves.standing(mei) == ("reviewing", "routing.wave", "waiting", "hold")
    assert_all_hold()


# ---- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "changed"), [(0, 0), (1, 0), (2, 2)])
def test_no_more_orders_change_than_allowed(hub_clock: make.Clock, most: int, changed: int) -> None:
    waves.schedule(max_changes=most)
    placed = waves.three_orders()
    to_planning(hub_clock)

    tick(hub_clock)

    assert PickWave.objects.get().changed == changed
    assert waves.sources(*placed) == (TOGETHER if changed else MYOPIC)


def test_no_order_goes_to_a_frozen_warehouse_and_what_is_there_stays(hub_clock: make.Clock) -> None:
    waves.schedule()
    placed = waves.three_orders()
    Warehouse.objects.filter(code="CAN").update(is_frozen=True)
    to_planning(hub_clock)

    tick(hub_clock)

    wave = PickWave.objects.get()
    assert (wave.orders, wave.untouched, wave.changed) == (2, 1, 0)
    assert waves.sources(*placed) == MYOPIC


def test_the_promise_is_kept(hub_clock: make.Clock) -> None:
    """Mei was promised what only Guangzhou can keep."""
    waves.schedule()
    mei, lei, fang = waves.three_orders()
    hours = Order.objects.get(pk=mei.pk).fulfillments.get().planned_hours
    Order.objects.filter(pk=mei.pk).update(promised_at=waves.RELEASE + timedelta(hours=float(hours) + 0.01))
    to_planning(hub_clock)

    tick(hub_clock)

    assert waves.sources(mei, lei, fang) == MYOPIC
    assert (PickWave.objects.get().orders, PickWave.objects.get().changed) == (3, 0)


def test_a_daily_limit_that_the_waiting_orders_fill_is_theirs_to_share(hub_clock: make.Clock) -> None:
    waves.schedule()
    make.network(units=0)
    Warehouse.objects.filter(code="CAN").update(capacity_per_day=1)
    Warehouse.objects.filter(code="HGH").update(capacity_per_day=2)
    placed = waves.three_orders()
    to_planning(hub_clock)

    tick(hub_clock)

    assert waves.sources(*placed) == TOGETHER
    assert_all_hold()


# ---- schedules -----------------------------------------------------------------------------------


def test_switched_off_the_waiting_orders_go_at_once(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    waves.three_orders()
    plan.is_active = False
    plan.save()

    make.run_until_idle()

    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}
    assert not PickWave.objects.exists()
    assert_all_hold()


def test_released_by_hand_before_its_time(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    placed = waves.three_orders()

    services.open_now(plan, now=clock.now())
    make.run_until_idle()

    wave = PickWave.objects.get()
    assert (wave.is_manual, wave.state, wave.changed, wave.released) == (True, "released", 2, 3)
    assert waves.sources(*placed) == ["HGH released", "CAN released", "HGH released"]


def test_a_schedule_that_is_off_releases_nothing_by_hand(hub_clock: make.Clock) -> None:
    plan = waves.schedule(is_active=False)

    with pytest.raises(Refused) as refused:
        services.open_now(plan, now=clock.now())

    assert refused.value.code == "wave_schedule_off"


def test_a_preview_writes_nothing(hub_clock: make.Clock) -> None:
    plan = waves.schedule()
    placed = waves.three_orders()
    before = list(Order.objects.order_by("pk").values())

    found = services.preview(plan, now=clock.now(), seconds=3)

    assert (found.orders, len(found.changes)) == (3, 2)
    assert found.cost_after < found.cost_before
    assert list(Order.objects.order_by("pk").values()) == before
    assert waves.sources(*placed) == MYOPIC
    assert not PickWave.objects.exists()


def test_a_release_that_came_while_the_hub_was_down_is_made_up_for(hub_clock: make.Clock) -> None:
    waves.schedule()
    waves.three_orders()
    hub_clock.moment = waves.RELEASE + timedelta(hours=2)

    make.run_until_idle()

    wave = PickWave.objects.get()
    assert (wave.releases_at, wave.state, wave.released, wave.changed) == (waves.RELEASE, "released", 3, 0)
    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}


def test_an_order_that_was_written_just_after_the_release_goes_with_it(hub_clock: make.Clock) -> None:
    waves.schedule()
    make.network()
    hub_clock.moment = waves.RELEASE
    make.run_until_idle()  # an empty wave
    hub_clock.moment = waves.RELEASE - timedelta(seconds=1)  # a worker that is a moment behind
    (order,) = make.place()
    advance([order.pk], now=clock.now(), actor="system")
    assert waves.standing(order) == WAITING
    hub_clock.moment = waves.RELEASE + timedelta(seconds=10)

    make.run_until_idle()

    assert waves.standing(order)[0] == "released"
    assert PickWave.objects.get().released == 1


def test_the_next_order_waits_for_the_next_wave_and_is_promised_from_there(hub_clock: make.Clock) -> None:
    waves.schedule()
    make.network()
    hub_clock.moment = waves.RELEASE
    make.run_until_idle()
    hub_clock.moment = waves.RELEASE + timedelta(minutes=1)
    (order,) = make.place(make.draft("late", to=cast.FANG))
    make.run_until_idle()

    assert waves.standing(order) == WAITING
    promised = make.fresh(order).promised_at
    assert promised is not None
    assert promised > waves.RELEASE + timedelta(days=1)
    row = make.fresh(order).fulfillments.get()
    assert row.eta_from_at is not None
    assert row.eta_from_at > waves.RELEASE + timedelta(days=1)


def test_merchants_do_not_wait_for_one_another(hub_clock: make.Clock) -> None:
    waves.schedule()
    bob = make.merchant(cast.BOB)
    make.network(owner=bob)
    (theirs,) = make.place(make.draft("bob", owner=bob), owner=bob)
    placed = waves.three_orders()

    assert waves.standing(theirs)[0] == "released"
    assert [waves.standing(order) for order in placed] == [WAITING] * 3
