"""The two steps fulfillment owns: taking the stock, and handing the order to its warehouses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.fulfillment import (
    flow_facts,  # noqa: F401  (teaches drawn flows)
    kinds,
    making,
    plan,
    reserve,
)
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.orders import carrying, holding, ledger, lifecycle
from orderhub.orders import kinds as order_kinds
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order, OrderLine
from rules.flow import NEXT, Context, Verdict, again, step, wait

# A plan that loses its stock to somebody else this often in a row waits for stock instead of trying on.
MOST_ATTEMPTS = 3


@step(
    "fulfillment.reserve", zh="预占库存", en="Reserve stock", icon="box", required=True, once=True,
    after=("routing.route",), before=("fulfillment.release",),
)  # fmt: skip
def reserve_stock(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Take the stock of what is planned; an order that cannot have all of it is routed afresh, three times
    at most."""
    refused = reserve.take(orders, rows=_planned_here(orders, context), now=context.now, actor=context.actor)
    losers = [order for order in orders if order.pk in refused]
    again_ids = {order.pk for order in losers if order.attempts + 1 < MOST_ATTEMPTS}
    if losers:
        _unplan(losers, refused, again_ids, context)
    for order in orders:
        if order.pk not in again_ids:
            order.attempts = 0
    return {order.pk: _after_reserve(order.pk, refused, again_ids) for order in orders}


@step(
    "fulfillment.release", zh="下发仓库", en="Hand to the warehouse", icon="truck", required=True, once=True,
    after=("order.screen", "fulfillment.reserve"),
)  # fmt: skip
def release(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Hand every reserved fulfillment order to its warehouse; what still waits for stock is looked for
    again."""
    rows = _planned_here(orders, context)
    rows = reserve.planned(orders, State.RESERVED) if rows is None else rows
    lines = carrying.lines_of(orders, context)
    by_id = {line.pk: line for line in _flat(lines)}
    for row in rows:
        row.to_released()
        row.released_at = row.updated_at = context.now
        ledger.move(
            [
                ledger.Move(by_id[part.order_line_id], "allocated", "released", part.quantity)
                for part in row.lines.all()
            ]
        )
    writing.save(rows, ["state", "released_at", "updated_at"])
    ledger.save(by_id[part.order_line_id] for row in rows for part in row.lines.all())
    changed = lifecycle.settle((order, lines[order.pk]) for order in orders)
    lifecycle.save(changed, ["stage"], now=context.now)
    making.open_works(rows, {order.pk: order for order in orders}, now=context.now)
    log.record(making.with_made(_released(rows, changed), rows), now=context.now, actor=context.actor)
    return {order.pk: _after_release(lines[order.pk]) for order in orders}


def _planned_here(orders: Sequence[Order], context: Context) -> list[FulfillmentOrder] | None:
    """What this pass has planned for the orders; None if any of them came in planned already."""
    known = plan.kept(context)
    if not all(order.pk in known for order in orders):
        return None
    return [row for order in orders for row in known[order.pk]]


def _after_reserve(order_id: int, refused: Mapping[int, str], again_ids: Collection[int]) -> Verdict:
    if order_id not in refused:
        return NEXT
    return again(lifecycle.ROUTING_STEP) if order_id in again_ids else wait(orders_services.STOCK)


def _unplan(
    orders: Sequence[Order], why: Mapping[int, str], again_ids: Collection[int], context: Context
) -> None:
    """Drop plans that got no stock: units open again, and the order either tries again or waits."""
    lines = holding.lines_of(orders)
    reserve.drop([order.pk for order in orders], lines=_flat(lines), now=context.now, actor=context.actor)
    ledger.save(_flat(lines))
    retrying = [order for order in orders if order.pk in again_ids]
    changed = lifecycle.settle((order, lines[order.pk]) for order in retrying)
    lifecycle.save(changed, ["stage"], now=context.now)
    moved = {order.pk for order in changed}
    facts = [
        log.Fact(
            order.stream,
            order_kinds.REROUTED.name,
            {"reason": f"{why[order.pk]}_taken", **({"stage": order.stage} if order.pk in moved else {})},
            order.merchant_id,
        )
        for order in retrying
    ]
    log.record(facts, now=context.now, actor=context.actor)
    waiting = [order for order in orders if order.pk not in again_ids]
    orders_services.backorder(
        waiting, reason="stock_taken", lines=lines, now=context.now, actor=context.actor
    )


def _after_release(lines: Sequence[OrderLine]) -> Verdict:
    waits = any(line.open or line.backordered for line in lines)
    return again(lifecycle.ROUTING_STEP) if waits else NEXT


def _released(rows: Sequence[FulfillmentOrder], changed: Sequence[Order]) -> list[log.Fact]:
    """One fact each; the first of an order tells its new stage."""
    stages = {order.pk: order.stage for order in changed}
    facts = []
    for row in rows:
        payload: dict[str, object] = {"fulfillment": row.number, "warehouse": row.warehouse.code}
        if row.order_id in stages:
            payload["stage"] = stages.pop(row.order_id)
        facts.append(log.Fact(f"order:{row.order_id}", kinds.RELEASED.name, payload, row.merchant_id))
    return facts


def _flat(lines: Mapping[int, Sequence[OrderLine]]) -> list[OrderLine]:
    return [line for group in lines.values() for line in group]
