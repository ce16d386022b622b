"""The only place that says how stock is locked: rows in (SKU, warehouse) order, days in (warehouse, date)
order.

Whoever also locks orders locks them first, and stream heads last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from orderhub.events.log import GENESIS
from orderhub.events.models import StreamHead
from orderhub.inventory.models import Stock, WarehouseDay

#: (sku id, warehouse id)
Place = tuple[int, int]
#: Days that have their row: it is there for good, unless the transaction that made it failed.
_seen_days: set[tuple[int, date]] = set()
_MOST_SEEN = 10_000


def stock(places: Collection[Place]) -> dict[Place, Stock]:
    """The stock rows of these places, locked; places without a row are missing. Two queries."""
    wanted = set(places)
    near = Stock.objects.filter(
        sku_id__in={sku_id for sku_id, _ in wanted},
        warehouse_id__in={warehouse_id for _, warehouse_id in wanted},
    ).values_list("pk", "sku_id", "warehouse_id")
    ids = [pk for pk, sku_id, warehouse_id in near if (sku_id, warehouse_id) in wanted]
    rows = Stock.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("sku_id", "warehouse_id")
    return {(row.sku_id, row.warehouse_id): row for row in rows}


def days(wanted: Collection[tuple[int, date]]) -> dict[tuple[int, date], WarehouseDay]:
    """The load rows of these (warehouse id, local day), made where missing, locked. One query where this process has
    seen them all, else two.
    """
    keys = sorted(set(wanted))
    new = [key for key in keys if key not in _seen_days]
    if new:
        _make_days(new)
    found = _locked_days(keys)
    if len(found) < len(keys):
        # Whoever made one of them has taken that back.
        _make_days(keys)
        found = _locked_days(keys)
    if len(_seen_days) > _MOST_SEEN:
        _seen_days.clear()
    _seen_days.update(found)
    return found


def forget() -> None:
    """Know of no days any more."""
    _seen_days.clear()


def _make_days(keys: Iterable[tuple[int, date]]) -> None:
    days = [WarehouseDay(warehouse_id=warehouse_id, date=day) for warehouse_id, day in keys]
    WarehouseDay.objects.bulk_create(days, ignore_conflicts=True)


def _locked_days(keys: Sequence[tuple[int, date]]) -> dict[tuple[int, date], WarehouseDay]:
    rows = (
        WarehouseDay.objects.select_for_update(of=("self",))
        .select_related("warehouse")
        .filter(warehouse_id__in={key[0] for key in keys}, date__in={key[1] for key in keys})
        .order_by("warehouse_id", "date")
    )
    wanted = set(keys)
    return {key: row for row in rows if (key := (row.warehouse_id, row.date)) in wanted}


def stream(name: str) -> None:
    """Lock a stream that has no aggregate row of its own, by its head."""
    StreamHead.objects.bulk_create([StreamHead(stream=name, seq=0, hash=GENESIS)], ignore_conflicts=True)
    list(StreamHead.objects.select_for_update().filter(stream=name).values_list("pk"))
