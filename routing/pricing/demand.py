"""The running table of demand: units by SKU, region and day, kept by a projection of the orders that came in.

So a price book reads days that are summed up already, and its work does not grow with a month of orders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from orderhub.events.models import Event
from orderhub.events.registry import projection
from orderhub.kernel import clock, regions
from orderhub.orders.models import Order, OrderLine
from routing.pricing.models import CountedOrder, DailyDemand, HourlyOrders

#: Demand older than this says nothing about tomorrow any more.
KEPT = timedelta(days=60)
_ROWS = 500
Item = TypeVar("Item")


@lru_cache(maxsize=8192)
def region_of(country: str, province: str) -> str:
    """Country and province code of an address, as "CN-ZJ"; the country alone where the province is unknown."""
    nation = regions.find_country(country)
    code = nation.code if nation else country.upper()[:2]
    found = regions.find_province(code, province)
    return f"{code}-{found.code}" if found else code


@projection("routing.demand", kinds=["order.placed"], queue="low", batch=500)
def count_demand(events: Sequence[Event]) -> None:
    """Add what these orders ask for to their days."""
    add([int(event.stream.removeprefix("order:")) for event in events], now=clock.now())


def add(order_ids: Sequence[int], *, now: datetime) -> None:
    """Add these orders and their lines to the tables, each order once; six queries for any number."""
    counted = set(CountedOrder.objects.filter(pk__in=order_ids).values_list("pk", flat=True))
    orders = {
        pk: (merchant_id, region_of(country, province), min(placed_at, received_at).astimezone(UTC))
        for pk, merchant_id, country, province, placed_at, received_at in Order.objects.filter(
            pk__in=set(order_ids) - counted
        ).values_list("pk", "merchant_id", "country", "province", "placed_at", "received_at")
    }
    # What is too old to be kept needs no note that it was counted, so it must not be counted either.
    orders = {pk: row for pk, row in orders.items() if row[2] >= now - KEPT}
    CountedOrder.objects.bulk_create(CountedOrder(pk, row[2].date()) for pk, row in orders.items())
    units: Counter[tuple[int, int, str, date]] = Counter()
    lines: Counter[tuple[int, int, str, date]] = Counter()
    for order_id, sku_id, ordered in OrderLine.objects.filter(order_id__in=orders).values_list(
        "order_id", "sku_id", "ordered"
    ):
        merchant_id, region, at = orders[order_id]
        key = (merchant_id, sku_id, region, at.date())
        units[key] += ordered
        lines[key] += 1
    hours = Counter(
        (merchant_id, region, at.replace(minute=0, second=0, microsecond=0))
        for merchant_id, region, at in orders.values()
    )
    _add(
        DailyDemand, ("merchant_id", "sku_id", "region", "day"),
        {key: {"units": count, "lines": lines[key]} for key, count in units.items()},
    )  # fmt: skip
    _add(
        HourlyOrders, ("merchant_id", "region", "hour_at"),
        {key: {"orders": count} for key, count in hours.items()},
    )  # fmt: skip


def forget(*, now: datetime) -> int:
    """Remove demand too old for any forecast; returns the rows."""
    days, _ = DailyDemand.objects.filter(day__lt=(now - KEPT).date()).delete()
    hours, _ = HourlyOrders.objects.filter(hour_at__lt=now - KEPT).delete()
    CountedOrder.objects.filter(day__lt=(now - KEPT).date()).delete()
    return days + hours


def _add(model: type[Model], keys: Sequence[str], rows: Mapping[Any, Mapping[str, int]]) -> None:
    """Add counts to the rows of these keys, made where missing, in one order for all writers."""
    table = model._meta.db_table
    for chunk in _chunks(sorted(rows.items(), key=lambda item: tuple(map(str, item[0])))):
        counts = list(chunk[0][1])
        columns = [*keys, *counts]
        marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(chunk))
        more = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
        statement = (
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} "  # noqa: S608  (fixed words only)
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {more}"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                statement, [_plain(value) for key, held in chunk for value in (*key, *held.values())]
            )


def _plain(value: Any) -> Any:
    """SQLite keeps moments as texts without a zone."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def _chunks(rows: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
