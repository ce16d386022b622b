"""Calls to addresses that somebody typed: resolved once, checked, and connected to just that; no redirects, small answers."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

import httpcore
import httpx

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
#: More of an answer is not read.
MOST_ANSWER_BYTES = 4 * 1024 * 1024
_TOO_LONG = "the answer is larger than we read"


class Forbidden(Exception):
    """The address may not be called; says why, for whoever typed it."""


class NotSent(Exception):
    """Nothing was taken (no connection was made, or they said not now), so it may simply be sent again."""


class NoAnswer(Exception):
    """Something was sent and no whole answer came: whether it was taken is not known."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, and after how many milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: int


class _Guard(httpcore.NetworkBackend):
    """Resolves a name once and connects to an address it has checked, so that a second look-up cannot lead elsewhere."""

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._beneath = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first allowed address of the host; Forbidden if one of them may not be called."""
        addresses = checked_addresses(host, port, allows_private=self._allows_private)
        return self._beneath.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Never."""
        raise Forbidden("sockets of this machine are not called")


class _Transport(httpx.HTTPTransport):
    """httpx's own transport with connections made by the guard."""

    def __init__(self, *, allows_private: bool, connections: int) -> None:
        super().__init__(trust_env=False, limits=httpx.Limits(max_connections=connections))
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), max_connections=connections,
            max_keepalive_connections=connections, keepalive_expiry=30.0,
            network_backend=_Guard(allows_private=allows_private),
        )  # fmt: skip


def client(*, allows_private: bool, connections: int = 8) -> httpx.Client:
    """A client for one system: 3 s to connect, 10 s in all, up to `connections` calls side by side."""
    return httpx.Client(
        transport=_Transport(allows_private=allows_private, connections=connections),
        timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS), follow_redirects=False, trust_env=False,
    )  # fmt: skip


def checked_addresses(host: str, port: int, *, allows_private: bool) -> list[str]:
    """The host's addresses; Forbidden if any is not public (unless that is allowed), NotSent if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise NotSent(f"the name {host} is not known") from fault
    addresses = [str(row[4][0]) for row in found]
    for address in addresses:
        number = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(number, "ipv4_mapped", None)
        number = mapped or number
        if number.is_multicast or number.is_unspecified or number.is_link_local:
            raise Forbidden(f"{host} leads to {address}, which is no address of a system")
        if not number.is_global and not allows_private:
            raise Forbidden(f"{host} leads into a private network ({address})")
    return addresses


def check_url(url: str, *, allows_plain: bool) -> None:
    """Forbidden unless it is https (or http where allowed) with a host and without a password in it."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as fault:
        raise Forbidden("this is no address") from fault
    if parts.scheme not in (("https", "http") if allows_plain else ("https",)):
        raise Forbidden("the address must begin with https://")
    if not parts.host or parts.userinfo:
        raise Forbidden("the address needs a host, and no name or password in it")


def send(
    by: httpx.Client, method: str, url: str, *, headers: Mapping[str, str], body: bytes, allows_plain: bool
) -> Answered:
    """Send one request and read the whole answer within 10 s; raises Forbidden, NotSent or NoAnswer."""
    check_url(url, allows_plain=allows_plain)
    began = monotonic()
    try:
        request = by.build_request(method, url, headers=dict(headers), content=body)
        answer = by.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as fault:
        raise NotSent(f"{type(fault).__name__}: {fault}") from fault
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, OSError) as fault:
        raise NoAnswer(f"{type(fault).__name__}: {fault}") from fault
    try:
        content = _read(answer, until=began + TOTAL_SECONDS)
    except httpx.HTTPError as fault:
        raise NoAnswer(f"{type(fault).__name__}: {fault}") from fault
    finally:
        answer.close()
    return Answered(
        answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content,
        int((monotonic() - began) * 1000),
    )  # fmt: skip


def _read(answer: httpx.Response, *, until: float) -> bytes:
    """The body, however slowly it drips: but not longer than until then and not more than we read."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        parts.append(part)
        if size > MOST_ANSWER_BYTES:
            raise NoAnswer(_TOO_LONG)
        if monotonic() > until:
            raise NoAnswer("the answer took longer than 10 s")
    return b"".join(parts)
