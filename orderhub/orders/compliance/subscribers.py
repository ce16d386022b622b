"""What the cross-border checks hear."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Event
from orderhub.events.registry import projection
from orderhub.orders.compliance import checking


@projection("compliance.usage", kinds=["order.cancelled"], queue="low")
def give_back(events: Sequence[Event]) -> None:
    """A cancelled order uses nothing of its buyer's year."""
    checking.give_back([int(event.stream.removeprefix("order:")) for event in events])
