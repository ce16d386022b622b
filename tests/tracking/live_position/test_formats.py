"""What trackers send: the vendors' own samples, and what is no position."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.kernel.geo import haversine_km, wgs84_to_gcj02
from tracking.live_position import formats
from tracking.live_position.datum import gcj02_to_wgs84
from tracking.live_position.land import is_at_sea

AT = datetime(2026, 11, 10, 1, 11, 22, tzinfo=UTC)
OSMAND = "id=truck-1&lat=30.1890&lon=120.2110&timestamp=1794275482&speed=23.2&bearing=271&altitude=8&batt=67&hdop=1.2"
OSMAND_JSON = {
    "device_id": "truck-1",
    "location": {
        "timestamp": "2026-11-10T01:11:22.000Z",
        "coords": {"latitude": 30.189, "longitude": 120.211, "accuracy": 12, "speed": 11.9, "heading": 271},
        "battery": {"level": 0.67, "is_charging": False},
    },
}
OWNTRACKS = {
    "_type": "location", "lat": 30.189, "lon": 120.211, "tst": 1794275482, "acc": 12, "vel": 43, "cog": 271,
    "batt": 67, "tid": "T1", "topic": "owntracks/fleet/truck-1",
}  # fmt: skip
TRACCAR = {
    "position": {
        "fixTime": "2026-11-10T01:11:22.000+00:00", "valid": True, "latitude": 30.189, "longitude": 120.211,
        "speed": 23.2, "course": 271.0, "accuracy": 12.0, "attributes": {"batteryLevel": 67},
    },
    "device": {"id": 7, "name": "truck 1", "uniqueId": "truck-1"},
}  # fmt: skip


@pytest.mark.parametrize(
    "readings",
    [
        formats.from_query(dict(parse_qsl(OSMAND))),
        formats.from_json(OSMAND_JSON),
        formats.from_json(OWNTRACKS),
        formats.from_json(TRACCAR),
    ],
    ids=["osmand-query", "osmand-json", "owntracks", "traccar"],
)
def test_the_same_place_is_read_out_of_every_shape(readings: list[formats.Reading]) -> None:
    (one,) = readings
    assert (one.device, one.lat, one.lng) == ("truck-1", 30.189, 120.211)
    assert one.at in (AT, datetime.fromtimestamp(1794275482, UTC))
    assert one.speed_kmh == pytest.approx(43, abs=0.3)
    assert (one.bearing_deg, one.battery_pct) == (271, 67)


@pytest.mark.parametrize(
    "said",
    [
        {**OWNTRACKS, "lat": 91}, {**OWNTRACKS, "tst": None}, {**OWNTRACKS, "lat": "north"}, {"device": "x"}, 7, "x",
        {"device": "x", "lat": 1, "lng": 1, "at": "2026-11-10T01:11:22"}, {"lat": 1, "lng": 1, "at": 1794275482},
        {**TRACCAR, "position": {**TRACCAR["position"], "valid": False}}, {**OSMAND_JSON, "location": {}},
        [OWNTRACKS] * 2001,
    ],
)  # fmt: skip
def test_what_has_no_place_moment_or_device_is_unreadable(said: Any) -> None:
    with pytest.raises(formats.Unreadable):
        formats.from_json(said)


def test_other_messages_of_owntracks_are_no_positions() -> None:
    assert formats.from_body(b'{"_type": "card", "name": "x"}') == []
    with pytest.raises(formats.Unreadable):
        formats.from_body(b"[[[[" * 50_000)


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["location", "position"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["_type", "lat", "lon", "tst", "location", "position", "coords", "device", "timestamp"]), inner
    ), max_leaves=12,
))  # fmt: skip
def test_whatever_json_comes_is_read_or_unreadable(said: Any) -> None:
    try:
        found = formats.from_body(json.dumps(said).encode())
    except formats.Unreadable:
        return
    assert all(abs(one.lat) <= 90 and abs(one.lng) <= 180 and one.at.tzinfo for one in found)


@settings(max_examples=50, deadline=None)
@given(st.floats(18, 53), st.floats(75, 134))
def test_the_chinese_offset_is_taken_back_to_a_meter(lat: float, lng: float) -> None:
    there_and_back = gcj02_to_wgs84(*wgs84_to_gcj02(lat, lng))

    assert haversine_km(lat, lng, *there_and_back) * 1000 < 1
    assert haversine_km(lat, lng, *wgs84_to_gcj02(lat, lng)) * 1000 > 50


def test_the_sea_is_far_from_land() -> None:
    assert [is_at_sea(*place) for place in [(0, 0), (20, 140), (30, -40), (-90, 0), (90, 180)]] == [
        True, True, True, False, True,
    ]  # fmt: skip
    assert not any(
        is_at_sea(*place) for place in [(30.19, 120.2), (22.3, 114.2), (18.2, 109.5), (-33.9, 151.2)]
    )
