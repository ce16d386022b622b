"""Price books asked for by hand, worked off in the low queue."""

from __future__ import annotations

from orderhub.events.registry import every
from routing.pricing import calculating

WORK_SECONDS = 2


@every(WORK_SECONDS, name="routing.price_runs", queue="low")
def work_off() -> int:
    """Take up a run that waits, or whose worker died, and make its book."""
    return calculating.work()
