"""Element checks that run before any factor is looked at: floats, signs, shares, mass basis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

from carbon.core.errors import EstimateError
from carbon.core.model import (
    Element,
    Factor,
    GoodsElement,
    HubElement,
    Line,
    PackagingElement,
    Share,
    TransportElement,
)


def check_element(element: Element) -> None:
    """Raise `EstimateError` for a float, a negative quantity, a bad share or chargeable mass, in that
    order.
    """
    refuse_floats(element, element=element.id)
    if any(value is not None and value < 0 for value in _quantities(element)):
        raise EstimateError("NEGATIVE_INPUT", element.id)
    _check_share(element.share, element=element.id)
    if any(not 0 <= part <= 1 for part in _parts(element)):
        raise EstimateError("BAD_SHARE", element.id)
    if isinstance(element, TransportElement) and element.mass_basis == "chargeable":
        raise EstimateError("CHARGEABLE_MASS_AS_TRANSPORT_MASS", element.id)


def check_lines(lines: tuple[Line, ...]) -> None:
    """Raise `EstimateError` for floats or negative measures of order lines."""
    for line in lines:
        refuse_floats(line, element=None)
        measures = (line.mass_kg, line.volume_m3, line.items, line.value)
        if any(value is not None and value < 0 for value in measures):
            raise EstimateError("NEGATIVE_INPUT")


def refuse_floats(value: object, *, element: str | None) -> None:
    """Raise FLOAT_INPUT if a binary float hides anywhere in a value, its fields or its rows."""
    if isinstance(value, float):
        raise EstimateError("FLOAT_INPUT", element)
    if isinstance(value, tuple):
        for part in value:
            refuse_floats(part, element=element)
    elif is_dataclass(value):
        for name in _names(type(value)):
            part = getattr(value, name)
            if part.__class__ not in _PLAIN:
                refuse_floats(part, element=element)


# Factors refuse floats when they are made.
_PLAIN = frozenset({str, Decimal, int, type(None), bool, Factor})
_FIELDS: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    # `fields()` walks a dictionary each time; the hot path sees the same few classes thousands of times.
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(field.name for field in fields(kind))
    return _FIELDS[kind]


def _check_share(share: Share | None, *, element: str) -> None:
    if share is not None and (share.own < 0 or share.total <= 0 or share.own > share.total):
        raise EstimateError("BAD_SHARE", element)


def _quantities(element: Element) -> Iterator[Decimal | None]:
    if isinstance(element, TransportElement):
        yield element.mass_kg
        yield element.distance_km
        yield from (use.quantity for use in element.energy)
        yield from (use.per_tkm for use in element.energy_intensity)
        if element.daf is not None:
            yield _positive(element.daf.value)
    elif isinstance(element, HubElement):
        yield element.mass_kg
        yield from (use.quantity for use in element.energy)
        yield from (leak.kg for leak in element.refrigerants)
        if (area := element.area_model) is not None:
            yield from (area.area_m2, area.kwh_per_m2_year, area.days)
    elif isinstance(element, PackagingElement):
        for item in element.items:
            yield from (item.mass_kg, _positive(item.cycles))
            yield from (route.share for route in item.end_of_life)
    else:
        yield from (element.pcf_kg_per_item, element.items)


def _positive(value: Decimal) -> Decimal:
    """A divisor: zero is as wrong as a negative."""
    return value if value > 0 else Decimal(-1)


def _parts(element: Element) -> Iterator[Decimal]:
    if isinstance(element, PackagingElement):
        yield from (item.recycled_share for item in element.items)
    elif isinstance(element, GoodsElement):
        yield element.resale_rate
