"""From a device's words to the buyer's map: kept once, told, set apart, thinned, forgotten."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub.events.models import Event
from tests import cast, make
from tests.tracking.vans import Van, ride
from tracking.live_position import devices, fencing, ingest, mqtt, retention
from tracking.live_position.models import (
    Device,
    DevicePlace,
    FenceVisit,
    Fitting,
    StrayPosition,
    TripParcel,
    Vehicle,
    VehicleFix,
)
from tracking.models import Journey, Position

pytestmark = pytest.mark.django_db
Page = Callable[[Van], dict[str, Any]]


def test_a_place_is_kept_once_and_stands_on_the_page_rounded(van: Van, page_of: Page) -> None:
    before = Journey.objects.get().revision

    assert van.drive(23.51234, 113.41234, speed_kmh=40) == ingest.Taken(1, 0, 0, 0)
    assert van.drive(23.51234, 113.41234, speed_kmh=40) == ingest.Taken(0, 0, 1, 0)

    assert Journey.objects.get().revision == before + 1
    (parcel,) = page_of(van)["parcels"]
    here = parcel["position"]
    assert here["lat"] != 23.51234
    assert abs(here["lat"] - 23.51234) < 0.002
    assert DevicePlace.objects.get().speed_kmh == 40


def test_pages_hear_at_most_every_five_seconds(van: Van) -> None:
    before = Journey.objects.get().revision
    for second in range(6):
        van.drive(23.5 + second / 10_000, seconds=0)
        van.time.advance(seconds=1)

    assert Journey.objects.get().revision == before + 2
    assert VehicleFix.objects.count() == 6


def test_what_cannot_be_is_kept_apart_and_visible(van: Van) -> None:
    stranger = replace(van.reading(23.5), device="nobody")
    future, sea = van.reading(23.5, seconds=600), van.reading(20.0, 140.0, seconds=-5)

    taken = ingest.take([stranger, future, sea], merchant=van.merchant, now=van.time.now())
    ingest.take([sea], merchant=van.merchant, now=van.time.now(), only="truck-other")

    assert taken == ingest.Taken(0, 3, 0, 0)
    rows = {(row.device_code, row.reason): row.count for row in StrayPosition.objects.all()}
    assert rows == {
        ("nobody", "unknown_device"): 1, ("truck-V1", "clock"): 1, ("truck-V1", "sea"): 1, ("truck-V1", "wrong_key"): 1,
    }  # fmt: skip
    assert not VehicleFix.objects.exists()


def test_a_late_fix_is_history_but_not_now(van: Van, page_of: Page) -> None:
    van.drive(23.5)
    van.drive(23.4, seconds=-600)

    assert VehicleFix.objects.count() == 2
    assert DevicePlace.objects.get().latitude == 23.5
    assert abs(page_of(van)["parcels"][0]["position"]["lat"] - 23.5) < 0.002


def test_a_device_on_chinese_coordinates_is_stored_in_wgs84(van: Van) -> None:
    Device.objects.update(datum="GCJ-02")

    van.drive(23.5, 113.4)

    fix = VehicleFix.objects.get()
    assert 0.001 < abs(fix.longitude - 113.4) < 0.01


def test_fittings_and_trips_count_only_in_their_time(van: Van, page_of: Page) -> None:
    van.drive(23.5)
    van.time.advance(hours=1)
    Fitting.objects.update(until_at=van.time.now())
    van.time.advance(minutes=1)

    van.drive(23.6)

    (parcel,) = page_of(van)["parcels"]
    assert abs(parcel["position"]["lat"] - 23.5) < 0.002
    van.trip.ends_at = van.time.now()
    van.trip.save()
    assert page_of(van)["parcels"][0]["position"] is None


def test_a_shared_drive_is_shown_only_on_the_day_and_nobody_elses_stop(van: Van, page_of: Page) -> None:
    make.place(make.draft("B1", to=cast.MEI))
    make.play(van.time)
    Position.objects.all().delete()
    other = type(van.parcel).objects.exclude(pk=van.parcel.pk).get()
    TripParcel.objects.create(trip=van.trip, parcel=other)
    van.parcel.refresh_from_db()
    van.parcel.eta_from_at = van.time.now() + timedelta(days=2)
    van.parcel.eta_to_at = van.time.now() + timedelta(days=3)
    van.parcel.status, van.parcel.delivered_at = "in_transit", None
    van.parcel.save()
    van.drive(23.5)
    assert page_of(van)["parcels"][0]["position"] is None

    van.parcel.status = "out_for_delivery"
    van.parcel.save()

    page = page_of(van)
    assert page["parcels"][0]["position"] is not None
    assert other.tracking_number not in str(page)


def test_coming_and_going_are_milestones_once(van: Van, page_of: Page) -> None:
    van.fence(enter_milestone="ARRIVED", leave_milestone="DEPARTED")
    van.drive(23.45)
    for lat in (23.498, 23.5, 23.5004, 23.52, 23.53, 23.54):
        van.time.advance(minutes=3)
        van.drive(lat)
    make.run_until_idle()

    assert list(FenceVisit.objects.order_by("at").values_list("kind", "parcels", "is_told")) == [
        ("enter", 1, True), ("leave", 1, True),
    ]  # fmt: skip
    told = Event.objects.filter(actor="geofence:F1")
    assert [event.payload["milestone"] for event in told] == ["ARRIVED", "DEPARTED"]
    texts = [step["text"] for step in page_of(van)["timeline"]]
    assert any("白云站点" in text for text in texts)
    assert fencing.tell(now=van.time.now()) == 0


def test_a_crossing_that_was_not_told_is_told_later(van: Van, monkeypatch: pytest.MonkeyPatch) -> None:
    van.fence(enter_milestone="ARRIVED")
    with monkeypatch.context() as broken:
        broken.setattr(fencing, "tell", lambda **_about: 0)
        van.drive(23.5)
        van.time.advance(seconds=30)
        van.drive(23.5001)
    assert not FenceVisit.objects.get().is_told

    assert fencing.tell(now=van.time.now()) == 1
    assert FenceVisit.objects.get().parcels == 1


def test_a_device_that_falls_silent_inside_has_arrived(van: Van) -> None:
    van.fence(enter_milestone="ARRIVED")
    van.drive(23.5)
    assert fencing.settle(now=van.time.now()) == 0

    van.time.advance(seconds=61)

    assert fencing.settle(now=van.time.now()) == 1
    assert fencing.tell(now=van.time.now()) == 1


def test_many_cost_as_many_statements_as_one(van: Van) -> None:
    counts = []
    for number in (1, 60):
        van.time.advance(minutes=30)
        readings = [van.reading(23.5 + n / 1e5, seconds=-n) for n in range(number)]
        with CaptureQueriesContext(connection) as seen:
            assert ingest.take(readings, merchant=van.merchant, now=van.time.now()).kept == number
        counts.append(len(seen))

    assert counts[0] == counts[1] <= 16


# ---- doors ---------------------------------------------------------------------------------------


def query(van: Van, *, minutes: float = 0, device: str = "truck-V1") -> str:
    at = int((van.time.now() + timedelta(minutes=minutes)).timestamp())
    return f"id={device}&lat=23.5&lon=113.4&timestamp={at}&speed=20"


def test_a_key_opens_the_door_in_each_way_it_is_carried(van: Van) -> None:
    client = Client()
    assert client.get(f"/positions/{van.key}/?{query(van)}").json() == {"kept": 1, "stray": 0, "repeated": 0}
    assert client.post(f"/positions/{van.key}/?{query(van)}").json()["repeated"] == 1
    body = {"_type": "location", "lat": 23.5, "lon": 113.4, "tst": int(van.time.now().timestamp()) + 9}
    basic = "Basic " + base64.b64encode(f"truck-V1:{van.key}".encode()).decode()
    answer = client.post(
        "/positions/", body, content_type="application/json", headers={"Authorization": basic}
    )
    assert answer.json()["kept"] == 1
    bearer = {"Authorization": f"Bearer {van.key}"}
    assert client.post("/positions/", "{", content_type="application/json", headers=bearer).status_code == 400
    assert StrayPosition.objects.get().reason == "unreadable"


def test_unknown_keys_are_told_nothing_and_then_slowed(van: Van) -> None:
    client = Client()
    codes = [client.get(f"/positions/guess{n}/?{query(van)}").status_code for n in range(32)]
    assert codes[:30] == [404] * 30
    assert codes[-1] == 429


def test_two_keys_are_valid_while_one_is_rotated(van: Van) -> None:
    fresh = devices.rotate_key(van.device, now=van.time.now())
    assert devices.find(van.key, now=van.time.now()) == van.device
    assert devices.find(fresh, now=van.time.now()) == van.device
    van.time.advance(days=8)
    assert devices.find(van.key, now=van.time.now()) is None
    assert devices.find(fresh, now=van.time.now()) == van.device
    Device.objects.update(is_active=False)
    assert devices.find(fresh, now=van.time.now()) is None
    assert van.key not in str(Device.objects.values().get())


def test_a_tracker_speaks_for_itself_a_gateway_for_all(van: Van) -> None:
    other, _trip = ride(van.parcel, since=van.time.now() - timedelta(hours=1), code="V2")
    assert Client().get(f"/positions/{van.key}/?{query(van, device=other.code)}").json()["stray"] == 1

    gateway = Device.objects.create(merchant=van.merchant, code="hub", kind="gateway")
    key = devices.rotate_key(gateway, now=van.time.now())
    assert Client().get(f"/positions/{key}/?{query(van, device=other.code)}").json()["kept"] == 1


def test_letters_of_the_broker_are_stored_by_their_topic(van: Van) -> None:
    at = int(van.time.now().timestamp())
    good = f'{{"_type": "location", "lat": 23.5, "lon": 113.4, "tst": {at}}}'.encode()
    named = f'{{"device": "another", "lat": 23.5, "lng": 113.4, "at": {at}}}'.encode()
    letters = [
        mqtt.Letter(f"owntracks/{van.merchant.code}/truck-V1", good),
        mqtt.Letter(f"positions/{van.merchant.code}/truck-V1", named),
        mqtt.Letter(f"positions/{van.merchant.code}/truck-V1", b"\xff"),
        mqtt.Letter("positions/nobody/truck-V1", good),
    ]

    assert mqtt.take(letters, now=van.time.now()) == 1
    assert StrayPosition.objects.get().count == 2


# ---- keeping -------------------------------------------------------------------------------------


def test_a_week_later_one_in_thirty_seconds_is_left_and_a_month_later_none(van: Van) -> None:
    readings = [van.reading(23.5 + n / 1e5, seconds=-5 * n) for n in range(60)]
    ingest.take(readings, merchant=van.merchant, now=van.time.now())
    assert retention.thin(now=van.time.now()) == 0

    van.time.advance(days=7, minutes=1)
    assert retention.thin(now=van.time.now()) > 0
    assert 10 <= VehicleFix.objects.count() <= 12
    van.time.advance(days=25)
    assert retention.forget(now=van.time.now()) > 0
    assert not VehicleFix.objects.exists()


def test_a_device_is_in_one_vehicle_at_a_time(van: Van) -> None:
    second = Vehicle.objects.create(merchant=van.merchant, code="V9")
    fitting = Fitting(device=van.device, vehicle=second, from_at=van.time.now())
    with pytest.raises(ValidationError):
        fitting.clean()
    Fitting.objects.update(until_at=van.time.now())
    fitting.clean()


@pytest.mark.parametrize(
    "corners", [[], [[1, 1], [2, 2]], [[1, 1], [2, 2], [91, 0]], "x", [[1, 1], [2, 2], [3]]]
)
def test_a_fence_without_a_shape_is_refused(van: Van, corners: Any) -> None:
    with pytest.raises(ValidationError):
        van.fence(shape="polygon", corners=corners).clean()
