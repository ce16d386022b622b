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
#: Whoever tries whether a destination is back has so long, or it is taken for lost.
TRIAL_SECONDS = 30
_FORGOTTEN_SECONDS = 3600
_SEEN_SECONDS = 5


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
    moments = {name: datetime.fromisoformat(until) for name, until in _paused(subscriber).items()}
    # What ended a moment ago stays, for whoever looks whom to ring for.
    kept = {name: until for name, until in moments.items() if until > now - timedelta(seconds=_SEEN_SECONDS)}
    until = now + timedelta(seconds=seconds)
    kept[destination] = max(until, kept.get(destination, until))
    longest = max(kept.values()) - now
    cache.set(
        f"pace:{subscriber}", {name: moment.isoformat() for name, moment in kept.items()},
        timeout=_FORGOTTEN_SECONDS + longest.total_seconds(),
    )  # fmt: skip


def resume(subscriber: str, destination: str) -> None:
    """Nothing keeps the destination from being tried now: a person has seen to it."""
    paused, known = _paused(subscriber), _known(subscriber)
    if paused.pop(destination, None):
        cache.set(f"pace:{subscriber}", paused, timeout=_FORGOTTEN_SECONDS)
    if known.pop(destination, None):
        cache.set(_key(subscriber), known, timeout=_FORGOTTEN_SECONDS)


def has_resumed(subscriber: str, *, since: datetime, now: datetime) -> bool:
    """Whether a rest or pause of one of its destinations ended since then."""
    ends = [*_paused(subscriber).values(), *(rest["until"] for rest in _known(subscriber).values())]
    return any(since < datetime.fromisoformat(end) <= now for end in ends)


def is_out(subscriber: str, destination: str) -> Rest | None:
    """Since how many tries a destination is out and until when it rests; None if it is not."""
    return _known(subscriber).get(destination)


def _paused(subscriber: str) -> dict[str, str]:
    return dict(cache.get(f"pace:{subscriber}") or {})


def patience(subscriber: str, destination: str) -> int:
    """Failures in a row after which the rest of a batch is put back untried."""
    return 1 if destination in _known(subscriber) else OUTAGE_FAILURES


def known_out(subscriber: str) -> frozenset[str]:
    """The destinations that were found out and have taken nothing since."""
    return frozenset(_known(subscriber))


def begin_trial(subscriber: str, destination: str) -> bool:
    """Take it on to try whether a destination is back; False while another worker does."""
    return bool(cache.add(f"trial:{subscriber}:{destination}", 1, timeout=TRIAL_SECONDS))


def end_trial(subscriber: str, destination: str) -> None:
    """The trial is over, whatever came of it."""
    cache.delete(f"trial:{subscriber}:{destination}")


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
