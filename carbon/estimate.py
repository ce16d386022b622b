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
    made,
)
from carbon.core.rounding import CONTEXT, EXACT, exact
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
ZERO_EXACT = exact(ZERO)
NO_SHARE = ZERO.quantize(SHARE_QUANTUM)


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
        entries: list[Entry] = []
        found: list[ElementResult] = []
        tally = _Tally()
        for element, raw in zip(elements, raws, strict=True):
            entries += entries_of(element, raw, lines=order_lines, weights=weights, quantum=quantum)
            found.append(_element_result(element, raw))
            tally.add(element, raw)
        sums = line_sums(entries, lines=order_lines)
        return Result(
            elements=tuple(found),
            entries=tuple(entries),
            lines=sums,
            ledger_total=ledger_total(entries, sums),
            total=tally.figures(),
            by_stage=tally.by_stage(),
            primary_data_share=tally.primary_share(),
            flags=_flags(elements, tally.flags),
            factor_ids=tuple(sorted(tally.factor_ids)),
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
    names, flags = raw.desk.factor_ids, raw.desk.flags
    return made(ElementResult, (
        element.id,
        KINDS[element.__class__],
        element.stage,
        element.data_type,
        None if raw.tkm is None else raw.tkm.quantize(EXACT),
        _one(raw),
        tuple(names) if len(names) < 2 else tuple(dict.fromkeys(names)),
        tuple(sorted(flags)) if flags else (),
        None if element.pedigree is None else gsd95(element.pedigree),
    ))  # fmt: skip


def _one(raw: Raw) -> Figures:
    # Mostly one and the same number: what is equal is not rounded twice. The context rounds half-even.
    ttw, wtt, wtw, other, whole, location, market, _tkm, _desk = raw
    total = whole.quantize(EXACT)
    return made(Figures, (
        None if ttw is None else ttw.quantize(EXACT),
        None if wtt is None else wtt.quantize(EXACT),
        total if wtw is whole else wtw.quantize(EXACT),
        other.quantize(EXACT) if other else ZERO_EXACT,
        total,
        total if location is whole else location.quantize(EXACT),
        total if market is whole else market.quantize(EXACT),
    ))  # fmt: skip


class _Tally:
    """The sums of a whole case, gathered element by element."""

    __slots__ = (
        "_is_split", "_location", "_market", "_other", "_primary", "_stages", "_ttw", "_wtt", "_wtw", "factor_ids",
        "flags",
    )  # fmt: skip

    def __init__(self) -> None:
        self._ttw = self._wtt = self._wtw = self._other = self._location = self._market = ZERO
        self._is_split = True
        self._primary: Decimal | None = None
        self._stages = {"warehouse": ZERO, "transport": ZERO, "packaging": ZERO, "return": ZERO}
        self.factor_ids: set[str] = set()
        self.flags: set[str] = set()

    def add(self, element: Element, raw: Raw) -> None:
        """Count one element in."""
        ttw, wtt, wtw, other, total, location, market, _tkm, desk = raw
        if ttw is not None and wtt is not None:
            self._ttw += ttw
            self._wtt += wtt
        elif not is_matter(element):
            self._is_split = False
        self._wtw += wtw
        if other:
            self._other += other
        self._location += location
        self._market += market
        stages, stage = self._stages, element.stage
        stages[stage] = stages.get(stage, ZERO) + total
        if element.data_type == "primary":
            self._primary = total if self._primary is None else self._primary + total
        self.factor_ids.update(desk.factor_ids)
        if desk.flags:
            self.flags |= desk.flags

    def figures(self) -> Figures:
        """The case's totals; ttw and wtt are None where an element has no split."""
        whole = self._wtw + self._other
        total = whole.quantize(EXACT)
        return Figures(
            ttw_kg=self._ttw.quantize(EXACT) if self._is_split else None,
            wtt_kg=self._wtt.quantize(EXACT) if self._is_split else None,
            wtw_kg=self._wtw.quantize(EXACT),
            non_transport_kg=self._other.quantize(EXACT),
            total_kg=total,
            location_total_kg=total if self._location == whole else self._location.quantize(EXACT),
            market_total_kg=total if self._market == whole else self._market.quantize(EXACT),
        )

    def by_stage(self) -> dict[str, Decimal]:
        """The total by stage."""
        return {stage: kg.quantize(EXACT) if kg else ZERO_EXACT for stage, kg in self._stages.items()}

    def primary_share(self) -> Decimal:
        """Which part of the total rests on primary data, by emissions."""
        if self._primary is None:
            return NO_SHARE
        whole = sum(self._stages.values(), ZERO)
        return (self._primary / whole if whole else ZERO).quantize(SHARE_QUANTUM)


def _flags(elements: Sequence[Element], flags: set[str]) -> tuple[str, ...]:
    legs = [element for element in elements if isinstance(element, TransportElement)]
    if len(legs) > 1:
        ground = {leg.distance_kind for leg in legs if leg.mode != "air"}
        if "sfd" in ground and "gcd" in ground:
            flags.add("MIXED_DISTANCE_KINDS")
        if _has_gap(legs):
            flags.add("CHAIN_GAP")
    return tuple(sorted(flags))


def _has_gap(legs: Sequence[TransportElement]) -> bool:
    """Whether a leg with known places does not begin where the leg before it in the same stage ended."""
    ended: dict[str, str] = {}
    for leg in legs:
        before = ended.get(leg.stage, "")
        if before and leg.origin and before != leg.origin:
            return True
        ended[leg.stage] = leg.destination
    return False
