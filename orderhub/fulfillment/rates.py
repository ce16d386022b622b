"""What carriers ask: for each (warehouse, destination) the services that go there, from the rate cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from orderhub.events import log
from orderhub.fulfillment import kinds
from orderhub.fulfillment.models import RateCard, RateZone
from orderhub.inventory import telling
from orderhub.inventory.models import Warehouse
from orderhub.kernel import geo

# On land the driven distance counts; planes, ships and ways across borders are reckoned by the great circle.
ROAD_FACTOR = Decimal(str(geo.ROAD_FACTOR))
KM = Decimal("0.01")
HOURS = Decimal("0.01")
NO_KM_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Destination:
    """A place orders go to; orders of one city share it, so a batch prices few dozens of lanes."""

    country: str
    province: str
    city: str
    latitude: Decimal
    longitude: Decimal
    remote: bool


@dataclass(frozen=True, slots=True)
class LaneOption:
    """One service from one warehouse to one destination: fees in the card's currency, hours from hand-over
    to door.

    `distance_km` is what is driven (road, rail) or the great circle (air, sea, across borders).
    """

    card: RateCard
    zone: RateZone
    mode: str
    great_circle_km: Decimal
    distance_km: Decimal
    hours: Decimal
    same_country: bool

    def freight(self, grams: int) -> Decimal:
        """The fee of one parcel of `grams`, packaging included."""
        steps = max(0, -((self.zone.first_grams - grams) // self.zone.step_grams))
        return self.zone.first_fee + steps * self.zone.step_fee


Lanes = dict[tuple[int, Destination], tuple[LaneOption, ...]]


def cards_of(merchant_ids: Iterable[int]) -> dict[int, list[RateCard]]:
    """The active cards of the merchants with zones and warehouses, three queries for all of them."""
    cards = RateCard.objects.filter(merchant_id__in=set(merchant_ids), is_active=True).order_by(
        "merchant_id", "code"
    )
    found: dict[int, list[RateCard]] = {}
    for card in cards.prefetch_related("zones", "warehouses"):
        found.setdefault(card.merchant_id, []).append(card)
    return found


def lanes(
    warehouses: Sequence[Warehouse],
    destinations: Iterable[Destination],
    *,
    cards: Mapping[int, Sequence[RateCard]],
) -> Lanes:
    """The services from each warehouse to each destination, in card order; an empty tuple where nobody
    goes."""
    served = {
        warehouse.pk: [card for card in cards.get(warehouse.merchant_id, ()) if _serves(card, warehouse)]
        for warehouse in warehouses
    }
    return {
        (warehouse.pk, place): tuple(
            option
            for card in served[warehouse.pk]
            if (option := option_for(card, warehouse, place)) is not None
        )
        for place in set(destinations)
        for warehouse in warehouses
    }


def option_for(card: RateCard, warehouse: Warehouse, place: Destination) -> LaneOption | None:
    """The service of one card on one lane; None if no zone of it covers the destination."""
    great_circle = great_circle_km(warehouse.latitude, warehouse.longitude, place.latitude, place.longitude)
    same_country = warehouse.country == place.country
    driven = same_country and card.mode in (RateCard.Mode.ROAD, RateCard.Mode.RAIL)
    distance = (great_circle * ROAD_FACTOR).quantize(KM) if driven else great_circle
    zone = zone_for(card, place, distance_km=distance, same_country=same_country)
    if zone is None:
        return None
    hours = (zone.base_hours + zone.hours_per_100km * distance / 100).quantize(HOURS)
    return LaneOption(card, zone, card.mode, great_circle, distance, hours, same_country)


def zone_for(
    card: RateCard, place: Destination, *, distance_km: Decimal, same_country: bool
) -> RateZone | None:
    """The zone that prices a destination: named country before "any other", remote before plain, nearest
    first."""
    fitting = [
        zone
        for zone in card.zones.all()
        if _covers(zone, place.country, same_country=same_country)
        and (place.remote or not zone.remote_only)
        and (zone.max_km is None or distance_km <= zone.max_km)
    ]
    return min(fitting, key=_order, default=None)


def tell_changed(cards: Sequence[RateCard], *, actor: str, now: datetime) -> None:
    """Tell the log that these cards or their zones were changed, so that orders are tried again that wait for a
    tariff."""
    codes: dict[int, set[str]] = {}
    for card in cards:
        codes.setdefault(card.merchant_id, set()).add(card.code)
    facts = [
        log.Fact(f"rates:{merchant_id}", kinds.RATES_CHANGED.name, {"cards": sorted(found)}, merchant_id)
        for merchant_id, found in sorted(codes.items())
    ]
    telling.record(facts, actor=actor, now=now)


@lru_cache(maxsize=65536)
def great_circle_km(
    latitude: Decimal, longitude: Decimal, to_latitude: Decimal, to_longitude: Decimal
) -> Decimal:
    """Great-circle distance in km, two decimals."""
    km = geo.haversine_km(float(latitude), float(longitude), float(to_latitude), float(to_longitude))
    return Decimal(str(km)).quantize(KM)


def _serves(card: RateCard, warehouse: Warehouse) -> bool:
    named = card.warehouses.all()
    return not named or any(row.pk == warehouse.pk for row in named)


def _covers(zone: RateZone, country: str, *, same_country: bool) -> bool:
    if not zone.countries:
        return same_country
    return country in zone.countries or ("*" in zone.countries and not same_country)


def _order(zone: RateZone) -> tuple[bool, bool, int, int]:
    return ("*" in zone.countries, not zone.remote_only, zone.max_km or NO_KM_LIMIT, zone.pk)
