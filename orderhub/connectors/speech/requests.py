"""A request as data: what another system sent us, or what we are about to send it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl

#: More fields than any form we know; a flood of names is refused before it costs anything.
MOST_FIELDS = 1000
MOST_MULTIPART = 2_000_000
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
        if "multipart/form-data" in kind.lower():
            return tuple(multipart(self.body) or ())
        if kind and "x-www-form-urlencoded" not in kind.lower():
            return ()
        return pairs(self.body)


_NAMED = re.compile(rb'content-disposition:[^\r\n]*?[; ]name="?([^";\r\n]{1,200})"?', re.IGNORECASE)
_GZIP = 16 + zlib.MAX_WBITS


def multipart(body: bytes, charset: str = "utf-8") -> list[tuple[str, str]] | None:
    """Names and texts of a multipart form, whose first line is what parts it; None for bytes that are none."""
    mark = body.partition(b"\r\n")[0]
    if not 3 <= len(mark) <= 100 or not mark.startswith(b"--"):
        return None
    pieces = body[:MOST_MULTIPART].split(b"\r\n" + mark, MOST_FIELDS + 1)
    found: list[tuple[str, str]] = []
    for piece in [pieces[0][len(mark) :], *pieces[1:]]:
        head, _blank, value = piece.partition(b"\r\n\r\n")
        named = _NAMED.search(head)
        if named:
            found.append((named[1].decode("utf-8", "replace"), _text(value, charset)))
    return found


def _text(value: bytes, charset: str) -> str:
    """A field as text; a file that is none is nothing."""
    try:
        return value.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return ""


def opened(request: Request, most: int) -> Request | None:
    """The request with its body unpacked where the sender packed it (Content-Encoding gzip or deflate); None where it was
    not packed, cannot be unpacked, or grows beyond `most` bytes.
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    machine = zlib.decompressobj(zlib.MAX_WBITS if coding == "deflate" else _GZIP)
    try:
        body = machine.decompress(request.body, most + 1)
    except zlib.error:
        return None
    if len(body) > most or not machine.eof:
        return None
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return replace(request, body=body, headers=headers)


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
