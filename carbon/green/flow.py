"""Consolidation in drawn flows: green orders wait in the pool of their area before they are handed to the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from carbon.green import offers, plans, pool, services
from carbon.green.models import GreenChoice
from orderhub.orders.flows import nodes
from orderhub.orders.models import Order
from rules.flow import Context, Verdict, step


@step(
    "carbon.pool", zh="合并配送等待", en="Wait for consolidation", group="wait", icon="leaf", after=("routing.route",),
    before=("fulfillment.release",), pauses=True,
)  # fmt: skip
def wait_in_pool(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Let green orders wait until their pool is full or its time is up, once; others go straight on."""
    fresh = [order for order in orders if order.green and not nodes.is_marked(order, context)]
    joined = {order.pk: until for order in fresh if (until := _join(order, context)) is not None}
    waiting = [order for order in fresh if order.pk in joined]
    nodes.hold(waiting, context, lambda order: joined[order.pk])
    return nodes.verdicts(orders, waiting)


def _join(order: Order, context: Context) -> nodes.HoldFor | None:
    """The hold of an order that has joined its pool; None where its merchant offers none or it cannot wait."""
    setting = offers.setting_of(order.merchant_id)
    if setting is None:
        return None
    rows = plans.of(order, now=context.now)
    found = offers.offer(order, setting, now=context.now, rows=rows)
    if found is None:
        return None
    choice = GreenChoice.objects.filter(order=order).first()
    if choice is None:
        choice = services.kept(order, found, source=GreenChoice.Source.CHECKOUT, now=context.now)
    if choice.pool_id is not None:
        return None
    joined = pool.enter(choice, order, found, setting, now=context.now)
    return pool.REASON, f"{pool.DETAIL}{joined.pk}", joined.closes_at
