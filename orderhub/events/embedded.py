"""Without a broker: the worker child watches the database itself and keeps time for periodic jobs.

Two daemon threads put tasks into the worker's in-memory queues: `watch` where something is due, `keep_time`
by the clock. A task already queued or running is never queued again, so the queues stay short whatever
happens.
"""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from django.db import DatabaseError, connection

from orderhub.celery import QUEUES, app
from orderhub.events import beats, leases, registry, relay
from orderhub.kernel import clock

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.03
#: Where no change counter exists (PostgreSQL without a broker), the database is asked this often.
ASK_SECONDS = 0.25
SWEEP_SECONDS = 2.0

#: A task that never reported its end (its thread died) may be sent again after this long.
FORGOTTEN_SECONDS = 600.0

_in_flight: dict[str, float] = {}
_asked_again: set[str] = set()
_look_again = threading.Event()
_lock = threading.Lock()


@contextmanager
def running(key: str) -> Iterator[None]:
    """Mark the end of a task that `enqueue` put in flight under this key; look again if it was asked for
    meanwhile, since it may have looked just before.
    """
    try:
        yield
    finally:
        with _lock:
            _in_flight.pop(key, None)
            if key in _asked_again:
                _asked_again.discard(key)
                _look_again.set()


def enqueue(key: str, task: str, arguments: Mapping[str, str], *, queue: str) -> bool:
    """Send the task unless one with this key is queued or running; returns whether it was sent."""
    with _lock:
        if monotonic() - _in_flight.get(key, -FORGOTTEN_SECONDS) < FORGOTTEN_SECONDS:
            _asked_again.add(key)
            return False
        _in_flight[key] = monotonic()
    app.send_task(task, kwargs=dict(arguments), queue=queue)
    return True


def start(*, parent_pid: int) -> None:
    """Start both threads; the process ends when its parent is gone."""
    threading.Thread(target=_forever, args=(Watch().tick, WATCH_SECONDS), name="watch", daemon=True).start()
    clock_tick = Timekeeper(parent_pid=parent_pid).tick
    threading.Thread(target=_forever, args=(clock_tick, 0.2), name="clock", daemon=True).start()


def _forever(tick: Callable[[], None], seconds: float) -> None:
    pause = threading.Event()
    while not pause.wait(seconds):
        try:
            tick()
        except (
            DatabaseError,
            sqlite3.Error,
        ) as fault:  # a busy or absent database: the next tick tries again
            logger.warning("%s: %s", threading.current_thread().name, fault)
            connection.close()
            pause.wait(1.0)


class Watch:
    """Puts a pump task into each queue with something due, whenever the database changed and at least every
    2 s.
    """

    def __init__(self) -> None:
        self._version = -1
        self._looked_at = 0.0
        self._counter: sqlite3.Connection | None = None
        self._resumed_at = clock.now()

    def tick(self) -> None:
        """Look once."""
        is_due = self._changed() or _look_again.is_set() or monotonic() - self._looked_at > SWEEP_SECONDS
        if not (self._has_resumed() or is_due):
            return
        self._looked_at = monotonic()
        _look_again.clear()
        due = relay.due_queues()
        for queue in sorted(due):
            enqueue(f"pump:{queue}", "events.pump", {"queue": queue}, queue=queue)

    def _has_resumed(self) -> bool:
        """Whether a system that rested may be called again: nothing in the database tells."""
        since, self._resumed_at = self._resumed_at, clock.now()
        return bool(relay.resumed_queues(since=since, now=self._resumed_at))

    def _changed(self) -> bool:
        if connection.vendor != "sqlite":
            return monotonic() - self._looked_at > ASK_SECONDS
        if self._counter is None:
            # A connection of its own, which never writes: its counter moves with every commit of any other.
            name = str(connection.settings_dict["NAME"])
            self._counter = sqlite3.connect(name, timeout=1, isolation_level=None, check_same_thread=False)
        version = int(self._counter.execute("PRAGMA data_version").fetchone()[0])
        changed, self._version = version != self._version, version
        return changed


class Timekeeper:
    """Runs what beat runs in production: the sweep, periodic jobs, the sign of life; and ends an orphaned
    child.
    """

    def __init__(self, *, parent_pid: int) -> None:
        self._parent_pid = parent_pid
        now = monotonic()
        self._next: dict[str, float] = dict.fromkeys(registry.periodics, now + 1.0)
        self._sweep_at = self._beat_at = now

    def tick(self) -> None:
        """Do what has fallen due."""
        if os.getppid() != self._parent_pid:
            _end_orphan()
        now = monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS
            relay.bury_lost(now=leases.db_now())
        if now >= self._beat_at:
            self._beat_at = now + beats.BEAT_SECONDS
            beats.beat("embedded", queues=",".join(QUEUES))
        for name, due_at in self._next.items():
            if now >= due_at:
                job = registry.periodics[name]
                self._next[name] = now + job.seconds
                enqueue(f"periodic:{name}", "events.periodic", {"name": name}, queue=job.queue)


def _end_orphan() -> None:
    """Stop in an orderly way; whatever still runs after 5 s is ended (its leases run out)."""
    logger.warning("the parent process is gone: ending")
    threading.Timer(5.0, os._exit, args=(1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()
