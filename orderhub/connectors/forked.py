"""Work made by a process of its own while this one waits for the database: two threads would share one processor.

A fork rather than a program started anew: it has Django and the merchant's file at hand at once and shares this
process's memory instead of needing another 120 MB. Forking is safe only where no other thread may hold a lock just
then, so it is done by processes of one thread, as Celery's are beside the keeper of their lease, which sleeps; everywhere
else the work is done in line.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn, TypeVar

from django.db import connection

from orderhub.events import leases

T = TypeVar("T")
logger = logging.getLogger(__name__)
_PIPE_BYTES = 1 << 20
_COLLECT_EVERY = 10


class Lost(Exception):
    """The child ended before its last item, killed or by a fault of its own, which it has logged."""


def is_possible() -> bool:
    """Whether this process may fork: PostgreSQL, no other thread, and nothing uncommitted the child would miss."""
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    return (
        connection.vendor == "postgresql"
        and not connection.in_atomic_block
        and hasattr(os, "fork")
        and set(others) <= {leases.KEEPER}
    )


def items(make: Callable[[], Iterator[T]]) -> Generator[T]:
    """What `make` gives, made in a child, one item ahead; items must be picklable and never None.

    Raises Lost where the child ended early. The child is gone when the iterator is closed, and ends by itself at its
    next item if this process dies, since nobody reads then.
    """
    out, into = os.pipe()
    gc.freeze()  # else the child's first collection would copy all memory it shares
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _work(make, into)
    gc.unfreeze()
    os.close(into)
    try:
        with os.fdopen(out, "rb", buffering=_PIPE_BYTES) as source:
            while (item := _next(source)) is not None:
                yield item
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _next(source: Any) -> Any:
    try:
        return pickle.load(source)  # noqa: S301
    except (EOFError, pickle.UnpicklingError) as fault:
        raise Lost from fault


def _work(make: Callable[[], Iterator[T]], into: int) -> NoReturn:
    """The child's whole life; leaves without the clean-up that belongs to its parent."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _leave_connection()
        gc.disable()
        with os.fdopen(into, "wb", buffering=_PIPE_BYTES) as sink:
            for number, item in enumerate(make(), 1):
                pickle.dump(item, sink, pickle.HIGHEST_PROTOCOL)
                sink.flush()
                del item
                if not number % _COLLECT_EVERY:
                    gc.collect()  # cheap here: what was there before the fork is frozen
            pickle.dump(None, sink)
        status = 0
    except BrokenPipeError:
        pass  # the parent has enough, or is dead
    except BaseException:  # the parent does it again in line, where a fault has its usual consequences
        logger.warning("the process that reads ahead has stopped", exc_info=True)
    finally:
        os._exit(status)


def _leave_connection() -> None:
    """Let go of the parent's session without ending it; the next query opens one of our own."""
    raw: Any = connection.connection
    if raw is None:
        return
    # While we held the socket, PostgreSQL would not notice the parent's death.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, raw.fileno())
    os.close(nothing)
    _left.append(raw)  # never finalized: that would say good-bye on a socket that is not ours
    connection.connection = None


_left: list[Any] = []
