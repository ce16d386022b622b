"""What a world has received and sent, in order, in bounded memory."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

#: Entries and bytes of bodies kept; the oldest go first.
KEEP_ENTRIES = 20_000
KEEP_BYTES = 64_000_000
#: What is kept of one answer and of one push.
ANSWER_BYTES = 2_000
PUSH_BYTES = 20_000


@dataclass(slots=True)
class Received:
    """One request: what it asked for, what it got, and the fault it met, if any."""

    number: int
    at: str
    vendor: str
    operation: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    outcome: str = "read"
    status: int = 0
    answer: bytes = b""
    fault: str = ""
    #: This machine's time in seconds, for whoever counts how many came in a second.
    wall_s: float = field(default_factory=time.time)

    def tell(self) -> dict[str, Any]:
        """The entry as the control interface shows it."""
        return {
            "number": self.number, "at": self.at, "wall_s": self.wall_s, "vendor": self.vendor, "operation": self.operation,
            "method": self.method, "path": self.path, "query": self.query, "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"), "outcome": self.outcome, "status": self.status,
            "answer": self.answer.decode("utf-8", "replace"), "fault": self.fault,
        }  # fmt: skip


@dataclass(slots=True)
class Sent:
    """One push: all copies and attempts of it together."""

    number: int
    at: str
    vendor: str
    operation: str
    lane: str
    url: str
    body: bytes
    faults: tuple[str, ...] = ()
    posts: int = 0
    status: int = 0
    answer: str = ""
    acked: bool = False

    def tell(self) -> dict[str, Any]:
        """The entry as the control interface shows it."""
        return {
            "number": self.number, "at": self.at, "vendor": self.vendor, "operation": self.operation,
            "lane": self.lane, "url": self.url, "body": self.body.decode("utf-8", "replace"),
            "faults": list(self.faults), "posts": self.posts, "status": self.status, "answer": self.answer,
            "acked": self.acked,
        }  # fmt: skip


class Journal:
    """Requests received and pushes sent; numbers go on counting when old entries are dropped."""

    def __init__(self) -> None:
        self.received: deque[Received] = deque()
        self.sent: deque[Sent] = deque(maxlen=KEEP_ENTRIES)
        self.totals: Counter[str] = Counter()
        self.numbered = 0
        self._bytes = 0

    def take(self, entry: Received) -> None:
        """Keep one request."""
        self.received.append(entry)
        self._bytes += len(entry.body)
        self.totals[entry.vendor] += 1
        while len(self.received) > KEEP_ENTRIES or self._bytes > KEEP_BYTES:
            self._bytes -= len(self.received.popleft().body)

    def next_number(self) -> int:
        """A number for an entry: one sequence for both directions, so that they can be told apart in time."""
        self.numbered += 1
        return self.numbered

    def tell_received(self, vendor: str, operation: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Requests that fit, oldest first."""
        fitting = (
            one for one in self.received
            if one.number > after and vendor in {"", one.vendor} and operation in {"", one.operation}
        )  # fmt: skip
        return [one.tell() for _count, one in zip(range(limit), fitting, strict=False)]

    def tell_sent(self, vendor: str, operation: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Pushes that fit, oldest first."""
        fitting = (
            one for one in self.sent
            if one.number > after and vendor in {"", one.vendor} and operation in {"", one.operation}
        )  # fmt: skip
        return [one.tell() for _count, one in zip(range(limit), fitting, strict=False)]

    def clear(self) -> None:
        """Forget all entries; the numbers go on."""
        self.received.clear()
        self.sent.clear()
        self.totals.clear()
        self._bytes = 0
