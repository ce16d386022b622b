"""Pages that are open in a web process follow the log at once, ahead of the projection and its worker.

The projection reads the whole log in order and only below every running transaction; an open page needs no more than its
own stream, whose events are numbered without a gap. So whoever has it open reads on from where it stands. What both read
is told once: a row is locked, and numbers that it knows change nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction

from orderhub.events.models import Event, StreamHead
from tracking import live, projection
from tracking.models import Journey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.12
#: What could not be brought up is tried again after this long, so often; then the projection does it.
AGAIN_SECONDS, TRIES = 0.2, 3
#: How far a page is: its revision, and the last event of the order's log in it.
Reached = tuple[int, int]


def catch_up(order_ids: Sequence[int]) -> dict[int, Reached]:
    """Bring these pages up to the log and say where they are then; two queries where nothing is new.

    Pages that do not exist yet are left to the projection, which makes them.
    """
    found: dict[int, Reached] = {}
    for start in range(0, len(order_ids), live.ASKED_AT_ONCE):
        chosen = order_ids[start : start + live.ASKED_AT_ONCE]
        known = _reached(chosen)
        if behind := _behind(known):
            _bring_up({order_id: known[order_id][1] for order_id in behind})
            known |= _reached(behind)
        found |= known
    return found


def _reached(order_ids: Sequence[int]) -> dict[int, Reached]:
    rows = Journey.objects.filter(order_id__in=order_ids).values_list("order_id", "revision", "seq")
    return {order_id: (revision, seq) for order_id, revision, seq in rows}


def _behind(known: dict[int, Reached]) -> list[int]:
    streams = {f"{live.ORDER}{order_id}": order_id for order_id in known}
    heads = StreamHead.objects.filter(stream__in=streams).values_list("stream", "seq")
    return [streams[stream] for stream, seq in heads if seq > known[streams[stream]][1]]


def _bring_up(told: dict[int, int]) -> None:
    streams = {f"{live.ORDER}{order_id}": seq for order_id, seq in told.items()}
    first = min(streams.values())
    events = Event.objects.filter(stream__in=streams, seq__gt=first).order_by("stream", "seq")
    with transaction.atomic():
        projection.apply([event for event in events if event.seq > streams[event.stream]])


class Follower:
    """Brings up what it is told of, everything that came meanwhile in one go; one task while there is something."""

    def __init__(self) -> None:
        self._wanted: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None

    def want(self, order_id: int) -> None:
        """The log of an order whose page is open here went on."""
        self._wanted[order_id] = TRIES
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._work())

    async def _work(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            try:
                await database_sync_to_async(catch_up)(sorted(wanted))
            except Exception as fault:  # a busy database, or an event the projection will park
                logger.warning("open pages were not brought up: %s", fault)
                self._wanted = {key: left - 1 for key, left in wanted.items() if left > 1} | self._wanted
                await asyncio.sleep(AGAIN_SECONDS)


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
                found = await database_sync_to_async(catch_up)(list(self._open))
            except (
                Exception
            ) as fault:  # a busy database, or an event the projection will park: it is told all the same
                logger.warning("open pages were not brought up: %s", fault)
                found = await self._as_they_are()
            await self._tell(found)

    async def _as_they_are(self) -> dict[int, Reached]:
        try:
            found: dict[int, Reached] = await database_sync_to_async(_reached)(list(self._open))
        except Exception as fault:  # look again
            logger.warning("open pages were not checked: %s", fault)
            return {}
        return found

    async def _tell(self, found: dict[int, Reached]) -> None:
        layer = get_channel_layer()
        for key, (revision, log) in found.items():
            if revision > self._open.get(key, revision):
                self._open[key] = revision
                await layer.group_send(live.group(key), live.hint(revision, log))


follower = Follower()
tail = Tail()
