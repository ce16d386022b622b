"""Leases on deliveries: whose they are, how they are kept while a batch runs, and how a dead worker's are
set free.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic

from django.db import DatabaseError, connection

from orderhub.events.models import Delivery
from orderhub.kernel import clock

#: The name of the thread beside a running batch: it sleeps, and has a database connection of its own.
KEEPER = "lease-keeper"
logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEWAL_SECONDS = 10.0
#: A handler that runs longer than this counts as hung: its lease is no longer renewed and another worker
#: may take over.
LONGEST_RUN_SECONDS = 240.0
#: Set by the supervisor of the worker child, so that the leases of a child known to be dead can be freed at
#: once.
WORKER_VARIABLE = "HUB_WORKER_ID"
WORKER_DIGITS = 12

_offset_lock = threading.Lock()
_offset: tuple[float, timedelta] | None = None


def db_now() -> datetime:
    """The database's idea of now, which all workers share; asked once a minute, kept up by this machine's
    clock.
    """
    if connection.vendor == "sqlite":
        return clock.now()
    return clock.now() + _database_offset()


def _database_offset() -> timedelta:
    global _offset
    with _offset_lock:
        if _offset is None or monotonic() - _offset[0] > 60:
            with connection.cursor() as cursor:
                asked_at = clock.now()
                cursor.execute("SELECT clock_timestamp()")
                halfway = asked_at + (clock.now() - asked_at) / 2
                _offset = (monotonic(), cursor.fetchone()[0] - halfway)
        return _offset[1]


def new_token() -> str:
    """A fresh random token that begins with the worker's id: 32 characters."""
    worker = os.environ.get(WORKER_VARIABLE, "").ljust(WORKER_DIGITS, "0")[:WORKER_DIGITS]
    return worker + secrets.token_hex(10)


def free(worker_id: str) -> int:
    """End all leases of a worker that is certainly dead, so that its rows need not wait for the lease to
    run out.
    """
    held = Delivery.objects.filter(state=Delivery.State.LEASED, lease_token__startswith=worker_id)
    return held.update(lease_until=db_now() - timedelta(seconds=1))


@contextmanager
def kept(token: str) -> Iterator[None]:
    """Renew the lease under `token` every 10 s while the block runs, for at most 240 s."""
    stopped = threading.Event()
    keeper = threading.Thread(target=_keep, args=(token, stopped), name=KEEPER, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopped.set()


def _keep(token: str, stopped: threading.Event) -> None:
    started = monotonic()
    try:
        while not stopped.wait(RENEWAL_SECONDS):
            if monotonic() - started > LONGEST_RUN_SECONDS:
                logger.error("a batch has run for more than %d s: its lease is given up", LONGEST_RUN_SECONDS)
                return
            held = Delivery.objects.filter(lease_token=token, state=Delivery.State.LEASED)
            held.update(lease_until=db_now() + LEASE)
    except DatabaseError as fault:
        logger.warning("a lease was not renewed: %s", fault)
    finally:
        if monotonic() - started > RENEWAL_SECONDS:
            connection.close()
