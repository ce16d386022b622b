"""Reading fulfillment orders and the load of warehouses, nothing per row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, QuerySet

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory.models import Warehouse, WarehouseDay


@dataclass(frozen=True, slots=True)
class DayLoad:
    """Parcels a warehouse works on, on one local day; `capacity` None means no limit."""

    warehouse: Warehouse
    date: date
    parcels: int
    capacity: int | None

    @property
    def share(self) -> float | None:
        """Parcels over capacity; None without a limit."""
        return self.parcels / self.capacity if self.capacity else None


def of_orders(order_ids: Iterable[int]) -> QuerySet[FulfillmentOrder]:
    """The fulfillment orders of these orders with warehouse, card, lines and parcels; four queries."""
    rows = FulfillmentOrder.objects.filter(order_id__in=set(order_ids)).select_related(
        "warehouse", "rate_card"
    )
    return rows.prefetch_related("lines__sku", "parcels").order_by("order_id", "pk")


def by_state(merchant_id: int | None = None) -> dict[str, int]:
    """How many fulfillment orders stand in each state; states without any are missing. One query."""
    rows = FulfillmentOrder.objects.order_by("state")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return dict(rows.values_list("state").annotate(number=Count("pk")))


def load(merchant_id: int, *, first: date, days: int = 1) -> list[DayLoad]:
    """The load of every active warehouse of a merchant for some local days, by warehouse code; two
    queries."""
    warehouses = list(Warehouse.objects.filter(merchant_id=merchant_id, is_active=True).order_by("code"))
    span = [first + timedelta(days=n) for n in range(days)]
    rows = WarehouseDay.objects.filter(warehouse__in=warehouses, date__in=span)
    parcels = {(row.warehouse_id, row.date): row.parcels for row in rows}
    return [
        DayLoad(warehouse, day, parcels.get((warehouse.pk, day), 0), warehouse.capacity_per_day)
        for warehouse in warehouses
        for day in span
    ]
