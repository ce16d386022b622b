"""Random carbon cases of every method and allocation, and what must hold of each of their results."""

from __future__ import annotations

import json
import random
from decimal import Decimal as D
from typing import Any

from carbon.cases import calculate_case

SUMS = ("ttw_kg", "wtt_kg", "wtw_kg", "non_transport_kg", "total_kg")
KEYS = ("mass", "chargeable_mass", "volume", "items", "value")


def number(dice: random.Random, low: int, high: int, places: int) -> str:
    return f"{D(dice.randint(low, high)).scaleb(-places):f}"


def factor(dice: random.Random, name: str, unit: str, *, whole: float = 0.2) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": name,
        "unit": unit,
        "distance_kind": dice.choice(["actual", "actual", None]),
    }
    if dice.random() < whole or unit == "kg":
        return found | {"total": number(dice, 0, 10**9, 9)}
    return found | {"ttw": number(dice, 0, 10**9, 9), "wtt": number(dice, 0, 10**9, 10)}


def case(dice: random.Random) -> dict[str, Any]:
    """A sound case: one to nine lines, one to eight elements of any kind and method."""
    lines = [
        {
            "id": f"L{n}", "mass_kg": number(dice, 1, 10**6, 3), "volume_m3": number(dice, 1, 10**4, 5),
            "items": dice.randint(1, 9), "value": number(dice, 1, 10**6, 2),
        }
        for n in range(dice.randint(1, 9))
    ]  # fmt: skip
    factors: list[dict[str, Any]] = []
    elements = []
    for n in range(dice.randint(1, 8)):
        one = _element(dice, n, factors)
        if dice.random() < 0.4:
            one["lines"] = dice.sample([line["id"] for line in lines], dice.randint(1, len(lines)))
        one["data_type"] = dice.choice(["primary", "modelled", "default"])
        elements.append(one)
    return {
        "id": "P", "factors": factors, "lines": lines, "elements": elements,
        "allocation": {"key": dice.choice(KEYS)},
        "options": {
            "quantum_kg": dice.choice(["0.000001", "0.001", "0.5"]), "gwp": dice.choice(["as_published", "AR6"]),
            "electricity_basis": dice.choice(["location", "market"]),
        },
    }  # fmt: skip


def faults(given: dict[str, Any]) -> list[str]:
    """What is wrong with the result: sums that are off, negative figures, a replay that differs."""
    body = calculate_case(given)
    if body["status"] != "ok":
        return [f"refused: {body['errors']}"]
    quantum = D(given["options"]["quantum_kg"])
    found = []
    for name in SUMS:
        whole, parts = body["ledger_total"][name], [line[name] for line in body["lines"]]
        if whole is None:
            found += [] if None in parts else [f"{name}: the total is unknown, no line is"]
        elif None in parts or sum(map(D, parts)) != D(whole):
            found.append(f"{name}: lines {parts}, total {whole}")
        found += [f"{name}: {part} is negative" for part in parts if part is not None and D(part) < 0]
        found += [
            f"{name}: {part} is no multiple" for part in parts if part is not None and D(part) % quantum
        ]
    if abs(D(body["ledger_total"]["total_kg"]) - D(body["total"]["total_kg"])) > quantum * 2 * len(
        given["elements"]
    ):
        found.append("the ledger is further from the exact figure than rounding explains")
    if abs(sum(map(D, body["by_stage"].values())) - D(body["total"]["total_kg"])) > D("1e-11"):
        found.append("stages do not add up")
    if json.dumps(calculate_case(json.loads(json.dumps(given)))) != json.dumps(body):
        found.append("a second time gives another result")
    return found


def _element(dice: random.Random, n: int, factors: list[dict[str, Any]]) -> dict[str, Any]:
    def new(unit: str, **options: Any) -> str:
        factors.append(factor(dice, f"x/{len(factors)}", unit, **options))
        return str(factors[-1]["id"])

    share = {"own": number(dice, 0, 1000, 2), "total": number(dice, 1000, 9000, 2), "basis": "parcels"}
    kind = dice.choice(
        ["leg", "vkm", "fuel", "intensity", "load", "hub", "meter", "area", "packaging", "goods"]
    )
    base: dict[str, Any] = {"id": f"e{n}"}
    if kind in ("leg", "vkm", "fuel", "intensity", "load"):
        base |= {
            "kind": "transport", "mode": dice.choice(["road", "rail", "sea", "iww"]),
            "mass_kg": number(dice, 1, 10**7, 3), "distance_km": number(dice, 1, 10**6, 2),
            "distance_kind": dice.choice(["actual", "sfd"]),
        }  # fmt: skip
    if kind == "leg":
        return base | {"factor": new("tkm")}
    if kind == "vkm":
        return base | {"factor": new("vkm"), "share": share}
    if kind == "fuel":
        uses = [
            {"factor": new("litre"), "quantity": number(dice, 0, 10**5, 2)} for _ in range(dice.randint(1, 3))
        ]
        return base | {"energy": uses, "share": share}
    if kind == "intensity":
        return base | {"energy_intensity": [{"factor": new("litre"), "per_tkm": number(dice, 1, 10**4, 6)}]}
    if kind == "load":
        rows = {name: new("vkm", whole=0) for name in ("e0", "e50", "e100")}
        model = {
            **rows, "payload_t": number(dice, 1, 3000, 2), "load_factor": number(dice, 1, 100, 2),
            "empty_ratio": number(dice, 0, 99, 2),
        }  # fmt: skip
        return base | {"load_model": model}
    if kind == "hub":
        return base | {"kind": "hub", "factor": new("t"), "mass_kg": number(dice, 1, 10**7, 3)}
    if kind == "meter":
        use = {"factor": new("kwh"), "market_factor": new("kwh"), "quantity": number(dice, 0, 10**7, 2)}
        leaks = [{"gas": "HFC134a", "kg": number(dice, 0, 999, 3)}]
        return base | {"kind": "hub", "energy": [use], "refrigerants": leaks, "share": share}
    if kind == "area":
        area = {
            "area_m2": number(dice, 1, 10**5, 0), "kwh_per_m2_year": number(dice, 1, 4000, 1),
            "days": dice.randint(1, 366), "factor": new("kwh"),
        }  # fmt: skip
        return base | {"kind": "hub", "area_model": area, "share": share}
    if kind == "packaging":
        routes = [{"factor": new("kg"), "share": "0.75"}, {"factor": new("kg"), "share": "0.25"}]
        item = {
            "factor": new("kg"), "mass_kg": number(dice, 1, 10**4, 3), "recycled_share": number(dice, 0, 100, 2),
            "recycled_factor": new("kg"), "cycles": dice.randint(1, 60), "end_of_life": dice.choice([routes, []]),
        }  # fmt: skip
        return base | {"kind": "packaging", "items": [item]}
    return base | {
        "kind": "goods", "pcf_kg_per_item": number(dice, 0, 10**5, 3), "items": dice.randint(0, 9),
        "resale_rate": number(dice, 0, 100, 2),
    }  # fmt: skip
