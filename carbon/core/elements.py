"""Exact figures of one element by its method; nothing is rounded here and the caller sets the 34-digit
context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from carbon.core.checks import check_element
from carbon.core.desk import Desk, Rates
from carbon.core.distance import factor_km
from carbon.core.errors import EstimateError
from carbon.core.model import (
    ONE,
    ZERO,
    Element,
    EnergyUse,
    GoodsElement,
    HubElement,
    LoadModel,
    Options,
    PackagingElement,
    PackagingItem,
    Share,
    TransportElement,
)

HALF = Decimal("0.5")
TWO = Decimal(2)
KG_PER_T = Decimal(1000)
DAYS_PER_YEAR = Decimal(365)


@dataclass(slots=True)
class Raw:
    """Unrounded kg CO2e of an element, with its activity, factors and flags."""

    ttw: Decimal | None
    wtt: Decimal | None
    wtw: Decimal
    non_transport: Decimal
    location: Decimal
    market: Decimal
    tkm: Decimal | None
    desk: Desk

    @property
    def total(self) -> Decimal:
        """Transport and hub figure plus everything that is not transport, in kg."""
        return self.wtw + self.non_transport


def compute(element: Element, *, options: Options) -> Raw:
    """Check an element and give its unrounded figures; raises `EstimateError`."""
    check_element(element)
    desk = Desk(element=element.id, options=options)
    if isinstance(element, TransportElement):
        return _transport(element, desk=desk)
    if isinstance(element, HubElement):
        return _hub(element, desk=desk)
    if isinstance(element, PackagingElement):
        return _matter(sum((_item(item, desk=desk) for item in element.items), ZERO), desk=desk)
    return _matter(_goods(element), desk=desk)


def _transport(element: TransportElement, *, desk: Desk) -> Raw:
    tkm = _tkm(element)
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
    if element.factor is None:
        raise EstimateError("MISSING_INPUT", element.id)
    per_vehicle = element.factor.unit == "vkm"
    rates = desk.rates(element.factor, unit="vkm" if per_vehicle else "tkm")
    km = factor_km(element, factor_kind=element.factor.distance_kind, flags=desk.flags)
    weight = _ratio(element.share) if per_vehicle else _tonnes(element)
    return _scaled(rates, amount=weight * km, desk=desk, tkm=tkm)


def _hub(element: HubElement, *, desk: Desk) -> Raw:
    share = _ratio(element.share)
    if element.energy or element.refrigerants:
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
    total = amount * rates.total
    if rates.ttw is None or rates.wtt is None:
        return Raw(None, None, total, ZERO, total, total, tkm, desk)
    ttw, wtt = amount * rates.ttw, amount * rates.wtt
    return Raw(ttw, wtt, ttw + wtt, ZERO, ttw + wtt, ttw + wtt, tkm, desk)


def _energy(
    uses: Sequence[EnergyUse], *, share: Decimal, desk: Desk, tkm: Decimal | None, leak: Decimal = ZERO
) -> Raw:
    """Σ quantity × factor × share; the headline follows the electricity basis, both bases are kept."""
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
    if ttw is None or wtt is None:
        return Raw(None, None, wtw * share, ZERO, location * share, market * share, tkm, desk)
    return Raw(ttw * share, wtt * share, wtw * share, ZERO, location * share, market * share, tkm, desk)


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
    primary = desk.rates(item.factor, unit="kg", split=False).total
    per_kg = primary * (ONE - item.recycled_share)
    if item.recycled_share:
        if item.recycled_factor is None:
            raise EstimateError("MISSING_INPUT", desk.element)
        per_kg += desk.rates(item.recycled_factor, unit="kg", split=False).total * item.recycled_share
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
    return Raw(None, None, ZERO, kg, kg, kg, None, desk)


def _ratio(share: Share | None) -> Decimal:
    return ONE if share is None else share.own / share.total


def _tonnes(element: TransportElement | HubElement) -> Decimal:
    if element.mass_kg is None:
        raise EstimateError("MISSING_INPUT", element.id)
    return element.mass_kg / KG_PER_T


def _tkm(element: TransportElement) -> Decimal | None:
    if element.mass_kg is None or element.distance_km is None:
        return None
    return element.mass_kg / KG_PER_T * element.distance_km
