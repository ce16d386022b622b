"""Carbon figures of a chain: exact, refused rather than guessed, parted among order lines without a lost
quantum.

Pure: no Django, no clock, no network, no floats. Routing, the ledger and the case command call `calculate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from carbon.core.checks import check_lines
from carbon.core.elements import Raw, compute
from carbon.core.errors import CODES, EstimateError
from carbon.core.ledger import entries_of, is_matter, ledger_total, line_sums, weights_of
from carbon.core.model import (
    ONE,
    QUANTUM_KG,
    STAGES,
    ZERO,
    Allocation,
    AreaModel,
    Daf,
    Element,
    ElementResult,
    EndOfLife,
    EnergyIntensity,
    EnergyUse,
    Entry,
    Factor,
    Figures,
    GoodsElement,
    HubElement,
    LedgerSum,
    Line,
    LoadModel,
    Options,
    PackagingElement,
    PackagingItem,
    Pedigree,
    Refrigerant,
    Result,
    Share,
    TransportElement,
)
from carbon.core.rounding import CONTEXT, exact
from carbon.core.uncertainty import DEFAULT_PEDIGREE, Band, band, gsd95

__all__ = [
    "CODES",
    "DEFAULT_PEDIGREE",
    "QUANTUM_KG",
    "STAGES",
    "Allocation",
    "AreaModel",
    "Band",
    "Daf",
    "Element",
    "ElementResult",
    "EndOfLife",
    "EnergyIntensity",
    "EnergyUse",
    "Entry",
    "EstimateError",
    "Factor",
    "Figures",
    "GoodsElement",
    "HubElement",
    "LaneIntensity",
    "LedgerSum",
    "Line",
    "LoadModel",
    "Options",
    "PackagingElement",
    "PackagingItem",
    "Pedigree",
    "Refrigerant",
    "Result",
    "Share",
    "TransportElement",
    "band",
    "calculate",
    "chain_total_kg",
    "gsd95",
    "lane_intensity",
]

KINDS: dict[type, str] = {
    TransportElement: "transport",
    HubElement: "hub",
    PackagingElement: "packaging",
    GoodsElement: "goods",
}
WHOLE_ORDER = (Line(id="ALL", mass_kg=ONE, volume_m3=ONE, items=ONE, value=ONE),)
AS_PUBLISHED = Options()
BY_MASS = Allocation()
SHARE_QUANTUM = Decimal("0.000001")


class LaneIntensity(NamedTuple):
    """kg CO2e of a lane as a straight line: per_kg × mass_kg + per_parcel."""

    kgco2e_per_kg: Decimal
    kgco2e_per_parcel: Decimal


def calculate(
    elements: Sequence[Element],
    lines: Sequence[Line] = (),
    *,
    quantum: Decimal = QUANTUM_KG,
    options: Options = AS_PUBLISHED,
    allocation: Allocation = BY_MASS,
) -> Result:
    """Figures of a chain and their parts per order line (no lines: one line `ALL`), in kg CO2e.

    Exact figures have 12 decimals; entries, lines and the ledger total are multiples of `quantum` and add up
    exactly in every direction. Raises `EstimateError` for the first fault, so there are never partial
    figures.
    """
    with localcontext(CONTEXT):
        order_lines = tuple(lines) or WHOLE_ORDER
        check_lines(order_lines)
        raws = [compute(element, options=options) for element in elements]
        weights = weights_of(order_lines, allocation=allocation)
        entries = tuple(
            entry
            for element, raw in zip(elements, raws, strict=True)
            for entry in entries_of(element, raw, lines=order_lines, weights=weights, quantum=quantum)
        )
        return Result(
            elements=tuple(_element_result(e, raw) for e, raw in zip(elements, raws, strict=True)),
            entries=entries,
            lines=line_sums(entries, lines=order_lines),
            ledger_total=ledger_total(entries),
            total=_total(elements, raws),
            by_stage=_by_stage(elements, raws),
            primary_data_share=_primary_share(elements, raws),
            flags=_flags(elements, raws),
            factor_ids=tuple(sorted({name for raw in raws for name in raw.desk.factor_ids})),
        )


def chain_total_kg(elements: Sequence[Element], *, options: Options = AS_PUBLISHED) -> Decimal:
    """The exact total of a chain in kg CO2e at 12 decimals, without lines, entries or flags."""
    with localcontext(CONTEXT):
        return exact(sum((compute(element, options=options).total for element in elements), ZERO))


def lane_intensity(chain: Callable[[Decimal], Sequence[Element]]) -> LaneIntensity:
    """The two coefficients of a lane, from its chain at 0 kg and at 1 kg.

    `chain(mass_kg)` builds the elements of one (warehouse, destination, mode, vehicle class). Every method
    of the
    engine is a straight line in mass, so `per_kg × mass + per_parcel` equals `calculate` up to its 12th
    decimal.
    """
    with localcontext(CONTEXT):
        empty = sum((compute(e, options=AS_PUBLISHED).total for e in chain(ZERO)), ZERO)
        one = sum((compute(e, options=AS_PUBLISHED).total for e in chain(ONE)), ZERO)
        return LaneIntensity(kgco2e_per_kg=one - empty, kgco2e_per_parcel=empty)


def _element_result(element: Element, raw: Raw) -> ElementResult:
    return ElementResult(
        id=element.id,
        kind=KINDS[type(element)],
        stage=element.stage,
        data_type=element.data_type,
        tkm=_exact(raw.tkm),
        figures=_one(raw),
        factor_ids=tuple(dict.fromkeys(raw.desk.factor_ids)),
        flags=tuple(sorted(raw.desk.flags)),
        gsd95=None if element.pedigree is None else gsd95(element.pedigree),
    )


def _one(raw: Raw) -> Figures:
    return Figures(
        ttw_kg=_exact(raw.ttw),
        wtt_kg=_exact(raw.wtt),
        wtw_kg=exact(raw.wtw),
        non_transport_kg=exact(raw.non_transport),
        total_kg=exact(raw.total),
        location_total_kg=exact(raw.location),
        market_total_kg=exact(raw.market),
    )


def _total(elements: Sequence[Element], raws: Sequence[Raw]) -> Figures:
    known = all(raw.ttw is not None or is_matter(e) for e, raw in zip(elements, raws, strict=True))
    return _figures(raws, split=known)


def _figures(raws: Sequence[Raw], *, split: bool) -> Figures:
    return Figures(
        ttw_kg=exact(sum((raw.ttw for raw in raws if raw.ttw is not None), ZERO)) if split else None,
        wtt_kg=exact(sum((raw.wtt for raw in raws if raw.wtt is not None), ZERO)) if split else None,
        wtw_kg=exact(sum((raw.wtw for raw in raws), ZERO)),
        non_transport_kg=exact(sum((raw.non_transport for raw in raws), ZERO)),
        total_kg=exact(sum((raw.total for raw in raws), ZERO)),
        location_total_kg=exact(sum((raw.location for raw in raws), ZERO)),
        market_total_kg=exact(sum((raw.market for raw in raws), ZERO)),
    )


def _by_stage(elements: Sequence[Element], raws: Sequence[Raw]) -> dict[str, Decimal]:
    sums = dict.fromkeys(STAGES, ZERO)
    for element, raw in zip(elements, raws, strict=True):
        sums[element.stage] = sums.get(element.stage, ZERO) + raw.total
    return {stage: exact(kg) for stage, kg in sums.items()}


def _primary_share(elements: Sequence[Element], raws: Sequence[Raw]) -> Decimal:
    whole = sum((raw.total for raw in raws), ZERO)
    primary = sum((r.total for e, r in zip(elements, raws, strict=True) if e.data_type == "primary"), ZERO)
    return (primary / whole if whole else ZERO).quantize(SHARE_QUANTUM)


def _flags(elements: Sequence[Element], raws: Sequence[Raw]) -> tuple[str, ...]:
    flags = {flag for raw in raws for flag in raw.desk.flags}
    ground = {e.distance_kind for e in elements if isinstance(e, TransportElement) and e.mode != "air"}
    if {"sfd", "gcd"} <= ground:
        flags.add("MIXED_DISTANCE_KINDS")
    return tuple(sorted(flags))


def _exact(value: Decimal | None) -> Decimal | None:
    return None if value is None else exact(value)
