"""The steps routing owns: choosing warehouses, and waiting for the pick wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.fulfillment import plan
from orderhub.orders import carrying
from orderhub.orders.models import Order
from orderhub.orders.services import STOCK
from routing import services
from routing.waves import waiting
from rules.flow import NEXT, Context, Verdict, step, wait


@step("routing.route", zh="选择发货仓", en="Choose warehouses")
def route(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Decide which warehouse ships what; an order that nobody can ship a unit of waits for stock."""
    statuses = services.route(
        orders,
        lines=carrying.lines_of(orders, context),
        planned=plan.kept(context),
        releases=waiting.releases(orders, context),
        now=context.now,
        actor=context.actor,
    )
    for order in orders:
        if statuses[order.pk] == "unroutable":
            order.attempts = 0
    return {order.pk: wait(STOCK) if statuses[order.pk] == "unroutable" else NEXT for order in orders}


@step(waiting.STEP, zh="等待拣货波次", en="Wait for the pick wave")
def wave(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Let orders wait whose merchant picks in waves; those of other merchants go straight on."""
    releases = waiting.releases(orders, context)
    return {order.pk: wait(waiting.WAITING_FOR) if order.pk in releases else NEXT for order in orders}
