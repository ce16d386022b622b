"""Signs of life of workers and clock, and jobs that must not run twice at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from orderhub.events.models import WorkerBeat
from orderhub.kernel import clock

BEAT_SECONDS = 15.0
#: A worker or clock not heard for so long counts as lost.
LOST_SECONDS = 90.0
QUEUES_VARIABLE = "HUB_WORKER_QUEUES"

_running: set[str] = set()
_running_lock = threading.Lock()


def beat(name: str, *, queues: str | None = None) -> None:
    """Write that `name` is alive now; the queues default to those this process was started for."""
    served = os.environ.get(QUEUES_VARIABLE, "") if queues is None else queues
    WorkerBeat.objects.update_or_create(
        name=name[:120], defaults={"queues": served[:120], "beat_at": clock.now()}
    )


@contextmanager
def exclusively(name: str) -> Iterator[bool]:
    """Yield True to one holder of the name at a time (across machines on PostgreSQL), False to all others."""
    with _alone_here(name) as alone_here:
        if not alone_here or connection.vendor != "postgresql":
            yield alone_here
            return
        with _alone_anywhere(name) as alone:
            yield alone


@contextmanager
def _alone_here(name: str) -> Iterator[bool]:
    with _running_lock:
        alone = name not in _running
        _running.add(name)
    try:
        yield alone
    finally:
        if alone:
            with _running_lock:
                _running.discard(name)


@contextmanager
def _alone_anywhere(name: str) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
