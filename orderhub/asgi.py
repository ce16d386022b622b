"""The ASGI entry: HTTP through Django, sockets through Channels; upper layers are reached by name only.

Django's own ASGI handler starts a thread and opens a database connection for every request, and changes threads
at each middleware that is not asynchronous. None of our views is, so here one request is one call on one of a
few lasting threads: connections are kept and their number is bounded.
"""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import IO, Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderhub.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (after Django is set up)
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core import signals  # noqa: E402
from django.core.exceptions import RequestAborted, RequestDataTooBig  # noqa: E402
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix  # noqa: E402
from django.core.handlers.base import BaseHandler  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import set_script_prefix  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from orderhub.fulfillment.wire import too_large  # noqa: E402

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: What only a browser's session needs. A request with an API key never becomes a session's, so it skips them.
FOR_BROWSERS = frozenset({
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orderhub.access.middleware.AdminScriptPolicy",
    "simple_history.middleware.HistoryRequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
})  # fmt: skip
#: What a document of data may do in a browser, where somebody opens it there: the same for all, so it is not made anew.
FOR_DATA = "default-src 'none'; frame-ancestors 'none'"
#: A connection used so lately is not asked `SELECT 1` before it is used again; a broken one is replaced anyway.
FRESH_SECONDS = 2.0
_local = threading.local()


class _Chain(BaseHandler):
    """Django's middleware, all synchronous, around the views."""

    def __init__(self, middleware: Iterable[str]) -> None:
        super().__init__()
        everything = settings.MIDDLEWARE
        settings.MIDDLEWARE = list(middleware)  # the one place Django reads its list from
        try:
            self.load_middleware()
        finally:
            settings.MIDDLEWARE = everything


class _TooLarge(io.RawIOBase):
    """The body of a request that was cut off: whoever reads it is told so, nobody else is troubled."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise too_large(self._limit)


_Job = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]


class _Threads:
    """A few lasting threads that answer requests; `run_in_executor` does the same with two futures and four callbacks."""

    def __init__(self, number: int, name: str) -> None:
        self._work: SimpleQueue[_Job | None] = SimpleQueue()
        self._names = [f"{name}_{position}" for position in range(number)]
        self._running: list[threading.Thread] = []

    def run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """What the work gives, or raises, once a thread has done it."""
        while self._names:  # not before the first request, so that a fork takes no threads along
            thread = threading.Thread(target=self._serve, name=self._names.pop(), daemon=True)
            self._running.append(thread)
            thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._work.put((loop, done, work))
        return done

    def stop(self) -> None:
        """Wait until what was asked for is done, then end the threads with their connections."""
        for _thread in self._running:
            self._work.put(None)
        for thread in self._running:
            thread.join()

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            loop, done, work = job
            try:
                value, fault = work(), None
            except BaseException as caught:
                value, fault = None, caught
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(_settle, done, value, fault)
        connections.close_all()


def _settle(done: asyncio.Future[Any], value: Any, fault: BaseException | None) -> None:
    if done.done():
        return  # whoever asked has gone
    if fault is None:
        done.set_result(value)
    else:
        done.set_exception(fault)


class Web:
    """The HTTP application: reads the body, answers on a thread, sends the answer."""

    def __init__(self, *, threads: int) -> None:
        signals.request_started.connect(_keep_fresh_connections)
        self._people = _Chain(settings.MIDDLEWARE)
        self._keyed = _Chain(name for name in settings.MIDDLEWARE if name not in FOR_BROWSERS)
        # Two pools, so that slow pages cannot take the threads that orders come in through.
        self._api_threads = _Threads(threads, "api")
        self._page_threads = _Threads(threads, "page")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        is_api = scope["path"].startswith("/api/")
        try:
            body, size = await _read(receive, scope, limit=_limit(scope, is_api=is_api))
        except RequestAborted:
            return
        pool = self._api_threads if is_api else self._page_threads
        response: HttpResponseBase = await pool.run(partial(self._answer, scope, body, size))
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": _headers(response)}
        )
        if response.streaming:
            parts = iter(cast(Any, response))
            while (part := await pool.run(partial(next, parts, None))) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
            await pool.run(response.close)
        else:
            await send({"type": "http.response.body", "body": cast(HttpResponse, response).content})
        body.close()

    def _answer(self, scope: dict[str, Any], body: IO[bytes], size: int) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=ASGIHandler, scope=scope)
        try:
            request = ASGIRequest(scope, body)
        except UnicodeDecodeError:
            response: HttpResponseBase = HttpResponse(status=400)
        except RequestDataTooBig:
            response = HttpResponse(status=413)
        else:
            if size:  # said by the caller or not: a chunked body has no header
                request.META["CONTENT_LENGTH"] = str(size)
            if _is_keyed(request):
                response = self._keyed.get_response(request)
                response.headers.setdefault("Content-Security-Policy", FOR_DATA)
            else:
                response = self._people.get_response(request)
            response._handler_class = ASGIHandler  # type: ignore[attr-defined]  # what `close` announces
        if not response.streaming:
            response.close()  # here, so that the signals reach this thread's connections
        return response


def _is_keyed(request: ASGIRequest) -> bool:
    return request.path_info.startswith("/api/v1/") and str(
        request.META.get("HTTP_AUTHORIZATION", "")
    ).lower().startswith("api-key ")


def _limit(scope: dict[str, Any], *, is_api: bool) -> int:
    """The most bytes a body may have: files more than documents."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if is_api and not kind.lower().startswith(b"multipart/"):
        return int(settings.API_BODY_LIMIT_BYTES)
    return int(settings.UPLOAD_LIMIT_BYTES) * 2 + 2**20  # two files, and the form around them


async def _read(receive: Receive, scope: dict[str, Any], *, limit: int) -> tuple[IO[bytes], int]:
    """The body and its size; a stream that refuses to be read, before anything is kept, when it is too large."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if said.isdigit() and int(said) > limit:
        return cast(IO[bytes], _TooLarge(limit)), int(said)
    message = await _next(receive)
    if not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return io.BytesIO(body), len(body)
    size, kept = 0, tempfile.SpooledTemporaryFile(max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE)  # noqa: SIM115
    while True:
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            kept.close()
            return cast(IO[bytes], _TooLarge(limit)), size
        kept.write(part)
        if not message.get("more_body", False):
            break
        message = await _next(receive)
    kept.seek(0)
    return cast(IO[bytes], kept), size


async def _next(receive: Receive) -> dict[str, Any]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise RequestAborted
    return message


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    pairs = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    return pairs + [
        (b"Set-Cookie", morsel.OutputString().encode("ascii")) for morsel in response.cookies.values()
    ]


def _keep_fresh_connections(**_signal: Any) -> None:
    """Runs after Django's own receiver, which asks for a health check with every request."""
    now = monotonic()
    if now - getattr(_local, "last_request", 0.0) < FRESH_SECONDS:
        for connection in connections.all(initialized_only=True):
            connection.health_check_done = True  # type: ignore[attr-defined]
    _local.last_request = now


application = ProtocolTypeRouter(
    {
        "http": Web(threads=settings.WEB_THREADS),
        "websocket": AllowedHostsOriginValidator(URLRouter(import_string("tracking.sockets.patterns"))),
    }
)
