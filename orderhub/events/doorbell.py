"""The broker is only a doorbell: losing a ring loses nothing, the sweep finds what is open."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.conf import settings
from django.core.cache import cache

from orderhub.celery import app

logger = logging.getLogger(__name__)

#: A ring that nobody answered for so long is repeated; far below the patience of whoever waits.
UNANSWERED_SECONDS = 3
#: Nobody waits for these: what comes within moments is done together, at a fraction of the cost, and the order that
#: somebody waits for has the processor. The clock rings for them.
LATE_QUEUES = ("carbon", "low")
LATE_SECONDS = 0.3
_LATE, _RUNG = "late", "rung"
_CLOCK, _CLOCK_SECONDS = "doorbell-clock", 5


def ring(queues: Iterable[str]) -> None:
    """Tell the workers of these queues that deliveries are open; never raises, never waits for a dead broker.

    A queue that was rung and not answered yet is not rung again: a thousand orders in a row would otherwise
    leave a thousand tasks in the queue, and the clock's jobs behind them. Embedded, the worker child watches
    the database instead, so nothing is sent.
    """
    if settings.EMBEDDED:
        return
    try:
        silent, clock_ticks = _silent(sorted(queues))
        for queue in silent:
            is_late = clock_ticks and queue in LATE_QUEUES
            if (
                cache.add(_name(queue), _LATE if is_late else _RUNG, timeout=UNANSWERED_SECONDS)
                and not is_late
            ):
                _send(queue)
    except Exception as fault:  # any broker fault: the sweep will come
        logger.warning("doorbell not heard: %s", type(fault).__name__)


def ring_late() -> None:
    """Ring for the queues that could wait; the clock calls it every `LATE_SECONDS`. Never raises."""
    try:
        cache.set(_CLOCK, 1, timeout=_CLOCK_SECONDS)
        for name, state in cache.get_many([_name(queue) for queue in LATE_QUEUES]).items():
            if state == _LATE:
                cache.set(name, _RUNG, timeout=UNANSWERED_SECONDS)
                _send(name.removeprefix(_name("")))
    except Exception as fault:  # any broker fault: the sweep will come
        logger.warning("late doorbell not heard: %s", type(fault).__name__)


def _send(queue: str) -> None:
    app.send_task("events.pump", kwargs={"queue": queue}, queue=queue, retry=False, ignore_result=True)


def _silent(queues: list[str]) -> tuple[list[str], bool]:
    """Those not rung yet, and whether a clock ticks; a busy hub has rung all of them, which one question tells."""
    found = cache.get_many([_CLOCK, *(_name(queue) for queue in queues)])
    return [queue for queue in queues if _name(queue) not in found], _CLOCK in found


def answered(queue: str) -> None:
    """Somebody is about to look at this queue: what is written from now on rings again. Never raises."""
    if settings.EMBEDDED:
        return
    try:
        cache.delete(_name(queue))
    except Exception as fault:  # any fault of the cache: the ring is forgotten by itself
        logger.warning("doorbell for %s not reset: %s", queue, fault)


def _name(queue: str) -> str:
    return f"doorbell:{queue}"
