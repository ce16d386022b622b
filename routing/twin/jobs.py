"""What-if runs by the clock: worked off in the low queue, forgotten after 90 days."""

from __future__ import annotations

from orderhub.events.registry import every
from orderhub.kernel import clock
from routing.twin import service

WORK_SECONDS = 2
FORGET_SECONDS = 6 * 3600


@every(WORK_SECONDS, name="routing.twin", queue="low")
def work_off() -> int:
    """Take up a run that waits, or whose worker died, and work it off."""
    return service.work()


@every(FORGET_SECONDS, name="routing.twin_forget", queue="low")
def forget() -> int:
    """Delete old runs."""
    return service.forget(now=clock.now())
