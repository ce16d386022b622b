"""The socket of a board: one reader a process watches all open boards and tells each only what changed on it.

A board has many orders; joining a channel group for each would cost the layer a message per order and socket. Instead one
task asks for the revisions of all orders on open boards at once, and fans out in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from django.db import DatabaseError

from orderhub.access import limits
from orderhub.kernel import clock
from tracking import links, live
from tracking.consumers import TOO_MANY, WRONG_TOKEN, TrackingConsumer
from tracking.everywhere import boards
from tracking.everywhere.models import Board

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
#: Which orders are on a board is asked again so often: new ones appear by themselves.
MEMBERS_SECONDS = 15.0
Tell = Callable[[int], Awaitable[None]]


class Reader:
    """Watches the orders of all boards that are open in this process; one task while there is one, none otherwise."""

    def __init__(self) -> None:
        self._sockets: dict[int, set[Tell]] = {}
        self._members: dict[int, dict[int, int]] = {}
        self._asked_at: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None

    def join(self, board: Board, tell: Tell) -> None:
        """A socket opened on this board."""
        self._sockets.setdefault(board.pk, set()).add(tell)
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._watch())

    def leave(self, board_id: int, tell: Tell) -> None:
        """A socket closed; the last one of a board ends its watch."""
        left = self._sockets.get(board_id, set())
        left.discard(tell)
        if not left:
            for known in (self._sockets, self._members, self._asked_at):
                known.pop(board_id, None)

    async def _watch(self) -> None:
        while self._sockets:
            try:
                await self._look()
            except DatabaseError as fault:  # a busy database: look again
                logger.warning("open boards were not checked: %s", fault)
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        stale = [pk for pk in self._sockets if now - self._asked_at.get(pk, -1e9) >= MEMBERS_SECONDS]
        for pk, found in (await database_sync_to_async(_members)(stale) if stale else {}).items():
            if pk not in self._sockets:  # closed meanwhile
                continue
            before = self._members.get(pk)
            self._members[pk], self._asked_at[pk] = found, now
            if before is not None and before.keys() != found.keys():
                await self._tell(pk)
        ids = {order_id for found in self._members.values() for order_id in found}
        fresh = await database_sync_to_async(live.revisions)(sorted(ids)) if ids else {}
        for pk, found in list(self._members.items()):
            news = {key: fresh[key] for key in found if fresh.get(key, 0) > found[key]}
            if news:
                found.update(news)
                await self._tell(pk)

    async def _tell(self, board_id: int) -> None:
        total = sum(self._members.get(board_id, {}).values())
        for tell in list(self._sockets.get(board_id, ())):
            await tell(total)


def _members(board_ids: list[int]) -> dict[int, dict[int, int]]:
    now = clock.now()
    rows = Board.objects.filter(pk__in=board_ids, is_active=True)
    return {board.pk: boards.revisions(board, now=now) for board in rows}


reader = Reader()


class BoardConsumer(TrackingConsumer):
    """First message `{"token"}`; then hints `{"type": "advanced", "seq": n}` and a ping every 30 s."""

    board_id: int | None = None

    async def receive_json(self, content: dict[str, Any], **options: Any) -> None:
        """Join the board of the token; later messages are ignored."""
        if self.board_id is not None:
            return
        token = str(content.get("token", ""))[:64]
        found = await database_sync_to_async(boards.find)(token, now=clock.now())
        if found is None:
            key = f"tracking:{self._address()}"
            too_many = await database_sync_to_async(limits.too_many)(key, limit=links.TRIES_PER_MINUTE)
            await self.close(code=TOO_MANY if too_many else WRONG_TOKEN)
            return
        self.board_id = found.pk
        reader.join(found, self._tell)

    async def disconnect(self, code: int) -> None:
        """Leave the board."""
        if self._pulse is not None:
            self._pulse.cancel()
        if self.board_id is not None:
            reader.leave(self.board_id, self._tell)

    async def _tell(self, seq: int) -> None:
        await self.send_json(live.hint(seq))

    def _has_spoken(self) -> bool:
        return self.board_id is not None
