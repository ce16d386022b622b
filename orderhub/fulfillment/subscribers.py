"""What fulfillment listens to: accepted bodies become orders; a cancelled order gives its stock back."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Delivery
from orderhub.events.registry import every, on
from orderhub.fulfillment import accepting, addresses, components, production, replacing, services
from orderhub.fulfillment import kinds as own
from orderhub.kernel import clock
from orderhub.orders import kinds


@on(kinds.CANCELLED.name, name="fulfillment.drop", queue="route")
def drop_plans(deliveries: Sequence[Delivery]) -> None:
    """Free what cancelled orders still hold; nothing is left to do where `fulfillment.services.cancel` was
    used."""
    order_ids = {int(delivery.stream.partition(":")[2]) for delivery in deliveries}
    services.drop_unreleased(order_ids, now=clock.now(), actor="system")


@on(kinds.CANCELLED.name, name="fulfillment.follow_ups", queue="route")
def end_follow_ups(deliveries: Sequence[Delivery]) -> None:
    """What a cancelled exchange or resend stood for may be replaced again."""
    order_ids = {int(delivery.stream.partition(":")[2]) for delivery in deliveries}
    replacing.end_cancelled(order_ids, now=clock.now(), actor="system")


@on(own.INTAKE_RECEIVED.name, name="fulfillment.intake", queue="intake", ordered=False, batch=200)
def read_accepted(deliveries: Sequence[Delivery]) -> None:
    """Make orders of the bodies that were accepted."""
    accepting.work_off([int(delivery.event.payload["message"]) for delivery in deliveries], now=clock.now())


@every(3600.0, name="fulfillment.forget_intake", queue="low")
def forget_accepted() -> int:
    """Delete what has been finished for long."""
    return accepting.forget(now=clock.now())


@every(60.0, name="fulfillment.address_deadline", queue="low")
def call_for_late_addresses() -> int:
    """Call a person where an address change waits for answers too long."""
    return addresses.escalate(now=clock.now())


@every(5.0, name="fulfillment.components", queue="low")
def take_components() -> int:
    """Take components for work orders from the shelves of factories."""
    return components.settle(now=clock.now())


@every(60.0, name="fulfillment.production_stalls", queue="low")
def call_silent_factories() -> int:
    """Say which work orders are past their planned finish without a word."""
    return production.call_stalls(now=clock.now())
