"""Exact figures of one element by its method; nothing is rounded here and the caller sets the 34-digit
context.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from carbon.core.checks import check_element
from carbon.core.desk import Desk
from carbon.core.distance import factor_km
from carbon.core.errors import EstimateError
from carbon.core.model import (
    ONE,
    ZERO,
    Element,
    EnergyUse,
    Factor,
    GoodsElement,
    HubElement,
    LoadModel,
    Options,
    PackagingElement,
    PackagingItem,
    Rates,
    Share,
    TransportElement,
    made,
)

HALF = Decimal("0.5")
TWO = Decimal(2)
KG_PER_T = Decimal(1000)
DAYS_PER_YEAR = Decimal(365)


class Raw(NamedTuple):
    """Unrounded kg CO2e of an element, with its activity, factors and flags; `total` is transport and hub figure plus
    everything that is not transport.
    """

    ttw: Decimal | None
    wtt: Decimal | None
    wtw: Decimal
    non_transport: Decimal
    total: Decimal
    location: Decimal
    market: Decimal
    tkm: Decimal | None
    desk: Desk


def compute(element: Element, *, options: Options) -> Raw:
    """Check an element and give its unrounded figures; raises `EstimateError`."""
    check_element(element)
    desk = Desk(element.id, options)
    if isinstance(element, TransportElement):
        return _transport(element, desk=desk)
    if isinstance(element, HubElement):
        return _hub(element, desk=desk)
    if isinstance(element, PackagingElement):
        return _matter(sum((_item(item, desk=desk) for item in element.items), ZERO), desk=desk)
    return _matter(_goods(element), desk=desk)


def _transport(element: TransportElement, *, desk: Desk) -> Raw:
    mass, distance = element.mass_kg, element.distance_km
    tonnes = None if mass is None else mass / KG_PER_T
    tkm = None if tonnes is None or distance is None else tonnes * distance
    if not mass and mass is not None:
        desk.flags.add("ZERO_MASS")
    if not distance and distance is not None:
        desk.flags.add("ZERO_DISTANCE")
    if (factor := element.factor) is not None and not (element.energy or element.energy_intensity):
        if element.load_model is None:
            return _by_factor(element, factor, tonnes=tonnes, tkm=tkm, desk=desk)
    if element.energy:
        return _energy(element.energy, share=_ratio(element.share), desk=desk, tkm=tkm)
    if element.load_model is not None:
        rates = _loaded(element.load_model, desk=desk)
        km = factor_km(element, factor_kind=element.load_model.e0.distance_kind, flags=desk.flags)
        return _scaled(rates, amount=_tonnes(element) * km, desk=desk, tkm=tkm)
    if element.energy_intensity:
        if tkm is None:
            raise EstimateError("MISSING_INPUT", element.id)
        rows = [EnergyUse(row.factor, row.per_tkm * tkm) for row in element.energy_intensity]
        return _energy(rows, share=ONE, desk=desk, tkm=tkm)
    raise EstimateError("MISSING_INPUT", element.id)


def _by_factor(
    element: TransportElement, factor: Factor, *, tonnes: Decimal | None, tkm: Decimal | None, desk: Desk
) -> Raw:
    """A leg by one factor per tonne-km, or per vehicle-km with its share of the round."""
    per_vehicle = factor.unit == "vkm"
    rates = desk.rates(factor, unit="vkm" if per_vehicle else "tkm")
    km = factor_km(element, factor_kind=factor.distance_kind, flags=desk.flags)
    weight = _ratio(element.share) if per_vehicle else tonnes
    if weight is None:
        raise EstimateError("MISSING_INPUT", element.id)
    amount = tkm if tkm is not None and km is element.distance_km and not per_vehicle else weight * km
    return _scaled(rates, amount=amount, desk=desk, tkm=tkm)


def _hub(element: HubElement, *, desk: Desk) -> Raw:
    share = _ratio(element.share)
    if element.mass_kg == ZERO:
        desk.flags.add("ZERO_MASS")
    if element.energy or element.refrigerants:
        leak = ZERO
        if element.refrigerants:
            leak = sum((row.kg * desk.gwp(row.gas) for row in element.refrigerants), ZERO)
        return _energy(element.energy, share=share, desk=desk, tkm=None, leak=leak)
    if (area := element.area_model) is not None:
        kwh = area.area_m2 * area.kwh_per_m2_year * area.days / DAYS_PER_YEAR
        return _scaled(desk.rates(area.factor, unit="kwh"), amount=kwh * share, desk=desk, tkm=None)
    if element.factor is None:
        raise EstimateError("MISSING_INPUT", element.id)
    rates = desk.rates(element.factor, unit="t")
    return _scaled(rates, amount=_tonnes(element), desk=desk, tkm=None)


def _scaled(rates: Rates, *, amount: Decimal, desk: Desk, tkm: Decimal | None) -> Raw:
    if rates.ttw is None or rates.wtt is None:
        total = amount * rates.total
        return made(Raw, (None, None, total, ZERO, total, total, total, tkm, desk))
    ttw, wtt = amount * rates.ttw, amount * rates.wtt
    wtw = ttw + wtt
    return made(Raw, (ttw, wtt, wtw, ZERO, wtw, wtw, wtw, tkm, desk))


def _energy(
    uses: Sequence[EnergyUse], *, share: Decimal, desk: Desk, tkm: Decimal | None, leak: Decimal = ZERO
) -> Raw:
    """Σ quantity × factor × share; the headline follows the electricity basis, both bases are kept."""
    if len(uses) == 1 and share is ONE and uses[0].market_factor is None and not leak:
        rates = desk.rates(uses[0].factor, unit="energy")
        return _scaled(rates, amount=uses[0].quantity, desk=desk, tkm=tkm)
    market_first = desk.options.electricity_basis == "market"
    ttw: Decimal | None = leak
    wtt: Decimal | None = ZERO
    wtw = location = market = leak
    for use in uses:
        local = desk.rates(use.factor, unit="energy", split=not (market_first and use.market_factor))
        bought = (
            desk.rates(use.market_factor, unit="energy", split=market_first) if use.market_factor else local
        )
        head = bought if market_first else local
        location += use.quantity * local.total
        market += use.quantity * bought.total
        wtw += use.quantity * head.total
        ttw = None if ttw is None or head.ttw is None else ttw + use.quantity * head.ttw
        wtt = None if wtt is None or head.wtt is None else wtt + use.quantity * head.wtt
    whole = wtw * share
    bases = (location * share, market * share)
    if ttw is None or wtt is None:
        return Raw(None, None, whole, ZERO, whole, *bases, tkm, desk)
    return Raw(ttw * share, wtt * share, whole, ZERO, whole, *bases, tkm, desk)


def _loaded(model: LoadModel, *, desk: Desk) -> Rates:
    """kg per tonne-km of a vehicle at a load factor and an empty ratio, by straight lines through three
    rows.
    """
    empty, half, full = (desk.rates(factor, unit="vkm") for factor in (model.e0, model.e50, model.e100))
    good = model.payload_t > 0 and 0 < model.load_factor <= 1 and 0 <= model.empty_ratio < 1
    if not good:
        raise EstimateError("BAD_LOAD_MODEL", desk.element)
    total = _per_tkm(model, empty.total, half.total, full.total)
    if None in (empty.ttw, half.ttw, full.ttw):
        return Rates(None, None, total)
    parts = [
        _per_tkm(model, a, b, c)
        for a, b, c in ((empty.ttw, half.ttw, full.ttw), (empty.wtt, half.wtt, full.wtt))
        if a is not None and b is not None and c is not None
    ]
    return Rates(parts[0], parts[1], total)


def _per_tkm(model: LoadModel, empty: Decimal, half: Decimal, full: Decimal) -> Decimal:
    load, er = model.load_factor, model.empty_ratio
    at_load = (
        empty + (half - empty) * load * TWO if load <= HALF else half + (full - half) * (load - HALF) * TWO
    )
    return (at_load * (ONE - er) + empty * er) / (model.payload_t * load * (ONE - er))


def _item(item: PackagingItem, *, desk: Desk) -> Decimal:
    per_kg = desk.rates(item.factor, unit="kg", split=False).total
    if item.recycled_share:
        per_kg *= ONE - item.recycled_share
        if item.recycled_factor is None:
            raise EstimateError("MISSING_INPUT", desk.element)
        per_kg += desk.rates(item.recycled_factor, unit="kg", split=False).total * item.recycled_share
    if not item.end_of_life and item.cycles is ONE:
        desk.flags.add("EOL_INCOMPLETE")
        return item.mass_kg * per_kg
    covered = ZERO
    for route in item.end_of_life:
        per_kg += desk.rates(route.factor, unit="kg", split=False).total * route.share
        covered += route.share
    if covered != ONE:
        desk.flags.add("EOL_INCOMPLETE")
    return item.mass_kg * per_kg / item.cycles


def _goods(element: GoodsElement) -> Decimal:
    return element.pcf_kg_per_item * element.items * (ONE - element.resale_rate)


def _matter(kg: Decimal, *, desk: Desk) -> Raw:
    return made(Raw, (None, None, ZERO, kg, kg, kg, kg, None, desk))


def _ratio(share: Share | None) -> Decimal:
    return ONE if share is None else share.own / share.total


def _tonnes(element: TransportElement | HubElement) -> Decimal:
    if element.mass_kg is None:
        raise EstimateError("MISSING_INPUT", element.id)
    return element.mass_kg / KG_PER_T
