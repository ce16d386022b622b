"""A destination that fails everybody rests: nothing is claimed for it, so an outage burns no attempts.

The state lives in the cache, which all workers share in production; losing it costs a few attempts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from django.core.cache import cache

#: So many failures in a row mean that a destination is out; one is enough while it is being tried again.
OUTAGE_FAILURES = 3
FIRST_REST_SECONDS = 2.0
LONGEST_REST_SECONDS = 60.0
_FORGOTTEN_SECONDS = 3600


class Rest(TypedDict):
    """How often in a row a destination was found out, and when it may be tried again (ISO, UTC)."""

    times: int
    until: str


def resting(subscriber: str, *, now: datetime) -> list[str]:
    """The destinations of the subscriber that may not be tried now: those that are out, and those that have enough."""
    out = {name for name, rest in _known(subscriber).items() if datetime.fromisoformat(rest["until"]) > now}
    full = {name for name, until in _paused(subscriber).items() if datetime.fromisoformat(until) > now}
    return sorted(out | full)


def pause(subscriber: str, destination: str, *, seconds: float, now: datetime) -> None:
    """The destination takes no more for so long; it is not out, and nothing counts against it."""
    paused = {
        name: until for name, until in _paused(subscriber).items() if datetime.fromisoformat(until) > now
    }
    paused[destination] = (now + timedelta(seconds=seconds)).isoformat()
    cache.set(f"pace:{subscriber}", paused, timeout=_FORGOTTEN_SECONDS)


def is_out(subscriber: str, destination: str) -> Rest | None:
    """Since how many tries a destination is out and until when it rests; None if it is not."""
    return _known(subscriber).get(destination)


def _paused(subscriber: str) -> dict[str, str]:
    return dict(cache.get(f"pace:{subscriber}") or {})


def patience(subscriber: str, destination: str) -> int:
    """Failures in a row after which the rest of a batch is put back untried."""
    return 1 if destination in _known(subscriber) else OUTAGE_FAILURES


def rest(subscriber: str, destination: str, *, now: datetime) -> timedelta:
    """The destination is out: it rests 2 s, twice as long each time, 60 s at most; returns how long."""
    known = _known(subscriber)
    times = known[destination]["times"] + 1 if destination in known else 1
    length = timedelta(seconds=min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2 ** min(times - 1, 10)))
    known[destination] = {"times": times, "until": (now + length).isoformat()}
    cache.set(_key(subscriber), known, timeout=_FORGOTTEN_SECONDS)
    return length


def recovered(subscriber: str, destination: str) -> bool:
    """Something arrived there; whether it had been out."""
    known = _known(subscriber)
    if known.pop(destination, None) is None:
        return False
    cache.set(_key(subscriber), known, timeout=_FORGOTTEN_SECONDS)
    return True


def _known(subscriber: str) -> dict[str, Rest]:
    return dict(cache.get(_key(subscriber)) or {})


def _key(subscriber: str) -> str:
    return f"breaker:{subscriber}"
