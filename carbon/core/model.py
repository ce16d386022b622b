"""Inputs and outputs of the carbon engine as frozen values; every quantity is a Decimal with its unit in
the name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from carbon.core.errors import EstimateError
from carbon.core.rounding import CONTEXT

ZERO = Decimal(0)
ONE = Decimal(1)
QUANTUM_KG = Decimal("0.000001")
#: A named tuple from its values: what `Figures(…)` does, without a call of Python code each; for the hot path only.
made = tuple.__new__
STAGES = ("warehouse", "transport", "packaging", "return")


class Rates(NamedTuple):
    """kg CO2e per unit; ttw and wtt are None together when only the sum is known."""

    ttw: Decimal | None
    wtt: Decimal | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class Factor:
    """One emission factor in kg CO2e per `unit`; None means unknown, never zero."""

    id: str
    unit: str
    ttw: Decimal | None = None
    wtt: Decimal | None = None
    total: Decimal | None = None
    distance_kind: str | None = None
    valid_to: date | None = None
    boundary: str = ""
    region: str = ""
    gwp_basis: str = ""
    set_id: str = ""
    co2_kg: Decimal | None = None
    ch4_kgco2e: Decimal | None = None
    n2o_kgco2e: Decimal | None = None
    gas_scope: str = ""
    # active | draft | unknown: an id that no set holds stays in the chain as "unknown", so that the engine
    # refuses it in the same order as every other fault.
    status: str = "active"
    # What follows from the fields above; worked out once, since factors are shared by thousands of elements.
    marks: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    rates: Rates | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        figures = (self.ttw, self.wtt, self.total, self.co2_kg, self.ch4_kgco2e, self.n2o_kgco2e)
        if any(isinstance(value, float) for value in figures):
            raise EstimateError("FLOAT_INPUT")
        marks = ["DRAFT_FACTOR"] if self.status == "draft" else []
        if self.boundary.startswith("GENERATION") and self.boundary != "GENERATION+TD+WTT":
            marks.append("BOUNDARY_GENERATION_ONLY")
        elif self.boundary == "TRANSPORT_TO_FACILITY_ONLY":
            marks.append("EOL_TRANSPORT_ONLY")
        elif self.boundary == "DEFAULT_GRID":
            marks.append("DEFAULT_GRID")
        object.__setattr__(self, "marks", tuple(marks))
        rates = None
        if self.ttw is not None and self.wtt is not None:
            rates = Rates(self.ttw, self.wtt, CONTEXT.add(self.ttw, self.wtt))
        elif self.total is not None:
            rates = Rates(None, None, self.total)
        object.__setattr__(self, "rates", rates)


@dataclass(frozen=True, slots=True)
class Share:
    """Our part of a shared round, meter or room: own ÷ total in the unit of `basis`."""

    own: Decimal
    total: Decimal
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Pedigree:
    """Five data-quality scores (1 best … 5 worst), the basic uncertainty factor and the table that reads
    them.
    """

    reliability: int = 1
    completeness: int = 1
    temporal: int = 1
    geographical: int = 1
    technological: int = 1
    basic: Decimal = ONE
    table: str = "expert"


@dataclass(frozen=True, slots=True)
class Daf:
    """A distance adjustment factor given by the carrier; `source` says where it came from."""

    value: Decimal
    source: str = ""


@dataclass(frozen=True, slots=True)
class EnergyUse:
    """An amount of energy in the unit of its factor; `market_factor` is the contract beside the grid
    average.
    """

    factor: Factor
    quantity: Decimal
    market_factor: Factor | None = None


@dataclass(frozen=True, slots=True)
class EnergyIntensity:
    """Energy per tonne-kilometre in the unit of its factor."""

    factor: Factor
    per_tkm: Decimal


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Vehicle-km factors at 0, 50 and 100 % load with payload, load factor (0 < LF ≤ 1) and empty ratio (0
    ≤ ER < 1).
    """

    e0: Factor
    e50: Factor
    e100: Factor
    payload_t: Decimal
    load_factor: Decimal
    empty_ratio: Decimal


@dataclass(frozen=True, slots=True)
class Refrigerant:
    """A leak of `kg` of a gas named as in gwp100.csv."""

    gas: str
    kg: Decimal


@dataclass(frozen=True, slots=True)
class AreaModel:
    """Energy of an unmetered site: area × yearly intensity × days ÷ 365, at a factor per kWh."""

    area_m2: Decimal
    kwh_per_m2_year: Decimal
    days: Decimal
    factor: Factor


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """One end-of-life route of a material and its share (0–1)."""

    factor: Factor
    share: Decimal


@dataclass(frozen=True, slots=True)
class PackagingItem:
    """A piece of packaging: mass, recycled content (0–1) with its factor, cycles of use, end-of-life
    routes.
    """

    factor: Factor
    mass_kg: Decimal
    recycled_share: Decimal = ZERO
    recycled_factor: Factor | None = None
    cycles: Decimal = ONE
    end_of_life: tuple[EndOfLife, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementBase:
    """What every element of a chain has; `lines` None means all lines of the order."""

    id: str
    stage: str = "transport"
    data_type: str = "default"
    lines: tuple[str, ...] | None = None
    share: Share | None = None
    pedigree: Pedigree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportElement(ElementBase):
    """A leg: exactly one of `factor` (tkm or vkm), `energy`, `energy_intensity`, `load_model` gives its
    figure.
    """

    mode: str
    mass_kg: Decimal | None = None
    distance_km: Decimal | None = None
    distance_kind: str | None = None
    factor: Factor | None = None
    energy: tuple[EnergyUse, ...] = ()
    energy_intensity: tuple[EnergyIntensity, ...] = ()
    load_model: LoadModel | None = None
    daf: Daf | None = None
    mass_basis: str = "actual"
    # Place codes, where they are known: a leg that does not begin where the one before it ended is a gap.
    origin: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubElement(ElementBase):
    """A pass through a site: `factor` per outbound tonne, metered `energy` and `refrigerants`, or an
    `area_model`.
    """

    stage: str = "warehouse"
    mass_kg: Decimal | None = None
    factor: Factor | None = None
    energy: tuple[EnergyUse, ...] = ()
    refrigerants: tuple[Refrigerant, ...] = ()
    area_model: AreaModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagingElement(ElementBase):
    """The packaging used; its figure is `non_transport`."""

    stage: str = "packaging"
    items: tuple[PackagingItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsElement(ElementBase):
    """Goods lost after a return: product footprint × items × (1 − resale rate); unknown without a
    footprint.
    """

    stage: str = "return"
    pcf_kg_per_item: Decimal
    items: Decimal
    resale_rate: Decimal


Element = TransportElement | HubElement | PackagingElement | GoodsElement


@dataclass(frozen=True, slots=True)
class Line:
    """An order line with the measures that may weigh its part; a missing measure counts as zero weight."""

    id: str
    mass_kg: Decimal | None = None
    volume_m3: Decimal | None = None
    items: Decimal | None = None
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """How elements are parted among lines: mass, chargeable_mass (with a density), volume, items or value."""

    key: str = "mass"
    density_kg_per_m3: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of a run: activity date, GWP basis (as_published | AR6), electricity basis, drafts allowed or
    not.
    """

    activity_date: date | None = None
    gwp: str = "as_published"
    electricity_basis: str = "location"
    allow_draft: bool = False


class Figures(NamedTuple):
    """kg CO2e of an element, line or case; ttw and wtt are None where the split is unknown."""

    ttw_kg: Decimal | None
    wtt_kg: Decimal | None
    wtw_kg: Decimal
    non_transport_kg: Decimal
    total_kg: Decimal
    location_total_kg: Decimal
    market_total_kg: Decimal


class ElementResult(NamedTuple):
    """An element's exact figures (12 decimals) with the factors used and the flags raised."""

    id: str
    kind: str
    stage: str
    data_type: str
    tkm: Decimal | None
    figures: Figures
    factor_ids: tuple[str, ...]
    flags: tuple[str, ...]
    gsd95: Decimal | None = None


class Entry(NamedTuple):
    """One ledger entry: what one line carries of one element, in multiples of the quantum."""

    element_id: str
    line_id: str
    ttw_kg: Decimal | None
    wtt_kg: Decimal | None
    wtw_kg: Decimal
    non_transport_kg: Decimal
    total_kg: Decimal


class LedgerSum(NamedTuple):
    """A sum of entries for one line or for the whole case (`id` "")."""

    id: str
    ttw_kg: Decimal | None
    wtt_kg: Decimal | None
    wtw_kg: Decimal
    non_transport_kg: Decimal
    total_kg: Decimal


class Result(NamedTuple):
    """Everything one calculation says; `total` is exact, `entries`, `lines` and `ledger_total` add up
    exactly.
    """

    elements: tuple[ElementResult, ...]
    entries: tuple[Entry, ...]
    lines: tuple[LedgerSum, ...]
    ledger_total: LedgerSum
    total: Figures
    by_stage: dict[str, Decimal]
    primary_data_share: Decimal
    flags: tuple[str, ...]
    factor_ids: tuple[str, ...]
