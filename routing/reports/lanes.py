"""What lanes cost as the period saw them: yuan a parcel by warehouse, region and weight class, and what bulk costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil

from orderhub.fulfillment.models.ratecard import RateCard, RateZone
from orderhub.inventory.models import Warehouse
from orderhub.kernel.geo import road_km
from routing.reports.sums import Lane

#: Goods between warehouses are reckoned in cartons of this weight, by the cheapest card that takes them.
CARTON_GRAMS = 20_000
#: How far a weight class may be from another for its price to stand in.
NEAR_KILOS = 2
#: A yuan a kilogram where no card fits: dearer than any of the demo's, so that nothing is advised by mistake.
NO_CARD = Decimal(3)
ZERO = Decimal(0)


@dataclass(slots=True)
class Prices:
    """Mean yuan a parcel of the lanes of a period."""

    lanes: Mapping[tuple[int, str, str, int], Lane]
    _means: dict[tuple[int, str, int], tuple[int, Decimal]] = field(init=False)
    _local: dict[int, tuple[int, Decimal, Decimal]] = field(init=False)

    def __post_init__(self) -> None:
        self._means, self._local = {}, {}
        for (house, region, _card, weight), lane in self.lanes.items():
            count, cost = self._means.get((house, region, weight), (0, ZERO))
            self._means[house, region, weight] = (count + lane.parcels, cost + lane.cost)
            if lane.is_local:
                seen, paid, hours = self._local.get(weight, (0, ZERO, ZERO))
                self._local[weight] = (seen + lane.parcels, paid + lane.cost, hours + lane.hours)

    def of(self, warehouse_id: int, region: str, weight: int) -> Decimal | None:
        """Yuan of a parcel on that lane, of the nearest weight class seen; None where it was never used."""
        for apart in range(NEAR_KILOS + 1):
            for near in (weight - apart, weight + apart):
                found = self._means.get((warehouse_id, region, near))
                if found:
                    return found[1] / found[0]
        return None

    def local(self, weight: int) -> tuple[Decimal, Decimal] | None:
        """Yuan and hours of a parcel that a warehouse sends into its own region, over the network."""
        found = self._local.get(weight)
        return (found[1] / found[0], found[2] / found[0]) if found else None


@dataclass(slots=True)
class Bulk:
    """What a kilogram costs between two warehouses."""

    merchant_id: int
    _cards: list[tuple[frozenset[int], list[RateZone]]] | None = None

    def per_kg(self, start: Warehouse, end: Warehouse) -> Decimal:
        """Yuan a kilogram by the cheapest active card, in cartons."""
        km = road_km(*map(float, (start.latitude, start.longitude, end.latitude, end.longitude)))
        fees = [
            _carton(zone)
            for houses, zones in self._read()
            if not houses or start.pk in houses
            for zone in zones
            if _serves(zone, start, end, km)
        ]
        return min(fees) / (CARTON_GRAMS // 1000) if fees else NO_CARD

    def _read(self) -> list[tuple[frozenset[int], list[RateZone]]]:
        if self._cards is None:
            cards = RateCard.objects.filter(merchant_id=self.merchant_id, is_active=True)
            self._cards = [
                (frozenset(row.pk for row in card.warehouses.all()), list(card.zones.all()))
                for card in cards.prefetch_related("warehouses", "zones")
                if card.max_grams is None or card.max_grams >= CARTON_GRAMS
            ]
        return self._cards


def _serves(zone: RateZone, start: Warehouse, end: Warehouse, km: float) -> bool:
    if zone.remote_only or (zone.max_km is not None and km > zone.max_km):
        return False
    return end.country in zone.countries if zone.countries else end.country == start.country


def _carton(zone: RateZone) -> Decimal:
    more = max(0, CARTON_GRAMS - zone.first_grams)
    return zone.first_fee + ceil(more / max(1, zone.step_grams)) * zone.step_fee
