"""What the risk check hears and does by itself."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Event
from orderhub.events.registry import every, projection
from orderhub.kernel import clock
from orderhub.orders.risk import counters, desk, history


@projection("risk.history", kinds=["parcel.delivered", "parcel.scanned"], queue="low")
def follow(events: Sequence[Event]) -> None:
    """Deliveries and refusals at the door, for orders that were scored."""
    history.follow(events)


@every(60.0, name="risk.escalate", queue="low")
def escalate() -> int:
    """Mark late reviews and close those whose order went on."""
    now = clock.now()
    return desk.settle(now=now) + desk.escalate(now=now)


@every(6 * 3600.0, name="risk.upkeep", queue="low")
def upkeep() -> int:
    """What is usual in each shop, labels by time, and forgetting."""
    now = clock.now()
    return history.work_out_baselines(now=now) + history.label_good(now=now) + counters.forget(now=now)
