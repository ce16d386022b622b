"""The outermost middleware: every request has an id, and nothing under /api/ is answered with a page."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation

from orderhub.access import problems, request_id

API = "/api/"
_LANGUAGES = {"zh": "zh-hans", "zh-hans": "zh-hans", "zh-cn": "zh-hans", "en": "en"}
_log = logging.getLogger("orderhub.api")


class RequestDoor:
    """Gives the request its id and language, and the answer its headers; an error of the API is always a
    problem document.
    """

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
        name = _enter(request)
        with request_id.bound(name):
            return _leave(request, self.get_response(request), name)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        name = _enter(request)
        with request_id.bound(name):
            return _leave(request, await self.get_response(request), name)

    def process_exception(self, request: HttpRequest, fault: Exception) -> HttpResponse | None:
        """An error of ours under /api/ is logged whole and told without its insides."""
        if not request.path.startswith(API):
            return None
        problem = problems.of_django(fault)
        if problem is None:
            got_request_exception.send(sender=self.__class__, request=request)
            _log.error("The API failed on %s %s", request.method, request.path, exc_info=fault)
            problem = problems.bare("server_error", 500)
        return problem


def _enter(request: HttpRequest) -> str:
    name = request_id.accept(request.META.get("HTTP_X_REQUEST_ID"))
    if "lang=" in request.META.get("QUERY_STRING", "") and request.path.startswith(API):
        language = _LANGUAGES.get(request.GET.get("lang", "").lower())
        if language:  # the cookie is what Django asks before Accept-Language
            request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = language
    return name


def _leave(request: HttpRequest, response: HttpResponseBase, name: str) -> HttpResponseBase:
    if response.status_code >= 400 and request.path.startswith(API):
        response = _as_problem(request, response)
    response.headers[request_id.HEADER] = name
    for header, value in getattr(request, "hub_headers", ()):
        response.headers[header] = value
    return response


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Django's own pages (unknown address, refused body, debug page) as problem documents."""
    if "json" in response.headers.get("Content-Type", ""):
        return response
    with translation.override(getattr(request, "LANGUAGE_CODE", None) or settings.LANGUAGE_CODE):
        problem = problems.bare(problems.code_of(response.status_code), response.status_code)
    for header in ("Allow", "WWW-Authenticate", "Retry-After"):
        if header in response.headers:
            problem.headers[header] = response.headers[header]
    return problem
