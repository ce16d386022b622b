"""A rule as text from outside: JSON within limits, no float, no key twice, no surprise of the parser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from rules.engine.language import MAX_BYTES, MAX_DEPTH, RuleError
from rules.engine.parse import short

# Deeper than any rule that compiles: each level of a condition is an object and a list.
_DEEPEST = 3 * MAX_DEPTH


def read(text: str | bytes) -> Any:
    """The JSON value of a text of at most ``MAX_BYTES``; RuleError with line and column where it is no JSON.

    Refused besides: numbers with a fraction or exponent (write them in quotes), NaN, a key given twice, deep nesting.
    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise RuleError("text", "size", zh=f"超过 {MAX_BYTES} 字节", en=f"is longer than {MAX_BYTES} bytes")
    try:
        plain = raw.decode()
    except UnicodeDecodeError as fault:
        raise RuleError(
            "text", "json", zh=f"第 {fault.start} 字节不是 UTF-8", en=f"byte {fault.start} is not UTF-8"
        ) from None
    _shallow(plain)
    try:
        return json.loads(
            plain, parse_float=_no_float, parse_constant=_no_float, parse_int=_whole, object_pairs_hook=_once
        )
    except json.JSONDecodeError as fault:
        at = f"{fault.lineno}:{fault.colno}"
        raise RuleError(
            f"text {at}", "json", zh=f"{at} 处不是 JSON", en=f"is not JSON at {at}: {fault.msg}"
        ) from None


def _shallow(text: str) -> None:
    """Count brackets outside of texts before any parser recurses into them."""
    depth, quoted, escaped = 0, False, False
    for at, sign in enumerate(text):
        if quoted:
            quoted, escaped = escaped or sign != '"', sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise RuleError(
                    f"text {at}", "depth", zh=f"嵌套超过 {_DEEPEST} 层", en=f"nested deeper than {_DEEPEST}"
                )
        elif sign in "]}":
            depth -= 1


def _no_float(text: str) -> NoReturn:
    shown = short(text)
    raise RuleError(
        f"text {shown}", "float", zh=f"小数 {shown} 请写在引号里", en=f"write the number {shown} in quotes"
    )


def _whole(text: str) -> int:
    if len(text) > 19:
        _no_float(text)
    return int(text)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = short(next(key for key, _value in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        raise RuleError(f"text {twice}", "twice", zh=f"{twice} 出现了两次", en=f"{twice} is given twice")
    return found
