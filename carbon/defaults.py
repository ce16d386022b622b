"""What stands in when nothing better is known: default factors and the planned chain of one consignment.

Every number here is a stated default (`data_type` default), not a measurement; facts replace it later.

Chain of one consignment, in this order:
1. **hub**: one pass through the sending warehouse. No open factor per tonne exists, so an area model is used:
   71.6 kWh/m² and year (US median of unrefrigerated warehouses) ÷ 10 t handled per m² and year (our
   assumption) = 7.16 kWh per outbound tonne, at the grid factor of its province, state or country.
2. **line haul** over the whole distance by the mode of `mode_for`.
3. **last mile**: a diesel van round of 60 km shared by 80 parcels (our assumption; remote: 120 km by 60).
4. **packaging**: a corrugated carton of 0.15 kg per parcel + 4 % of the goods' mass unless given, and plastic
   film of 5 % of the carton's mass. End of life is left out: its mix is unknown (flag EOL_INCOMPLETE).

Distances by road and sea are shortest feasible, so the engine applies the distance adjustment factor.
All parts are straight lines in mass and parcels, so `lane_for` prices a candidate with two numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from functools import lru_cache

from carbon.core import library
from carbon.core.bundle import bundled_factors
from carbon.core.rounding import CONTEXT
from carbon.estimate import (
    Element,
    EnergyUse,
    Factor,
    HubElement,
    LaneIntensity,
    PackagingElement,
    PackagingItem,
    Share,
    TransportElement,
    lane_intensity,
)

DESNZ = "desnz-2025"
VAN = f"{DESNZ}/freight/road_van/average-up-to-3.5-tonnes"
FACTOR_IDS: dict[str, str] = {
    "road_line_haul": f"{DESNZ}/freight/road_hgv/all-hgvs/average-laden/tkm",
    "road_line_haul_chilled": f"{DESNZ}/freight/road_hgv_refrigerated/all-hgvs/average-laden/tkm",
    "last_mile_van": f"{VAN}/diesel/vkm",
    "last_mile_electric_van": f"{VAN}/battery-electric-vehicle/vkm",
    "rail": f"{DESNZ}/freight/rail/freight-train/tkm",
    "air_domestic": f"{DESNZ}/freight/air/domestic-to-from-uk/without-rf/tkm",
    "air_short_haul": f"{DESNZ}/freight/air/short-haul-to-from-uk/without-rf/tkm",
    "air_long_haul": f"{DESNZ}/freight/air/long-haul-to-from-uk/without-rf/tkm",
    "sea": f"{DESNZ}/freight/sea_cargo_ship/container-ship/average/tkm",
    "carton": f"{DESNZ}/packaging/paper/paper-and-board-board/primary-material-production/kg",
    "film": f"{DESNZ}/packaging/plastic/plastics-average-plastic-film/primary-material-production/kg",
}
# Grid factors for places whose own table is missing: Ember country rows (2023, life cycle).
GRID_FALLBACK = {
    "CN": "ember-owid/electricity/chn/location/kwh",
    "US": "ember-owid/electricity/usa/location/kwh",
}
# Places without a row of their own that draw from a neighbor's grid; other small islands stay unknown.
GRID_NEIGHBOR = {
    "and": "esp",
    "ala": "fin",
    "ggy": "fra",
    "imn": "gbr",
    "jey": "fra",
    "lie": "che",
    "mco": "fra",
    "smr": "ita",
    "vat": "ita",
    "xkx": "srb",
}
GRID_DEFAULT_ID = "orderhub/electricity/unknown-place/location/kwh"
GRID_OWN = {"GB": "desnz-2023/electricity/gb/location/kwh"}

HUB_KWH_PER_TONNE = Decimal("7.16")
# Driven network over great circle on land, and ship routes over great circle: rough, replace by a route
# engine.
ROAD_FACTOR = Decimal("1.25")
SEA_FACTOR = Decimal("1.6")
AIR_DOMESTIC_BELOW_KM = Decimal(700)
AIR_SHORT_HAUL_BELOW_KM = Decimal(3700)
EXPRESS_AIR_FROM_KM = Decimal(1000)
GREEN_RAIL_FROM_KM = Decimal(500)
ROUND = {False: (Decimal(60), Decimal(80)), True: (Decimal(120), Decimal(60))}
# A consolidated round waits until it is fuller; see the green delivery setting for the measured value.
GREEN_FILL = Decimal("1.5")
CARTON_KG_PER_PARCEL = Decimal("0.15")
CARTON_SHARE_OF_MASS = Decimal("0.04")
FILM_SHARE_OF_CARTON = Decimal("0.05")
KG_PER_T = Decimal(1000)
EXPRESS = frozenset({"express", "next_day", "same_day"})
SLOW = frozenset({"economy"})


def default_factor(role: str) -> Factor:
    """The factor in force for a role in `FACTOR_IDS`, the bundled one unless a newer set is active.

    Raises KeyError for an unknown role, `EstimateError` UNKNOWN_FACTOR where nobody holds the factor.
    """
    return library.chosen(FACTOR_IDS[role])


def grid_factor(*, country: str, province: str = "", iso3: str = "") -> Factor:
    """The grid factor per kWh of a province or state (code without country), else of the country.

    Falls back from province to country (`iso3` finds the Ember row), and where neither is known to `grid_default`.
    """
    for factor_id in _grid_ids(country.upper(), province.lower(), iso3.lower()):
        if (factor := library.find(factor_id)) is not None:
            return factor
    return grid_default()


@lru_cache(maxsize=1)
def grid_default() -> Factor:
    """What stands in for a grid nobody published: the median country of the open set, flagged DEFAULT_GRID, never zero."""
    rows = [row for name, row in bundled_factors().items() if name.startswith("ember-owid/") and row.total]
    rows.sort(key=lambda row: (row.total, row.id))
    return replace(rows[len(rows) // 2], id=GRID_DEFAULT_ID, boundary="DEFAULT_GRID", region="")


@library.when_changed
def forget() -> None:
    """Drop every figure kept of the factors that were in force before."""
    for kept in (lane_for, _hub_per_kg, _haul_line, _last_mile, _packaging_per_kg):
        kept.cache_clear()


def _grid_ids(country: str, province: str, iso3: str) -> Sequence[str]:
    regional = {
        "CN": f"cn-mee-2023/electricity/cn-{province}/location/kwh",
        "US": f"egrid-2023/electricity/us-{province}/location/kwh",
    }
    own_grid = {"hk": "hkg", "mo": "mac", "tw": "twn"}.get(province, "") if country == "CN" else ""
    names = [_ember(own_grid), regional.get(country, ""), GRID_OWN.get(country, ""), _ember(iso3)]
    return [name for name in [*names, GRID_FALLBACK.get(country, "")] if name]


def _ember(iso3: str) -> str:
    return f"ember-owid/electricity/{GRID_NEIGHBOR.get(iso3, iso3)}/location/kwh" if iso3 else ""


def mode_for(*, gcd_km: Decimal, service: str, same_country: bool, green: bool) -> str:
    """The line-haul mode by documented rule: "road", "rail", "air" or "sea".

    Same country: rail for green from 500 km; air for express from 1,000 km; else road. Across borders: sea
    for
    economy or green, else air. A lane whose real mode is known passes it to `chain_for` instead.
    """
    if not same_country:
        return "sea" if green or service in SLOW else "air"
    if green:
        return "rail" if gcd_km * ROAD_FACTOR >= GREEN_RAIL_FROM_KM else "road"
    return "air" if service in EXPRESS and gcd_km >= EXPRESS_AIR_FROM_KM else "road"


def chain_for(
    *,
    mass_kg: Decimal,
    distance_km: Decimal,
    service: str = "standard",
    same_country: bool = True,
    province: str = "",
    country: str = "CN",
    iso3: str = "",
    green: bool = False,
    carton_mass_kg: Decimal | None = None,
    parcels: int = 1,
    remote: bool = False,
    mode: str | None = None,
) -> list[Element]:
    """The planned chain of one consignment: hub, line haul, last mile, packaging (see the module text).

    `mass_kg` is the goods without packaging; `distance_km` the great-circle distance from warehouse to
    destination;
    `province`, `country`, `iso3` say where the warehouse draws its power. Raises `EstimateError`.
    """
    carton_kg = _carton_kg(mass_kg, parcels=parcels) if carton_mass_kg is None else carton_mass_kg
    gross_kg = mass_kg + carton_kg * (1 + FILM_SHARE_OF_CARTON)
    chosen = mode or mode_for(gcd_km=distance_km, service=service, same_country=same_country, green=green)
    return [
        hub_element(mass_kg=gross_kg, grid=grid_factor(country=country, province=province, iso3=iso3)),
        line_haul_element(mode=chosen, mass_kg=gross_kg, gcd_km=distance_km),
        last_mile_element(parcels=parcels, remote=remote, green=green),
        packaging_element(carton_kg=carton_kg),
    ]


def hub_element(*, mass_kg: Decimal, grid: Factor) -> HubElement:
    """One pass of `mass_kg` through an unmetered ambient warehouse at the documented kWh per tonne."""
    kwh = mass_kg / KG_PER_T * HUB_KWH_PER_TONNE
    return HubElement(id="hub", mass_kg=mass_kg, energy=(EnergyUse(grid, kwh),))


def line_haul_element(*, mode: str, mass_kg: Decimal, gcd_km: Decimal) -> TransportElement:
    """The main leg by rail, sea, air, else road; `gcd_km` is turned into the kind of kilometre it uses."""
    if mode == "air":
        kind, km, factor = "gcd", gcd_km, _air_factor(gcd_km)
    elif mode == "sea":
        kind, km, factor = "sfd", gcd_km * SEA_FACTOR, default_factor("sea")
    else:
        mode = mode if mode == "rail" else "road"
        role = "rail" if mode == "rail" else "road_line_haul"
        kind, km, factor = "sfd", gcd_km * ROAD_FACTOR, default_factor(role)
    return TransportElement(
        id="line_haul", mode=mode, mass_kg=mass_kg, distance_km=km, distance_kind=kind, factor=factor
    )


def last_mile_element(*, parcels: int = 1, remote: bool = False, green: bool = False) -> TransportElement:
    """The parcel's part of a van round, by parcels (a van is filled by volume and stops, not by mass)."""
    km, round_parcels = ROUND[remote]
    filled = round_parcels * GREEN_FILL if green else round_parcels
    return TransportElement(
        id="last_mile",
        mode="road",
        distance_km=km,
        distance_kind="actual",
        factor=default_factor("last_mile_van"),
        share=Share(Decimal(parcels), max(filled, Decimal(parcels)), "parcels"),
    )


def packaging_element(*, carton_kg: Decimal, data_type: str = "default") -> PackagingElement:
    """A corrugated carton of `carton_kg` and the film inside it."""
    carton = PackagingItem(default_factor("carton"), carton_kg)
    film = PackagingItem(default_factor("film"), carton_kg * FILM_SHARE_OF_CARTON)
    return PackagingElement(id="packaging", data_type=data_type, items=(carton, film))


@lru_cache(maxsize=65536)
def lane_for(
    *,
    distance_km: Decimal,
    service: str = "standard",
    same_country: bool = True,
    province: str = "",
    country: str = "CN",
    iso3: str = "",
    green: bool = False,
    carton_mass_kg: Decimal | None = None,
    remote: bool = False,
    mode: str | None = None,
    own_solar: bool = False,
) -> LaneIntensity:
    """The two coefficients of one lane, cached: `per_kg × goods kg + per_parcel` is
    `calculate(chain_for(…))`.

    With `own_solar` it is the market figure of a warehouse on solar power of its own, for strategies that steer by it.
    Holds for one parcel. Round the distance before asking (say to 1 km), so that the cache can work.
    """
    with localcontext(CONTEXT):
        chosen = mode or mode_for(gcd_km=distance_km, service=service, same_country=same_country, green=green)
        hub = Decimal(0) if own_solar else _hub_per_kg(country, province, iso3)
        per_gross_kg = hub + _haul_per_kg(chosen, distance_km)
        given = carton_mass_kg is not None
        carton_kg = carton_mass_kg if carton_mass_kg is not None else CARTON_KG_PER_PARCEL
        share = Decimal(0) if given else CARTON_SHARE_OF_MASS
        wrap, carton = 1 + FILM_SHARE_OF_CARTON, _packaging_per_kg()
        return LaneIntensity(
            kgco2e_per_kg=(1 + share * wrap) * per_gross_kg + share * carton,
            kgco2e_per_parcel=carton_kg * (wrap * per_gross_kg + carton) + _last_mile(remote, green),
        )


# The pieces of a lane, each from the engine itself and straight in its measure: a lane never seen before costs a few
# multiplications, so 200 new candidates cost a routing decision less than a millisecond.


@lru_cache(maxsize=4096)
def _hub_per_kg(country: str, province: str, iso3: str) -> Decimal:
    grid = grid_factor(country=country, province=province, iso3=iso3)
    return lane_intensity(lambda kg: [hub_element(mass_kg=kg, grid=grid)]).kgco2e_per_kg


def _haul_per_kg(mode: str, gcd_km: Decimal) -> Decimal:
    """kg CO2e per kg over `gcd_km`: a straight line within the band of distances that has one factor."""
    low = Decimal(0)
    if mode == "air" and gcd_km >= AIR_DOMESTIC_BELOW_KM:
        low = AIR_DOMESTIC_BELOW_KM if gcd_km < AIR_SHORT_HAUL_BELOW_KM else AIR_SHORT_HAUL_BELOW_KM
    at_low, per_km = _haul_line(mode, low)
    return at_low + per_km * (gcd_km - low)


@lru_cache(maxsize=64)
def _haul_line(mode: str, low_km: Decimal) -> tuple[Decimal, Decimal]:
    def at(km: Decimal) -> Decimal:
        haul = lane_intensity(lambda kg: [line_haul_element(mode=mode, mass_kg=kg, gcd_km=km)])
        return haul.kgco2e_per_kg

    at_low = at(low_km)
    return at_low, at(low_km + 1) - at_low


@lru_cache(maxsize=8)
def _last_mile(remote: bool, green: bool) -> Decimal:
    return lane_intensity(lambda _kg: [last_mile_element(remote=remote, green=green)]).kgco2e_per_parcel


@lru_cache(maxsize=1)
def _packaging_per_kg() -> Decimal:
    return lane_intensity(lambda kg: [packaging_element(carton_kg=kg)]).kgco2e_per_kg


def _carton_kg(mass_kg: Decimal, *, parcels: int) -> Decimal:
    return CARTON_KG_PER_PARCEL * parcels + CARTON_SHARE_OF_MASS * mass_kg


def _air_factor(gcd_km: Decimal) -> Factor:
    if gcd_km < AIR_DOMESTIC_BELOW_KM:
        return default_factor("air_domestic")
    return default_factor("air_short_haul" if gcd_km < AIR_SHORT_HAUL_BELOW_KM else "air_long_haul")
