"""What drawn flows may ask of the warehouses that are to ship an order: their custom fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orderhub.fields import queries, vocabulary
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.orders.flows import facts
from orderhub.orders.models import Order, OrderLine


def _warehouses(
    orders: Sequence[Order], _lines: Mapping[int, Sequence[OrderLine]], _now: datetime
) -> facts.Values:
    """Custom fields of the warehouses in each order's plan, nothing before it has one; one query."""
    rows = FulfillmentOrder.objects.filter(order__in=orders).exclude(
        state__in=(State.CANCELLED, State.REJECTED)
    )
    planned: dict[int, list[Mapping[str, Any]]] = {}
    for order_id, custom in rows.values_list("order_id", "warehouse__custom"):
        planned.setdefault(order_id, []).append(custom)
    books = queries.books({order.merchant_id: order.merchant for order in orders}.values())
    return {
        order.pk: vocabulary.values_of_warehouses(
            books[order.merchant_id], planned[order.pk], placed_at=order.placed_at, time_zone=order.channel.time_zone
        )
        for order in orders
        if order.pk in planned
    }  # fmt: skip


facts.provide_scoped(f"warehouse{vocabulary.MARK}", _warehouses)
