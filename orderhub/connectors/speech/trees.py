"""Bytes to a tree and back: JSON, XML, forms, EDIFACT and separated values, hardened against hostile bodies.

A tree is made of dict, list, str, int, Decimal, bool and None. Whole numbers of more than 15 digits stay text (they
are ids, and other programs would round them); decimals are Decimal, never float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlencode

from orderhub.connectors.speech import edifact, textforms, xmltrees
from orderhub.connectors.speech.limits import LARGEST, Unreadable, check_depth, check_texts
from orderhub.connectors.speech.requests import MOST_FIELDS

__all__ = ["FORMS", "Tree", "Unreadable", "plain", "read", "write"]

Tree = Any
FORMS = (
    "json",
    "xml",
    "form",
    "form+nested",
    "form+json:<field>",
    "query+json:<field>",
    "multipart",
    "ndjson",
    "edifact",
    "csv",
    "csv:<sign>",
    "tsv",
    "rows:<sign>",
    "text",
    "auto",
    "none",
)
_FORM = re.compile(
    r"json|xml|form(?:\+nested)?|(?:form|query)\+json:\w{1,60}|multipart|ndjson|edifact|csv|(?:csv|rows):[;|,^~]|tsv|text"
    r"|auto|none"
)
CHARSETS = (
    "utf-8",
    "gb18030",
    "gbk",
    "gb2312",
    "utf-16",
    "iso-8859-1",
    "us-ascii",
    "windows-1252",
    "shift_jis",
)
MOST_DIGITS = 15


def is_form(text: str) -> bool:
    """Whether a text names a form of a body."""
    return bool(_FORM.fullmatch(text))


def read(
    body: bytes, form: str, *, lists: Collection[str] = (), charset: str = "utf-8", largest: int = LARGEST
) -> Tree:
    """The tree in a body of the form. `lists` names XML elements that are always lists. Raises Unreadable."""
    if len(body) > largest:
        raise Unreadable("too_large", bytes=len(body), most=largest)
    if form == "auto":
        form = _guess(body)
    if form == "none":
        return {}
    if form == "xml":
        return xmltrees.read(body, lists=frozenset(lists), charset=charset)
    if form == "multipart":
        # Its files need not be text.
        return _checked(textforms.fields(textforms.parts(body, charset)))
    text = _decoded(body, charset)
    if form == "json":
        return _json(text)
    if form == "edifact":
        return edifact.read(text)
    if form in _TEXTS:
        return _TEXTS[form](text)
    kind, _colon, sign = form.partition(":")
    if kind in ("csv", "tsv", "rows"):
        made = textforms.table if kind == "rows" else textforms.rows
        return _checked(made(text, sign or ("," if kind == "csv" else "\t")))
    pairs = _pairs(text)
    if form == "form+nested":
        return _checked(textforms.nested(pairs))
    fields = textforms.fields(pairs)
    _kind, _plus, name = form.partition("+json:")
    if not name:
        return fields
    if not isinstance(fields.get(name), str):
        raise Unreadable("no_field", field=name)
    return _json(fields[name])


def write(tree: Tree, form: str, *, root: str = "request", sort_keys: bool = False) -> bytes:
    """A tree as bytes of the form (json, xml, form, form+nested or text); what has no value is left out. Raises Unreadable."""
    if form == "xml":
        return xmltrees.write(tree, root)
    if form == "form+nested":
        return urlencode(textforms.flat(dict(tree), _field)).encode()
    if form == "text":
        return _field(dict(tree).get("text", "")).encode()
    if form == "form":
        return urlencode(
            [(name, _field(value)) for name, value in dict(tree).items() if value is not None]
        ).encode()
    if form == "none":
        return b""
    return json_text(tree, sort_keys=sort_keys).encode()


def json_text(tree: Tree, *, sort_keys: bool = False) -> str:
    """A tree as JSON text without blanks; a Decimal is a number written digit by digit, never through a float."""
    held: dict[str, str] = {}
    text = json.dumps(
        _numbers(tree, held), ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False
    )
    if not held:
        return text
    return re.sub('"\ue000(\\d+)\ue001"', lambda hit: held[hit[1]], text)


def plain(tree: Tree) -> Tree:
    """The same tree as JSON can hold it: a Decimal becomes its text."""
    if isinstance(tree, Decimal):
        return format(tree, "f")
    if isinstance(tree, Mapping):
        return {str(name): plain(value) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(value) for value in tree]
    return tree


def _numbers(tree: Tree, held: dict[str, str]) -> Tree:
    """Decimals replaced by marks in private-use characters; the same characters in texts are dropped."""
    if isinstance(tree, Decimal):
        held[str(len(held))] = format(tree, "f")
        return f"\ue000{len(held) - 1}\ue001"
    if isinstance(tree, Mapping):
        return {_numbers(str(name), held): _numbers(value, held) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_numbers(value, held) for value in tree]
    if isinstance(tree, str):
        return tree.replace("\ue000", "").replace("\ue001", "")
    return tree


def _field(value: Tree) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_text(value) if isinstance(value, dict | list) else str(plain(value))


def _guess(body: bytes) -> str:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return {b"": "none", b"{": "json", b"[": "json", b"<": "xml"}.get(start, "form")


def _decoded(body: bytes, charset: str) -> str:
    if charset not in CHARSETS:
        raise Unreadable("charset", charset=charset)
    try:
        text = body.decode("utf-8-sig" if charset == "utf-8" else charset)
    except UnicodeDecodeError as error:
        raise Unreadable("charset", charset=charset, at=error.start) from None
    if "\x00" in text:
        raise Unreadable("control", at=text.index("\x00"))
    return text


def _constant(text: str) -> NoReturn:
    raise Unreadable("not_json", near=text)


def _whole(text: str) -> int | str:
    return int(text) if len(text.removeprefix("-")) <= MOST_DIGITS else text


def _decimal(text: str) -> Decimal | str:
    # Thirty digits are more than any price; a longer one, or a huge exponent, is no number anybody meant.
    if len(text) > 32:
        return text
    number = Decimal(text)
    return number if -30 <= number.adjusted() <= 30 else text


def _json(text: str) -> Tree:
    try:
        tree = json.loads(text, parse_int=_whole, parse_float=_decimal, parse_constant=_constant)
    except RecursionError:
        raise Unreadable("too_deep") from None
    except json.JSONDecodeError as error:
        raise Unreadable("not_json", at=error.pos) from None
    if text.count("{") + text.count("[") > 60:
        check_depth(tree)
    if "\\u" in text:
        check_texts(tree)
    return tree


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (ValueError, UnicodeDecodeError):
        raise Unreadable("not_form") from None
    check_texts(pairs)
    return pairs


def _checked(tree: Tree) -> Tree:
    check_texts(tree)
    return tree


#: Forms that are read from their text alone.
_TEXTS: Mapping[str, Callable[[str], Tree]] = {
    "text": lambda text: text,
    "ndjson": lambda text: textforms.lines(text, _json),
}
