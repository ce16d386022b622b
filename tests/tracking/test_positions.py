"""Positions: what is kept, what is dropped, and that pages hear of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.connectors.base import PositionFix
from orderhub.connectors.models import Connection
from orderhub.fulfillment.models import Parcel
from tests import cast, make
from tracking import positions
from tracking.models import Journey, Position

pytestmark = pytest.mark.django_db


@pytest.fixture
def parcel(hub_clock: make.Clock) -> Parcel:
    make.network()
    make.place(make.draft(to=cast.LEI))
    make.play(hub_clock, until="scan")
    Position.objects.all().delete()
    return Parcel.objects.get()


def fix(parcel: Parcel, time: make.Clock, *, minutes: float = 0, lat: str = "23.50000") -> PositionFix:
    at = time.now() + timedelta(minutes=minutes)
    return PositionFix(parcel.carrier, parcel.tracking_number, Decimal(lat), Decimal("113.40000"), at)


def test_fixes_are_stored_once_and_told(parcel: Parcel, hub_clock: make.Clock) -> None:
    before = Journey.objects.get()
    fixes = [fix(parcel, hub_clock, minutes=-2), fix(parcel, hub_clock)]

    assert positions.store(fixes) == 2
    assert positions.store(fixes) == 0

    after = Journey.objects.get()
    assert (after.revision, after.seq) == (before.revision + 1, before.seq)


def test_unknown_parcels_and_the_future_are_dropped(parcel: Parcel, hub_clock: make.Clock) -> None:
    stranger = PositionFix("nobody", parcel.tracking_number, Decimal(23), Decimal(113), hub_clock.now())

    assert positions.store([stranger, fix(parcel, hub_clock, minutes=3)]) == 0
    assert positions.store([fix(parcel, hub_clock, minutes=1)]) == 1


def test_a_jump_is_an_outlier_unless_the_clock_is_the_simulators(
    parcel: Parcel, hub_clock: make.Clock
) -> None:
    first, jump = fix(parcel, hub_clock, minutes=-10), fix(parcel, hub_clock, lat="25.50000")
    assert positions.store([first, jump]) == 2
    Position.objects.all().delete()
    Connection.objects.update(kind="wms")

    assert positions.store([first, jump]) == 1
    assert positions.store([jump]) == 0
    assert str(Position.objects.get().latitude) == "23.50000"


def test_a_late_fix_is_stored_but_is_not_now(parcel: Parcel, hub_clock: make.Clock) -> None:
    Connection.objects.update(kind="wms")
    positions.store([fix(parcel, hub_clock)])

    assert positions.store([fix(parcel, hub_clock, minutes=-30, lat="23.40000")]) == 1

    newest = Position.objects.order_by("-occurred_at")[0]
    assert str(newest.latitude) == "23.50000"


def test_many_cost_as_much_as_few(parcel: Parcel, hub_clock: make.Clock) -> None:
    counts = []
    for number in (1, 40):
        Position.objects.all().delete()
        with CaptureQueriesContext(connection) as seen:
            positions.store([fix(parcel, hub_clock, minutes=-n) for n in range(number)])
        counts.append(len(seen))

    assert counts[0] == counts[1] <= 8


def test_positions_are_forgotten_after_a_month(parcel: Parcel, hub_clock: make.Clock) -> None:
    positions.store([fix(parcel, hub_clock)])
    assert positions.forget() == 0

    hub_clock.advance(days=31)

    assert positions.forget() == 1
