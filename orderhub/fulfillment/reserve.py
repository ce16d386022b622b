"""Taking stock for planned fulfillment orders, all of an order or nothing, and giving it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.events.log import Fact
from orderhub.fulfillment import kinds
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory import services as inventory
from orderhub.inventory.services import Load, Take
from orderhub.orders import ledger
from orderhub.orders.models import Order, OrderLine

ROW_FIELDS = ("state", "updated_at")


def take(
    orders: Sequence[Order], *, rows: Sequence[FulfillmentOrder] | None = None, now: datetime, actor: str
) -> dict[int, str]:
    """Reserve the planned fulfillment orders of locked orders; the orders that got nothing, with why.

    Per order all units and all parcel slots or nothing: "stock" or "capacity" says what somebody else was
    quicker to take. Lines made to order take units of a factory's day instead of stock. Locks stock before
    warehouse days, as everybody does. `rows` are what is planned for the orders, lines loaded, if the caller
    has it.
    """
    rows = planned(orders, State.PLANNED) if rows is None else rows
    refused = _take_stock(rows, now=now, actor=actor)
    in_stock = [row for row in rows if row.order_id not in refused]
    full = inventory.take_capacity(_slots(in_stock))
    late = [row for row in in_stock if row.order_id in full]
    inventory.free(_takes(late), reference="order", actor=actor, now=now)
    taken = [row for row in in_stock if row.order_id not in full]
    for row in taken:
        row.to_reserved()
        row.updated_at = now
        for line in row.lines.all():
            line.reserved = line.quantity
    writing.save(taken, ROW_FIELDS)
    writing.save([line for row in taken for line in row.lines.all()], ["reserved"])
    log.record(
        [_fact(row, kinds.RESERVED.name, lines=len(row.lines.all())) for row in taken], now=now, actor=actor
    )
    return refused | {row.order_id: "capacity" for row in late}


def drop(
    order_ids: Sequence[int],
    *,
    lines: Iterable[OrderLine],
    now: datetime,
    actor: str,
    move_units: bool = True,
) -> list[FulfillmentOrder]:
    """Take back what is planned or reserved for locked orders; their stock is free again.

    `lines` are the loaded lines of the orders: allocated units become open (the caller saves them), unless
    `move_units` is False because somebody moved them already. Planned rows vanish: nobody outside has seen
    them. Reserved ones are cancelled, with an event. Returns the rows.
    """
    rows = planned(order_ids, State.PLANNED, State.RESERVED)
    if not rows:
        return []
    by_id = {line.pk: line for line in lines}
    parts = [line for row in rows for line in row.lines.all()]
    if move_units:
        ledger.move(
            [ledger.Move(by_id[part.order_line_id], "allocated", "open", part.quantity) for part in parts]
        )
    seen = [row for row in rows if row.state == State.RESERVED]
    give_back(seen, now=now, actor=actor)
    for row in seen:
        row.to_cancelled()
        row.updated_at = now
    writing.save(seen, ROW_FIELDS)
    FulfillmentOrder.objects.filter(pk__in=[row.pk for row in rows if row.state == State.PLANNED]).delete()
    facts = [_fact(row, kinds.CANCELLED.name, reason="replanned") for row in seen]
    log.record(facts, now=now, actor=actor)
    return rows


def give_back(rows: Sequence[FulfillmentOrder], *, now: datetime, actor: str) -> None:
    """Free everything these locked fulfillment orders (lines loaded) hold of stock and of the day's
    capacity."""
    held = [line for row in rows for line in row.lines.all() if line.reserved]
    by_row = {row.pk: row for row in rows}
    takes = [
        Take(
            by_row[line.fulfillment_id].order_id,
            by_row[line.fulfillment_id].warehouse_id,
            line.sku_id,
            line.reserved,
        )
        for line in held
        if line.made_on is None
    ]
    inventory.free(takes, reference="order", actor=actor, now=now)
    inventory.free_capacity(_slots(rows, [line.reserved for row in rows for line in row.lines.all()]))
    for line in held:
        line.reserved = 0
    writing.save(held, ["reserved"])


def planned(orders: Sequence[Order] | Sequence[int], *states: State) -> list[FulfillmentOrder]:
    """The fulfillment orders of these orders in these states, with lines and warehouse; two queries."""
    rows = FulfillmentOrder.objects.filter(order__in=orders, state__in=states)
    return list(rows.select_related("warehouse").prefetch_related("lines").order_by("order_id", "pk"))


def _take_stock(rows: Sequence[FulfillmentOrder], *, now: datetime, actor: str) -> dict[int, str]:
    keys = inventory.take(_takes(rows), reference="order", actor=actor, now=now)
    return {row.order_id: "stock" for row in rows if row.order_id in keys}


def _takes(rows: Iterable[FulfillmentOrder]) -> list[Take]:
    return [
        Take(row.order_id, row.warehouse_id, line.sku_id, line.quantity)
        for row in rows
        for line in row.lines.all()
        if line.made_on is None
    ]


def _slots(rows: Sequence[FulfillmentOrder], made: Sequence[int] | None = None) -> list[Load]:
    """One parcel per fulfillment order on its planned day, and what is made to order on the day of its making.

    `made` are the units of all lines in turn, if not all of them.
    """
    parcels = [
        Load(row.order_id, row.warehouse_id, row.capacity_date)
        for row in rows
        if row.capacity_date is not None
    ]
    lines = [(row, line) for row in rows for line in row.lines.all()]
    units = made if made is not None else [line.quantity for _row, line in lines]
    return parcels + [
        Load(row.order_id, row.warehouse_id, line.made_on, parcels=0, made=count)
        for (row, line), count in zip(lines, units, strict=True)
        if line.made_on is not None and count
    ]


def _fact(row: FulfillmentOrder, kind: str, **payload: object) -> Fact:
    told = {"fulfillment": row.number, "warehouse": row.warehouse.code, **payload}
    return Fact(stream=f"order:{row.order_id}", kind=kind, payload=told, merchant_id=row.merchant_id)
