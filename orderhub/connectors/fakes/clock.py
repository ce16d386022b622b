"""A clock that may run faster than the day, jump ahead, and call back when something is due."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

logger = logging.getLogger(__name__)

#: Chinese vendors write local time without a zone.
CHINA = timezone(timedelta(hours=8))

#: What may wait at most; more is dropped, for a fake world must not fill a machine's memory.
WAITING_LIMIT = 50_000


class Clock:
    """Virtual seconds = real seconds × factor + jumps. Documents carry virtual or, with `stamps="wall"`, real time.

    With `stamps="all"` signatures carry virtual time too, for a hub that lives by this clock.
    """

    def __init__(self, factor: float = 1.0, stamps: str = "virtual") -> None:
        self.factor = factor
        self.stamps = stamps
        self._start = datetime.now(UTC)
        self._mark = time.monotonic()
        self._passed = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._wake = asyncio.Event()

    @property
    def passed_seconds(self) -> float:
        """Virtual seconds since the world began."""
        return self._passed + (time.monotonic() - self._mark) * self.factor

    def now(self) -> datetime:
        """The time that documents carry; aware, UTC."""
        if self.stamps == "wall":
            return datetime.now(UTC)
        return self._start + timedelta(seconds=self.passed_seconds)

    def wall(self) -> datetime:
        """The machine's time: what signatures carry, for it is held against the other side's clock."""
        return self.now() if self.stamps == "all" else datetime.now(UTC)

    def local(self, moment: datetime | None = None) -> str:
        """A moment (else now) as Chinese vendors write it: local time, no zone."""
        return (moment or self.now()).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")

    def set_factor(self, factor: float) -> None:
        """Go on from here at another pace."""
        if not 0 <= factor <= 1_000_000:
            raise ValueError("the factor is between 0 and 1,000,000")
        self._passed, self._mark = self.passed_seconds, time.monotonic()
        self.factor = factor
        self._wake.set()

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call back after so many virtual seconds."""
        if len(self._due) >= WAITING_LIMIT:
            return
        self._count += 1
        heapq.heappush(self._due, (self.passed_seconds + seconds, self._count, call))
        self._wake.set()

    def advance(self, seconds: float) -> int:
        """Jump ahead; what falls due on the way is called at its own time, in order. Says how many that were."""
        goal = self.passed_seconds + max(0.0, seconds)
        called = 0
        while self._due and self._due[0][0] <= goal:
            due, _count, call = heapq.heappop(self._due)
            self._passed += max(0.0, due - self.passed_seconds)
            try:
                call()
            except Exception:
                # One mishap of a buyer or warehouse must not stop the clock of all others.
                logger.exception("what fell due in the fake world failed")
            called += 1
        self._passed += max(0.0, goal - self.passed_seconds)
        return called

    def restart(self) -> None:
        """Forget everything that waits, and begin again at the machine's time."""
        self._due.clear()
        self._start, self._mark, self._passed = datetime.now(UTC), time.monotonic(), 0.0
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many calls wait for their time."""
        return len(self._due)

    async def run(self) -> None:
        """Call what falls due, for as long as the world stands."""
        while True:
            self._wake.clear()
            self.advance(0.0)
            pause = None
            if self._due and self.factor > 0:
                pause = max(0.0, (self._due[0][0] - self.passed_seconds) / self.factor)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
