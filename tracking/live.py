"""Telling open pages that something is new: a hint with a number, never the news itself.

A hint may get lost, since readers fetch by number what they lack. With Redis the writer publishes after its
commit.
Without, the writer is another process: each web process then asks the database for the pages it has open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from orderhub.kernel import clock
from tracking.models import Journey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.12
#: So many pages are asked for in one statement.
ASKED_AT_ONCE = 500


def group(order_id: int) -> str:
    """The channel group of an order's open pages."""
    return f"track.{order_id}"


def hint(revision: int) -> dict[str, object]:
    """What is sent to a group."""
    return {"type": "advanced", "seq": revision}


# ---- writers
# ---------------------------------------------------------------------------------------------------------


def touch(order_ids: Collection[int]) -> None:
    """Count a change on these pages that is no event (a position, a carbon figure); one query, then the
    hint.
    """
    if not order_ids:
        return
    pages = Journey.objects.filter(order_id__in=order_ids)
    pages.update(revision=F("revision") + 1, changed_at=clock.now())
    if not settings.EMBEDDED:
        announce_on_commit(list(pages))


def announce_on_commit(journeys: Sequence[Journey]) -> None:
    """Hint after the commit. Embedded there is nothing to do: the web process looks by itself."""
    if journeys and not settings.EMBEDDED:
        transaction.on_commit(lambda: announce(journeys), robust=True)


def announce(journeys: Iterable[Journey]) -> None:
    """Send the hint for each page through the channel layer; never raises."""
    try:
        async_to_sync(_send)([(row.order_id, row.revision) for row in journeys])
    except Exception as fault:  # whatever the layer throws: pages also ask on their own
        logger.warning("no hint was sent: %s", fault)


async def _send(pairs: Iterable[tuple[int, int]]) -> None:
    layer = get_channel_layer()
    for order_id, revision in pairs:
        await layer.group_send(group(order_id), hint(revision))


# ---- the tail of a web process
# ---------------------------------------------------------------------------------------


class Tail:
    """Watches the pages this process has open: one task while there is at least one, none otherwise."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._sockets: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None

    def join(self, order_id: int, *, revision: int) -> None:
        """A socket opened on a page it knows up to `revision`; starts the watch where none runs."""
        self._sockets[order_id] = self._sockets.get(order_id, 0) + 1
        # The lower number stays: other sockets of the page may not have heard of what lies between.
        self._open.setdefault(order_id, revision)
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def leave(self, order_id: int) -> None:
        """A socket closed; the last one of a page ends its watch."""
        left = self._sockets.get(order_id, 0) - 1
        if left > 0:
            self._sockets[order_id] = left
            return
        self._sockets.pop(order_id, None)
        self._open.pop(order_id, None)

    @property
    def is_running(self) -> bool:
        """Whether a watch runs."""
        return self._task is not None and not self._task.done()

    async def _watch(self) -> None:
        while self._open:
            await asyncio.sleep(POLL_SECONDS)
            try:
                found = await database_sync_to_async(revisions)(list(self._open))
            except DatabaseError as fault:  # a busy database: look again
                logger.warning("open pages were not checked: %s", fault)
                continue
            await _send(self._news(found))

    def _news(self, found: dict[int, int]) -> list[tuple[int, int]]:
        news = [
            (key, revision) for key, revision in found.items() if revision > self._open.get(key, revision)
        ]
        self._open.update(news)
        return news


def revisions(order_ids: Sequence[int]) -> dict[int, int]:
    """The present revision of each page that exists."""
    found: dict[int, int] = {}
    for start in range(0, len(order_ids), ASKED_AT_ONCE):
        rows = Journey.objects.filter(order_id__in=order_ids[start : start + ASKED_AT_ONCE])
        found |= dict(rows.values_list("order_id", "revision"))
    return found


tail = Tail()
