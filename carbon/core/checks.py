"""Element checks that run before any factor is looked at: floats, signs, shares, mass basis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast

from carbon.core.errors import EstimateError
from carbon.core.model import (
    ONE,
    ZERO,
    Element,
    Factor,
    GoodsElement,
    HubElement,
    Line,
    PackagingElement,
    Share,
    TransportElement,
)

MINUS_ONE = Decimal(-1)


def check_element(element: Element) -> None:
    """Raise `EstimateError` for a float, a negative quantity, a bad share or chargeable mass, in that
    order.
    """
    if _is_plain(element):
        return
    refuse_floats(element, element=element.id)
    if element.__class__ is TransportElement and not (
        element.energy or element.energy_intensity or element.daf is not None
    ):
        quantities: Sequence[Decimal | None] = (element.mass_kg, element.distance_km)
    else:
        quantities = _quantities(element)
    for value in quantities:
        if value is not None and value < ZERO:
            raise EstimateError("NEGATIVE_INPUT", element.id)
    if element.share is not None:
        _check_share(element.share, element=element.id)
    if isinstance(element, TransportElement):
        if element.mass_basis == "chargeable":
            raise EstimateError("CHARGEABLE_MASS_AS_TRANSPORT_MASS", element.id)
    elif any(part > ONE for part in _parts(element)):
        raise EstimateError("BAD_SHARE", element.id)


def _is_plain(element: Element) -> bool:
    """Whether a short look is enough: decimals that are not negative, a sound share, and none of the rarer inputs.

    Nearly every element of a live chain is plain; the long look at all others, which also says what is wrong, takes
    several times as long as the figures themselves.
    """
    if element.lines is not None or element.pedigree is not None:
        return False
    share = element.share
    if share is not None:
        own, total = share.own, share.total
        if own.__class__ is not Decimal or total.__class__ is not Decimal or not ZERO <= own <= total > ZERO:
            return False
    kind = element.__class__
    if kind is TransportElement:
        return _is_plain_leg(cast("TransportElement", element))
    if kind is HubElement:
        return _is_plain_hub(cast("HubElement", element))
    return kind is PackagingElement and _is_plain_packaging(cast("PackagingElement", element))


def _is_plain_leg(leg: TransportElement) -> bool:
    mass, km = leg.mass_kg, leg.distance_km
    if leg.energy or leg.energy_intensity or leg.load_model is not None or leg.daf is not None:
        return False
    return (
        leg.mass_basis == "actual"
        and (mass is None or (mass.__class__ is Decimal and mass >= ZERO))
        and (km is None or (km.__class__ is Decimal and km >= ZERO))
    )


def _is_plain_hub(hub: HubElement) -> bool:
    mass = hub.mass_kg
    if hub.refrigerants or hub.area_model is not None:
        return False
    for use in hub.energy:
        if use.quantity.__class__ is not Decimal or use.quantity < ZERO:
            return False
    return mass is None or (mass.__class__ is Decimal and mass >= ZERO)


def _is_plain_packaging(packaging: PackagingElement) -> bool:
    for item in packaging.items:
        if item.mass_kg.__class__ is not Decimal or item.mass_kg < ZERO or item.end_of_life:
            return False
        if item.recycled_share is not ZERO or item.cycles is not ONE:
            return False
    return True


def check_lines(lines: tuple[Line, ...]) -> None:
    """Raise `EstimateError` for floats or negative measures of order lines."""
    for line in lines:
        refuse_floats(line, element=None)
        measures = (line.mass_kg, line.volume_m3, line.items, line.value)
        if any(value is not None and value < 0 for value in measures):
            raise EstimateError("NEGATIVE_INPUT")


def refuse_floats(value: object, *, element: str | None) -> None:
    """Raise FLOAT_INPUT if a binary float hides anywhere in a value, its fields or its rows."""
    kind = value.__class__
    if kind is tuple:
        parts = cast("tuple[object, ...]", value)
    elif kind in _GETTERS:
        parts = _GETTERS[kind](value)
    elif isinstance(value, float):
        raise EstimateError("FLOAT_INPUT", element)
    elif is_dataclass(kind):
        # One look per class: the hot path sees the same few classes thousands of times.
        _GETTERS[kind] = attrgetter(*(field.name for field in fields(kind)))
        parts = _GETTERS[kind](value)
    else:
        return
    for part in parts:
        if part.__class__ not in _PLAIN and part != ():
            refuse_floats(part, element=element)


# Factors refuse floats when they are made.
_PLAIN = frozenset({str, Decimal, int, type(None), bool, Factor})
_GETTERS: dict[type, Callable[[Any], tuple[object, ...]]] = {}


def _check_share(share: Share, *, element: str) -> None:
    if share.own < ZERO or share.total <= ZERO or share.own > share.total:
        raise EstimateError("BAD_SHARE", element)


def _quantities(element: Element) -> Sequence[Decimal | None]:
    if isinstance(element, TransportElement):
        found: list[Decimal | None] = [element.mass_kg, element.distance_km]
        if element.energy or element.energy_intensity:
            found += [use.quantity for use in element.energy]
            found += [use.per_tkm for use in element.energy_intensity]
        if element.daf is not None:
            found.append(_positive(element.daf.value))
        return found
    if isinstance(element, HubElement):
        found = [element.mass_kg, *[use.quantity for use in element.energy]]
        found += [leak.kg for leak in element.refrigerants]
        if (area := element.area_model) is not None:
            found += [area.area_m2, area.kwh_per_m2_year, area.days]
        return found
    if isinstance(element, PackagingElement):
        found = []
        for item in element.items:
            found += (item.mass_kg, item.recycled_share, _positive(item.cycles))
            if item.end_of_life:
                found += [route.share for route in item.end_of_life]
        return found
    return (element.pcf_kg_per_item, element.items, element.resale_rate)


def _positive(value: Decimal) -> Decimal:
    """A divisor: zero is as wrong as a negative."""
    return value if value > ZERO else MINUS_ONE


def _parts(element: Element) -> Sequence[Decimal]:
    if isinstance(element, PackagingElement):
        return [item.recycled_share for item in element.items]
    return (element.resale_rate,) if isinstance(element, GoodsElement) else ()
