"""The page's coordinates as Chinese maps draw them; pure. Only on the way out: stored and compared is WGS-84."""

from __future__ import annotations

from typing import Any

from orderhub.kernel.geo import wgs84_to_gcj02
from tracking.live_position.datum import GCJ02


def in_gcj02(page: dict[str, Any]) -> dict[str, Any]:
    """A copy of the page with every place and track in GCJ-02, and the datum named."""
    shown: dict[str, Any] = _moved(page)
    return {**shown, "datum": GCJ02}


def _moved(value: Any, name: str = "") -> Any:
    if name == "track":
        return [_pair(*point) for point in value]
    if isinstance(value, list):
        return [_moved(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _moved(inner, key) for key, inner in value.items()}
    if isinstance(value.get("lat"), float) and isinstance(value.get("lng"), float):
        found["lat"], found["lng"] = _pair(value["lat"], value["lng"])
    return found


def _pair(lat: float, lng: float) -> list[float]:
    shown_lat, shown_lng = wgs84_to_gcj02(lat, lng)
    return [round(shown_lat, 6), round(shown_lng, 6)]
