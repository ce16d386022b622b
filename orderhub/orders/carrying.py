"""What the steps of one pass hand on to each other while the orders stay locked, so that it is read once."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.orders.models import Order, OrderLine
from rules.flow import Context

Lines = dict[int, list[OrderLine]]
_LINES = "orders.lines"


def lines_of(orders: Sequence[Order], context: Context) -> Lines:
    """The lines of these locked orders by order id, in position order, SKUs at hand; two queries at most."""
    known: Lines = context.kept.setdefault(_LINES, {})
    missing = [order.pk for order in orders if order.pk not in known]
    if missing:
        known.update((pk, []) for pk in missing)
        rows = OrderLine.objects.filter(order_id__in=missing).prefetch_related("sku")
        for line in rows.order_by("order_id", "position"):
            known[line.order_id].append(line)
    return {order.pk: known[order.pk] for order in orders}
