"""Reading JSON bodies strictly: what two readers could understand differently is refused by name and place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import JSONParser

from orderhub.kernel.errors import Refused

MAX_DEPTH = 32
#: Escapes that may stand for a NUL or for half of a character; only then is the whole body looked through.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 without duplicate names, NaN, NUL, half characters or bottomless nesting."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        """The value; raises Refused (400, or 413 for a body that is too large)."""
        limit = int(settings.API_BODY_LIMIT_BYTES)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise too_large(limit)
        return loads(raw)


def too_large(limit: int) -> Refused:
    """The refusal of a body above `limit` bytes."""
    return Refused(
        "body_too_large", _("The request is larger than %(megabytes)d MB.") % {"megabytes": limit // 2**20},
        remedy=_("Send fewer orders at once, or import a file."), status=413,
    )  # fmt: skip


def loads(raw: bytes) -> Any:
    """The value of a JSON body; raises Refused (400) naming what is wrong and where."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        _refuse("bad_encoding", _("The body is not UTF-8: byte %(at)d.") % {"at": fault.start})
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as fault:
        where = {"line": fault.lineno, "column": fault.colno}
        _refuse("bad_json", _("The body is not JSON: line %(line)d, column %(column)d.") % where)
    except RecursionError:
        _refuse_depth()
    except ValueError:  # Python's own limit of digits
        _refuse("bad_number", _("A number of the body is too long."))
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if _SUSPECT.search(text):
        _check_texts(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse("duplicate_name", _("The name %(name)s stands twice in one object.") % {"name": twice[:80]})
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        _refuse("bad_number", _("The number %(number)s is too large.") % {"number": digits[:40]})
    return number


def _no_constant(name: str) -> NoReturn:
    _refuse("bad_number", _("%(number)s is not a number of JSON.") % {"number": name})


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            _refuse_depth()
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]


def _inside(outer: Any) -> Any:
    if isinstance(outer, dict):
        return outer.values()
    return outer if isinstance(outer, list) else ()


def _check_texts(value: Any) -> None:
    for path, text in _texts(value, ""):
        if "\x00" in text:
            _refuse("null_characters_not_allowed", _("Null characters are not allowed."), field=path)
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse("half_character", _("The text holds half of a character."), field=path)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            shown = name.encode("ascii", "replace").decode().replace("\x00", "?")[:80]
            step = f"{path}.{shown}" if path else shown
            yield step, name
            yield from _texts(inner, step)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{position}]")


def _refuse_depth() -> NoReturn:
    _refuse("too_deep", _("The body is nested deeper than %(levels)d levels.") % {"levels": MAX_DEPTH})


def _refuse(code: str, message: object, *, field: str = "") -> NoReturn:
    raise Refused(code, message, remedy=_("Correct the body and send it again."), status=400, field=field)
