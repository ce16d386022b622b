"""Parcel slots in a replay: the day a warehouse would work on an order in an arm, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from orderhub.inventory.models import Warehouse
from routing import load
from routing.engine.model import Node
from routing.twin.history import Logged, LoggedParcel
from routing.twin.ledger import Arm, Price, Shelves

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Found:
    """Where the next parcel of a node counts in an arm; `is_as_logged` if that is what really was."""

    day: date | None
    left: int | None
    price: Price
    wait_hours: Decimal
    is_as_logged: bool = True


@dataclass(slots=True)
class Yards:
    """The merchant's warehouses as they are today: time zone, cut-off and capacity of days not in the log."""

    warehouses: dict[int, Warehouse]
    _logged_days: dict[int, date] = field(default_factory=dict)
    #: Days ahead and which of them the log speaks of, by warehouse, for the decision looked at.
    _seen: dict[tuple[int, datetime], tuple[list[date], int]] = field(default_factory=dict)

    def look(self, logged: Logged) -> None:
        """Note the days this decision's parcels really counted for."""
        self._logged_days = {row.warehouse_id: row.date for row in logged.parcels if row.date}
        self._seen.clear()

    def day_of(self, row: LoggedParcel) -> date | None:
        """The day a parcel really counted for."""
        return row.date

    def slot(self, arm: Arm, node: Node, at: datetime, shelves: Shelves) -> Found:
        """The first day with a slot, seen from that moment."""
        warehouse = self.warehouses.get(node.id)
        if warehouse is None:  # deleted since: only what the log says of it is known
            day = self._logged_days.get(node.id)
            return Found(day, node.capacity_left, node.capacity_price, node.cutoff_wait_hours)
        seen = self._seen.get((node.id, at))
        if seen is None:
            ahead = load.working_days(warehouse, now=at)
            seen = self._seen[node.id, at] = ahead, self._index(node, warehouse, ahead, at)
        days, here = seen
        as_logged = Found(days[here], node.capacity_left, node.capacity_price, node.cutoff_wait_hours)
        if node.capacity_left is None or not arm.more_slots:
            return as_logged
        more = [arm.more_slots.get((node.id, day), 0) for day in days]
        if not any(more):
            return as_logged
        lefts = [self._left(node, warehouse, n, here, days, more, shelves) for n in range(len(days))]
        n = next((n for n, left in enumerate(lefts) if left > 0), len(days) - 1)
        if n == here and lefts[n] == node.capacity_left:
            return as_logged
        wait = node.cutoff_wait_hours if n == here else _wait_hours(warehouse, days[n], at)
        return Found(days[n], lefts[n], shelves.slot_price(node, lefts[n]), wait, is_as_logged=False)

    def _index(self, node: Node, warehouse: Warehouse, days: list[date], at: datetime) -> int:
        """Which of the days the log speaks of: the parcel's own, else the one with that wait."""
        logged = self._logged_days.get(node.id)
        if logged in days:
            return days.index(logged)
        waits = (_wait_hours(warehouse, day, at) for day in days)
        return next((n for n, wait in enumerate(waits) if wait == node.cutoff_wait_hours), 0)

    def _left(
        self,
        node: Node,
        warehouse: Warehouse,
        n: int,
        here: int,
        days: list[date],
        more: list[int],
        shelves: Shelves,
    ) -> int:
        """Slots of a day: days before the logged one were full, later ones are today's capacity less what
        the replayed orders really had there."""
        if n < here:
            return max(0, -more[n])
        if n == here:
            return max(0, (node.capacity_left or 0) - more[n])
        used = shelves.slots.get((node.id, days[n]), 0)
        return max(0, (warehouse.capacity_per_day or 0) - used - more[n])


def _wait_hours(warehouse: Warehouse, day: date, at: datetime) -> Decimal:
    """Hours until that day's work, as routing reckons them."""
    starts = datetime.combine(day, load.DAY_STARTS_AT, tzinfo=ZoneInfo(warehouse.time_zone))
    return (Decimal(max(0, int((starts - at).total_seconds()))) / 3600).quantize(CENT)
