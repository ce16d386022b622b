"""Distances, map offsets and blurred positions."""

from __future__ import annotations

import pytest

from orderhub.kernel.geo import ROAD_FACTOR, haversine_km, road_km, round_position, wgs84_to_gcj02

BEIJING = (39.9042, 116.4074)
SHANGHAI = (31.2304, 121.4737)


def test_beijing_to_shanghai_is_1067_km_through_the_air() -> None:
    assert haversine_km(*BEIJING, *SHANGHAI) == pytest.approx(1067.3, abs=1)


def test_one_degree_on_the_equator_is_a_sixtieth_of_sixty_nautical_miles() -> None:
    assert haversine_km(0, 0, 0, 1) == pytest.approx(111.195, abs=0.001)


def test_distance_is_symmetric_zero_to_itself_and_half_the_earth_at_most() -> None:
    assert haversine_km(*BEIJING, *SHANGHAI) == haversine_km(*SHANGHAI, *BEIJING)
    assert haversine_km(*BEIJING, *BEIJING) == 0
    assert haversine_km(0, 0, 0, 180) == pytest.approx(20015.1, abs=0.1)


def test_road_is_longer_by_the_documented_factor() -> None:
    assert (
        road_km(*BEIJING, *SHANGHAI)
        == haversine_km(*BEIJING, *SHANGHAI) * ROAD_FACTOR
        == pytest.approx(1334, abs=2)
    )


def test_map_offset_in_beijing_is_the_known_one() -> None:
    # The often quoted example of the public formula: Tiananmen.
    lat, lng = wgs84_to_gcj02(39.907333, 116.391083)

    assert lat == pytest.approx(39.908737, abs=2e-5)
    assert lng == pytest.approx(116.397326, abs=2e-5)


@pytest.mark.parametrize("place", [BEIJING, SHANGHAI, (23.1, 113.3), (43.8, 87.6), (30.6, 104.1)])
def test_map_offset_in_china_is_100_to_700_metres(place: tuple[float, float]) -> None:
    assert 0.1 < haversine_km(*place, *wgs84_to_gcj02(*place)) < 0.7


def test_outside_china_nothing_moves() -> None:
    assert wgs84_to_gcj02(48.8566, 2.3522) == (48.8566, 2.3522)


@pytest.mark.parametrize("place", [BEIJING, SHANGHAI, (0.0, 0.0), (64.1, -21.9), (-33.9, 151.2)])
def test_blurred_position_is_off_by_at_most_half_a_diagonal_and_stays_put(place: tuple[float, float]) -> None:
    blurred = round_position(*place)

    assert haversine_km(*place, *blurred) <= 0.1415
    assert haversine_km(*round_position(*blurred), *blurred) < 0.001


def test_two_points_60_metres_apart_may_look_the_same() -> None:
    here = round_position(30.0, 104.0)

    assert round_position(here[0] + 0.0005, here[1]) == here
    assert round_position(here[0] + 0.003, here[1]) != here
