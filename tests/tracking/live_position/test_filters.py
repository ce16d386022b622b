"""What positions are good for, and fences on noisy tracks."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tracking import geofence
from tracking.geofence import Fix, Polygon
from tracking.live_position.filters import Seen, judge
from tracking.live_position.formats import Reading

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
OLD = NOW - timedelta(days=30)


def reading(minutes: float, lat: float = 30.0, lng: float = 120.0, accuracy_m: float | None = 10) -> Reading:
    return Reading("d", NOW + timedelta(minutes=minutes), lat, lng, accuracy_m)


def test_each_fault_has_its_own_pile() -> None:
    last = Seen(NOW - timedelta(minutes=10), 30.0, 120.0)
    future, sea, jump = reading(3), reading(-5, 20.0, 140.0), reading(-4, 33.0)
    late, blurred, good, twice = reading(-20), reading(-3, accuracy_m=900), reading(-2, 30.01), reading(-10)

    found = judge(
        [future, sea, jump, late, blurred, good, twice, good], last=last, now=NOW, on_land=True, oldest=OLD
    )

    assert found.stray == [(sea, "sea"), (jump, "jump"), (future, "clock")]
    assert (found.late, found.fresh, found.repeated) == ([late, blurred], [good], 2)


def test_a_ship_may_be_at_sea() -> None:
    found = judge([reading(-5, 20.0, 140.0)], last=None, now=NOW, on_land=False, oldest=OLD)
    assert len(found.fresh) == 1


def test_a_jump_that_a_second_fix_confirms_is_the_truth() -> None:
    wrong = Seen(NOW - timedelta(minutes=30), 45.0, 120.0)
    first = judge([reading(-5)], last=wrong, now=NOW, on_land=True, oldest=OLD)
    assert (first.fresh, len(first.stray)) == ([], 1)

    second = judge([reading(-4, 30.001)], last=wrong, doubt=first.doubt, now=NOW, on_land=True, oldest=OLD)

    assert (len(second.fresh), second.stray, second.doubt) == (1, [], None)


def test_a_polygon_knows_in_from_out() -> None:
    square = Polygon("p", ((30.0, 120.0), (30.0, 120.01), (30.01, 120.01), (30.01, 120.0)))

    assert square.outside_m(30.005, 120.005) < -450
    assert abs(square.outside_m(29.999, 120.005) - 111) < 2
    assert square.outside_m(30.0, 120.005) <= 0.001


def test_noisy_drives_are_seen_once_each_way() -> None:
    chance, entered, left, drives = random.Random(3), 0, 0, 40
    area = Polygon("p", ((30.0, 119.995), (30.0, 120.005), (30.01, 120.005), (30.01, 119.995)))
    for drive in range(drives):
        state, at = geofence.FenceState(), NOW + timedelta(days=drive)
        for step in range(120):
            # 30 m of noise on a straight drive from 2 km south to 2 km north of it, a fix in 10 s.
            lat = 29.982 + step * 0.0004 + chance.gauss(0, 30) / 111_000
            fix = Fix(at + timedelta(seconds=10 * step), lat, 120.0 + chance.gauss(0, 30) / 96_000)
            state, turned = geofence.step(area, state=state, fix=fix)
            entered += turned is not None and turned.kind == "enter"
            left += turned is not None and turned.kind == "leave"

    assert (entered, left) == (drives, drives)
