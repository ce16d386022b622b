"""The clients of `bench/live.py`, a process of their own: each has the page of one order open on a socket.

Reads one line from standard input, {"address", "tokens": {order: token}, "fetch"}; says "ready" when all pages are open; at
the next line prints what was heard, a JSON list of [order, number of the order's last event, moment of the hint, moment the
page's JSON was there (or null)].
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

OPENED_AT_ONCE = 50


class Heard(NamedTuple):
    """A hint: whose page, the last event it tells of, when it came, and when what it hints at had been fetched."""

    order: int
    log: int
    at: float
    shown_at: float | None


class Page:
    """One open page: its hints, and what it fetches for each as the page's script does."""

    def __init__(self, order: str, token: str, web: Any) -> None:
        self.order, self.token, self.web = int(order), token, web
        self.heard: list[Heard] = []

    async def open(self, address: str, origin: Any) -> Any:
        """The socket, once the hub has said where the page is."""
        from websockets.asyncio.client import connect

        socket = await connect(f"{address}/ws/t/", origin=origin, ping_interval=None, open_timeout=120)
        await socket.send(json.dumps({"token": self.token, "since": 0}))
        first = json.loads(await socket.recv())
        self.heard.append(Heard(self.order, int(first["log"]), time.time(), None))
        return socket

    async def listen(self, socket: Any) -> None:
        """Note every hint until the end."""
        async for text in socket:
            said, at = json.loads(text), time.time()
            if said["type"] == "advanced":
                self.heard.append(Heard(self.order, int(said["log"]), at, await self._fetched()))

    async def _fetched(self) -> float | None:
        if self.web is None:
            return None
        (await self.web.get(f"/api/v1/tracking/{self.token}/")).raise_for_status()
        return time.time()


async def listen(address: str, tokens: dict[str, str], *, fetch: bool) -> None:
    """Open all pages, wait for the word, tell what was heard."""
    import httpx
    from websockets.typing import Origin

    # The hub opens no socket for a page that does not say where it is from.
    site = address.replace("ws", "http", 1)
    web = httpx.AsyncClient(base_url=site, timeout=60) if fetch else None
    pages = [Page(order, token, web) for order, token in tokens.items()]
    at_once = asyncio.Semaphore(OPENED_AT_ONCE)

    async def opened(page: Page) -> Any:
        async with at_once:
            return await page.open(address, Origin(site))

    sockets = await asyncio.gather(*(opened(page) for page in pages))
    tasks = [asyncio.create_task(page.listen(socket)) for page, socket in zip(pages, sockets, strict=True)]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if lost := [task for task in tasks if task.done()]:
        print(f"{len(lost)} pages lost their socket: {lost[0]!r}", file=sys.stderr, flush=True)
    print(json.dumps([heard for page in pages for heard in page.heard]), flush=True)
    os._exit(0)


@contextlib.contextmanager
def opened(address: str, tokens: dict[str, str], *, fetch: bool) -> Iterator[subprocess.Popen[str]]:
    """The process with all pages open."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"address": address, "tokens": tokens, "fetch": fetch}) + "\n")
    process.stdin.flush()
    try:
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the clients could not open their pages")
        yield process
    finally:
        process.kill()
        process.wait()


def heard_by(process: subprocess.Popen[str]) -> list[Heard]:
    """Every hint the clients got."""
    found, _error = process.communicate("\n", timeout=60)
    return [Heard(*one) for one in json.loads(found.splitlines()[-1])]


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    asyncio.run(listen(asked["address"], asked["tokens"], fetch=asked["fetch"]))
