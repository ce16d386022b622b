"""What is known of a consignment: the chain planned for a fulfillment order, and the facts of a shipped
parcel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from carbon.defaults import (
    CARTON_KG_PER_PARCEL,
    CARTON_SHARE_OF_MASS,
    FILM_SHARE_OF_CARTON,
    chain_for,
    grid_factor,
    hub_element,
    last_mile_element,
    line_haul_element,
    packaging_element,
)
from carbon.estimate import (
    Allocation,
    Element,
    EnergyUse,
    Factor,
    HubElement,
    Line,
    TransportElement,
)
from orderhub.fulfillment import rates
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel, RateCard
from orderhub.inventory.models import Warehouse
from orderhub.kernel import regions
from orderhub.orders.models import Order

KG = Decimal(1000)
WHOLE_KM = Decimal(1)
#: Own solar power by contract terms (market basis): no operation, no purchase. The location figure stays the
#: headline.
OWN_SOLAR = Factor(
    id="orderhub/electricity/own-solar/market/kwh",
    unit="kwh",
    ttw=Decimal(0),
    wtt=Decimal(0),
    total=Decimal(0),
    boundary="MARKET_BASIS_OWN_GENERATION",
)
DRIVEN_MODES = frozenset({RateCard.Mode.ROAD, RateCard.Mode.RAIL})


@dataclass(frozen=True, slots=True)
class Contents:
    """Units of order lines in one consignment: (order line id, units, grams each)."""

    units: tuple[tuple[int, int, int], ...]

    @property
    def goods_kg(self) -> Decimal:
        """The mass of the goods by their SKUs, without packaging."""
        return Decimal(sum(count * grams for _line, count, grams in self.units)) / KG

    @property
    def lines(self) -> list[Line]:
        """The order lines as the engine wants them, in their order."""
        return [
            Line(id=str(line), mass_kg=Decimal(count * grams) / KG, items=Decimal(count))
            for line, count, grams in self.units
        ]

    @property
    def allocation(self) -> Allocation:
        """By mass; by pieces where no SKU has a weight."""
        return Allocation("mass" if self.goods_kg else "items")


def contents_of(parts: Iterable[tuple[FulfillmentLine, int]]) -> Contents:
    """The contents of fulfillment lines (with `sku`) and how many units of each; lines without units are
    left out.
    """
    counts: dict[int, int] = {}
    grams: dict[int, int] = {}
    for part, count in parts:
        if count > 0:
            counts[part.order_line_id] = counts.get(part.order_line_id, 0) + count
            grams[part.order_line_id] = part.sku.grams
    return Contents(tuple((line, counts[line], grams[line]) for line in sorted(counts)))


def planned(row: FulfillmentOrder, contents: Contents) -> list[Element]:
    """The chain routing priced for this fulfillment order; needs order, warehouse and rate card loaded."""
    inputs = lane_inputs(row.order, row.warehouse, row.rate_card)
    return [
        _with_own_power(element, row.warehouse) for element in chain_for(mass_kg=contents.goods_kg, **inputs)
    ]


def left(parcel: Parcel, contents: Contents) -> list[Element]:
    """What is certain once a parcel has left: its weighed pass through the warehouse and its packaging."""
    carton_kg, gross_kg, weighed = _masses(parcel, contents)
    warehouse = parcel.fulfillment.warehouse
    inputs = lane_inputs(parcel.fulfillment.order, warehouse, parcel.fulfillment.rate_card)
    grid = grid_factor(country=inputs["country"], province=inputs["province"], iso3=inputs["iso3"])
    hub = replace(hub_element(mass_kg=gross_kg, grid=grid), data_type="modelled" if weighed else "default")
    packaging = packaging_element(
        carton_kg=carton_kg, data_type="primary" if parcel.carton_grams else "default"
    )
    return [_with_own_power(hub, warehouse), packaging]


def arrived(parcel: Parcel, contents: Contents, *, distance_km: Decimal | None) -> list[Element]:
    """What is certain once a parcel has arrived: the way it took; a distance nobody reported stays the
    planned one.
    """
    row = parcel.fulfillment
    _carton_kg, gross_kg, weighed = _masses(parcel, contents)
    inputs = lane_inputs(row.order, row.warehouse, row.rate_card)
    haul = line_haul_element(mode=inputs["mode"], mass_kg=gross_kg, gcd_km=inputs["distance_km"])
    if distance_km is not None:
        haul = _over(haul, distance_km)
    primary = weighed and distance_km is not None
    haul = replace(haul, data_type="primary" if primary else "modelled")
    return [haul, last_mile_element(remote=inputs["remote"], green=inputs["green"])]


def lane_inputs(order: Order, warehouse: Warehouse, card: RateCard) -> dict[str, Any]:
    """What `carbon.defaults` needs to know of a lane, exactly as routing asked it; the great circle in
    whole km.
    """
    great_circle = rates.great_circle_km(
        warehouse.latitude, warehouse.longitude, order.latitude, order.longitude
    )
    province, iso3 = _grid(warehouse.country, warehouse.province, warehouse.city)
    return {
        "distance_km": great_circle.quantize(WHOLE_KM),
        "service": card.service,
        "same_country": warehouse.country == order.country,
        "province": province,
        "country": warehouse.country,
        "iso3": iso3,
        "green": order.green,
        "remote": order.is_remote,
        "mode": str(card.mode),
    }


def masses_and_ways(case: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Gross kg and line-haul km of a stored case, for the sentence that compares estimate and actual."""
    hauls = [element for element in case["elements"] if element["id"] == "line_haul"]
    return (
        sum((Decimal(element["mass_kg"]) for element in hauls), Decimal(0)),
        sum((Decimal(element["distance_km"]) for element in hauls), Decimal(0)),
    )


def _over(haul: TransportElement, distance_km: Decimal) -> TransportElement:
    """The leg over reported km: roads and rails are driven; planes and ships are reckoned by the great
    circle.
    """
    if haul.mode in DRIVEN_MODES:
        return replace(haul, distance_km=distance_km, distance_kind="actual")
    return line_haul_element(mode=haul.mode, mass_kg=haul.mass_kg or Decimal(0), gcd_km=distance_km)


def _masses(parcel: Parcel, contents: Contents) -> tuple[Decimal, Decimal, bool]:
    """Carton kg, gross kg, and whether the gross was weighed; what was not weighed is the planned figure."""
    goods_kg = contents.goods_kg
    carton_kg = Decimal(parcel.carton_grams) / KG or CARTON_KG_PER_PARCEL + CARTON_SHARE_OF_MASS * goods_kg
    if parcel.grams > parcel.carton_grams > 0:
        return carton_kg, Decimal(parcel.grams) / KG, True
    return carton_kg, goods_kg + carton_kg * (1 + FILM_SHARE_OF_CARTON), False


def _with_own_power(element: Element, warehouse: Warehouse) -> Element:
    """The hub of a solar-powered warehouse with its market figure beside the grid's."""
    if not isinstance(element, HubElement) or warehouse.energy_source != Warehouse.Energy.SOLAR:
        return element
    return replace(
        element, energy=tuple(EnergyUse(use.factor, use.quantity, OWN_SOLAR) for use in element.energy)
    )


@lru_cache(maxsize=4096)
def _grid(country: str, province: str, city: str) -> tuple[str, str]:
    """The code of the electricity table a warehouse draws from, and its country's ISO3 code."""
    place = regions.locate(country, province, city)
    if place is None:
        return "", ""
    return place.grid or place.province_code.lower(), place.country_iso3
