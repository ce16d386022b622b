"""Adding facts up: sums by every dimension, by day, by what was asked for and how it was served, by lane, by SKU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from routing.reports.facts import OrderFact, Sent, kilos

ZERO = Decimal(0)
DIMENSIONS = ("channel", "region", "warehouse", "strategy")
#: What customers asked for: region, weight class, order lines (at most 4).
Group = tuple[str, int, int]
#: How it was served: warehouse and rate card of every parcel.
Way = tuple[tuple[int, str], ...]
Json = dict[str, Any]


@dataclass(slots=True)
class Sums:
    """Sums over orders (over the parcels of a warehouse, in the rows of warehouses)."""

    orders: int = 0
    parcels: int = 0
    cost: Decimal = ZERO
    hours: Decimal = ZERO
    kgco2e: Decimal = ZERO
    split: int = 0
    local: int = 0
    automatic: int = 0
    judged: int = 0
    late: int = 0
    unsent: int = 0

    def add(self, fact: OrderFact) -> None:
        """Count a whole order."""
        self._flags(fact)
        self.parcels += len(fact.sent)
        self.cost += fact.cost
        self.hours += fact.hours
        self.kgco2e += fact.kgco2e
        self.local += bool(fact.sent) and fact.is_local

    def add_part(self, fact: OrderFact, parcels: list[Sent]) -> None:
        """Count what one warehouse sent of it."""
        self._flags(fact)
        self.parcels += len(parcels)
        self.cost += sum((one.cost for one in parcels), ZERO)
        self.hours += max(one.hours for one in parcels)
        self.kgco2e += sum((one.kgco2e for one in parcels), ZERO)
        self.local += all(one.is_local for one in parcels)

    def _flags(self, fact: OrderFact) -> None:
        self.orders += 1
        self.split += fact.is_split
        self.automatic += fact.is_automatic
        self.judged += fact.late is not None
        self.late += bool(fact.late)
        self.unsent += not fact.sent

    def plain(self) -> Json:
        """As it is kept: money, hours and kg as text, to the last digit."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: int | Decimal) -> int | str:
    return value if isinstance(value, int) else f"{value:f}"


@dataclass(slots=True)
class Cell:
    """Orders of one group that went one way."""

    orders: int = 0
    cost: Decimal = ZERO
    hours: Decimal = ZERO
    kgco2e: Decimal = ZERO


@dataclass(slots=True)
class Lane:
    """Parcels of one weight class from a warehouse into a region with a rate card."""

    parcels: int = 0
    cost: Decimal = ZERO
    hours: Decimal = ZERO
    delivered: int = 0
    real_hours: Decimal = ZERO
    #: Planned hours of the parcels that have arrived.
    planned: Decimal = ZERO
    late: int = 0
    is_local: bool = False
    remote: int = 0


@dataclass(slots=True)
class Away:
    """Units of a SKU that another warehouse sent since the nearest had too few, by where they came from."""

    units: int = 0
    orders: int = 0
    #: Yuan of their share of the parcels they came in.
    cost: Decimal = ZERO
    grams: int = 0


#: SKU, nearest warehouse, region, weight class, warehouse it came from.
AwayKey = tuple[int, int, str, int, int]


@dataclass(slots=True)
class Tally:
    """Everything a period adds up to; `deep` keeps also what recommendations are made from."""

    deep: bool = True
    total: Sums = field(default_factory=Sums)
    days: dict[date, Sums] = field(default_factory=dict)
    by: dict[str, dict[int | str, Sums]] = field(default_factory=lambda: {name: {} for name in DIMENSIONS})
    terms: dict[str, Decimal] = field(default_factory=dict)
    plan_total: Decimal = ZERO
    cells: dict[tuple[Group, Way], Cell] = field(default_factory=dict)
    lanes: dict[tuple[int, str, str, int], Lane] = field(default_factory=dict)
    away: dict[AwayKey, Away] = field(default_factory=dict)
    #: Units asked for by SKU and nearest warehouse, by day; and by region and SKU.
    near: dict[tuple[int, int], dict[date, int]] = field(default_factory=dict)
    wanted: dict[tuple[str, int], int] = field(default_factory=dict)
    #: Units of a SKU that a warehouse sent.
    shipped: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, facts: Iterable[OrderFact]) -> None:
        """Count a page of orders."""
        for fact in facts:
            self._add(fact)

    def _add(self, fact: OrderFact) -> None:
        self.total.add(fact)
        self.plan_total += fact.total
        self.days.setdefault(fact.day, Sums()).add(fact)
        for name, key in (
            ("channel", fact.channel_id), ("region", fact.region), ("strategy", fact.strategy_id),
        ):  # fmt: skip
            self.by[name].setdefault(key, Sums()).add(fact)
        houses: dict[int, list[Sent]] = {}
        for parcel in fact.sent:
            houses.setdefault(parcel.warehouse_id, []).append(parcel)
        for house, parcels in houses.items():
            self.by["warehouse"].setdefault(house, Sums()).add_part(fact, parcels)
        for term, yuan in fact.terms.items():
            self.terms[term] = self.terms.get(term, ZERO) + yuan
        if fact.sent:
            self._cell(fact)
        if self.deep:
            self._deep(fact)

    def _cell(self, fact: OrderFact) -> None:
        lines = min(4, max(1, len(fact.wanted)))
        group: Group = (fact.region, kilos(fact.grams), lines)
        way: Way = tuple(sorted((parcel.warehouse_id, parcel.card) for parcel in fact.sent))
        cell = self.cells.setdefault((group, way), Cell())
        cell.orders += 1
        cell.cost += fact.cost
        cell.hours += fact.hours
        cell.kgco2e += fact.kgco2e

    def _deep(self, fact: OrderFact) -> None:
        for sku_id, units in fact.wanted.items():
            key = (fact.region, sku_id)
            self.wanted[key] = self.wanted.get(key, 0) + units
            if fact.nearest_id is not None:
                days = self.near.setdefault((sku_id, fact.nearest_id), {})
                days[fact.day] = days.get(fact.day, 0) + units
        for parcel in fact.sent:
            self._parcel(fact, parcel)

    def _parcel(self, fact: OrderFact, parcel: Sent) -> None:
        weight = kilos(parcel.grams)
        lane = self.lanes.setdefault((parcel.warehouse_id, fact.region, parcel.card, weight), Lane())
        lane.parcels += 1
        lane.cost += parcel.cost
        lane.hours += parcel.hours
        lane.is_local = parcel.is_local
        lane.remote += fact.is_remote
        if parcel.real_hours is not None:
            lane.delivered += 1
            lane.real_hours += parcel.real_hours
            lane.planned += parcel.planned_hours or ZERO
            lane.late += bool(fact.late)
        inside = sum(parcel.units.values())
        for sku_id, units in parcel.units.items():
            key = (sku_id, parcel.warehouse_id)
            self.shipped[key] = self.shipped.get(key, 0) + units
            if sku_id in fact.missing and fact.nearest_id not in (None, parcel.warehouse_id):
                self._away(fact, parcel, sku_id, units, inside)

    def _away(self, fact: OrderFact, parcel: Sent, sku_id: int, units: int, inside: int) -> None:
        assert fact.nearest_id is not None
        key = (sku_id, fact.nearest_id, fact.region, kilos(parcel.grams), parcel.warehouse_id)
        away = self.away.setdefault(key, Away())
        away.units += units
        away.orders += 1
        away.cost += parcel.cost * units / inside
        away.grams += parcel.grams * units // inside

    def plain(self) -> Json:
        """Figures as they are kept."""
        return {
            "total": self.total.plain(),
            "days": {day.isoformat(): sums.plain() for day, sums in sorted(self.days.items())},
            "by": {
                name: {str(key): sums.plain() for key, sums in _largest(rows)}
                for name, rows in self.by.items()
            },
            "terms": {term: f"{yuan:f}" for term, yuan in self.terms.items()},
            "plan_total": f"{self.plan_total:f}",
        }


def _largest(rows: Mapping[int | str, Sums]) -> list[tuple[int | str, Sums]]:
    return sorted(rows.items(), key=lambda item: (-item[1].orders, str(item[0])))
