"""Warehouses on a map: coastlines from the map data the tracking page serves, positions in between."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

from orderhub.kernel import regions

LAND = "vendor/world-atlas/land-50m.json"
WIDTH = 480.0
#: Degrees around the outermost warehouses, and the least that is shown.
MARGIN, LEAST = 4.0, 12.0
#: Pixels between two points of a coast; what lies closer is left out.
GRAIN = 1.2


@dataclass(frozen=True, slots=True)
class Box:
    """The part of the world that is drawn, in whole degrees, so that few boxes are ever drawn."""

    west: float
    south: float
    east: float
    north: float

    @property
    def scale(self) -> float:
        """Pixels per degree of longitude."""
        return WIDTH / (self.east - self.west)

    @property
    def stretch(self) -> float:
        """How much longer a degree of latitude is, in the middle."""
        return 1 / cos(radians((self.south + self.north) / 2))

    @property
    def height(self) -> float:
        """Of the drawing in pixels."""
        return round((self.north - self.south) * self.scale * self.stretch)

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Pixels from the upper left."""
        x = (longitude - self.west) * self.scale
        return round(x, 1), round((self.north - latitude) * self.scale * self.stretch, 1)

    def holds(self, latitude: float, longitude: float) -> bool:
        """Whether a place is drawn."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


def box_of(places: Iterable[tuple[float, float]]) -> Box:
    """The box around places (latitude, longitude), with a margin; the middle of China without any."""
    known = list(places) or [(34.0, 106.0)]
    lats, lngs = [lat for lat, _ in known], [lng for _, lng in known]
    south, north = _around(min(lats), max(lats), -85, 85)
    west, east = _around(min(lngs), max(lngs), -180, 180)
    return Box(west, south, east, north)


def _around(low: float, high: float, least: float, most: float) -> tuple[float, float]:
    more = max(MARGIN, (LEAST - (high - low)) / 2)
    return float(max(least, int(low - more))), float(min(most, int(high + more) + 1))


@lru_cache(maxsize=64)
def coast(box: Box) -> str:
    """The coastlines inside a box as the data of an SVG path; empty where the map data are not installed."""
    margin = 2 / box.scale
    parts = []
    for line in _coastlines():
        drawn: list[tuple[float, float]] = []
        for one, two in pairwise(line):
            if _near(box, one, margin) or _near(box, two, margin):
                drawn = drawn or [box.at(*one)]
                point = box.at(*two)
                if _apart(drawn[-1], point) >= GRAIN:
                    drawn.append(point)
            else:
                parts.append(drawn)
                drawn = []
        parts.append(drawn)
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in part) for part in parts if len(part) > 1)


def _near(box: Box, place: tuple[float, float], margin: float) -> bool:
    lat, lng = place
    return box.west - margin <= lng <= box.east + margin and box.south - margin <= lat <= box.north + margin


def _apart(one: tuple[float, float], two: tuple[float, float]) -> float:
    return max(abs(one[0] - two[0]), abs(one[1] - two[1]))


@lru_cache(maxsize=1)
def _coastlines() -> Sequence[Sequence[tuple[float, float]]]:
    """The arcs of the TopoJSON file as (latitude, longitude); none if it is missing."""
    path = finders.find(LAND)
    if not isinstance(path, str):
        return ()
    document: dict[str, Any] = json.loads(Path(path).read_text())
    (kx, ky), (x0, y0) = document["transform"]["scale"], document["transform"]["translate"]
    lines = []
    for arc in document["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((y * ky + y0, x * kx + x0))
        lines.append(line)
    return lines


def provinces(box: Box, countries: Iterable[str], *, is_chinese: bool) -> list[dict[str, Any]]:
    """Provinces of these countries inside the box: their names where they are."""
    found = []
    for country in sorted(set(countries)):
        for region in regions.provinces(country).values():
            if box.holds(region.lat, region.lng):
                x, y = box.at(region.lat, region.lng)
                found.append({"x": x, "y": y, "name": region.zh if is_chinese else region.en})
    return found


# ---- names that do not lie on one another --------------------------------------------------------

#: Units of the drawing: height of a name, width of a Chinese and of any other character, as large as on a phone.
LINE, WIDE, SLIM = 18.0, 17.0, 9.0
PLACE_SHARE = 0.75  # names of provinces are that much smaller
Area = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """Where a name starts, ends or has its middle (`anchor`), and the area it takes."""

    x: float
    y: float
    anchor: str
    area: Area


def label(name: str, x: float, y: float, radius: float, taken: Sequence[Area]) -> Label | None:
    """A name beside, above or below its circle, where it lies on nothing else; None where there is no such place."""
    width, gap = _width(name), radius + 5
    options = (
        (x + gap, y, "start"), (x - gap, y, "end"), (x, y - gap - 2, "middle"), (x, y + gap + 6, "middle"),
    )  # fmt: skip
    labels = [Label(left, top, anchor, _area(left, top, anchor, width)) for left, top, anchor in options]
    inside = [one for one in labels if one.area[0] >= 0 and one.area[2] <= WIDTH]
    free = [one for one in inside if not any(_meet(one.area, other) for other in taken)]
    return free[0] if free else None


def _area(x: float, y: float, anchor: str, width: float) -> Area:
    left = {"start": x, "end": x - width, "middle": x - width / 2}[anchor]
    return left, y - LINE / 2, left + width, y + LINE / 2


def circle(x: float, y: float, radius: float) -> Area:
    """The area of a circle."""
    return x - radius, y - radius, x + radius, y + radius


def free_places(places: Iterable[dict[str, Any]], taken: Sequence[Area]) -> list[dict[str, Any]]:
    """The names of provinces that lie on nothing else."""
    found, used = [], list(taken)
    for place in places:
        area = _area(place["x"], place["y"] - 3, "middle", _width(place["name"]) * PLACE_SHARE)
        if not any(_meet(area, other) for other in used):
            found.append(place)
            used.append(area)
    return found


def _width(name: str) -> float:
    return sum(SLIM if character.isascii() else WIDE for character in name)


def _meet(one: Area, two: Area) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
