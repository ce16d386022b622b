"""Unfold's admin needs eval for its scripts and Swagger inline styles; only their pages get that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

_ADMIN = {
    "script-src": ["'self'", "'unsafe-eval'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

#: What a page beneath a prefix needs beyond the strict policy: Unfold its scripts, Swagger's page its own styles.
_POLICIES = {"/admin/": _ADMIN, "/api/docs/": {"style-src": ["'self'", "'unsafe-inline'"]}}


class AdminScriptPolicy:
    """Relaxes script-src and style-src where a library needs it; public pages keep the strict policy."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._later(request)
        return self._relax(request, self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return self._relax(request, await self.get_response(request))

    def _relax(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for prefix, policy in _POLICIES.items():
            if request.path.startswith(prefix):
                response._csp_update = policy  # type: ignore[attr-defined]  # the attribute django-csp documents
        return response
