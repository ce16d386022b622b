"""Values of fields: from JSON, from a cell of a file, as they are stored, and as people read them.

Stored values are plain JSON that compares well: texts, codes and links as text, whole numbers as numbers, decimals and
money as text without needless zeros, yes/no as true or false, dates as `2026-11-22`, times as `20:30`, several choices
as a list of codes in the field's own order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from orderhub.fields.engine.model import (
    CHOICE_KINDS,
    CODE,
    KINDS,
    MOST_CHOICES,
    NUMBER_KINDS,
    TARGETS,
    Definition,
    Fault,
)
from orderhub.fields.engine.patterns import PatternError

MOST_TEXT, MOST_LINK, MOST_LABEL = 2000, 500, 80
LARGEST = 10**15
_PLACES = {"decimal": 6, "money": 2}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,12})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_YES = frozenset({"true", "yes", "y", "1", "是", "对", "√"})
_NO = frozenset({"false", "no", "n", "0", "否", "不"})
_BETWEEN = re.compile(r"[;|；、]")


def parse(field: Definition, value: object) -> Any:
    """The stored value of a JSON value; None empties the field. Raises Fault."""
    if value is None:
        return _empty(field)
    found = _PARSE[field.kind](field, value)
    if found in ("", []):
        return _empty(field)
    _check_limits(field, found)
    return found


def from_text(field: Definition, text: str) -> Any:
    """The stored value of a cell: choices by code or label, yes/no in both languages. Raises Fault."""
    text = text.strip()
    if not text:
        return _empty(field)
    if field.kind == "boolean":
        word = text.casefold()
        if word not in _YES | _NO:
            raise Fault("field_boolean")
        return word in _YES
    if field.kind == "choice":
        return parse(field, _code_of(field, text))
    if field.kind == "choices":
        return parse(field, [_code_of(field, part.strip()) for part in _BETWEEN.split(text) if part.strip()])
    if field.kind == "date":
        return parse(field, text.replace("/", "-"))
    if field.kind == "integer" and _NUMBER.fullmatch(text) and "." not in text:
        return parse(field, int(text))
    return parse(field, text)


def to_text(field: Definition, value: Any) -> str:
    """A stored value as a cell that `from_text` reads again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(value) if isinstance(value, list) else str(value)


def shown(field: Definition, value: Any, *, zh: bool) -> str:
    """A stored value as people read it, with its unit; plain text, to be escaped by whoever shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if field.kind in CHOICE_KINDS:
        codes = value if isinstance(value, list) else [value]
        names = [_choice_name(field, str(code), zh=zh) for code in codes]
        return ("、" if zh else ", ").join(names)
    return f"{value} {field.unit}" if field.unit else str(value)


def check_definition(field: Definition) -> None:
    """Raises Fault for a definition that contradicts itself; `facts["field"]` names the part."""
    if field.target not in TARGETS or field.kind not in KINDS:
        raise Fault("field_kind", field="kind")
    if not CODE.fullmatch(field.code):
        raise Fault("field_code", field="code")
    _check_choices(field)
    if field.pattern and field.kind != "text":
        raise Fault("field_pattern_kind", field="pattern")
    try:
        _ = field.matcher
    except PatternError as fault:
        raise Fault(fault.code, field="pattern", at=fault.at) from fault
    least, most = (_limit_of(field, name) for name in ("least", "most"))
    if least is not None and most is not None and least > most:
        raise Fault("field_limits", field="most")
    if field.default is not None:
        try:
            parse(field, field.default)
        except Fault as fault:
            raise Fault(fault.code, **{**fault.facts, "field": "default"}) from fault


def _check_choices(field: Definition) -> None:
    if field.kind not in CHOICE_KINDS:
        return
    if not 0 < len(field.choices) <= MOST_CHOICES:
        raise Fault("field_choices", field="choices", most=MOST_CHOICES)
    seen: set[str] = set()
    for choice in field.choices:
        for word in {choice.code, choice.zh.casefold(), (choice.en or choice.zh).casefold()}:
            if word in seen:
                raise Fault("field_choice_twice", field="choices", value=word)
            seen.add(word)
        if (
            not CODE.fullmatch(choice.code)
            or not choice.zh
            or max(len(choice.zh), len(choice.en)) > MOST_LABEL
        ):
            raise Fault("field_choice_form", field="choices", value=choice.code[:40])


# ---- one kind at a time -------------------------------------------------------------------------


def _empty(field: Definition) -> None:
    if field.is_required and field.default is None:
        raise Fault("field_required")


def _text(field: Definition, value: object, most: int = MOST_TEXT) -> str:
    if not isinstance(value, str):
        raise Fault("field_text")
    text = value.strip()
    if len(text) > most:
        raise Fault("field_long", most=most)
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise Fault("field_characters") from fault
    if any((sign < " " and sign not in "\n\t\r") or sign == "\x7f" for sign in text):
        raise Fault("field_characters")
    return text


def _integer(field: Definition, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault("field_integer")
    if abs(value) > LARGEST:
        raise Fault("field_number_size")
    return value


def _decimal(field: Definition, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Fault("field_decimal")
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise Fault("field_decimal")
    number, places = Decimal(text), _PLACES[field.kind]
    if number != round(number, places):
        raise Fault("field_places", most=places)
    plain = f"{number.normalize():f}"
    return "0" if plain == "-0" else plain


def _boolean(field: Definition, value: object) -> bool:
    if not isinstance(value, bool):
        raise Fault("field_boolean")
    return value


def _date(field: Definition, value: object) -> str:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
            raise Fault("field_date")
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError as fault:
        raise Fault("field_date") from fault


def _time(field: Definition, value: object) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value.strip()):
        raise Fault("field_time")
    return time.fromisoformat(value.strip()).isoformat("minutes")


def _choice(field: Definition, value: object) -> str:
    if not isinstance(value, str):
        raise Fault("field_text")
    if value and value not in field.codes:
        raise Fault("field_choice", value=value[:40], known=", ".join(list(field.codes)[:20]))
    return value


def _choices(field: Definition, value: object) -> list[str]:
    if not isinstance(value, list):
        raise Fault("field_list")
    if len(value) > MOST_CHOICES:
        raise Fault("field_most_chosen", most=MOST_CHOICES)
    wanted = {_choice(field, one) for one in value} - {""}
    return [code for code in field.codes if code in wanted]


def _link(field: Definition, value: object) -> str:
    text = _text(field, value, MOST_LINK)
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_link = False
    if not is_link or any(sign.isspace() or sign in "<>\"'`\\" for sign in text):
        raise Fault("field_link")
    return text


_PARSE: dict[str, Callable[[Definition, object], Any]] = {
    "text": _text, "integer": _integer, "decimal": _decimal, "money": _decimal, "boolean": _boolean, "date": _date,
    "time": _time, "choice": _choice, "choices": _choices, "link": _link,
}  # fmt: skip


# ---- limits -------------------------------------------------------------------------------------


def _check_limits(field: Definition, value: Any) -> None:
    measure = _measure(field, value)
    if measure is not None:
        least, most = _limit_of(field, "least"), _limit_of(field, "most")
        if least is not None and measure < least:
            raise Fault(f"{_words(field)}_least", least=field.least)
        if most is not None and measure > most:
            raise Fault(f"{_words(field)}_most", most=field.most)
    if field.matcher is not None and not field.matcher.matches(value):
        raise Fault("field_pattern", pattern=field.pattern)


def _words(field: Definition) -> str:
    return (
        "field_length"
        if field.kind in ("text", "link")
        else "field_count"
        if field.kind == "choices"
        else "field"
    )


def _measure(field: Definition, value: Any) -> Any:
    """What the limits are about: the number, the date or time, the length, how many."""
    if field.kind in NUMBER_KINDS:
        return Decimal(value)
    if field.kind in ("text", "link", "choices"):
        return Decimal(len(value))
    return value if field.kind in ("date", "time") else None


def _limit_of(field: Definition, name: str) -> Any:
    text = getattr(field, name)
    if not text:
        return None
    if field.kind in ("boolean", "choice"):
        raise Fault("field_limit_kind", field=name)
    try:
        if field.kind in ("date", "time"):
            return _PARSE[field.kind](field, text)
        number = Decimal(text)
        if (
            not number.is_finite()
            or abs(number) > LARGEST
            or (field.kind in ("text", "link", "choices") and number < 0)
        ):
            raise Fault("field_limit", field=name)
        return number
    except (Fault, InvalidOperation) as fault:
        raise Fault("field_limit", field=name) from fault


def _code_of(field: Definition, text: str) -> str:
    """The code of a choice, given as code or as a label in either language."""
    if text in field.codes:
        return text
    word = text.casefold()
    found = [x.code for x in field.choices if word in (x.code, x.zh.casefold(), x.en.casefold())]
    return found[0] if found else text


def _choice_name(field: Definition, code: str, *, zh: bool) -> str:
    choice = field.codes.get(code)
    if choice is None:
        return code
    return choice.zh if zh else choice.en or choice.zh
