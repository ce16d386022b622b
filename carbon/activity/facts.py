"""What a fact of each kind says, checked field by field; pure. Figures travel as decimal strings or whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

#: Fuels a trip may name, and the unit they are counted in; electricity and all else is named by a factor's id.
CARRIERS: Mapping[str, str] = {"diesel": "litre", "petrol": "litre", "gas": "m3"}
LEGS = ("line_haul", "last_mile")
MATERIALS = ("carton", "film")
Json = dict[str, Any]


@dataclass(slots=True)
class Checked:
    """The fields of a fact as they are stored, its flags, and (field, code) of everything wrong with it."""

    data: Json = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    subject: str = ""


def check(kind: str, given: Mapping[str, Any]) -> Checked:
    """The fact as it is stored; nothing of one with faults may be used."""
    found = Checked()
    reader = _READERS.get(kind)
    if reader is None:
        found.faults.append(("kind", "unknown"))
    else:
        reader(_Fields(given, found), found)
    return found


def meter_quantity(data: Mapping[str, Any], last_reading: Decimal | None) -> Decimal | None:
    """Units used in a window: told, else by the readings; None where only one reading is known.

    Raises ValueError("meter_backwards") for a meter that runs backwards and was not replaced.
    """
    if data.get("quantity") is not None:
        return Decimal(data["quantity"])
    end = Decimal(data["reading"])
    start = Decimal(data["start_reading"]) if data.get("start_reading") is not None else last_reading
    if start is None:
        return None
    if end < start and not data.get("is_replaced"):
        raise ValueError("meter_backwards")
    return end if end < start else end - start


class _Fields:
    """Reads fields and keeps what is wrong with them."""

    def __init__(self, given: Mapping[str, Any], found: Checked) -> None:
        self.given, self.found = given, found

    def fault(self, name: str, code: str) -> None:
        """Keep a fault."""
        self.found.faults.append((name, code))

    def text(self, name: str, *, needed: bool = True, most: int = 80) -> str:
        """A text."""
        value = self.given.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > most):
            self.fault(name, "not_a_text")
            return ""
        if needed and not value:
            self.fault(name, "missing")
        return value or ""

    def number(self, name: str, *, needed: bool = True, most: Decimal | None = None) -> str | None:
        """A figure that is not negative, as text; binary floats are refused."""
        value = self.given.get(name)
        if value is None:
            if needed:
                self.fault(name, "missing")
            return None
        if isinstance(value, (float, bool)):
            self.fault(name, "float" if isinstance(value, float) else "not_a_number")
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            self.fault(name, "not_a_number")
            return None
        if not number.is_finite() or abs(number) > 10**12:
            self.fault(name, "not_a_number")
        elif number < 0:
            self.fault(name, "negative")
        elif most is not None and number > most:
            self.fault(name, "too_large")
        return f"{number:f}"

    def each(self, name: str) -> list[_Fields]:
        """The objects of a list."""
        value = self.given.get(name)
        if value is None:
            return []
        if (
            not isinstance(value, list)
            or not all(isinstance(one, Mapping) for one in value)
            or len(value) > 500
        ):
            self.fault(name, "not_a_list")
            return []
        return [_Fields(one, self.found) for one in value]


def _meter(given: _Fields, found: Checked) -> None:
    data: Json = {
        "warehouse": given.text("warehouse", most=40), "meter": given.text("meter", most=38),
        "carrier": given.text("carrier", needed=False) or "electricity",
        "reading": given.number("reading", needed=given.given.get("quantity") is None),
        "start_reading": given.number("start_reading", needed=False),
        "quantity": given.number("quantity", needed=False),
        "is_replaced": given.given.get("is_replaced") is True,
    }  # fmt: skip
    if data["carrier"] not in ("electricity", "gas"):
        given.fault("carrier", "unknown")
    found.data = _present(data)
    found.subject = f"{data['warehouse']}/{data['meter']}"


def _temperature(given: _Fields, found: Checked) -> None:
    warehouse, zone = given.text("warehouse", most=40), given.text("zone", most=38)
    degrees = {name: _degrees(given, name) for name in ("lowest_celsius", "highest_celsius", "limit_celsius")}
    low, high, limit = degrees.values()
    if low is not None and high is not None and Decimal(low) > Decimal(high):
        given.fault("highest_celsius", "below_lowest")
    elif high is not None and limit is not None and Decimal(high) > Decimal(limit):
        found.flags.append("TEMPERATURE_ABOVE_LIMIT")
    found.data = _present({"warehouse": warehouse, "zone": zone, **degrees})
    found.subject = f"{warehouse}/{zone}"


def _trip(given: _Fields, found: Checked) -> None:
    legs = given.text("leg")
    if legs and legs not in LEGS:
        given.fault("leg", "unknown")
    parcels = given.given.get("parcels")
    if (
        not isinstance(parcels, list)
        or not parcels
        or not all(isinstance(one, str) and one for one in parcels)
    ):
        given.fault("parcels", "missing")
        parcels = []
    fuel = [_use(row) for row in given.each("fuel")]
    distance = given.number("distance_km", needed=not fuel)
    empty = given.number("empty_km", needed=False)
    if not fuel and not distance:
        given.fault("fuel", "missing")
    if distance and empty and Decimal(empty) > Decimal(distance):
        given.fault("empty_km", "too_large")
    if distance is not None and Decimal(distance) == 0:
        given.fault("distance_km", "zero")
    found.data = _present(
        {
            "trip": given.text("trip"), "leg": legs, "vehicle": given.text("vehicle", needed=False, most=120),
            "fuel": fuel, "distance_km": distance, "empty_km": empty,
            "load_factor": given.number("load_factor", needed=False, most=Decimal(1)),
            "parcels": list(dict.fromkeys(parcels)),
            "parcels_total": given.number("parcels_total", needed=False),
        }
    )  # fmt: skip
    total = found.data.get("parcels_total")
    if total is not None and Decimal(total) < len(found.data["parcels"]):
        given.fault("parcels_total", "below_parcels")
    found.subject = str(found.data.get("trip", ""))


def _packaging(given: _Fields, found: Checked) -> None:
    items = [_piece(row) for row in given.each("items")]
    if not items:
        given.fault("items", "missing")
    gross = given.number("gross_kg", needed=False)
    if gross is not None and Decimal(gross) == 0:
        given.fault("gross_kg", "zero")
    found.data = _present(
        {"tracking_number": given.text("tracking_number"), "items": items, "gross_kg": gross}
    )
    found.subject = str(found.data.get("tracking_number", ""))


def _rework(given: _Fields, found: Checked) -> None:
    found.data = _present(
        {
            "reference": given.text("reference"), "kwh": given.number("kwh"),
            "items": [_piece(row) for row in given.each("items")],
        }
    )  # fmt: skip
    found.subject = str(found.data.get("reference", ""))


def _use(row: _Fields) -> Json:
    carrier, factor = row.text("carrier", needed=False), row.text("factor", needed=False, most=200)
    if not factor and carrier not in CARRIERS:
        row.fault("carrier", "unknown" if carrier else "missing")
    return _present({"carrier": carrier, "factor": factor, "quantity": row.number("quantity")})


def _piece(row: _Fields) -> Json:
    material, factor = row.text("material", needed=False), row.text("factor", needed=False, most=200)
    if not factor and material not in MATERIALS:
        row.fault("material", "unknown" if material else "missing")
    cycles = row.number("cycles", needed=False)
    if cycles is not None and Decimal(cycles) == 0:
        row.fault("cycles", "zero")
    return _present(
        {"material": material, "factor": factor, "mass_kg": row.number("mass_kg"), "cycles": cycles}
    )


def _degrees(given: _Fields, name: str) -> str | None:
    value = given.given.get(name)
    if value is None:
        if name != "limit_celsius":
            given.fault(name, "missing")
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, (float, bool)) else None
    except InvalidOperation:
        number = None
    if number is None or not -100 <= number <= 100:
        given.fault(name, "not_a_number")
        return None
    return f"{number:f}"


def _present(values: Json) -> Json:
    return {name: value for name, value in values.items() if value not in (None, "", False)}


_READERS: Mapping[str, Callable[[_Fields, Checked], None]] = {
    "meter": _meter, "temperature": _temperature, "trip": _trip, "packaging": _packaging, "rework": _rework,
}  # fmt: skip
