"""What goes into a routing decision and what comes out: frozen values, money in Decimal yuan, no behavior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)
TERMS = (
    "freight",
    "handling",
    "time",
    "carbon",
    "stock_price",
    "capacity_price",
    "split",
    "forward_bonus",
    "return_risk",
    "duty",
)
#: Figures of a strategy in yuan or times, in the order operators are shown them.
RATES = (
    "yuan_per_hour",
    "yuan_per_hour_remote",
    "yuan_per_kgco2e",
    "stock_price_factor",
    "yuan_per_extra_parcel",
    "forward_bonus",
    "capacity_price_factor",
)
#: What a sequential strategy may put in order; less is better: parcels; hours of the last one; the sum of all
#: terms in yuan; kg CO2e to the milligram; units not sent from a forward warehouse that serves the region; km
#: over all parcels.
CRITERIA = ("parcels", "hours", "money", "kgco2e", "forward", "distance")


@dataclass(frozen=True, slots=True)
class Need:
    """One order line still to be sent: whole units, grams and cm³ each, and what a node must accept.

    ``grams_each`` None: nobody weighed it, so no parcel of it can be priced and every node refuses it.
    ``value_each`` in the order's currency and the tariff code are what levies look at.
    """

    line_id: int
    sku_id: int
    sku_code: str
    quantity: int
    grams_each: int | None
    traits: frozenset[str] = frozenset()
    cm3_each: int = 0
    value_each: Decimal = ZERO
    tariff_code: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A carrier service from one node to this destination, priced by weight steps.

    Charged grams are the larger of goods + ``parcel_grams`` (packaging) and the volumetric weight
    (``dim_cm3_per_kg``, None: none). ``kgco2e_per_kg`` counts per kg of goods and packaging.
    """

    carrier: str
    service: str
    zone: str
    first_grams: int
    first_fee: Decimal
    step_grams: int
    step_fee: Decimal
    hours: Decimal
    distance_km: Decimal
    kgco2e_per_kg: Decimal
    kgco2e_per_parcel: Decimal
    max_grams: int | None = None
    parcel_grams: int = 0
    dim_cm3_per_kg: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A source of goods: sellable units by sku, parcels left today (None: any number), prices in yuan.

    ``stock_price`` by sku and ``capacity_price`` may be curves, which all units of a sku and all parcels that
    one plan takes from the node run along together: q units cost the sum of the first q entries.
    A line of a sku in ``makes`` that stock does not cover whole is made to order: ``make_left`` units at most
    over all skus (None: any number), its parcel ``make_hours`` later. ``customs``: countries that parcels from
    ``country`` can be cleared into (None: all). ``return_risk`` by line id: what returns of the whole line to
    this node are expected to cost in yuan.
    """

    id: int
    code: str
    name: str
    kind: str
    stock: Mapping[int, int]
    lanes: tuple[Lane, ...]
    capacity_left: int | None
    frozen: bool
    accepts: frozenset[str]
    banned_skus: frozenset[int]
    handling_per_parcel: Decimal
    handling_per_line: Decimal
    stock_price: Mapping[int, Decimal | tuple[Decimal, ...]]
    capacity_price: Decimal | tuple[Decimal, ...]
    serves_region: bool
    cutoff_wait_hours: Decimal = ZERO
    makes: frozenset[int] = frozenset()
    make_left: int | None = None
    make_hours: Decimal = ZERO
    country: str = ""
    customs: frozenset[str] | None = None
    return_risk: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Strategy:
    """Exchange rates of the operator, yuan per unit named.

    With ``order`` the criteria decide one after the other (``CRITERIA``, the money last in any case) instead
    of the sum of money alone; the terms are still priced and shown. Partial shipment needs the request's
    leave and the strategy's.

    ``time_by_line_share`` weighs the hours of a parcel by its share of the order's lines instead of
    counting every parcel in full. Terms are rounded to ``digits`` decimals of a yuan (4 in trade).
    """

    code: str
    yuan_per_hour: Decimal
    yuan_per_hour_remote: Decimal
    yuan_per_kgco2e: Decimal
    stock_price_factor: Decimal = Decimal(1)
    yuan_per_extra_parcel: Decimal = ZERO
    forward_bonus: Decimal = ZERO
    max_parcels: int | None = None
    time_by_line_share: bool = False
    digits: int = 4
    order: tuple[str, ...] = ()
    capacity_price_factor: Decimal = Decimal(1)
    allow_partial: bool = True


@dataclass(frozen=True, slots=True)
class Levy:
    """What one customs rule asks of every parcel from ``nodes`` by what is in that parcel alone.

    Due where the value of its goods, in whole cents of the order's currency, is above ``over`` and at most
    ``up_to`` (None: no such limit): ``yuan_per_code`` for each different tariff code, and of the value of each
    line ``yuan_per_value`` by line id.
    """

    rule: str
    nodes: frozenset[int]
    over: Decimal | None = None
    up_to: Decimal | None = None
    yuan_per_code: Decimal = ZERO
    yuan_per_value: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """The order to be routed; ``promise_hours`` is the latest arrival still allowed (None: none given).

    ``country`` is the destination's; empty: customs are not looked at. ``levies``: duty and taxes of parcels
    that cross a border; none costs nothing, neither money nor time.
    """

    order_id: int
    needs: tuple[Need, ...]
    remote: bool
    promise_hours: Decimal | None
    allow_partial: bool = True
    country: str = ""
    levies: tuple[Levy, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Units of one line inside a parcel."""

    line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class PlannedParcel:
    """One parcel: weight with packaging, hours to the door with the cut-off wait, and its terms in yuan.

    ``kgco2e`` is unrounded: ``grams / 1000 × kgco2e_per_kg + kgco2e_per_parcel`` of its lane, kept beside it.
    """

    node_id: int
    node_code: str
    carrier: str
    service: str
    pieces: tuple[Piece, ...]
    grams: int
    hours: Decimal
    kgco2e: Decimal
    terms: Mapping[str, Decimal]
    node_name: str = ""
    zone: str = ""
    distance_km: Decimal = ZERO
    kgco2e_per_kg: Decimal = ZERO
    kgco2e_per_parcel: Decimal = ZERO
    #: Units inside that do not come from a forward warehouse serving the region; counted for ordered criteria only.
    units_away: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A way to send the order: summed terms, their total in yuan, hours of the last parcel, kg CO2e."""

    parcels: tuple[PlannedParcel, ...]
    terms: Mapping[str, Decimal]
    total: Decimal
    hours: Decimal
    kgco2e: Decimal


class Removal(NamedTuple):  # hundreds in a decision, and a frozen dataclass takes four times as long to make
    """Why a node was filtered out, for the whole order (``line_id`` None) or for one line."""

    node_id: int
    node_code: str
    line_id: int | None
    code: str
    facts: Mapping[str, object]
    node_name: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Units of a line that no plan sends."""

    line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: status routed, partial or unroutable; ``total`` is the plan's, zero without a plan.

    ``method``: ``subset_dp`` (exact), ``pulp`` (long orders, see ``program.search_long``), ``sequential`` and
    ``seq_groups`` (the same two under the criteria in ``order``), ``wave`` (made together with others).
    """

    order_id: int
    strategy: str
    status: str
    plan: Plan | None
    alternatives: tuple[Plan, ...]
    removed: tuple[Removal, ...]
    shortages: tuple[Shortage, ...]
    method: str
    total: Decimal = field(default=ZERO)
    order: tuple[str, ...] = ()


class Senseless(ValueError):
    """Input no plan can be chosen by: what is wrong with it (a removal code), where, and the facts."""

    def __init__(self, code: str, text: str, *, need: Need | None = None, **facts: object) -> None:
        super().__init__(text)
        self.code, self.need, self.facts = code, need, facts
