"""Distances and positions on the Earth; all coordinates are WGS-84 degrees unless a name says otherwise."""

from __future__ import annotations

from math import asin, cos, degrees, pi, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
# Driven kilometres over great-circle kilometres on a road network: 1.2–1.4 in published studies of detour;
# a rough stand-in until a road engine or the carrier gives the real distance.
ROAD_FACTOR = 1.25
KM_PER_DEGREE = EARTH_RADIUS_KM * pi / 180
PUBLIC_GRID_M = 200.0

# Krasovsky 1940 ellipsoid, on which the Chinese map offset is defined.
_GCJ_AXIS_M = 6378245.0
_GCJ_ECCENTRICITY = 0.00669342162296594323


def haversine_km(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Great-circle kilometres between two points on a sphere of mean radius (error below 0.6 %)."""
    half_lat = sin(radians(lat2 - lat1) / 2)
    half_lng = sin(radians(lng2 - lng1) / 2)
    chord = half_lat**2 + cos(radians(lat1)) * cos(radians(lat2)) * half_lng**2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def road_km(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Estimated driven kilometres: great circle × `ROAD_FACTOR`; ignores seas and borders."""
    return haversine_km(lat1, lng1, lat2, lng2) * ROAD_FACTOR


def wgs84_to_gcj02(lat: float, lng: float) -> tuple[float, float]:
    """A position for display on Chinese map tiles (GCJ-02); outside mainland map bounds it is unchanged.

    Display only: store and compare WGS-84. The formula is the public approximation, good to a few metres.
    """
    if not (0.8293 <= lat <= 55.8271 and 72.004 <= lng <= 137.8347):
        return lat, lng
    east, north = lng - 105.0, lat - 35.0
    phi = radians(lat)
    magic = 1 - _GCJ_ECCENTRICITY * sin(phi) ** 2
    per_lat = _GCJ_AXIS_M * (1 - _GCJ_ECCENTRICITY) / magic**1.5
    per_lng = _GCJ_AXIS_M / sqrt(magic) * cos(phi)
    return lat + degrees(_north_m(east, north) / per_lat), lng + degrees(_east_m(east, north) / per_lng)


def round_position(lat: float, lng: float, *, grid_m: float = PUBLIC_GRID_M) -> tuple[float, float]:
    """The middle of the square of about `grid_m` metres a position falls in, so that it cannot be read
    back.
    """
    lat_step = grid_m / 1000 / KM_PER_DEGREE
    near_lat = round(lat / lat_step) * lat_step
    lng_step = lat_step / max(cos(radians(near_lat)), 0.01)
    return round(near_lat, 6), round(round(lng / lng_step) * lng_step, 6)


def _waves(value: float) -> float:
    return 20.0 * sin(6.0 * value * pi) + 20.0 * sin(2.0 * value * pi)


def _north_m(x: float, y: float) -> float:
    metres = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    metres += _waves(x) * 2.0 / 3.0
    metres += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    return metres + (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0


def _east_m(x: float, y: float) -> float:
    metres = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    metres += _waves(x) * 2.0 / 3.0
    metres += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    return metres + (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
