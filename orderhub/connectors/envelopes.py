"""Requests as they are kept: the bytes sealed, beside them what maps may read; never a signature, a token or a cookie."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from orderhub.connectors.models import InboxMessage
from orderhub.connectors.speech.requests import Request
from orderhub.kernel import secrets

_HIDDEN = (
    "authorization",
    "cookie",
    "signature",
    "hmac",
    "token",
    "secret",
    "password",
    "sign",
    "digest",
    "api-key",
)
MOST_HEADERS = 60


def envelope_of(request: Request) -> dict[str, Any]:
    """The method, path, query and headers that are kept; whatever looks like a proof or a secret is left out."""
    headers = {
        name: value[:500]
        for name, value in list(request.headers.items())[:MOST_HEADERS]
        if not _is_hidden(name)
    }
    query = [[name, value[:500]] for name, value in request.query if not _is_hidden(name)]
    kept = {"method": request.method, "path": request.path, "query": query, "headers": headers}
    return {**kept, "door": request.door, "origin": request.origin} if request.door else kept


def seal(body: bytes) -> bytes:
    """Bytes as they lie in the table: packed and sealed."""
    packed = base64.b64encode(zlib.compress(body, 6)).decode()
    return secrets.seal(packed, keys=settings.SECRET_KEYS).encode()


def unseal(kept: bytes | memoryview) -> bytes:
    """The bytes as they came."""
    packed = secrets.unseal(bytes(kept).decode(), keys=settings.SECRET_KEYS)
    return zlib.decompress(base64.b64decode(packed))


def body_of(message: InboxMessage) -> bytes:
    """What is read: the message as a person corrected it, else as it came."""
    if message.sealed_edit:
        return secrets.unseal(message.sealed_edit, keys=settings.SECRET_KEYS).encode()
    if message.raw is not None:
        return unseal(message.raw)
    return json.dumps(message.body, ensure_ascii=False).encode()


def request_of(message: InboxMessage) -> Request:
    """The request a kept message was, with the body as it is to be read."""
    kept: Mapping[str, Any] = message.envelope
    return Request(
        method=str(kept.get("method", "POST")), url="", path=str(kept.get("path", "/")),
        query=tuple((str(name), str(value)) for name, value in kept.get("query", [])),
        headers=dict(kept.get("headers", {})), body=body_of(message), door=str(kept.get("door", "")),
        origin=str(kept.get("origin", "")),
    )  # fmt: skip


def query_of(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string, in order, blanks kept; ValueError for a flood of names."""
    return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=200))


def _is_hidden(name: str) -> bool:
    low = name.lower()
    return any(word in low for word in _HIDDEN)
