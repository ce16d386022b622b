"""What the risk check hears and does by itself."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Event
from orderhub.events.registry import every, projection
from orderhub.kernel import clock
from orderhub.orders.models import Hold
from orderhub.orders.risk import again, counters, desk, history


@projection("risk.history", kinds=["parcel.delivered", "parcel.scanned"], queue="low")
def follow(events: Sequence[Event]) -> None:
    """Deliveries and refusals at the door, for orders that were scored."""
    history.follow(events)


@projection("risk.kin", kinds=["order.held"], queue="low", batch=50)
def look_at_kin(events: Sequence[Event]) -> None:
    """What shares a phone, device, address or account with an order that the check stopped is scored again.

    The first accounts of a farm look like anybody's; once a later one gives it away, those that still wait are held too.
    """
    stopped = {
        int(x.stream.removeprefix("order:"))
        for x in events
        if x.payload.get("reason") == Hold.Reason.RISK.value
    }
    if stopped:
        again.rescore(again.kin_of(stopped), now=clock.now(), actor="system")


@every(60.0, name="risk.catch_up", queue="low")
def catch_up() -> int:
    """Score orders again that wait and were scored by a version that is not in force any more."""
    return again.catch_up(now=clock.now(), actor="system", is_first=False)


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
