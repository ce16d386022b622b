"""The server: one ASGI program for all vendors, and the faults that need a hand on the connection."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orderhub.connectors.fakes import control
from orderhub.connectors.fakes.faults import EARLY, Fault, Unknown
from orderhub.connectors.fakes.journal import ANSWER_BYTES, Received
from orderhub.connectors.fakes.universe import Universe
from orderhub.connectors.fakes.vendor import Vendor
from orderhub.connectors.fakes.wire import Answer, Garbled, Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_LIMIT = 10_000_000
DRIP_PIECES = 20
#: A client that never gives up is let go after this.
HANG_SECONDS = 60.0


class Protocol(HttpToolsProtocol):
    """HTTP that lets the program reach its own connection, to cut it."""

    def on_message_begin(self) -> None:
        """Put the connection where the program finds it."""
        super().on_message_begin()
        self.scope["state"]["fakes.transport"] = self.transport


class Program:
    """The ASGI program: `/<vendor>/…` and `/_world/…`."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._noise = random.Random(f"{universe.around.seed}/noise")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        request = Request(
            scope["method"], path, scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        )  # fmt: skip
        code = path.split("/", 2)[1]
        if code == "_world":
            request.body = await _body(receive)
            await _send(send, await control.answer(self.universe, request))
            return
        vendor = self.universe.vendors.get(code)
        if vendor is None:
            await _send(send, Answer(b"no such vendor", 404, "text/plain"))
            return
        await self._vendor(vendor, request, scope, receive, send)

    async def _vendor(
        self, vendor: Vendor, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        faults = self.universe.faults
        head = vendor.peek(request)
        early = faults.scripted(vendor.code, head, EARLY)
        if early and early.args.get("mode", "reset") == "reset":
            self._record(vendor, request, "", early).outcome = "cut off"
            await _reset(scope, receive)
            return
        request.body = await _body(receive)
        operation = _operation(vendor, request)
        fault = early or faults.for_request(vendor.code, operation, head)
        entry = self._record(vendor, request, operation, fault)
        if fault is None:
            answer = self._serve(vendor, request, operation, None, entry)
            if answer.once:
                await answer.once
            await _send(send, answer)
            return
        await self._misbehave(fault, vendor, request, operation, entry, scope, receive, send)

    def _record(self, vendor: Vendor, request: Request, operation: str, fault: Fault | None) -> Received:
        journal = self.universe.journal
        entry = Received(
            journal.next_number(), self.universe.clock.local(), vendor.code, operation, request.method, request.path,
            request.query_string, dict(request.headers), request.body, fault=fault.kind if fault else "",
        )  # fmt: skip
        journal.take(entry)
        return entry

    def _serve(
        self, vendor: Vendor, request: Request, operation: str, fault: Fault | None, entry: Received
    ) -> Answer:
        """What the vendor answers, and what it has done by then."""
        try:
            answer = vendor.refuse(request, operation) or vendor.answer(operation, request, fault)
        except (Garbled, Unknown) as trouble:
            answer = vendor.failure(operation, "", str(trouble))
        except (ValueError, TypeError, KeyError, AttributeError) as trouble:
            # A document of another shape than this vendor reads: a real one would say so, too.
            answer = vendor.failure(operation, "", f"{type(trouble).__name__}: {trouble}")
        entry.outcome, entry.status, entry.answer = answer.outcome, answer.status, answer.body[:ANSWER_BYTES]
        return answer

    async def _misbehave(
        self, fault: Fault, vendor: Vendor, request: Request, operation: str, entry: Received, scope: Scope,
        receive: Receive, send: Send,
    ) -> None:  # fmt: skip
        def serve() -> Answer:
            return self._serve(vendor, request, operation, fault, entry)

        kind, seconds = fault.kind, fault.number("seconds", 1.0)
        if kind == "outage":
            kind = {"503": "gone", "hang": "hang"}.get(str(fault.args.get("mode", "reset")), "reset")
        if kind in {"hang", "hang_after"}:
            if kind == "hang_after":
                serve()
            await _hang(scope, receive, fault.number("seconds", HANG_SECONDS))
        elif kind in {"reset", "cut_after"}:
            answer = serve() if kind == "cut_after" else None
            if answer and fault.args.get("part"):
                await _begin(send, answer, answer.body[: len(answer.body) // 2])
            await _reset(scope, receive)
        elif kind == "drip":
            await _drip(send, serve(), fault.number("seconds", 2.0))
        else:
            if kind == "delay":
                await asyncio.sleep(seconds)
            answer = self._wrong(kind, fault, vendor, request, operation, serve)
            entry.status, entry.answer = answer.status, answer.body[:ANSWER_BYTES]
            if answer.once:
                await answer.once
            await _send(send, answer)

    def _wrong(
        self,
        kind: str,
        fault: Fault,
        vendor: Vendor,
        request: Request,
        operation: str,
        serve: Callable[[], Answer],
    ) -> Answer:
        """The answer that a fault makes of a request."""
        if kind == "error_500":
            if fault.args.get("accepted"):
                serve()
            return Answer(b"Internal Server Error", 500, "text/plain", outcome="failed")
        if kind == "gone":
            return Answer(b"Service Unavailable", 503, "text/plain", outcome="failed")
        if kind == "too_many":
            wait = {"retry-after": str(fault.args.get("retry_after", 1))}
            return Answer(b"Too Many Requests", 429, "text/plain", wait, outcome="failed")
        if kind == "garbage":
            return Answer(b"\x00<" + self._noise.randbytes(200), 200, outcome="failed")
        if kind == "failure":
            return vendor.failure(
                operation, str(fault.args.get("code", "")), str(fault.args.get("message", ""))
            )
        if kind == "ack_lie":
            refusal = vendor.refuse(request, operation)
            return refusal or vendor.pretend(operation, request)
        return serve()


def _operation(vendor: Vendor, request: Request) -> str:
    try:
        return vendor.operation(request)
    except Garbled:
        return ""


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        size += len(message.get("body", b""))
        # More is read, so that the other side can finish, but not kept.
        if size <= BODY_LIMIT:
            parts.append(message.get("body", b""))
    return b"".join(parts)


async def _begin(send: Send, answer: Answer, body: bytes) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()), (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]  # fmt: skip
    if answer.status == 204:
        del headers[:2]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send(send: Send, answer: Answer) -> None:
    await _begin(send, answer, b"")
    await send({"type": "http.response.body", "body": answer.body})


async def _drip(send: Send, answer: Answer, seconds: float) -> None:
    size = max(1, -(-len(answer.body) // DRIP_PIECES))
    pieces = [answer.body[begin : begin + size] for begin in range(0, len(answer.body), size)]
    await _begin(send, answer, b"")
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(seconds / len(pieces))
    await send({"type": "http.response.body", "body": b""})


async def _reset(scope: Scope, receive: Receive) -> None:
    """Cut the connection so that the other side gets a reset, not an end."""
    transport = scope["state"]["fakes.transport"]
    # A second handle on the same connection: what the loop hands out does not take options everywhere.
    with socket.fromfd(
        transport.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM
    ) as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


async def _hang(scope: Scope, receive: Receive, seconds: float) -> None:
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        await _reset(scope, receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


class Server(uvicorn.Server):
    """The server of one world; the universe is made in its own loop."""

    def __init__(self, make: Callable[[], Universe], backlog: int = 2048) -> None:
        self._make = make
        self.universe: Universe | None = None
        super().__init__(uvicorn.Config(
            self._program, interface="asgi3", http=Protocol, ws="none", lifespan="off", log_config=None,
            log_level="critical", access_log=False, server_header=False, date_header=False, backlog=backlog,
            timeout_keep_alive=30, timeout_graceful_shutdown=1,
        ))  # fmt: skip

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Make the world, serve until told to stop, then drop what is under way."""
        self.universe = self._make()
        self._answer = Program(self.universe)
        clock = asyncio.get_running_loop().create_task(self.universe.clock.run())
        try:
            await super().serve(sockets)
        finally:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)
            await self.universe.courier.close()

    async def _program(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)
