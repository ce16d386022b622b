"""How full a warehouse is: the day it can next work on an order, the wait until then and the price of a
slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from orderhub.inventory.models import Warehouse, WarehouseDay
from routing.pricing.levers import Held
from routing.pricing.slots import Slots

DAYS_AHEAD = 7
NO_LEVERS: Mapping[int, Held] = {}
NO_SLOTS: Mapping[int, Slots | None] = {}
DAY_STARTS_AT = time(8)  # after the cut-off, work goes on the next local morning
# Slots cost nothing up to this share of a day's capacity, then up to the full price in a straight line.
FREE_SHARE = Decimal("0.8")
FULL_PRICE = Decimal(4)
CENT = Decimal("0.01")


@dataclass(slots=True)
class Load:
    """Parcel slots of one warehouse by day, from the first day it can work on (`capacity` None: no limit).

    ``made``: units promised to be made to order, by day. ``ends``: the cut-off of each day. ``surcharge``: yuan per
    parcel set by hand. ``slots``: what slots are worth by the price book, None without one.
    """

    days: list[date]
    used: list[int]
    waits: list[Decimal]
    capacity: int | None
    ends: list[datetime] = field(default_factory=list)
    surcharge: Decimal = Decimal(0)
    slots: Slots | None = None
    warehouse_id: int = 0
    now: datetime | None = None
    made: list[int] = field(default_factory=lambda: [0] * DAYS_AHEAD)

    def take(self, parcels: int) -> None:
        """Use slots of the present day."""
        self.used[self._at] += parcels

    def make(self, day: date, units: int) -> None:
        """Use up some of a day's work on goods made to order."""
        self.made[self.days.index(day)] += units

    def free(self, day: date, parcels: int) -> None:
        """Give slots of one of the days back; of other days nothing is known."""
        if day in self.days:
            at = self.days.index(day)
            self.used[at] = max(0, self.used[at] - parcels)

    @property
    def _at(self) -> int:
        """The first day with a slot; the last one looked at if all are full."""
        if self.capacity is None:
            return 0
        return next((n for n, used in enumerate(self.used) if used < self.capacity), len(self.days) - 1)

    @property
    def date(self) -> date:
        """The local day the next parcel counts for."""
        return self.days[self._at]

    @property
    def wait_hours(self) -> Decimal:
        """Hours until that day's work."""
        return self.waits[self._at]

    @property
    def left(self) -> int | None:
        """Slots left on that day."""
        return None if self.capacity is None else max(0, self.capacity - self.used[self._at])

    @property
    def price(self) -> Decimal:
        """Yuan for the next parcel: what its slot is worth to the parcels still to come, and the surcharge.

        Without a price book the price rises in a straight line as the day fills up.
        """
        if self.capacity is None:
            return self.surcharge
        if self.slots is not None and self.now is not None:
            until = self.ends[self._at]
            near = self.slots.near_price(self.warehouse_id, self.left or 0, now=self.now, until=until)
            return Decimal(str(round(near, 2))) + self.surcharge
        if not self.capacity:
            return self.surcharge
        over = Decimal(self.used[self._at]) / self.capacity - FREE_SHARE
        straight = (max(over, Decimal(0)) / (1 - FREE_SHARE) * FULL_PRICE).quantize(CENT)
        return straight + self.surcharge


def shared_price(loads: Sequence[Load]) -> Decimal:
    """Yuan on top for the next parcel of any of a merchant's warehouses as all of them fill up together; 0
    where one of them has no limit.
    """
    slots = loads[0].slots if loads else None
    if slots is None or any(load.capacity is None for load in loads):
        return Decimal(0)
    now, until = loads[0].now, max(load.ends[load._at] for load in loads)
    if now is None:
        return Decimal(0)
    yuan = slots.all_price(sum(load.left or 0 for load in loads), now=now, until=until)
    return Decimal(str(round(yuan, 2)))


def loads(
    warehouses: Sequence[Warehouse],
    *,
    now: datetime,
    levers: Mapping[int, Held] = NO_LEVERS,
    slots: Mapping[int, Slots | None] = NO_SLOTS,
) -> dict[int, Load]:
    """The load of each warehouse from its next working day on; one query. `slots` are by merchant."""
    days = {warehouse.pk: working_days(warehouse, now=now) for warehouse in warehouses}
    used = _used(days, (day for found in days.values() for day in found))
    return {
        warehouse.pk: Load(
            days=days[warehouse.pk],
            used=[used.get((warehouse.pk, day), (0, 0))[0] for day in days[warehouse.pk]],
            waits=[_wait_hours(warehouse, day, now=now) for day in days[warehouse.pk]],
            capacity=_lowered(warehouse.capacity_per_day, levers.get(warehouse.pk)),
            ends=[_ends_at(warehouse, day) for day in days[warehouse.pk]],
            surcharge=levers[warehouse.pk].yuan_per_parcel if warehouse.pk in levers else Decimal(0),
            slots=slots.get(warehouse.merchant_id),
            warehouse_id=warehouse.pk,
            now=now,
            made=[used.get((warehouse.pk, day), (0, 0))[1] for day in days[warehouse.pk]],
        )
        for warehouse in warehouses
    }


def working_days(warehouse: Warehouse, *, now: datetime) -> list[date]:
    """The local days an order may be worked on: today until the cut-off, then from tomorrow."""
    local = now.astimezone(ZoneInfo(warehouse.time_zone))
    first = local.date() if local.time() <= warehouse.cutoff_at else local.date() + timedelta(days=1)
    return [first + timedelta(days=n) for n in range(DAYS_AHEAD)]


def _lowered(capacity: int | None, held: Held | None) -> int | None:
    """The parcels of a day; a lever only ever takes some away."""
    if held is None or held.parcels is None:
        return capacity
    return held.parcels if capacity is None else min(capacity, held.parcels)


def _ends_at(warehouse: Warehouse, day: date) -> datetime:
    return datetime.combine(day, warehouse.cutoff_at, tzinfo=ZoneInfo(warehouse.time_zone))


def _wait_hours(warehouse: Warehouse, day: date, *, now: datetime) -> Decimal:
    starts = datetime.combine(day, DAY_STARTS_AT, tzinfo=ZoneInfo(warehouse.time_zone))
    seconds = max(0, int((starts - now).total_seconds()))
    return (Decimal(seconds) / 3600).quantize(CENT)


def _used(warehouse_ids: Iterable[int], days: Iterable[date]) -> dict[tuple[int, date], tuple[int, int]]:
    """Parcels and units made to order, by warehouse and day."""
    rows = WarehouseDay.objects.filter(warehouse_id__in=set(warehouse_ids), date__in=set(days))
    return {
        (pk, day): (parcels, made)
        for pk, day, parcels, made in rows.values_list("warehouse_id", "date", "parcels", "made")
    }
