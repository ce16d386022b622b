"""A worker that no longer hears its queues (seen after a broker came back) ends itself, to be started
again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from datetime import datetime, timedelta

from celery.worker import state
from django.db import DatabaseError, connection

from orderhub.events import beats
from orderhub.events.models import WorkerBeat
from orderhub.kernel import clock

logger = logging.getLogger(__name__)

CLOCK_NAME = "clock"


def watch(*, name: str) -> None:
    """Look every 15 s whether the worker `name` of this process still hears the clock's echo; runs in a
    thread.
    """
    started_at = clock.now()
    parent = os.getppid()
    pause = threading.Event()
    while not pause.wait(beats.BEAT_SECONDS):
        try:
            deaf = is_deaf(name, started_at=started_at, now=clock.now())
        except DatabaseError as fault:
            logger.warning("signs of life cannot be read: %s", fault)
            continue
        finally:
            connection.close()
        if os.getppid() != parent or (deaf and not state.active_requests):
            logger.error("%s: its parent is gone, or it hears nothing though the clock ticks: ending", name)
            os.kill(os.getpid(), signal.SIGTERM)
            return


def is_deaf(name: str, *, started_at: datetime, now: datetime) -> bool:
    """Whether the clock is alive but this worker was not reached for 90 s."""
    seen = dict(WorkerBeat.objects.filter(name__in=[name, CLOCK_NAME]).values_list("name", "beat_at"))
    lost_before = now - timedelta(seconds=beats.LOST_SECONDS)
    clock_at = seen.get(CLOCK_NAME)
    if clock_at is None or clock_at < now - timedelta(seconds=3 * beats.BEAT_SECONDS):
        return False
    return max(seen.get(name, started_at), started_at) < lost_before
