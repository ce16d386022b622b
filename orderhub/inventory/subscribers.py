"""What the clock does to stock: ends reservations, measures heat, keeps the read model of what can be promised."""

from __future__ import annotations

from orderhub.events.registry import every
from orderhub.inventory import heat, promising, reservations
from orderhub.kernel import clock


@every(2.0, name="inventory.expire", queue="route")
def expire_reservations() -> int:
    """End the reservations whose time is up."""
    return reservations.expire(now=clock.now())


@every(5.0, name="inventory.heat", queue="low")
def measure_heat() -> int:
    """Flag hot stock rows, and cooled ones no more."""
    return heat.measure(now=clock.now())


@every(1.0, name="inventory.promise", queue="low")
def keep_promisable() -> int:
    """Bring what can be promised up to the last movement."""
    return promising.follow()
