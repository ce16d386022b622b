"""The socket of a public page: it hears a token once, and then only says "there is something newer"."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from orderhub.kernel import clock
from tracking import following, links, live

WRONG_TOKEN = 4404
TOO_MANY = 4429
TOO_SLOW = 4408
TOO_LARGE = 1009
NOT_UNDERSTOOD = 4400
FRAME_LIMIT = 64 * 1024
FIRST_WORD_SECONDS = 10.0
PING_SECONDS = 30.0


class TrackingConsumer(AsyncJsonWebsocketConsumer):
    """First message `{"token", "since"}`; then hints `{"type": "advanced", "seq": n, "log": m}` and a
    ping every 30 s.
    """

    order_id: int | None = None
    _pulse: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept, and wait ten seconds for the token."""
        await self.accept()
        self._pulse = asyncio.get_running_loop().create_task(self._beat())

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **options: Any
    ) -> None:
        """Refuse frames over 64 KiB and everything that is not a JSON object."""
        size = len(text_data.encode()) if text_data else len(bytes_data or b"")
        if size > FRAME_LIMIT:
            await self.close(code=TOO_LARGE)
            return
        try:
            content = await self.decode_json(text_data or "")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            await self.close(code=NOT_UNDERSTOOD)
            return
        await self.receive_json(content)

    async def receive_json(self, content: dict[str, Any], **options: Any) -> None:
        """Join the page of the token and say at once whether it went on; later messages are ignored."""
        if self.order_id is not None:
            return
        token, since = str(content.get("token", ""))[:64], _number(content.get("since"))
        page = await database_sync_to_async(links.find_page)(token, now=clock.now(), address=self._address())
        if isinstance(page, links.Missing):
            await self.close(code=TOO_MANY if page.too_many else WRONG_TOKEN)
            return
        self.order_id = page.order_id
        await self.channel_layer.group_add(live.group(page.order_id), self.channel_name)
        # Asked again after joining: a change between the first look and the join would be lost.
        now_at = await database_sync_to_async(following.catch_up)([page.order_id])
        revision, log = now_at.get(page.order_id, (0, 0))
        if settings.EMBEDDED:
            following.tail.join(page.order_id, revision=revision)
        if revision > since:
            await self.send_json(live.hint(revision, log))

    async def advanced(self, message: dict[str, Any]) -> None:
        """A hint of the page's group."""
        await self.send_json(live.hint(int(message["seq"]), int(message.get("log", 0))))

    async def logged(self, message: dict[str, Any]) -> None:
        """The order's log went on: its page is brought up here, and the hint of that comes to all its sockets."""
        if self.order_id is not None:
            following.follower.want(self.order_id)

    async def disconnect(self, code: int) -> None:
        """Leave the group; the last socket of a page ends its watch."""
        if self._pulse is not None:
            self._pulse.cancel()
        if self.order_id is not None:
            await self.channel_layer.group_discard(live.group(self.order_id), self.channel_name)
            if settings.EMBEDDED:
                following.tail.leave(self.order_id)

    async def _beat(self) -> None:
        await asyncio.sleep(FIRST_WORD_SECONDS)
        if not self._has_spoken():
            await self.close(code=TOO_SLOW)
            return
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.send_json({"type": "ping"})

    def _has_spoken(self) -> bool:
        """Whether the token has come."""
        return self.order_id is not None

    def _address(self) -> str:
        """The caller's address, through as many proxies as the settings trust (as for requests)."""
        headers = {
            name.decode("latin1").lower(): value.decode("latin1") for name, value in self.scope["headers"]
        }
        return links.address_behind(
            headers.get("x-forwarded-for", ""), str((self.scope.get("client") or [""])[0])
        )


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
