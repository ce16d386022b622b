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


def ring(queues: Iterable[str]) -> None:
    """Tell the workers of these queues that deliveries are open; never raises, never waits for a dead broker.

    A queue that was rung and not answered yet is not rung again: a thousand orders in a row would otherwise
    leave a thousand tasks in the queue, and the clock's jobs behind them. Embedded, the worker child watches
    the database instead, so nothing is sent.
    """
    if settings.EMBEDDED:
        return
    try:
        for queue in _silent(sorted(queues)):
            if cache.add(_name(queue), 1, timeout=UNANSWERED_SECONDS):
                app.send_task(
                    "events.pump", kwargs={"queue": queue}, queue=queue, retry=False, ignore_result=True
                )
    except Exception as fault:  # any broker fault: the sweep will come
        logger.warning("doorbell not heard: %s", type(fault).__name__)


def _silent(queues: list[str]) -> list[str]:
    """Those not rung yet; a busy hub has rung all of them, which one question tells."""
    rung = cache.get_many([_name(queue) for queue in queues])
    return [queue for queue in queues if _name(queue) not in rung]


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
