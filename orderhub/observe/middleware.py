"""Every request is counted, timed and written to the access log by its route."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from orderhub.observe import meters, views

logger = logging.getLogger("orderhub.web")
QUIET = frozenset({"healthz", "readyz", "metrics"})


class Watch:
    """Stands just inside the outermost door, so that it sees whatever answer is given.

    The route stands for the path everywhere: paths hold tracking tokens.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Time it."""
        # Prometheus calls each process by its address, which is no name the hub answers to.
        if request.path == "/metrics" and views.is_monitor(request):
            return views.metrics(request)
        began = perf_counter()
        response = self.get_response(request)
        seconds = perf_counter() - began
        match = request.resolver_match
        route = (match.view_name or match.route) if match else "none"
        method = request.method if request.method in _METHODS else "OTHER"
        meters.REQUESTS.labels(method, route, str(response.status_code)).observe(seconds)
        if route not in QUIET:
            facts = {
                "method": method, "route": route, "status": response.status_code,
                "duration_ms": round(seconds * 1000, 1), "merchant": _merchant(request),
            }  # fmt: skip
            logger.info("%s %s %d", method, route, response.status_code, extra=facts)
        return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _merchant(request: HttpRequest) -> int | None:
    """The id of the merchant asking, if the API or the session knows one; never a query of its own."""
    user = request.__dict__.get("_cached_user")
    found = getattr(request, "merchant", None) or getattr(user, "merchant", None)
    return getattr(found, "pk", None)
