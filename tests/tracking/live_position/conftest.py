"""A van with a tracker, and a parcel that rides in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orderhub.fulfillment.models import Parcel
from tests import cast, make
from tests.tracking.vans import Van, ride
from tracking import queries
from tracking.live_position import devices
from tracking.models import Position


@pytest.fixture
def van(hub_clock: make.Clock) -> Van:
    make.network()
    make.place(make.draft(to=cast.LEI))
    make.play(hub_clock, until="scan")
    Position.objects.all().delete()
    parcel = Parcel.objects.get()
    device, trip = ride(parcel, since=hub_clock.now() - timedelta(hours=2))
    return Van(
        parcel.merchant, device, devices.rotate_key(device, now=hub_clock.now()), trip, parcel, hub_clock
    )


@pytest.fixture
def page_of() -> Callable[[Van], dict[str, Any]]:
    """The buyer's page as data."""

    def read(van: Van) -> dict[str, Any]:
        order = van.parcel.fulfillment.order
        return queries.page(order, language="zh-hans", now=van.time.now())

    return read
