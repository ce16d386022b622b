"""What can be promised, per SKU and region, without touching the rows that orders fight for.

The movements are the log: `follow` reads them behind a cursor and computes the SKUs they name afresh from the
stock rows, so reading a movement twice, or a newer row early, does no harm. Which warehouses take orders and whom
they serve first is looked up while reading.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from orderhub.inventory import choosing
from orderhub.inventory.models import Movement, MovementCursor, Promisable, Sku, Stock, Warehouse

NAME = "promisable"
_BATCH = 5_000
_SKUS = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the movements: everything up to and with it."""

    tx: int
    movement_id: int


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one SKU that can be promised: from warehouses that serve a province first, and from elsewhere.

    Without a province everything is elsewhere. `as_of` is the moment of the last movement that counts here.
    """

    total: int
    serving: int
    elsewhere: int
    as_of: datetime | None


# ---- reading -------------------------------------------------------------------------------------


def units(rows: Iterable[Sku], *, province: str = "") -> dict[int, Units]:
    """What can be promised of these SKUs (with `promisable` at hand) by SKU; one query for the warehouses."""
    skus = list(rows)
    houses = list(
        Warehouse.objects.filter(
            merchant_id__in={sku.merchant_id for sku in skus}, is_active=True, is_frozen=False
        ).values_list("pk", "country", "serves_provinces")
    )
    takes_orders = {str(pk) for pk, *_place in houses}
    near = {
        str(pk)
        for pk, country, served in houses
        if province and choosing.is_served(country, served, province)
    }
    return {sku.pk: _units(getattr(sku, "promisable", None), takes_orders, near) for sku in skus}


def _units(row: Promisable | None, takes_orders: Collection[str], near: Collection[str]) -> Units:
    if row is None:
        return Units(0, 0, 0, None)
    counted = {house: n for house, n in row.units.items() if house in takes_orders}
    total = sum(counted.values())
    serving = sum(n for house, n in counted.items() if house in near)
    return Units(total, serving, total - serving, row.as_of)


# ---- following -----------------------------------------------------------------------------------


def follow() -> int:
    """Bring the read model up to the last movement that may be read; returns the movements read."""
    if _is_lost():
        return rebuild()
    read = 0
    while step := _follow_once():
        read += step
    return read


def rebuild() -> int:
    """Compute every SKU afresh and go on from here; returns the SKUs. May be repeated at any time."""
    end = _horizon() or Place(0, 0)
    done = last = 0
    while batch := list(Sku.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_SKUS]):
        _compute(batch, {})
        done, last = done + len(batch), batch[-1]
    MovementCursor.objects.update_or_create(
        name=NAME, defaults={"tx": end.tx, "movement_id": end.movement_id}
    )
    return done


def lags() -> bool:
    """Whether there are movements that were not read yet; some may not be readable before others commit."""
    cursor = MovementCursor.objects.filter(name=NAME).first()
    return cursor is None or bool(_moving(Place(cursor.tx, cursor.movement_id)))


def differences() -> list[str]:
    """Where the read model says something else than the stock rows, but for SKUs with movements not read yet."""
    cursor = MovementCursor.objects.filter(name=NAME).first()
    if cursor is None:
        return []
    expected: dict[int, dict[str, int]] = {}
    rows = Stock.objects.annotate(free=F("on_hand") - F("reserved") - F("safety")).filter(free__gt=0)
    for sku_id, house, count in rows.values_list("sku_id", "warehouse_id", "free").iterator():
        expected.setdefault(sku_id, {})[str(house)] = count
    stored = dict(Promisable.objects.values_list("sku_id", "units"))
    moving = _moving(Place(cursor.tx, cursor.movement_id))
    return [
        f"SKU {pk}: the read model promises {stored.get(pk, {})}, its rows {expected.get(pk, {})}"
        for pk in sorted(stored.keys() | expected.keys())
        if stored.get(pk, {}) != expected.get(pk, {}) and pk not in moving
    ]


@transaction.atomic
def moved(name: str) -> list[int] | None:
    """The SKUs of the next movements behind a reader's own cursor, which moves on with the caller's transaction; at
    most 5,000 movements. Empty: nothing moved, or another reader of that name is at it. None: the reader is new or lost
    its place; it stands at the end now, and must look at everything once.
    """
    skips = connection.features.has_select_for_update_skip_locked
    if _is_lost(name):
        end = _horizon() or Place(0, 0)
        place = {"tx": end.tx, "movement_id": end.movement_id}
        MovementCursor.objects.update_or_create(name=name, defaults=place)
        return None
    cursor = MovementCursor.objects.select_for_update(skip_locked=skips).filter(name=name).first()
    end_or_none = _horizon()
    if cursor is None or end_or_none is None:
        return []
    if (end_or_none.tx, end_or_none.movement_id) <= (cursor.tx, cursor.movement_id):
        return []
    found = _read(Place(cursor.tx, cursor.movement_id), end_or_none)
    last = Place(found[-1][0], found[-1][1]) if len(found) == _BATCH else end_or_none
    cursor.tx, cursor.movement_id = last.tx, last.movement_id
    cursor.save(update_fields=["tx", "movement_id"])
    return sorted({sku_id for _tx, _pk, sku_id, _moved_at in found})


@transaction.atomic
def _follow_once() -> int:
    skips = connection.features.has_select_for_update_skip_locked
    cursor = MovementCursor.objects.select_for_update(skip_locked=skips).filter(name=NAME).first()
    end = _horizon()
    if cursor is None or end is None or (end.tx, end.movement_id) <= (cursor.tx, cursor.movement_id):
        return 0
    found = _read(Place(cursor.tx, cursor.movement_id), end)
    moments: dict[int, datetime] = {}
    for _tx, _pk, sku_id, moved_at in found:
        moments[sku_id] = max(moved_at, moments.get(sku_id, moved_at))
    _compute(list(moments), moments)
    last = Place(found[-1][0], found[-1][1]) if len(found) == _BATCH else end
    cursor.tx, cursor.movement_id = last.tx, last.movement_id
    cursor.save(update_fields=["tx", "movement_id"])
    return len(found)


def _compute(sku_ids: Sequence[int], moments: dict[int, datetime]) -> None:
    """Write these SKUs as their stock rows stand now."""
    free: dict[int, dict[str, int]] = {pk: {} for pk in sku_ids}
    rows = Stock.objects.filter(sku_id__in=sku_ids).values_list("sku_id", "warehouse_id", "updated_at")
    touched: dict[int, datetime] = {}
    for sku_id, house, updated_at, count in rows.annotate(free=F("on_hand") - F("reserved") - F("safety")):
        touched[sku_id] = max(updated_at, touched.get(sku_id, updated_at))
        if count > 0:
            free[sku_id][str(house)] = count
    Promisable.objects.bulk_create(
        [
            Promisable(sku_id=pk, units=free[pk], as_of=moments.get(pk) or touched.get(pk))
            for pk in sorted(sku_ids)
        ],
        update_conflicts=True, unique_fields=["sku"], update_fields=["units", "as_of"],
    )  # fmt: skip


def _horizon() -> Place | None:
    """The last movement that may be read without ever missing an earlier one; None if there is none."""
    if connection.vendor == "sqlite":
        latest = Movement.objects.order_by("-pk").values_list("pk", flat=True).first()
        return None if latest is None else Place(0, latest)
    # `m.tx`: a plain `tx` would be the first column, the number made of it, which no index is ordered by.
    statement = """
        SELECT m.tx::text::bigint, m.id FROM inventory_movement m
        WHERE m.tx < pg_snapshot_xmin(pg_current_snapshot()) OR m.tx = pg_current_xact_id_if_assigned()
        ORDER BY m.tx DESC, m.id DESC LIMIT 1"""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return None if row is None else Place(*row)


def _read(after: Place, end: Place) -> list[Any]:
    """(transaction, id, SKU, moment) of the next movements, in order."""
    if connection.vendor == "sqlite":
        rows = Movement.objects.filter(pk__gt=after.movement_id, pk__lte=end.movement_id).order_by("pk")
        return [(0, *row) for row in rows.values_list("pk", "stock__sku_id", "moved_at")[:_BATCH]]
    statement = """
        SELECT m.tx::text::bigint, m.id, s.sku_id, m.moved_at
        FROM inventory_movement m JOIN inventory_stock s ON s.id = m.stock_id
        WHERE (m.tx, m.id) > (%s::text::xid8, %s) AND (m.tx, m.id) <= (%s::text::xid8, %s)
        ORDER BY m.tx, m.id LIMIT %s"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [after.tx, after.movement_id, end.tx, end.movement_id, _BATCH])
        return list(cursor.fetchall())


def _moving(after: Place) -> set[int]:
    """The SKUs with movements after that place."""
    if connection.vendor == "sqlite":
        later = Movement.objects.filter(pk__gt=after.movement_id)
        return set(later.values_list("stock__sku_id", flat=True))
    statement = """
        SELECT DISTINCT s.sku_id FROM inventory_movement m JOIN inventory_stock s ON s.id = m.stock_id
        WHERE (m.tx, m.id) > (%s::text::xid8, %s)"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [after.tx, after.movement_id])
        return {sku_id for (sku_id,) in cursor.fetchall()}


def _is_lost(name: str = NAME) -> bool:
    """Whether nothing was read yet, or the database was restored onto a server whose transactions are younger
    than the cursor.
    """
    tx = MovementCursor.objects.filter(name=name).values_list("tx", flat=True).first()
    if tx is None or connection.vendor == "sqlite":
        return tx is None
    with connection.cursor() as cursor:
        # What this very transaction wrote and read is not from another server.
        cursor.execute(
            "SELECT t.tx >= pg_snapshot_xmax(pg_current_snapshot()) "
            "AND t.tx IS DISTINCT FROM pg_current_xact_id_if_assigned() FROM (SELECT %s::text::xid8) AS t (tx)",
            [tx],
        )
        return bool(cursor.fetchone()[0])
