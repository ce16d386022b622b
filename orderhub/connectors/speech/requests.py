"""A request as data: what another system sent us, or what we are about to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl

#: More fields than any form we know; a flood of names is refused before it costs anything.
MOST_FIELDS = 1000
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `url` is whole, `path` its path as sent (still quoted), `headers` have lower-case names.

    What was fetched from a folder, a mailbox or a table is one too: `door` says from which (else ""), and `origin` stands
    for the file it came in, so that equal rows of two files are two messages.
    """

    method: str = "POST"
    url: str = ""
    path: str = ""
    query: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    door: str = ""
    origin: str = ""

    @property
    def form(self) -> Pairs:
        """The body's fields where it is a form, else nothing."""
        kind = self.headers.get("content-type", "")
        if kind and "x-www-form-urlencoded" not in kind.lower():
            return ()
        return pairs(self.body)


def pairs(body: bytes) -> Pairs:
    """The fields of a form in order, blanks kept; nothing for bytes that are no form in UTF-8."""
    try:
        return tuple(
            parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        )
    except (UnicodeDecodeError, ValueError):
        return ()


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with lower-case names, as `Request` wants them."""
    return {name.lower(): value for name, value in headers.items()}
