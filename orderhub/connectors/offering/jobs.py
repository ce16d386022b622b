"""When offers are worked out: behind the log and the movements, by the clock; nothing in the order path."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.connectors.offering import marking, publishing
from orderhub.events.models import Event
from orderhub.events.registry import every, projection
from orderhub.kernel import clock


@projection(
    "offers.orders",
    kinds=["order.placed", "order.cancelled", "order.follow_up_placed"],
    queue="low",
    batch=500,
)
def follow_orders(events: Sequence[Event]) -> None:
    """Note what orders ask for."""
    marking.follow_orders(events, now=clock.now())


@projection("offers.warehouses", kinds=["warehouse.changed"], queue="low", batch=100)
def follow_warehouses(events: Sequence[Event]) -> None:
    """Note what lies in warehouses that changed."""
    marking.follow_warehouses(events, now=clock.now())


@every(1.0, name="offers.publish", queue="low")
def publish() -> int:
    """Tell channels what changed."""
    return publishing.publish(now=clock.now())


@every(24 * 3600.0, name="offers.publish_all", queue="low")
def publish_all() -> int:
    """Once a day tell everything again."""
    return publishing.publish_all(now=clock.now())
