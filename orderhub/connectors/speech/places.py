"""Where a word stands in a request: a header or a part of one, a parameter, a field of the form or of the JSON body."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from orderhub.connectors.speech.requests import Pairs, Request

#: Where, and what it is called there; a header's name may have `#part` behind it.
Place = tuple[str, str]
SORTS = ("header", "query", "form", "json")
_PLACE = re.compile(
    r"(?:(query|form):([\w.\[\]-]+)|(json):([\w-]+(?:\.[\w-]+){0,5})|(header):([\w-]+(?:#(?:[\w-]+|[01]:\S{1,3}))?))"
)
_NUMBERED = re.compile(r"([01]):(\S{1,3})")


def parse(text: str) -> Place | None:
    """`header:X-Sign`, `header:X-Sign#v1` (of `t=1,v1=abc`), `header:X-Sign#1:.` (behind the first dot), `query:sign`,
    `form:sign`, `json:head.sign`; None for a text that is no place.
    """
    found = _PLACE.fullmatch(text)
    if not found:
        return None
    where, name = (one for one in found.groups() if one)
    if where == "header":
        base, mark, part = name.partition("#")
        name = base.lower() + mark + part
    return where, name


def found(request: Request, place: Place | None) -> str:
    """What stands at a place of the request, "" for nothing; several parts of one name are parted by blanks."""
    if place is None:
        return ""
    where, name = place
    if where == "json":
        return text_at(request.body, name)
    if where != "header":
        return one(request.query if where == "query" else request.form, name)
    base, _mark, part = name.partition("#")
    return _part(request.headers.get(base, ""), part) if part else request.headers.get(base, "")


def is_list(place: Place | None) -> bool:
    """Whether several values may stand there under one name."""
    return place is not None and "#" in place[1] and not _NUMBERED.fullmatch(place[1].partition("#")[2])


def put(request: Request, place: Place, value: str) -> Request:
    """The same request with the value at the place."""
    where, name = place
    if where == "header":
        base, _mark, part = name.partition("#")
        return replace(
            request, headers={**request.headers, base: _joined(request.headers.get(base, ""), part, value)}
        )
    if where == "query":
        return replace(request, query=(*((k, v) for k, v in request.query if k != name), (name, value)))
    if where == "form":
        fields = [*((k, v) for k, v in request.form if k != name), (name, value)]
        return replace(request, body=urlencode(fields).encode())
    tree = _object(request.body)
    inner = tree
    *outer, last = name.split(".")
    for step in outer:
        inner = inner.setdefault(step, {}) if isinstance(inner.get(step, {}), dict) else {}
    inner[last] = value
    return replace(request, body=compact(tree).encode())


def one(fields: Pairs, name: str) -> str:
    """The first value of a name, "" for none."""
    return next((value for key, value in fields if key == name), "")


def text_at(body: bytes, name: str) -> str:
    """What stands at a dotted name of a JSON body, as text: objects and lists as JSON without blanks, in their order."""
    value: Any = _object(body)
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return said(value)


def json_fields(body: bytes) -> Pairs:
    """The outermost fields of a JSON body as texts."""
    return tuple((name, said(value)) for name, value in _object(body).items())


def said(value: Any) -> str:
    """A value of JSON as text."""
    if value is None:
        return ""
    return value.replace("\ue000", "").replace("\ue001", "") if isinstance(value, str) else compact(value)


def compact(value: Any) -> str:
    """JSON without blanks, digits as they came."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return re.sub('"\ue000([^"\ue001]*)\ue001"', lambda hit: hit[1], text)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, every number with its own digits; {} for anything else."""
    keep = "\ue000{}\ue001".format
    try:
        text = body.decode("utf-8-sig").replace("\ue000", "").replace("\ue001", "")
        tree = json.loads(text, parse_float=keep, parse_int=keep)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _part(text: str, part: str) -> str:
    numbered = _NUMBERED.fullmatch(part)
    if numbered:
        head, mark, tail = text.partition(numbered[2])
        return (tail if mark else "") if numbered[1] == "1" else (head if mark else "")
    pieces = (piece.strip().partition("=") for piece in re.split("[,;]", text[:8000]))
    return " ".join(value.strip('"') for name, _sign, value in pieces if name == part)


def _joined(before: str, part: str, value: str) -> str:
    """A header with one more part of it."""
    if not part:
        return value
    numbered = _NUMBERED.fullmatch(part)
    if numbered:
        return f"{before}{numbered[2]}{value}" if numbered[1] == "1" else f"{value}{numbered[2]}{before}"
    return f"{before}{',' if before else ''}{part}={value}"
