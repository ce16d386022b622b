"""The money level of a world: what one unit, one more parcel and falling back cost, from its own tariff."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.engine.value.tables import Costs
from routing.world.reading import Map

Floats = NDArray[np.float64]
MOST_CELLS = 4_000_000  # of a [warehouse, city, class] table; more SKUs share a weight class


def costs_of(map_: Map) -> Costs:
    """Cost tables of a world; SKUs are their own class unless the tables would grow too big."""
    class_of, grams, cm3 = _classes(map_)
    nodes, cities = len(map_.places), len(map_.remote)
    one = np.full((nodes, cities, len(grams)), np.inf)
    fee = np.full((nodes, cities), np.inf)
    cheapest = np.full((3, cities, len(grams)), np.inf)
    fallback = np.zeros((3, cities, len(grams)))
    for city in range(cities):
        for units in (1, 2, 3):
            for node in range(nodes):
                line = _line(map_, node, city, grams * units, cm3 * units)
                if units == 1:
                    one[node, city] = line
                np.minimum(cheapest[units - 1, city], line, out=cheapest[units - 1, city])
            fallback[units - 1, city] = _line(map_, nodes, city, grams * units, cm3 * units)
        for node in range(nodes):
            fee[node, city] = _fee(map_, node, city)
    return Costs(one, fee, fallback, cheapest, class_of)


def _classes(map_: Map) -> tuple[NDArray[np.int64], Floats, Floats]:
    grams = np.array([g.grams for g in map_.goods], dtype=np.float64)
    cm3 = np.array([g.cm3 for g in map_.goods], dtype=np.float64)
    cells = max(1, len(map_.places) * len(map_.remote))
    count = max(8, MOST_CELLS // cells)
    if len(grams) <= count:
        return np.arange(len(grams)), grams, cm3
    class_of = np.zeros(len(grams), dtype=np.int64)
    class_of[np.argsort(grams, kind="stable")] = np.arange(len(grams)) * count // len(grams)
    size = np.maximum(np.bincount(class_of, minlength=count), 1)
    return class_of, np.bincount(class_of, grams, count) / size, np.bincount(class_of, cm3, count) / size


def _rates(map_: Map, city: int) -> tuple[float, float]:
    s = map_.strategy
    return float(s.yuan_per_hour_remote if map_.remote[city] else s.yuan_per_hour), float(s.yuan_per_kgco2e)


def _line(map_: Map, node: int, city: int, goods: Floats, cm3: Floats) -> Floats:
    """Yuan of one parcel with one line, by its cheapest lane; inf where no lane serves."""
    per_hour, per_kg = _rates(map_, city)
    place = (*map_.places, map_.drop)[node]
    best = np.full(len(goods), np.inf)
    for lane in map_.lanes[node][city]:
        grams = goods + lane.parcel_grams
        billed = grams
        if lane.dim_cm3_per_kg:
            billed = np.maximum(grams, np.ceil(cm3 * 1000 / lane.dim_cm3_per_kg))
        steps = np.maximum(np.ceil((billed - lane.first_grams) / lane.step_grams), 0)
        carbon = grams / 1000 * float(lane.kgco2e_per_kg) + float(lane.kgco2e_per_parcel)
        cost = float(lane.first_fee) + steps * float(lane.step_fee)
        np.minimum(best, cost + per_hour * float(lane.hours) + per_kg * carbon, out=best)
    return best + float(place.handling_per_parcel + place.handling_per_line)


def _fee(map_: Map, node: int, city: int) -> float:
    """Yuan of one more parcel of an order, before its weight: basic fee, handling and packaging."""
    per_hour, per_kg = _rates(map_, city)
    lanes = map_.lanes[node][city]
    if not lanes:
        return float("inf")
    lane = min(lanes, key=lambda x: (float(x.first_fee) + per_hour * float(x.hours), x.carrier))
    return (
        float(lane.first_fee)
        + float(map_.places[node].handling_per_parcel)
        + per_kg * float(lane.kgco2e_per_parcel)
    )
