"""The Chinese map's coordinates turned back: GCJ-02 to WGS-84, by search, since the offset has no inverse; pure."""

from __future__ import annotations

from orderhub.kernel.geo import wgs84_to_gcj02

WGS84, GCJ02 = "WGS-84", "GCJ-02"
_ROUNDS = 6


def gcj02_to_wgs84(lat: float, lng: float) -> tuple[float, float]:
    """The WGS-84 degrees that a Chinese map draws there, to well under a metre; unchanged outside the map's bounds."""
    guess_lat, guess_lng = lat, lng
    for _round in range(_ROUNDS):
        shown_lat, shown_lng = wgs84_to_gcj02(guess_lat, guess_lng)
        guess_lat, guess_lng = guess_lat + lat - shown_lat, guess_lng + lng - shown_lng
    return guess_lat, guess_lng
