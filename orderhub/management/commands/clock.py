"""`manage.py clock`: says what is due; however many are started, one ticks."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from orderhub.celery import app
from orderhub.events import beats, doorbell, hearing, leases, relay
from orderhub.events.schedule import schedule
from orderhub.kernel import clock
from orderhub.management.supervisor import PARENT_VARIABLE

logger = logging.getLogger(__name__)

LOCK_NAME = "orderhub-clock"
LOOK_SECONDS = 5.0


class Command(BaseCommand):
    """Celery beat with the schedule of the registry, guarded by an advisory lock of PostgreSQL."""

    help = "Send what is due by the clock. Several may be started: one works, the others wait to take over."

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait for the lock, then tick until told to stop."""
        if settings.EMBEDDED:
            raise CommandError(
                "REDIS_URL is not set. Set it, or run `manage.py serve`, which keeps its own time."
            )
        held = threading.Event()
        threading.Thread(target=_hold, args=(held,), name="clock-lock", daemon=True).start()
        held.wait()
        threading.Thread(target=_ring_late, name="clock-bell", daemon=True).start()
        app.conf.beat_schedule = schedule()
        # In memory: what fell due while no clock ran is found by the sweep, so nothing needs remembering.
        app.Beat(scheduler_cls="celery.beat:Scheduler", max_interval=1, loglevel="WARNING", quiet=True).run()


def _hold(held: threading.Event) -> None:
    """Take the lock and keep its connection; if the connection is lost, end at once: another clock has the
    lock.
    """
    pause = threading.Event()
    parent = int(os.environ.get(PARENT_VARIABLE, "0")) or os.getppid()
    try:
        while not _take_lock():
            pause.wait(LOOK_SECONDS)
        held.set()
        while os.getppid() == parent:
            beats.beat(hearing.CLOCK_NAME, queues="")
            pause.wait(LOOK_SECONDS)
    except DatabaseError as fault:
        logger.error("the clock lost its database and ends: %s", fault)
    os._exit(1)


def _ring_late() -> None:
    """Ring for what could wait a moment and for systems that rested, for as long as the clock lives."""
    looked_at = clock.now()
    while True:
        time.sleep(doorbell.LATE_SECONDS)
        doorbell.ring_late()
        looked_at = _ring_resumed(since=looked_at)


def _ring_resumed(*, since: datetime) -> datetime:
    try:
        now = leases.db_now()
        relay.ring_resumed(since=since, now=now)
    except Exception as fault:  # neither cache nor database is there: the sweep will come
        logger.warning("nobody is rung for after a rest: %s", type(fault).__name__)
        connection.close()
        return since
    return now


def _take_lock() -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK_NAME])
        return bool(cursor.fetchone()[0])
