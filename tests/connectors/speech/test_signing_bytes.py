"""No byte on the wire that a signature covers can be changed: every byte of every vector, to every other value where there are
few of them, in each of its bits where there are more, and in one where they are a whole document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orderhub.connectors.speech import signing
from orderhub.connectors.speech.requests import Request
from tests.connectors.speech.signature_cases import VECTORS, signed

NOW = datetime.fromtimestamp(1674087231, UTC)
IDS = [f"{vector['scheme']}-{at}" for at, vector in enumerate(VECTORS)]
#: Up to so many bytes each is changed to all 255 others; up to so many, in each of its bits.
FEW, MANY = 32, 200
Put = Callable[[bytes], Request | None]


def wires(request: Request, spec: signing.SignatureSpec) -> Iterator[tuple[str, bytes, Put]]:
    """Everything of the request that the rule covers, as bytes, with how the request looks with other bytes there."""
    parts = "".join(spec.parts)
    in_body = "{body}" in parts or (request.form and any(word in parts for word in ("form", "{sorted_kv}")))
    own = spec.where[1] if spec.where else ""
    if in_body or (spec.where and spec.where[0] == "form"):
        yield "body", request.body, lambda raw: replace(request, body=raw)
    for name, text in request.headers.items():
        if text and (
            name == own
            or (name, "header") in {(one[1], one[0]) for one in (spec.ts, spec.id, spec.nonce) if one}
        ):
            yield f"header {name}", text.encode(), lambda raw, n=name: _header(request, n, raw)  # type: ignore[misc]
    for at, (name, text) in enumerate(request.query):
        if name == own or f"{{q:{name}}}" in parts or "{sorted_kv" in parts:
            yield f"query {name}", text.encode(), lambda raw, a=at: _query(request, a, raw)  # type: ignore[misc]


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _header(request: Request, name: str, raw: bytes) -> Request | None:
    text = _text(raw)
    return None if text is None else replace(request, headers={**request.headers, name: text})


def _query(request: Request, at: int, raw: bytes) -> Request | None:
    text = _text(raw)
    if text is None:
        return None
    pairs = [*request.query]
    pairs[at] = (pairs[at][0], text)
    return replace(request, query=tuple(pairs))


def changed(raw: bytes) -> Iterator[bytes]:
    """The bytes with one of them changed, lost or said twice, at every place, and with one more at the end."""
    masks = range(1, 256) if len(raw) <= FEW else [1 << bit for bit in range(8)] if len(raw) <= MANY else [1]
    for at, byte in enumerate(raw):
        head, tail = raw[:at], raw[at + 1 :]
        for mask in masks:
            yield head + bytes([byte ^ mask]) + tail
        if len(raw) <= MANY:
            yield head + tail
            yield head + bytes([byte, byte]) + tail
    yield raw + b"x"


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_no_byte_that_is_covered_can_be_another(vector: dict[str, Any]) -> None:
    case = signed(vector)
    spec, request, config = case.spec, case.request(), case.config
    assert signing.check(spec, request, [case.secret], config, NOW).ok
    tried, accepted = 0, []
    for name, raw, put in wires(request, spec):
        for other in changed(raw):
            made = put(other)
            if made is None or _same(spec, made, request):
                continue
            tried += 1
            if signing.check(spec, made, [case.secret], config, NOW).ok:
                accepted.append((name, other))

    assert accepted == []
    assert tried >= sum(len(raw) for _name, raw, _put in wires(request, spec))


def _same(spec: signing.SignatureSpec, made: Request, request: Request) -> bool:
    """Whether nothing that is covered became another: how a form quotes (%2b, %2B), the letters' case of a hex signature where
    the sender's own varies, and order of a form's fields mean the same.
    """
    if made.body != request.body and "{body}" not in spec.parts:
        return _covered(spec, made) == _covered(spec, request)
    if spec.ignore_case and made.body == request.body and made.query == request.query:
        return {name: text.lower() for name, text in made.headers.items()} == {
            name: text.lower() for name, text in request.headers.items()
        }
    return False


def _covered(spec: signing.SignatureSpec, request: Request) -> list[tuple[str, str]]:
    """The fields of a form that the rule looks at, its own signature among them; empty ones are not looked at."""
    named = {part[6:-1] for part in spec.parts if part.startswith("{form:")}
    own = spec.where[1] if spec.where and spec.where[0] == "form" else ""
    seen: dict[str, str] = {}
    for name, text in request.form:
        if named and name in named | {own}:
            seen.setdefault(name, text)
    if named:
        return sorted(seen.items())
    # All fields are joined without anything between them: what counts is the text that comes of it, and the signature.
    joined = "".join(name + text for name, text in sorted(request.form) if name != own and text)
    return [("", joined), (own, next((text for name, text in request.form if name == own), ""))]
