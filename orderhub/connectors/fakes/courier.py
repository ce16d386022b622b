"""Carries pushes to the other side: in order within a lane, again until taken, and wrongly when asked to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from orderhub.connectors.fakes.faults import Fault
from orderhub.connectors.fakes.journal import PUSH_BYTES, Sent
from orderhub.connectors.fakes.vendor import Push, Surroundings, Vendor

#: Pushes under way at a time, and those that wait; more are dropped and counted.
AT_ONCE = 8
WAITING_LIMIT = 20_000
LANES_REMEMBERED = 5_000
#: Held for shuffling at most so long (real seconds), so that the last few are not held for ever.
SHUFFLE_WAIT_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0


class Courier:
    """Sends what vendors push; lives in the loop of the server."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._dice = random.Random(f"{around.seed}/courier")
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, Push] = {}
        self._held: dict[str, list[tuple[Vendor, Push, Sent, list[Fault]]]] = {}
        self._counts: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0
        around.send, around.settled = self.send, self.settle

    @property
    def busy(self) -> int:
        """How many pushes are under way or held."""
        return len(self._tasks) + sum(map(len, self._held.values()))

    def send(self, vendor: Vendor, push: Push) -> None:
        """Send a push as its faults say; without an address it goes nowhere."""
        url = push.url or self._around.callbacks.get(vendor.code, "")
        if not url:
            return
        push.url = url
        faults = self._around.faults.for_push(vendor.code, push.operation)
        journal = self._around.journal
        entry = Sent(
            journal.next_number(), self._around.clock.local(), vendor.code, push.operation, push.lane, url,
            push.body[:PUSH_BYTES],
            tuple(fault.kind for fault in faults),
        )  # fmt: skip
        journal.sent.append(entry)
        if "lost" in entry.faults:
            return
        if len(self._tasks) >= WAITING_LIMIT:
            self.dropped += 1
            return
        shuffle = next((fault for fault in faults if fault.kind == "shuffle"), None)
        # The fault was meant for one push; those that follow are held with it until there are enough.
        if shuffle or vendor.code in self._held:
            if shuffle:
                self._counts.setdefault(vendor.code, int(shuffle.number("count", 3)))
            self._hold(vendor, push, entry, faults)
        else:
            self._start(vendor, push, entry, faults, lane=f"{vendor.code}/{push.lane}")

    async def settle(self, timeout_seconds: float) -> bool:
        """Wait until nothing is under way; says whether that was reached in time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_seconds
        while True:
            for code in list(self._held):
                self._release(code)
            if not self._tasks:
                return True
            left = end - loop.time()
            if left <= 0:
                return False
            await asyncio.wait(self._tasks, timeout=left)

    async def close(self) -> None:
        """Drop what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    def clear(self) -> None:
        """Forget what is held and what was sent last."""
        self._held.clear()
        self._counts.clear()
        self._last.clear()
        for task in self._tasks:
            task.cancel()

    def _hold(self, vendor: Vendor, push: Push, entry: Sent, faults: list[Fault]) -> None:
        held = self._held.setdefault(vendor.code, [])
        held.append((vendor, push, entry, faults))
        if len(held) >= self._counts[vendor.code]:
            self._release(vendor.code)
        elif len(held) == 1:
            asyncio.get_running_loop().call_later(SHUFFLE_WAIT_SECONDS, self._release, vendor.code)

    def _release(self, code: str) -> None:
        held = self._held.pop(code, [])
        self._counts.pop(code, None)
        order = list(range(len(held)))
        while len(order) > 1 and order == sorted(order):
            self._dice.shuffle(order)
        for index in order:
            vendor, push, entry, faults = held[index]
            # One lane for all of them: their order is wrong, but it is one order.
            self._start(vendor, push, entry, faults, lane=f"{code}/shuffled")

    def _start(self, vendor: Vendor, push: Push, entry: Sent, faults: list[Fault], *, lane: str) -> None:
        before = self._lanes.get(lane)
        task = self._spawn(
            self._deliver(vendor, push, entry, {fault.kind: fault for fault in faults}, before)
        )
        self._lanes[lane] = task
        task.add_done_callback(lambda done: self._lanes.get(lane) is done and self._lanes.pop(lane))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(
        self,
        vendor: Vendor,
        push: Push,
        entry: Sent,
        faults: dict[str, Fault],
        before: asyncio.Task[None] | None,
    ) -> None:
        if before:
            await asyncio.wait([before])
        key = f"{vendor.code}/{push.operation}/{push.lane}"
        previous = self._last.get(key)
        self._remember(key, push)
        copies = int(faults["duplicate"].number("copies", 1)) if "duplicate" in faults else 0
        for _copy in range(1 + copies):
            await self._post(vendor, push, entry, faults)
        if "old_after_new" in faults and previous:
            await self._post(vendor, previous, entry, faults)
        if not entry.acked:
            self._again(vendor, push, entry, 1)

    def _remember(self, key: str, push: Push) -> None:
        self._last.pop(key, None)
        self._last[key] = push
        if len(self._last) > LANES_REMEMBERED:
            del self._last[next(iter(self._last))]

    def _again(self, vendor: Vendor, push: Push, entry: Sent, attempts: int) -> None:
        """Try once more after the vendor's pause, as it was meant; other pushes do not wait for it."""
        if attempts >= vendor.push_attempts:
            return

        async def retry() -> None:
            await self._post(vendor, push, entry, {})
            if not entry.acked:
                self._again(vendor, push, entry, attempts + 1)

        self._around.clock.later(vendor.push_gap_seconds, lambda: self._spawn(retry()))

    async def _post(self, vendor: Vendor, push: Push, entry: Sent, faults: dict[str, Fault]) -> None:
        if "hints_only" in faults and push.hint is not None:
            push = replace(push, body=push.hint)
        at = self._around.clock.wall()
        if "clock_off" in faults:
            at += timedelta(seconds=faults["clock_off"].number("seconds", -600))
        wrong = "d3Jvbmctc2VjcmV0" if "wrong_signature" in faults else None
        query, headers, body = vendor.dress(push, at, wrong)
        async with self._slots:
            entry.posts += 1
            try:
                answer = await self._http().post(
                    httpx.URL(push.url).copy_merge_params(query), content=body,
                    headers={"content-type": push.content_type, **headers},
                )  # fmt: skip
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                entry.status, entry.answer = 0, type(fault).__name__
                return
        entry.status, entry.answer = answer.status_code, answer.text[:300]
        entry.acked = vendor.acked(answer.status_code, answer.content)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False)
        return self._client
