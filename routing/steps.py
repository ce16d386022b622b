"""The step routing owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.fulfillment import plan
from orderhub.orders import carrying
from orderhub.orders.models import Order
from orderhub.orders.services import STOCK
from routing import services
from rules.flow import NEXT, Context, Verdict, step, wait


@step("routing.route", zh="选择发货仓", en="Choose warehouses")
def route(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Decide which warehouse ships what; an order that nobody can ship a unit of waits for stock."""
    statuses = services.route(
        orders,
        lines=carrying.lines_of(orders, context),
        planned=plan.kept(context),
        now=context.now,
        actor=context.actor,
    )
    for order in orders:
        if statuses[order.pk] == "unroutable":
            order.attempts = 0
    return {order.pk: wait(STOCK) if statuses[order.pk] == "unroutable" else NEXT for order in orders}
