"""One name for one request: taken from the caller or made here, and told in logs, problems and the answer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "X-Request-Id"
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z")
_current: ContextVar[str] = ContextVar("orderhub_request_id", default="")


def current() -> str:
    """The id of the request being answered; empty outside of one."""
    return _current.get()


def accept(given: str | None) -> str:
    """The caller's id when it is 1 to 64 letters, digits, `.`, `_`, `:` or `-`, else a new one."""
    return given if given and _FORM.match(given) else secrets.token_hex(12)


@contextmanager
def bound(request_id: str) -> Iterator[None]:
    """Make it the current id; a job may bind the id of the request that caused it."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
