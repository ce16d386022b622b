"""What the log does not hold and today's state stands in for: the offer of a decision older than the record of
its inputs, and the promise its plan made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from orderhub.orders.models import Order, OrderLine
from routing import candidates
from routing.engine.model import Request
from routing.services import HANDLING_HOURS, PROMISE_MARGIN
from routing.twin.history import Cell, Logged


def promised(logged: Logged, request: Request) -> datetime | None:
    """When the customer was told it would come: kept from before, or what this decision promised."""
    if request.promise_hours is not None:
        return logged.at + timedelta(hours=float(request.promise_hours))
    if logged.status != "routed" or logged.hours is None:
        return None
    return promise(logged.at, logged.hours)


def promise(at: datetime, hours: Decimal) -> datetime:
    """What routing promises for a plan of so many hours: a quarter more and handling, to the full hour."""
    seconds = ((hours * PROMISE_MARGIN + HANDLING_HOURS) * 3600).to_integral_value(ROUND_CEILING)
    latest = at + timedelta(seconds=int(seconds))
    return latest + timedelta(seconds=-int(latest.timestamp()) % 3600)


def offered(logged: Logged, units: Mapping[Cell, int]) -> Logged:
    """The decision with today's tariffs, prices and warehouses, on the stock the replay knows of (today's where
    it knows none). Unchanged where the order is gone.
    """
    order = Order.objects.filter(pk=logged.order_id).first()
    wanted = logged.wanted
    lines = list(OrderLine.objects.filter(pk__in=wanted).select_related("sku").order_by("pk"))
    if order is None or not lines:
        return logged
    order.promised_at = None
    for line in lines:
        line.open, line.backordered = wanted[line.pk], 0
    offer = candidates.take_snapshot([order], lines, now=logged.at).offer(order, lines)
    nodes = tuple(
        replace(
            node,
            stock={
                line.sku_id: units.get((node.id, line.sku_id), node.stock.get(line.sku_id, 0))
                for line in lines
            },
            capacity_left=None,
        )
        for node in offer.nodes
    )
    return replace(logged, request=offer.request, nodes=nodes)
