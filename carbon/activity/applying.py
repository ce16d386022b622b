"""A fact brought into the figures it concerns: the case of a run with measured energy, distance or masses in it.

Edits cases only (JSON of the case interface), so that what comes out is as replayable as what went in. A fact that does
not fit a run leaves it alone and says so by None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from carbon.casing import factor_json
from carbon.core import library
from carbon.defaults import FACTOR_IDS, VAN, default_factor
from carbon.estimate import Factor

Json = dict[str, Any]
#: Bundled factors of what trips and meters use; electricity is that of the warehouse's grid.
FUELS: Mapping[str, str] = {
    "diesel": "desnz-2023/fuel/liquid-fuels/diesel-average-biofuel-blend/litre",
    "petrol": "desnz-2023/fuel/liquid-fuels/petrol-average-biofuel-blend/litre",
    "gas": "desnz-2023/fuel/gaseous-fuels/natural-gas/m3",
}


def metered(
    case: Json, *, quantity: Decimal, carrier: str, own_kg: Decimal, total_kg: Decimal
) -> Json | None:
    """The hub on its own meter: the window's energy, shared by outbound mass; other carriers of the hub stay."""
    hub = _element(case, "hub")
    if hub is None or not hub.get("energy") or total_kg <= 0:
        return None
    new = dict(hub)
    if carrier == "electricity":
        use = {**hub["energy"][0], "quantity": f"{quantity:f}"}
        kept = [row for row in hub["energy"][1:] if row["factor"] in _fuel_ids(case)]
        new["energy"], factors = [use, *kept], []
    else:
        gas = _fuel(carrier)
        others = [row for row in hub["energy"] if row["factor"] != gas.id]
        new["energy"], factors = [*others, {"factor": gas.id, "quantity": f"{quantity:f}"}], [gas]
        if (
            hub.get("data_type") != "primary"
        ):  # the electricity beside it is still an estimate of this parcel alone
            return None
    new["share"] = {"own": f"{own_kg:f}", "total": f"{total_kg:f}", "basis": "outbound_kg"}
    new["data_type"] = "primary"
    return _with(case, new, factors)


def driven(case: Json, data: Mapping[str, Any], *, own: Decimal, total: Decimal, basis: str) -> Json | None:
    """A leg as it was driven: its fuel shared among what the round carried, else its kilometres with the vehicle."""
    leg = _element(case, str(data["leg"]))
    if leg is None or total <= 0 or own > total:
        return None
    new: Json = {name: leg[name] for name in ("id", "kind", "stage", "mode", "mass_kg") if name in leg}
    new["share"] = {"own": f"{own:f}", "total": f"{total:f}", "basis": basis}
    if data.get("distance_km"):
        new |= {"distance_km": data["distance_km"], "distance_kind": "actual"}
    if data.get("fuel"):
        factors = [_used(row) for row in data["fuel"]]
        if any(factor is None for factor in factors):
            return None
        known = [factor for factor in factors if factor is not None]
        new["energy"] = [
            {"factor": factor.id, "quantity": row["quantity"]}
            for factor, row in zip(known, data["fuel"], strict=True)
        ]
        new["data_type"] = "primary"
        return _with(case, new, known)
    vehicle = _vehicle(str(data.get("vehicle", "")))
    if vehicle is None:
        return None
    new |= {"factor": vehicle.id, "data_type": "modelled"}
    return _with(case, new, [vehicle])


def packed(case: Json, data: Mapping[str, Any]) -> Json | None:
    """The packaging as it was used, and the gross mass of the hub if it was weighed."""
    packaging = _element(case, "packaging")
    if packaging is None:
        return None
    found = [_material(row) for row in data["items"]]
    if any(factor is None for factor in found):
        return None
    factors = [factor for factor in found if factor is not None]
    items = []
    for factor, row in zip(factors, data["items"], strict=True):
        item = {"factor": factor.id, "mass_kg": row["mass_kg"]}
        if row.get("cycles"):
            item["cycles"] = row["cycles"]
        items.append(item)
    return _with(case, {**packaging, "items": items, "data_type": "primary"}, factors)


def reworked(case: Json, data: Mapping[str, Any]) -> Json | None:
    """The work on a return as it was metered, with the packaging it took."""
    rework = _element(case, "rework")
    if rework is None:
        return None
    new = {**rework, "energy": [{**rework["energy"][0], "quantity": data["kwh"]}], "data_type": "primary"}
    new.pop("share", None)
    found = _with(case, new, [])
    if not data.get("items"):
        return found
    factors = [_material(row) for row in data["items"]]
    if any(factor is None for factor in factors):
        return None
    known = [factor for factor in factors if factor is not None]
    items = [
        {"factor": factor.id, "mass_kg": row["mass_kg"]}
        for factor, row in zip(known, data["items"], strict=True)
    ]
    box = {
        "id": "new_packaging",
        "kind": "packaging",
        "stage": "return",
        "data_type": "primary",
        "items": items,
    }
    found["elements"] = [*(one for one in found["elements"] if one["id"] != "new_packaging"), box]
    return _with(found, box, known)


def _element(case: Mapping[str, Any], name: str) -> Json | None:
    return next((dict(one) for one in case["elements"] if one["id"] == name), None)


def _with(case: Mapping[str, Any], element: Json, factors: Sequence[Factor]) -> Json:
    """The case with this element in its place, and with the factors it needs and no others."""
    elements = [element if one["id"] == element["id"] else one for one in case["elements"]]
    known = {one["id"]: one for one in case["factors"]} | {one.id: factor_json(one) for one in factors}
    wanted = _named(elements)
    return {
        **case,
        "elements": elements,
        "factors": [known[name] for name in sorted(known) if name in wanted],
    }


def _named(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {part for key, part in value.items() if key.endswith("factor") and isinstance(part, str)}
        return own.union(*(_named(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(_named(part) for part in value))
    return set()


def _used(row: Mapping[str, Any]) -> Factor | None:
    if row.get("factor"):
        found = library.find(row["factor"])
        return found if found is not None and found.unit not in ("tkm", "vkm", "t") else None
    return _fuel(row["carrier"])


def _vehicle(name: str) -> Factor | None:
    """A vehicle class by its factor's id; without one, the average van."""
    if not name:
        return default_factor("last_mile_van")
    found = library.find(name) or library.find(f"{VAN}/{name}/vkm")
    return found if found is not None and found.unit == "vkm" else None


def _material(row: Mapping[str, Any]) -> Factor | None:
    found = library.find(row.get("factor") or FACTOR_IDS[row["material"]])
    return found if found is not None and found.unit == "kg" else None


def _fuel(carrier: str) -> Factor:
    return library.chosen(FUELS[carrier])


def _fuel_ids(case: Mapping[str, Any]) -> set[str]:
    return {one["id"] for one in case["factors"] if one["unit"] != "kwh"}
