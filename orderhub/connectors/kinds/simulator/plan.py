"""What a make-believe warehouse and carrier will do with a fulfillment order: a pure function of its number."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

#: One step of a plan: hours after the step before, what happens, and its facts.
Step = dict[str, Any]


def make(request: Mapping[str, Any], *, trouble: float) -> list[Step]:
    """The plan for one release message; `trouble` (0…1) is the share of orders that go wrong somewhere.

    The same fulfillment number always gets the same plan.
    """
    chance = random.Random(f"plan:{request['number']}")
    mishap = chance.choice(["late", "late", "short", "refused"]) if chance.random() < trouble else ""
    if mishap == "refused":
        return [
            _step(
                chance.uniform(0.1, 0.5),
                "reject",
                reason=chance.choice(["location_blocked", "damaged_stock"]),
            )
        ]
    steps = [
        _step(chance.uniform(0.05, 0.3), "acknowledge"),
        _step(chance.uniform(0.5, 2.5), "pick"),
        _step(chance.uniform(0.2, 0.8), "pack", **_weights(request, chance)),
        _step(chance.uniform(0.5, 2.0), "ship", **_shipment(request, chance, short=mishap == "short")),
    ]
    return steps + _transport(request, chance, late=mishap == "late")


def _step(hours: float, kind: str, **facts: Any) -> Step:
    return {"hours": round(hours, 3), "kind": kind, "facts": facts}


def _weights(request: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    carton = 80 + int(request["grams"] * chance.uniform(0.04, 0.08))
    return {"grams": int(request["grams"] * chance.uniform(0.97, 1.06)) + carton, "carton_grams": carton}


def _shipment(request: Mapping[str, Any], chance: random.Random, *, short: bool) -> dict[str, Any]:
    lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in request["lines"]]
    if short and sum(line["quantity"] for line in lines) > 1:
        largest = max(lines, key=lambda line: int(line["quantity"]))
        largest["quantity"] -= 1
    prefix = str(request["carrier"]).upper()[:3]
    digits = f"{request['number']}".rpartition("-")[0][-6:] + "".join(
        c for c in str(request["number"]) if c.isdigit()
    )
    return {
        "carrier": request["carrier"],
        "tracking_number": f"{prefix}{digits[-14:]:0>14}{chance.randint(0, 99):02d}",
        "lines": lines,
    }


def _transport(request: Mapping[str, Any], chance: random.Random, *, late: bool) -> list[Step]:
    hours = max(4.0, float(request["planned_hours"]) * chance.uniform(0.8, 1.15))
    start, end = request["origin"], request["destination"]
    legs = [
        _step(hours * 0.05, "scan", milestone="PICKED_UP", place=start["city"]),
        _step(hours * 0.10, "scan", milestone="DEPARTED", place=start["city"], **_point(start, end, 0.02)),
        _step(hours * 0.20, "position", **_point(start, end, 0.35)),
        _step(hours * 0.20, "position", **_point(start, end, 0.70)),
    ]
    if late:
        legs.append(_step(hours * 0.1, "scan", milestone="DELAYED", place="", reason="weather_delay"))
        legs.append(_step(min(hours * 0.8, 24.0), "position", **_point(start, end, 0.85)))
    legs += [
        _step(hours * 0.25, "scan", milestone="ARRIVED", place=end["city"], **_point(start, end, 0.98)),
        _step(
            hours * 0.12, "scan", milestone="OUT_FOR_DELIVERY", place=end["city"], **_point(start, end, 0.995)
        ),
        _step(hours * 0.08, "deliver", place=end["city"], distance_km=_driven(request, chance)),
    ]
    return legs


def _driven(request: Mapping[str, Any], chance: random.Random) -> str:
    return f"{float(request['distance_km']) * chance.uniform(0.96, 1.12):.1f}"


def _point(start: Mapping[str, Any], end: Mapping[str, Any], share: float) -> dict[str, str]:
    latitude = float(start["latitude"]) + (float(end["latitude"]) - float(start["latitude"])) * share
    longitude = float(start["longitude"]) + (float(end["longitude"]) - float(start["longitude"])) * share
    return {"latitude": f"{latitude:.5f}", "longitude": f"{longitude:.5f}"}
