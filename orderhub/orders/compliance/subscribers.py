"""What the cross-border checks hear."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Delivery, Event
from orderhub.events.registry import on, projection
from orderhub.kernel import clock
from orderhub.orders.compliance import checking


@projection("compliance.usage", kinds=["order.cancelled", "order.merged_into"], queue="low")
def give_back(events: Sequence[Event]) -> None:
    """An order that was cancelled, or whose lines another order has now, uses nothing of its buyer's year."""
    checking.give_back([int(event.stream.removeprefix("order:")) for event in events])


@on(
    "order.split",
    "order.split_off",
    "order.merged",
    "order.rejoined",
    "order.parted_again",
    "order.units_cancelled",
    "order.units_restored",
    name="compliance.recheck",
    queue="route",
    batch=50,
    ordered=False,
)
def recheck(deliveries: Sequence[Delivery]) -> None:
    """An order that lost or got lines is judged, and counted for its buyer's year, by the lines it has now."""
    ids = sorted({int(delivery.stream.removeprefix("order:")) for delivery in deliveries})
    checking.recheck(ids, now=clock.now(), actor="system")
