"""Figures of a scope by any dimension: sums, 90 % bands, shares of primary data and both electricity bases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum
from django.db.models.fields.json import KT

from carbon.estimate import STAGES, Band, ElementResult, Figures, band
from carbon.models import CalculationRun
from carbon.reports import labels, scope
from carbon.reports.scope import Scope

ZERO = Decimal(0)
#: A database without exact decimals adds up no further than to the milligram.
MILLIGRAM = Decimal("0.000001")
#: More rows than these are no table any more; the least are left out, and the sum still counts them.
MOST_ROWS = 200
Key = tuple[Any, ...]


@dataclass(slots=True)
class Sums:
    """What adds up: kg CO2e by location, the same by factor and kind of data, orders, and what contracts change."""

    parts: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    orders: int = 0
    market_change: Decimal = ZERO

    @property
    def kg(self) -> Decimal:
        """kg CO2e, location basis."""
        return sum(self.parts.values(), ZERO)

    @property
    def market_kg(self) -> Decimal:
        """kg CO2e with the electricity that was bought or made."""
        return self.kg + self.market_change

    @property
    def around(self) -> Band:
        """p5, p50 and p95: figures of one factor move together, those of different factors do not."""
        return band([_element(name, kind, kg) for (name, kind), kg in sorted(self.parts.items())])

    @property
    def primary_share(self) -> Decimal:
        """0 to 1, by emissions."""
        primary = sum((kg for (_name, kind), kg in self.parts.items() if kind == "primary"), ZERO)
        return (primary / self.kg if self.kg else ZERO).quantize(Decimal("0.0001"))

    @property
    def per_order(self) -> Decimal | None:
        """kg CO2e of an order, None without any."""
        return self.kg / self.orders if self.orders else None

    def add(self, other: Sums) -> None:
        """Take in other figures; the orders are left as they are, since some may be in both."""
        for key, kg in other.parts.items():
            self.parts[key] = self.parts.get(key, ZERO) + kg
        self.market_change += other.market_change


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a dimension: as it is cut by, in words, with its sums."""

    value: str
    label: str
    note: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a dimension, the largest first, and the sum of all, also of rows that are not shown."""

    rows: Sequence[Row]
    total: Sums
    left_out: int


def report(wanted: Scope, by: str) -> Report:
    """The figures of a scope by a dimension; a handful of queries for any number of orders."""
    found = _sums(wanted, by)
    total = Sums(orders=_orders(wanted))
    for sums in found.values():
        total.add(sums)
    keys = sorted(found, key=lambda key: (-found[key].kg, str(key)))
    if by == "period":
        keys = sorted(found, key=str)
    shown = keys[:MOST_ROWS]
    words = labels.of(by, shown)
    rows = [Row(labels.value(by, key), *words[key], found[key]) for key in shown]
    return Report(rows, total, len(keys) - len(shown))


def by_stage(wanted: Scope) -> Mapping[str, Sums]:
    """The figures of a scope by stage: warehouse, transport, packaging, return; absent where there is nothing."""
    return {str(key[0]): sums for key, sums in _sums(wanted, "stage").items()}


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the chart: its first day, kg CO2e by stage, and the band of the whole."""

    first: date
    stages: Mapping[str, Decimal]
    around: Band

    @property
    def kg(self) -> Decimal:
        """kg CO2e of all stages."""
        return sum(self.stages.values(), ZERO)


def months(wanted: Scope) -> list[Month]:
    """The months of a scope that have figures, oldest first; one query."""
    rows, (month,) = scope.by_value(scope.entries(wanted), "period", wanted)
    found: dict[date, tuple[dict[str, Decimal], Sums]] = {}
    summed = rows.values(month, "stage", "factor_id", "data_type").annotate(kg=Sum("total_kgco2e"))
    for row in summed:
        stages, sums = found.setdefault(row[month].date(), (dict.fromkeys(STAGES, ZERO), Sums()))
        kg = _kg(row["kg"])
        stages[row["stage"]] = stages.get(row["stage"], ZERO) + kg
        key = (row["factor_id"], row["data_type"])
        sums.parts[key] = sums.parts.get(key, ZERO) + kg
    return [Month(first, found[first][0], found[first][1].around) for first in sorted(found)]


def _sums(wanted: Scope, by: str) -> dict[Key, Sums]:
    rows, columns = scope.by_value(scope.entries(wanted), by, wanted)
    found: dict[Key, Sums] = {}
    for row in rows.values(*columns, "factor_id", "data_type").annotate(kg=Sum("total_kgco2e")):
        sums = found.setdefault(_key(row, columns), Sums())
        sums.parts[row["factor_id"], row["data_type"]] = _kg(row["kg"])
    for row in rows.values(*columns).annotate(orders=Count("order_id", distinct=True)):
        found.setdefault(_key(row, columns), Sums()).orders = row["orders"]
    for key, change in _market_changes(rows, columns):
        found.setdefault(key, Sums()).market_change += change
    return found


def _orders(wanted: Scope) -> int:
    counted = scope.entries(wanted).aggregate(orders=Count("order_id", distinct=True))
    return int(counted["orders"])


def _market_changes(rows: Any, columns: Sequence[str]) -> Iterable[tuple[Key, Decimal]]:
    """What power contracts change, parted like the warehouse figure they belong to; only runs that have any."""
    own = CalculationRun.objects.filter(reverses__isnull=True, reversal__isnull=True)
    own = own.annotate(
        here=KT("result__total__location_total_kg"), there=KT("result__total__market_total_kg")
    )
    own = own.filter(here__isnull=False).exclude(here=F("there"))
    stages = KT("result__by_stage__warehouse")
    changes = {
        pk: (Decimal(there) - Decimal(here), Decimal(hub))
        for pk, here, there, hub in own.filter(pk__in=rows.values("run")).values_list("pk", "here", "there", stages)
    }  # fmt: skip
    if not changes:
        return
    hubs = rows.filter(stage="warehouse", run__in=own.values("pk"))
    for row in hubs.values(*columns, "run_id").annotate(kg=Sum("total_kgco2e")):
        change, whole = changes[row["run_id"]]
        if whole:
            yield _key(row, columns), (change * _kg(row["kg"]) / whole).quantize(MILLIGRAM)


def _key(row: Mapping[str, Any], columns: Sequence[str]) -> Key:
    return tuple(row[name] for name in columns)


def _kg(value: Any) -> Decimal:
    return Decimal(value).quantize(MILLIGRAM)


def _element(factor_id: str, data_type: str, kg: Decimal) -> ElementResult:
    """All figures of one factor and kind of data as one element, for the band."""
    figures = Figures(None, None, kg, ZERO, kg, kg, kg)
    return ElementResult(
        id=factor_id, kind="", stage="", data_type=data_type, tkm=None, figures=figures,
        factor_ids=(factor_id,), flags=(), gsd95=None,
    )  # fmt: skip
