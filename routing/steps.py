"""The steps routing owns: choosing warehouses, and waiting for the pick wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.fulfillment import plan
from orderhub.orders import carrying
from orderhub.orders.flows import nodes
from orderhub.orders.models import Order
from orderhub.orders.services import STOCK
from routing import services, strategies
from routing.models import Strategy
from routing.waves import waiting
from rules.flow import NEXT, Choice, Context, Param, Verdict, step, wait


@step(
    "routing.route", zh="选择发货仓", en="Choose warehouses", icon="route", required=True, once=True,
    after=("order.screen",),
)  # fmt: skip
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


@step(
    waiting.STEP, zh="等待拣货波次", en="Wait for the pick wave", group="wait", icon="calendar", once=True,
    after=("fulfillment.reserve",), before=("fulfillment.release",),
)  # fmt: skip
def wave(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Let orders wait whose merchant picks in waves; those of other merchants go straight on."""
    releases = waiting.releases(orders, context)
    return {order.pk: wait(waiting.WAITING_FOR) if order.pk in releases else NEXT for order in orders}


def _strategies(scope: str) -> list[Choice]:
    """The active strategies of a merchant, or, of all of them, one for each code."""
    rows = Strategy.objects.filter(is_active=True).order_by("code", "pk")
    rows = rows.filter(merchant_id=int(scope.removeprefix("merchant:"))) if scope else rows
    return list({row.code: Choice(row.code, row.name, row.name_en or row.name) for row in rows}.values())


@step(
    "routing.strategy", zh="指定路由策略", en="Assign a strategy", group="act", icon="route", before=("routing.route",),
    params=(Param("strategy", "choice", "策略", "strategy", among=_strategies),),
)  # fmt: skip
def assign_strategy(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Let routing use this strategy for the orders, before any rule or channel; one that is gone counts for nothing."""
    for order in orders:
        strategies.assign(order, nodes.given(order, context, "strategy"))
    return nodes.all_on(orders)
