"""The limit of calls per key as DRF asks for it; DRF's own throttle counts with a read and a write."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from orderhub.access import limits
from orderhub.access.authentication import KeyHolder, answer_headers

#: Actions with a bucket of their own: one bulk call places up to a thousand orders, and a promise is computed.
POLICIES = {"bulk": "bulk", "promise": "promise"}
#: A key may send this many times its rate per second at once.
BURST = 2


class KeyRate(BaseThrottle):
    """A bucket for each key, person or (without either) address; the answer tells what is left in it."""

    def __init__(self) -> None:
        self.wait_seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call."""
        policy = POLICIES.get(getattr(view, "action", None) or "", "default")
        rate = int(settings.API_RATES[policy])
        user: Any = request.user
        if isinstance(user, KeyHolder):
            name = f"{policy}:key:{user.key.pk}"
            if policy == "default":
                rate = user.key.rate_per_second or rate
        elif user.is_authenticated:
            name = f"{policy}:user:{user.pk}"
        else:
            name = f"{policy}:address:{limits.address_of(request._request)}"
        verdict = limits.take(name, rate=rate, burst=rate * BURST)
        answer_headers(request).extend(verdict.headers)
        self.wait_seconds = verdict.wait_seconds
        return verdict.passes

    def wait(self) -> float:
        """Seconds until the next call may pass, for Retry-After."""
        return self.wait_seconds
