"""Two at once on PostgreSQL: a wave moves orders while somebody cancels, holds or releases them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from routing.models import Decision
from routing.waves import applying, planning, services
from routing.waves.models import PickWave
from tests import make, waves
from tests.journeys import replay
from tests.journeys.invariants import assert_all_hold
from tests.journeys.test_parting_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _only_postgresql(on_postgresql: bool) -> None:
    if not on_postgresql:
        pytest.skip("SQLite lets one writer in at a time")


@pytest.mark.parametrize("chosen", [0, 1])
@pytest.mark.parametrize("verb", ["cancel", "hold"])
def test_somebody_meets_the_moving(hub_clock: make.Clock, verb: str, chosen: int) -> None:
    """Whoever comes first wins: the order is moved and then stopped, or stopped and not moved; never half."""
    waves.schedule()
    placed = waves.three_orders()
    now = hub_clock.now()
    found = planning.propose(placed[0].merchant_id, releases_at=waves.RELEASE, max_changes=None, seconds=5)
    assert len(found.changes) == 2
    target = placed[chosen]
    verbs: dict[str, Callable[[], Any]] = {
        "cancel": lambda: fulfillment.cancel([target.pk], reason="asked", actor="user:li", now=now),
        "hold": lambda: orders.hold([target.pk], reason="customer", actor="user:li", now=now),
    }

    answers = at_once(
        lambda: applying.apply(
            found.changes, releases_at=waves.RELEASE, noted=lambda made, lost: None, now=now, actor="system"
        ),
        verbs[verb],
    )

    assert answers == ["", ""]
    assert make.fresh(target).stage == ("cancelled" if verb == "cancel" else "reviewing")
    current = FulfillmentOrder.objects.filter(state="reserved")
    assert current.count() == (2 if verb == "cancel" else 3)
    assert make.shelf("CAN", "LAMP")[1] + make.shelf("HGH", "LAMP")[1] == current.count()
    assert Decision.objects.filter(superseded_at__isnull=True).count() == 3
    make.run_until_idle()
    replay.assert_told(*placed)
    assert_all_hold()


def test_two_clocks_release_a_wave_once(hub_clock: make.Clock) -> None:
    waves.schedule()
    placed = waves.three_orders()
    hub_clock.moment = waves.RELEASE
    now = hub_clock.now()

    at_once(lambda: services.tick(now=now), lambda: services.tick(now=now))
    make.run_until_idle()

    assert PickWave.objects.count() == 1
    assert set(Order.objects.values_list("stage", flat=True)) == {"released"}
    rows = FulfillmentOrder.objects.exclude(state="cancelled")
    assert rows.count() == 3
    for order in placed:
        kinds = make.kinds_of(order)
        assert kinds.count("routing.wave_released") == 1
        assert kinds.count("fulfillment.released") == 1
    replay.assert_told(*placed)
    assert_all_hold()
