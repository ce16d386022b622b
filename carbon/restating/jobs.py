"""Recalculations are worked off in the carbon queue, by all its workers at once."""

from __future__ import annotations

from carbon.restating import work
from orderhub.events.registry import backlog


@backlog("carbon.recompute", queue=work.QUEUE, waits=work.WAITS)
def recompute() -> int:
    """One part."""
    return work.work()
