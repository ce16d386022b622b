"""Lanes: a destination that is slow, or may still be out, is called beside the others, so that nobody waits for it.

A destination that answers quickly is called by the worker itself, which costs nothing. One whose last batch took long, or
that is tried after a rest, gets a thread and a database connection of its own until its batch is settled; meanwhile this
worker claims nothing more for it. SQLite has one writer, so there is nothing to gain there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from django.db import connection

from orderhub.events import breaker, doorbell
from orderhub.events.registry import Subscriber

logger = logging.getLogger(__name__)

#: A batch that took longer makes its destination a slow one, until one is quicker.
SLOW_SECONDS = 0.5
#: So many at once in a worker, each with a connection to the database.
MOST = 4

_lock = threading.Lock()
_busy: set[tuple[str, str]] = set()
_took_seconds: dict[tuple[str, str], float] = {}


def wants_own(subscriber: Subscriber, destination: str) -> bool:
    """Whether the destination is to be called beside the others."""
    if not subscriber.outside or connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    is_slow = _took_seconds.get((subscriber.name, destination), 0.0) > SLOW_SECONDS
    return is_slow or destination in breaker.known_out(subscriber.name)


def busy(subscriber: Subscriber) -> set[str]:
    """The destinations of the subscriber that this process is calling in a lane just now."""
    with _lock:
        return {destination for name, destination in _busy if name == subscriber.name}


def run(subscriber: Subscriber, destination: str, work: Callable[[], None]) -> bool:
    """Do the work in a lane, and ring for the queue when it is over; False where every lane is taken."""
    key = (subscriber.name, destination)
    with _lock:
        if len(_busy) >= MOST or key in _busy:
            return False
        _busy.add(key)
    threading.Thread(target=_lane, args=(subscriber, destination, work), name="lane", daemon=True).start()
    return True


def timed(subscriber: Subscriber, destination: str, work: Callable[[], None]) -> None:
    """Do the work here, and remember how long its destination took."""
    began = monotonic()
    try:
        work()
    finally:
        _took_seconds[subscriber.name, destination] = monotonic() - began


def _lane(subscriber: Subscriber, destination: str, work: Callable[[], None]) -> None:
    try:
        timed(subscriber, destination, work)
    except Exception:  # the leases run out, and the rows are tried again
        logger.exception("a batch for %s was not settled", subscriber.name)
    finally:
        connection.close()
        with _lock:
            _busy.discard((subscriber.name, destination))
        doorbell.ring([subscriber.queue])
