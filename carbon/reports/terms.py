"""A stored calculation taken apart: what each element rests on, as numbers and as a formula people can follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carbon.cases import CaseReader
from carbon.core.distance import factor_km
from carbon.core.gases import gwp_table
from carbon.estimate import Element, EstimateError, Factor, HubElement, PackagingElement, TransportElement
from carbon.models import CalculationRun

ONE, KG_PER_T, DAYS = Decimal(1), Decimal(1000), Decimal(365)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """One factor at work: `amount` in the factor's unit comes of the other numbers by `shape`.

    Shapes: "tkm" mass ÷ 1000 × km × adjustment; "vkm" km × adjustment × own ÷ total; "energy" quantity × own ÷ total;
    "tonnes" mass ÷ 1000; "mass" quantity ÷ cycles; "other" the quantity as it is.
    """

    element: str
    shape: str
    factor: Factor
    amount: Decimal
    mass_kg: Decimal | None = None
    km: Decimal | None = None
    adjustment: Decimal = ONE
    quantity: Decimal | None = None
    own: Decimal = ONE
    total: Decimal = ONE


@dataclass(frozen=True, slots=True)
class Part:
    """An element with its inputs, its terms, and its figures as stored (kg CO2e as text, None where unknown)."""

    element: Element
    terms: tuple[Term, ...]
    figures: Json
    distance_kind: str

    @property
    def mode(self) -> str:
        """The mode of a leg, else the kind of the element."""
        return self.element.mode if isinstance(self.element, TransportElement) else str(self.figures["kind"])


def parts(run: CalculationRun) -> list[Part]:
    """The elements of a stored run in its order; none for a run that takes another back."""
    if "elements" not in run.case:
        return []
    reader = CaseReader(run.case)
    stored = {item["id"]: item for item in run.result["elements"]}
    found = []
    for item in run.case["elements"]:
        element = reader.element(item)
        kind = item.get("distance_kind") or ""
        found.append(Part(element, tuple(terms(element)), stored[element.id], kind))
    return found


def terms(element: Element) -> Iterable[Term]:
    """The factors of an element with the amounts they are multiplied with."""
    if isinstance(element, TransportElement):
        return _transport(element)
    if isinstance(element, HubElement):
        return _hub(element)
    if isinstance(element, PackagingElement):
        return _packaging(element)
    return ()


def _transport(element: TransportElement) -> Iterable[Term]:
    own, total = _share(element)
    mass, km = element.mass_kg, element.distance_km
    yield from _energy(element, own, total)
    if element.factor is None:
        yield from _by_activity(element)
        return
    adjustment = _adjustment(element, element.factor.distance_kind)
    if element.factor.unit == "vkm":
        amount = (km or Decimal(0)) * adjustment * own / total
        yield Term(
            element.id, "vkm", element.factor, amount, km=km, adjustment=adjustment, own=own, total=total
        )
    else:
        amount = (mass or Decimal(0)) / KG_PER_T * (km or Decimal(0)) * adjustment
        yield Term(element.id, "tkm", element.factor, amount, mass_kg=mass, km=km, adjustment=adjustment)


def _by_activity(element: TransportElement) -> Iterable[Term]:
    """Energy by tonne-kilometre, and the three rows of a load model with their weights."""
    tkm = (element.mass_kg or Decimal(0)) / KG_PER_T * (element.distance_km or Decimal(0))
    for row in element.energy_intensity:
        amount = row.per_tkm * tkm
        yield Term(element.id, "other", row.factor, amount, quantity=amount)
    model = element.load_model
    if model is None:
        return
    activity = tkm * _adjustment(element, model.e0.distance_kind)
    per_tkm = ONE / (model.payload_t * model.load_factor * (ONE - model.empty_ratio))
    load, loaded = model.load_factor, ONE - model.empty_ratio
    half = Decimal("0.5")
    if load <= half:
        weights = ((ONE - 2 * load) * loaded + model.empty_ratio, 2 * load * loaded, Decimal(0))
    else:
        weights = (model.empty_ratio, (2 - 2 * load) * loaded, (2 * load - ONE) * loaded)
    for factor, weight in zip((model.e0, model.e50, model.e100), weights, strict=True):
        amount = activity * weight * per_tkm
        yield Term(element.id, "other", factor, amount, quantity=amount)


def _energy(element: TransportElement | HubElement, own: Decimal, total: Decimal) -> Iterable[Term]:
    """Metered energy, with its share of the round or the meter."""
    for use in element.energy:
        amount = use.quantity * own / total
        yield Term(element.id, "energy", use.factor, amount, quantity=use.quantity, own=own, total=total)


def _hub(element: HubElement) -> Iterable[Term]:
    own, total = _share(element)
    yield from _energy(element, own, total)
    for leak in element.refrigerants:
        gwp = gwp_table()["AR5"].get(leak.gas, Decimal(0))
        gas = Factor(
            id=f"gwp100/AR5/{leak.gas}", unit="kg", ttw=gwp, wtt=Decimal(0), total=gwp, gwp_basis="AR5"
        )
        yield Term(element.id, "energy", gas, leak.kg * own / total, quantity=leak.kg, own=own, total=total)
    if (area := element.area_model) is not None and not element.energy:
        kwh = area.area_m2 * area.kwh_per_m2_year * area.days / DAYS
        yield Term(element.id, "energy", area.factor, kwh * own / total, quantity=kwh, own=own, total=total)
    elif element.factor is not None and not element.energy:
        mass = element.mass_kg or Decimal(0)
        yield Term(element.id, "tonnes", element.factor, mass / KG_PER_T, mass_kg=mass)


def _packaging(element: PackagingElement) -> Iterable[Term]:
    for item in element.items:
        rows = [(item.factor, ONE - item.recycled_share)]
        if item.recycled_factor is not None:
            rows.append((item.recycled_factor, item.recycled_share))
        rows += [(route.factor, route.share) for route in item.end_of_life]
        for factor, share in rows:
            quantity = item.mass_kg * share
            yield Term(
                element.id, "mass", factor, quantity / item.cycles, quantity=quantity, total=item.cycles
            )


def _share(element: Element) -> tuple[Decimal, Decimal]:
    return (element.share.own, element.share.total) if element.share is not None else (ONE, ONE)


def _adjustment(element: TransportElement, kind: str | None) -> Decimal:
    """Kilometres as the factor counts them ÷ the kilometres given."""
    if not element.distance_km:
        return ONE
    try:
        return factor_km(element, factor_kind=kind, flags=set()) / element.distance_km
    except EstimateError:
        return ONE


def formula(part: Part) -> list[str]:
    """What was multiplied with what, a line a factor; plain text without a unit's name in any language."""
    lines = []
    for term in part.terms:
        rate = term.factor.total
        if rate is None and term.factor.ttw is not None and term.factor.wtt is not None:
            rate = term.factor.ttw + term.factor.wtt
        if rate is None:
            continue
        unit = term.factor.unit
        lines.append(f"{_inputs(term)} × {short(rate)} kg/{unit} = {short(term.amount * rate)} kg CO2e")
    return lines


def _inputs(term: Term) -> str:
    adjusted = f" × {short(term.adjustment)}" if term.adjustment != ONE else ""
    share = f" × {short(term.own)} ÷ {short(term.total)}" if (term.own, term.total) != (ONE, ONE) else ""
    if term.shape == "tkm":
        return f"{short(term.mass_kg)} kg ÷ 1000 × {short(term.km)} km{adjusted}"
    if term.shape == "vkm":
        return f"{short(term.km)} km{adjusted}{share}"
    if term.shape == "tonnes":
        return f"{short(term.mass_kg)} kg ÷ 1000"
    if term.shape == "mass":
        cycles = f" ÷ {short(term.total)}" if term.total != ONE else ""
        return f"{short(term.quantity)} kg{cycles}"
    return f"{short(term.quantity)} {term.factor.unit}{share}"


def short(value: Decimal | None) -> str:
    """Six significant digits without an exponent; a dash for what is not known."""
    if value is None:
        return "–"
    return f"{Decimal(f'{value:.6g}').normalize():f}" if value else "0"
