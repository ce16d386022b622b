"""Child processes that are started again when they end, each a little later than the last time."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, connection

from orderhub.events import leases, relay

logger = logging.getLogger(__name__)

PARENT_VARIABLE = "HUB_PARENT_PID"
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
#: A child that lived so long is healthy: the next restart is quick again.
HEALTHY_SECONDS = 10.0
STOP_SECONDS = 5.0


class Child:
    """One `manage.py` command kept running beside this process; once it is dead its leases are freed."""

    def __init__(self, *arguments: str) -> None:
        self.name = arguments[0]
        self._command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name=f"supervise-{self.name}", daemon=True)

    def start(self) -> None:
        """Start the child and the thread that looks after it."""
        self._thread.start()

    def _supervise(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            worker_id, started = secrets.token_hex(leases.WORKER_DIGITS // 2), monotonic()
            code = self._run(worker_id)
            self._end_orphans()
            if self._stopping.is_set():
                return
            if monotonic() - started > HEALTHY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            logger.warning("%s ended with code %s; starting it again in %.1f s", self.name, code, delay)
            _free_leases(worker_id)
            self._stopping.wait(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    def _run(self, worker_id: str) -> int:
        environment = {**os.environ, leases.WORKER_VARIABLE: worker_id, PARENT_VARIABLE: str(os.getpid())}
        self._process = subprocess.Popen(
            self._command, env=environment, cwd=settings.BASE_DIR, start_new_session=True
        )
        if self._stopping.is_set():  # told to stop in between
            self._process.terminate()
        return self._process.wait()

    def _end_orphans(self) -> None:
        """A killed worker's own children may live on for a moment: their leases must not be freed under
        them.
        """
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Let the child end in an orderly way; returns at once."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_stopped(self) -> None:
        """Wait up to 5 s for the end, then end it by force: unfinished work is taken up again at the next
        start.
        """
        if self._process is None:
            return
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end within %d s and is killed", self.name, STOP_SECONDS)
            self._process.kill()
            self._process.wait()
        self._end_orphans()


def stop_all(children: Sequence[Child]) -> None:
    """Stop all children side by side."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped()


def _free_leases(worker_id: str) -> None:
    try:
        freed = leases.free(worker_id)
        if freed:
            logger.warning("%d deliveries it was working on are open again", freed)
            relay.bury_lost(now=leases.db_now())
    except DatabaseError as fault:
        logger.warning("its leases run out by themselves within 30 s: %s", fault)
    finally:
        connection.close()
