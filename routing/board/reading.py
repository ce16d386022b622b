"""What the load board shows: slots used and left, what is still to come, cover, levers; live, but for the slow half.

Slots, work and levers are read every time. Parcels a day, the hours' profile and the stock's cover come from two
weeks of history and are kept for some minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Avg, Count, F, Sum
from django.db.models.functions import ExtractHour
from django.utils.timezone import localtime

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Movement, Stock, Warehouse, WarehouseDay
from orderhub.orders.models import Order
from routing.board import pace
from routing.board.pace import Pace
from routing.pricing import levers
from routing.pricing.models import WarehouseLever

HISTORY_DAYS = 14
PACE_SECONDS, COVER_SECONDS = 300, 900
#: A SKU whose stock lasts less than this is thin.
THIN_DAYS = 3
#: So full a day is watched before anything is wrong.
WATCH_SHARE = 0.9
_WAITING = (State.PLANNED, State.RESERVED)
_AT_WORK = (State.RELEASED, State.ACKNOWLEDGED, State.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Cover:
    """Days the sellable units last at the pace of two weeks (None: nothing ships), and how many SKUs are thin."""

    days: float | None
    thin: int


@dataclass(frozen=True, slots=True)
class House:
    """One warehouse on the board; `limit` is what it may do that day (None: no limit), with levers in force.

    `coming` are parcels still expected before the cut-off, `full_at` when its slots will be gone, if they will.
    """

    warehouse: Warehouse
    day: date
    used: int
    limit: int | None
    next_used: int
    reserved: int
    at_work: int
    coming: float
    full_at: datetime | None
    cutoff_at: datetime
    cover: Cover
    levers: tuple[WarehouseLever, ...]

    @property
    def left(self) -> int | None:
        """Slots left on its day."""
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def at_end(self) -> int:
        """Parcels of the day as far as is known at its cut-off."""
        return self.used + round(self.coming)

    @property
    def share(self) -> float | None:
        """The day's parcels at the cut-off over the limit."""
        if self.limit is None:
            return None
        return self.at_end / self.limit if self.limit else 1.0

    @property
    def is_frozen(self) -> bool:
        """Whether no new order is routed to it."""
        return self.warehouse.is_frozen

    @property
    def tone(self) -> str:
        """hold, bad (full, or will be), warn (nearly), ok."""
        if self.is_frozen:
            return "hold"
        if self.limit is not None and (self.full_at is not None or self.left == 0):
            return "bad"
        return "warn" if (self.share or 0) >= WATCH_SHARE else "ok"


def houses(*, merchant_id: int | None, now: datetime) -> list[House]:
    """All active warehouses a person may see, the most pressing first; five queries, more when history is stale."""
    rows = Warehouse.objects.filter(is_active=True).order_by("pk")
    found = list(rows.filter(merchant_id=merchant_id) if merchant_id else rows)
    days = {house.pk: working_day(house, now) for house in found}
    used = _used(days)
    work = _work(list(days))
    held: dict[int, list[WarehouseLever]] = {}
    for lever in levers.levers_in_force(now=now, merchant_id=merchant_id):
        held.setdefault(lever.warehouse_id, []).append(lever)
    pace_of, cover_of = paces(found, now=now), covers(found, now=now)
    board = [
        _house(house, days[house.pk], used, work, held.get(house.pk, []), pace_of, cover_of, now=now)
        for house in found
    ]
    return sorted(board, key=_pressing)


def _house(
    house: Warehouse,
    day: date,
    used: dict[tuple[int, date], int],
    work: dict[tuple[int, str], int],
    held: Sequence[WarehouseLever],
    pace_of: dict[int, Pace],
    cover_of: dict[int, Cover],
    *,
    now: datetime,
) -> House:
    cutoff_at = datetime.combine(day, house.cutoff_at, tzinfo=ZoneInfo(house.time_zone))
    limit = limit_of(house, held)
    mine = pace_of.get(house.merchant_id, Pace({}))
    coming = 0.0 if house.is_frozen else mine.coming(house.pk, now, cutoff_at)
    taken = used.get((house.pk, day), 0)
    full_at = None
    if limit is not None and not house.is_frozen:
        full_at = mine.full_at(house.pk, limit - taken, now, cutoff_at)
    return House(
        warehouse=house,
        day=day,
        used=taken,
        limit=limit,
        next_used=used.get((house.pk, day + timedelta(days=1)), 0),
        reserved=sum(work.get((house.pk, state), 0) for state in _WAITING),
        at_work=sum(work.get((house.pk, state), 0) for state in _AT_WORK),
        coming=coming,
        full_at=full_at,
        cutoff_at=cutoff_at,
        cover=cover_of.get(house.pk, Cover(None, 0)),
        levers=tuple(held),
    )


def limit_of(house: Warehouse, held: Sequence[WarehouseLever]) -> int | None:
    """Parcels the warehouse may do a day: its own limit, or the lever's where that is lower."""
    lowered = [int(lever.value or 0) for lever in held if lever.kind == WarehouseLever.Kind.CAPACITY]
    known = [limit for limit in (house.capacity_per_day, *lowered) if limit is not None]
    return min(known, default=None)


def _pressing(house: House) -> tuple[int, datetime, float, int]:
    order = {"bad": 0, "warn": 1, "ok": 2, "hold": 3}
    return order[house.tone], house.full_at or house.cutoff_at, -(house.share or 0), house.warehouse.pk


def working_day(house: Warehouse, now: datetime) -> date:
    """The local day new orders are worked on: today until the cut-off, then tomorrow."""
    local = now.astimezone(ZoneInfo(house.time_zone))
    return local.date() if local.time() <= house.cutoff_at else local.date() + timedelta(days=1)


def _used(days: dict[int, date]) -> dict[tuple[int, date], int]:
    wanted = {day + timedelta(days=n) for day in days.values() for n in (0, 1)}
    rows = WarehouseDay.objects.filter(warehouse_id__in=days, date__in=wanted)
    return {(pk, day): parcels for pk, day, parcels in rows.values_list("warehouse_id", "date", "parcels")}


def _work(warehouse_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    rows = FulfillmentOrder.objects.filter(warehouse_id__in=warehouse_ids, state__in=(*_WAITING, *_AT_WORK))
    counted = rows.order_by().values_list("warehouse_id", "state").annotate(number=Count("pk"))
    return {(pk, state): number for pk, state, number in counted}


# ---- the slow half -------------------------------------------------------------------------------


def paces(found: Sequence[Warehouse], *, now: datetime) -> dict[int, Pace]:
    """The pace of each merchant's warehouses."""
    groups: dict[int, list[int]] = {}
    for house in found:
        groups.setdefault(house.merchant_id, []).append(house.pk)
    keys = {f"board:pace:{pk}": pk for pk in groups}
    known: dict[str, Any] = cache.get_many(list(keys))
    made = {key: _pace(pk, groups[pk], now=now) for key, pk in keys.items() if key not in known}
    if made:
        cache.set_many(made, PACE_SECONDS)
    return {pk: Pace(*{**known, **made}[key]) for key, pk in keys.items()}


def _pace(merchant_id: int, warehouse_ids: Sequence[int], *, now: datetime) -> tuple[Any, ...]:
    today = localtime(now).date()
    since = now - timedelta(days=HISTORY_DAYS)
    history = WarehouseDay.objects.filter(
        warehouse_id__in=warehouse_ids, date__gte=today - timedelta(days=HISTORY_DAYS), date__lt=today
    )
    per_day = dict(history.order_by().values_list("warehouse_id").annotate(mean=Avg("parcels")))
    orders = Order.objects.filter(merchant_id=merchant_id)
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    by_hour = _by_hour(orders.filter(received_at__gte=since, received_at__lt=midnight))
    hours = pace.shares(by_hour)
    seen = orders.filter(received_at__gte=midnight, received_at__lte=now).count()
    usual = Pace({0: sum(by_hour.values()) / HISTORY_DAYS}, hours)
    busier = pace.level(seen, usual.coming(0, midnight, now))
    return {pk: float(mean) for pk, mean in per_day.items()}, hours, busier


def _by_hour(orders: Any) -> dict[int, int]:
    hours = orders.annotate(hour=ExtractHour("received_at", tzinfo=ZoneInfo("UTC")))
    return dict(hours.order_by().values_list("hour").annotate(number=Count("pk")))


def covers(found: Sequence[Warehouse], *, now: datetime) -> dict[int, Cover]:
    """The cover of each warehouse."""
    keys = {f"board:cover:{house.pk}": house.pk for house in found}
    known: dict[str, Any] = cache.get_many(list(keys))
    missing = [pk for key, pk in keys.items() if key not in known]
    made = {f"board:cover:{pk}": value for pk, value in _covers(missing, now=now).items()} if missing else {}
    if made:
        cache.set_many(made, COVER_SECONDS)
    return {pk: Cover(*{**known, **made}[key]) for key, pk in keys.items()}


def _covers(warehouse_ids: Sequence[int], *, now: datetime) -> dict[int, tuple[float | None, int]]:
    shipped = _shipped(warehouse_ids, since=now - timedelta(days=HISTORY_DAYS))
    units: dict[int, int] = dict.fromkeys(warehouse_ids, 0)
    thin: dict[int, int] = dict.fromkeys(warehouse_ids, 0)
    rows = Stock.objects.filter(warehouse_id__in=warehouse_ids).annotate(free=F("on_hand") - F("reserved"))
    for pk, warehouse_id, free in rows.values_list("pk", "warehouse_id", "free").iterator():
        daily = shipped.get(pk, (0, 0))[1] / HISTORY_DAYS
        units[warehouse_id] += free
        thin[warehouse_id] += bool(daily) and free < THIN_DAYS * daily
    out: dict[int, int] = {}
    for warehouse_id, count in shipped.values():
        out[warehouse_id] = out.get(warehouse_id, 0) + count
    return {
        pk: (units[pk] * HISTORY_DAYS / out[pk] if out.get(pk) else None, thin[pk]) for pk in warehouse_ids
    }


def _shipped(warehouse_ids: Sequence[int], *, since: datetime) -> dict[int, tuple[int, int]]:
    """Units shipped by stock row, with its warehouse."""
    rows = Movement.objects.filter(
        kind=Movement.Kind.SHIP, moved_at__gte=since, stock__warehouse_id__in=warehouse_ids
    )
    sums = rows.order_by().values_list("stock_id", "stock__warehouse_id").annotate(n=Sum("on_hand_change"))
    return {stock_id: (warehouse_id, -count) for stock_id, warehouse_id, count in sums}
