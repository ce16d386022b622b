"""How often somebody may call: counted atomically, in Redis for all processes, else within this one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from time import monotonic
from typing import Any, NamedTuple, cast

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from orderhub.kernel import clock

_log = logging.getLogger("orderhub.api")
_MOST_NAMES = 10_000
#: After a failure of Redis nobody is counted for so long, so that a dead Redis costs no time-out per call.
_PAUSE_SECONDS = 5.0

#: A token bucket as one moment (GCRA): when it would be full again. KEYS: its name. ARGV: rate per second, burst.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local step = 1 / tonumber(ARGV[1])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full + step - tonumber(ARGV[2]) * step - now
if wait > 0.0000005 then
  return {0, tostring(full - now), tostring(wait)}
end
full = full + step
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX', math.ceil((full - now) * 1000) + 1000)
return {1, tostring(full - now), '0'}
"""


class Verdict(NamedTuple):
    """Whether a call may pass, how many more may follow at once, and in how many seconds the bucket is full."""

    passes: bool
    limit: int
    remaining: int
    full_in_seconds: int
    wait_seconds: float

    @property
    def headers(self) -> list[tuple[str, str]]:
        """RateLimit-* of draft-ietf-httpapi-ratelimit-headers-07."""
        return [
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.full_in_seconds)),
        ]


_full_at: dict[str, float] = {}
_lock = threading.Lock()
_down_until = 0.0


def take(name: str, *, rate: float, burst: int) -> Verdict:
    """Take one of the `burst` calls that refill with `rate` per second; without its Redis everything passes."""
    if not settings.REDIS_URL:
        return _verdict(*_taken_here(name, rate=rate, burst=burst), rate=rate, burst=burst)
    global _down_until  # one switch for the process
    if monotonic() >= _down_until:
        try:
            passes, full_in, wait = _script()(keys=[f"orderhub:rate:{name}"], args=[rate, burst])
            return _verdict(bool(passes), float(full_in), float(wait), rate=rate, burst=burst)
        except redis.RedisError as fault:
            _down_until = monotonic() + _PAUSE_SECONDS
            _log.warning("Calls are not limited while Redis does not answer: %s", type(fault).__name__)
    return Verdict(True, burst, burst, 0, 0.0)


def reset() -> None:
    """Fill every bucket of this process and ask Redis again."""
    global _down_until
    with _lock:
        _full_at.clear()
    _down_until = 0.0


def _taken_here(name: str, *, rate: float, burst: int) -> tuple[bool, float, float]:
    step = 1 / rate
    with _lock:
        now = monotonic()
        full = max(_full_at.get(name, now), now)
        wait = full + step - burst * step - now
        if wait > 5e-7:
            return False, full - now, wait
        if len(_full_at) >= _MOST_NAMES and name not in _full_at:
            for old in [other for other, moment in _full_at.items() if moment <= now]:
                del _full_at[old]
        _full_at[name] = full + step
    return True, full + step - now, 0.0


def _verdict(passes: bool, full_in: float, wait: float, *, rate: float, burst: int) -> Verdict:
    remaining = max(int(burst - full_in * rate + 1e-6), 0)
    return Verdict(passes, burst, remaining, ceil(full_in), wait)


@lru_cache(maxsize=1)
def _script() -> Callable[..., Any]:
    """The script on a connection of its own, with time-outs that a call can bear."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25, retry=None
    )
    return cast("Callable[..., Any]", client.register_script(_SCRIPT))


def too_many(key: str, *, limit: int, seconds: int = 60) -> bool:
    """Count one try and say whether this window holds more than `limit` of them."""
    window = int(clock.now().timestamp()) // seconds
    name = f"limit:{key}:{window}"
    cache.add(name, 0, timeout=seconds * 2)
    try:
        return cache.incr(name) > limit
    except ValueError:  # the entry went between add and incr
        return False


def address_of(request: HttpRequest) -> str:
    """The caller's address, trusting as many proxies as the settings name."""
    proxies = int(settings.NUM_PROXIES)
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if proxies and hops:
        return str(hops[-min(proxies, len(hops))])
    return str(request.META.get("REMOTE_ADDR", ""))
