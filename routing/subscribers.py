"""What routing does by the clock: orders that lost a race are tried again, levers and prices kept current."""

from __future__ import annotations

from datetime import datetime

from orderhub.events.registry import every
from orderhub.kernel import clock
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing.pricing import levers

RETRY_SECONDS = 300
LEVER_SECONDS = 30
BATCH = 200


@every(RETRY_SECONDS, name="routing.retry", queue="route")
def retry_lost_races(now: datetime | None = None) -> int:
    """Send orders back to routing that wait for stock although their last decision found some.

    Somebody else took it three times in a row between deciding and reserving; no receipt would wake them up.
    """
    lost = Order.objects.filter(
        step_state=StepState.WAITING,
        waiting_for=orders.STOCK,
        decisions__superseded_at__isnull=True,
        decisions__status="routed",
    ).order_by("placed_at", "pk")
    ids = list(lost.values_list("pk", flat=True)[:BATCH])
    orders.reroute(ids, reason="stock_taken", actor="system", now=now or clock.now())
    return len(ids)


@every(LEVER_SECONDS, name="routing.levers", queue="route")
def end_levers() -> int:
    """End the levers on warehouses whose time is up."""
    return levers.expire(now=clock.now())
