"""What a report is about: whose orders, of which days, cut by which values; and the entries that count for them.

An order counts by the day it was placed, with its actual figures once everything has arrived and its estimate until
then, as on its own page: each order is in every report once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Cast, Substr, TruncMonth

from carbon.models import CalculationRun, LedgerEntry
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders.models.order import Stage

ESTIMATE, ACTUAL = CalculationRun.Basis.ESTIMATE, CalculationRun.Basis.ACTUAL
#: Everything that was shipped has arrived, so the actual figures are whole.
ARRIVED = (Stage.DELIVERED, Stage.COMPLETED, Stage.PARTIALLY_RETURNED, Stage.RETURNED)
DIMENSIONS = (
    "period", "merchant", "channel", "warehouse", "lane", "product", "customer", "order", "line",
)  # fmt: skip
#: The element that every whole chain of actual figures has.
_WAY = "line_haul"


@dataclass(frozen=True, slots=True)
class Scope:
    """Orders placed on `since` … `until` (both included) in `zone`; `merchant_id` None means all merchants."""

    since: date
    until: date
    zone: str = "Asia/Shanghai"
    merchant_id: int | None = None
    #: Dimension → the value that rows are cut by, as text.
    cuts: Mapping[str, str] = field(default_factory=dict)

    def cut(self, dimension: str, value: object) -> Scope:
        """The same scope with one more cut."""
        return replace(self, cuts={**self.cuts, dimension: str(value)})

    @property
    def begins_at(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.since, time(), ZoneInfo(self.zone))

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), ZoneInfo(self.zone))

    def as_json(self) -> dict[str, Any]:
        """For the record of a disclosure."""
        return {
            "since": self.since.isoformat(), "until": self.until.isoformat(), "zone": self.zone,
            "merchant": self.merchant_id, "cuts": dict(self.cuts),
        }  # fmt: skip


def entries(scope: Scope) -> QuerySet[LedgerEntry]:
    """The ledger entries that count for a scope: the actual ones of orders that have arrived, else the estimate's."""
    rows = LedgerEntry.objects.filter(
        order__placed_at__gte=scope.begins_at, order__placed_at__lt=scope.ends_at
    )
    if scope.merchant_id is not None:
        rows = rows.filter(merchant_id=scope.merchant_id)
    for dimension, value in scope.cuts.items():
        rows = _cut(rows, dimension, value, scope)
    of_order = LedgerEntry.objects.filter(order=OuterRef("order"))
    rows = rows.annotate(
        has_way=Exists(of_order.filter(basis=ACTUAL, element=_WAY)),
        has_plan=Exists(of_order.filter(basis=ESTIMATE)),
    )
    whole = Q(order__stage__in=ARRIVED, has_way=True) | Q(has_plan=False)
    return rows.filter(Q(whole, basis=ACTUAL) | Q(~whole, basis=ESTIMATE)).order_by()


def runs(scope: Scope) -> QuerySet[CalculationRun]:
    """The calculations behind these entries that were not taken back, oldest first."""
    rows = CalculationRun.objects.filter(reverses__isnull=True, reversal__isnull=True)
    return rows.filter(pk__in=entries(scope).values("run")).order_by("pk")


def by_value(
    rows: QuerySet[LedgerEntry], dimension: str, scope: Scope
) -> tuple[QuerySet[LedgerEntry], list[str]]:
    """The rows with the columns of a dimension: their names, for `values`."""
    if dimension == "period":
        return rows.annotate(month=TruncMonth("order__placed_at", tzinfo=ZoneInfo(scope.zone))), ["month"]
    if dimension in ("warehouse", "lane"):
        columns = ["house", "order__province"] if dimension == "lane" else ["house"]
        return rows.annotate(house=_warehouse()), columns
    return rows, [_COLUMNS[dimension]]


_COLUMNS = {
    "merchant": "merchant_id",
    "channel": "order__channel_id",
    "product": "order_line__sku_id",
    "customer": "order__person__phone",
    "order": "order_id",
    "line": "order_line_id",
    "stage": "stage",
}


def _warehouse() -> Any:
    """The warehouse of an entry's consignment; the subject of its run names the consignment."""
    row = FulfillmentOrder.objects.filter(pk=_number("fulfillment:")).values("warehouse_id")[:1]
    parcel = Parcel.objects.filter(pk=_number("parcel:")).values("fulfillment__warehouse_id")[:1]
    return Case(
        When(run__subject__startswith="fulfillment:", then=Subquery(row)),
        When(run__subject__startswith="parcel:", then=Subquery(parcel)),
        default=None,
        output_field=BigIntegerField(),
    )


def _number(prefix: str) -> Any:
    """The number behind the prefix of the outer row's subject; asked only where the subject begins with it."""
    return Cast(Substr(OuterRef("run__subject"), len(prefix) + 1), BigIntegerField())


def _cut(rows: QuerySet[LedgerEntry], dimension: str, value: str, scope: Scope) -> QuerySet[LedgerEntry]:
    wide, columns = by_value(rows, dimension, scope)
    if dimension == "period":
        first = date.fromisoformat(value).replace(day=1)
        month = replace(
            scope, since=first, until=(first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        )
        return rows.filter(order__placed_at__gte=month.begins_at, order__placed_at__lt=month.ends_at)
    if dimension == "lane":
        house, _sign, province = value.partition(">")
        return wide.filter(**{columns[0]: int(house) if house.isdigit() else None, columns[1]: province})
    if dimension in ("customer", "stage"):
        return wide.filter(**{columns[0]: value})
    return wide.filter(**{columns[0]: int(value) if value.isdigit() else 0})
