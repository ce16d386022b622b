"""Work orders at factories, opened when made lines are released: what is to be made, of what, and from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from orderhub.events.log import Fact
from orderhub.fulfillment.models import ComponentHold, FulfillmentLine, FulfillmentOrder, WorkOrder
from orderhub.fulfillment.plan import LATEST
from orderhub.inventory import boms
from orderhub.inventory.bom.explosion import Need
from orderhub.inventory.models import Workshop
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order

#: A factory begins a day's work at this local time.
OPENING = time(8)
_USUAL_HOURS = Decimal(24)


def is_made(row: FulfillmentOrder) -> bool:
    """Whether any of its lines (at hand) is made to order."""
    return any(part.made_on is not None for part in row.lines.all())


def units_made(row: FulfillmentOrder) -> int:
    """Units of its lines (at hand) that are made to order."""
    return sum(part.quantity for part in row.lines.all() if part.made_on is not None)


def open_works(
    rows: Sequence[FulfillmentOrder], orders: Mapping[int, Order], *, now: datetime
) -> list[WorkOrder]:
    """A work order with its needs for each fulfillment order that makes something; none and no query for all others.

    What the factory's shelf has of the components is looked at a moment later (`components.settle`), so that stock is not
    locked while orders walk on.
    """
    made = [row for row in rows if is_made(row)]
    if not made:
        return []
    hours = dict(
        Workshop.objects.filter(warehouse__in={row.warehouse_id for row in made}).values_list(
            "warehouse_id", "hours"
        )
    )
    works, holds = [], []
    for row in made:
        start, finish = _plan(row, hours.get(row.warehouse_id, _USUAL_HOURS), now=now)
        works.append(
            WorkOrder(
                merchant_id=row.merchant_id, fulfillment=row, quantity=units_made(row), planned_start_at=start,
                planned_finish_at=finish, due_at=_due(row, orders[row.order_id], finish), created_at=now,
            )
        )  # fmt: skip
    for work in works:
        holds += _holds(work)
    WorkOrder.objects.bulk_create(works)
    ComponentHold.objects.bulk_create(holds)
    return works


def _plan(row: FulfillmentOrder, hours: Decimal, *, now: datetime) -> tuple[datetime, datetime]:
    """From the first of its days (now, if that is today) until its last one is done."""
    zone = ZoneInfo(row.warehouse.time_zone)
    days = [part.made_on for part in row.lines.all() if part.made_on is not None]
    first, last = (_opening(day, zone, now) for day in (min(days), max(days)))
    return first, last + timedelta(seconds=int(hours * 3600))


def _opening(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    return max(now, datetime.combine(day, OPENING, tzinfo=zone)) if day > now.astimezone(zone).date() else now


def _due(row: FulfillmentOrder, order: Order, finish: datetime) -> datetime | None:
    """When it must be made so that the promise holds: the promise less the way from the factory to the door."""
    if order.promised_at is None:
        return None
    making = int((finish - row.created_at).total_seconds())
    way = max(0, int(row.planned_hours * 3600) - making)
    return order.promised_at - timedelta(seconds=int(way * LATEST))


def _holds(work: WorkOrder) -> list[ComponentHold]:
    """What each made line needs; a bill that cannot be taken apart is noted on the work order and stops nothing."""
    found = []
    for part in work.fulfillment.lines.all():
        if part.made_on is None:
            continue
        try:
            needed = boms.needs(work.merchant_id, {part.sku_id: part.quantity}, on=part.made_on)
        except Refused as no:
            work.bom_fault = str(no)[:300]
            continue
        found += [_hold(work, part, need) for need in needed]
    return found


def _hold(work: WorkOrder, part: FulfillmentLine, need: Need[int]) -> ComponentHold:
    return ComponentHold(
        work=work, line=part, sku_id=need.article, needed=need.quantity, unit=need.unit, units=need.units,
        instead=[[pk, str(ratio)] for pk, ratio in need.instead],
    )  # fmt: skip


def with_made(facts: Iterable[Fact], rows: Sequence[FulfillmentOrder]) -> list[Fact]:
    """Release facts that say how many units are made to order, so that factories are told of these and no others."""
    units = {row.number: units_made(row) for row in rows}
    found = []
    for fact in facts:
        count = units.get(str(fact.payload["fulfillment"]), 0)
        more = {**fact.payload, "made": count} if count else fact.payload
        found.append(Fact(fact.stream, fact.kind, more, fact.merchant_id, fact.occurred_at))
    return found
