"""The closed list of transforms: one value in, one value out, or the code of what is wrong with it.

Nothing goes through every transform but `const`, `default` and `map` (whose table may have a row `null`). An empty
text is nothing where a number, a moment or a truth is wanted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from orderhub.connectors.speech import moments, numbers, tokens, trees
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.moments import SCIENTIFIC, Bad, Setting, decimal_of, text_of, zone

LONGEST_TEXT = 20_000
_EXCEL = re.compile(r'="(.*)"', re.DOTALL)
_TRUTH = {
    "true": True,
    "1": True,
    "y": True,
    "yes": True,
    "false": False,
    "0": False,
    "n": False,
    "no": False,
}


Transform = Callable[[Any, tuple[Any, ...], Setting], Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A transform with how many arguments it takes and the sorts of these (text, whole, decimal, zone, table, any)."""

    run: Transform
    args: tuple[str, ...] = ()
    needed: int = 0
    #: Whether it is run for nothing (None) too.
    on_nothing: bool = False
    #: Whether it takes lists and objects.
    on_many: bool = False


def run(name: str, value: Any, args: tuple[Any, ...], setting: Setting) -> Any:
    """The transform's result; raises Bad."""
    known = KNOWN[name]
    if value is None and not known.on_nothing:
        return None
    if isinstance(value, list | dict) and not known.on_many:
        raise Bad("not_one_value")
    return known.run(value, args, setting)


def _dec(value: Any, args: tuple[Any, ...], _setting: Setting) -> str | None:
    number = decimal_of(value)
    if number is None:
        return None
    return format(round(number, args[0]) if args else number, "f")


def _number(value: Any, _args: tuple[Any, ...], _setting: Setting) -> int | Decimal | None:
    number = decimal_of(value)
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else number


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value():
        raise Bad("not_whole")
    return int(number)


def _int(value: Any, _args: tuple[Any, ...], _setting: Setting) -> int | None:
    number = decimal_of(value)
    return None if number is None else _whole(number)


def _cents(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    number = decimal_of(value)
    return None if number is None else format(Decimal(_whole(number)).scaleb(-2), ".2f")


def _to_cents(value: Any, _args: tuple[Any, ...], _setting: Setting) -> int | None:
    number = decimal_of(value)
    return None if number is None else _whole(number * 100)


def _scale(value: Any, args: tuple[Any, ...], _setting: Setting) -> int | None:
    number = decimal_of(value)
    return None if number is None else int((number * Decimal(args[0])).to_integral_value())


def _bool(value: Any, _args: tuple[Any, ...], _setting: Setting) -> bool | None:
    text = text_of(value).strip().lower()
    if not text:
        return None
    if text not in _TRUTH:
        raise Bad("not_bool")
    return _TRUTH[text]


def _map(value: Any, args: tuple[Any, ...], setting: Setting) -> Any:
    table = args[0] if isinstance(args[0], Mapping) else setting.tables.get(args[0], {})
    if value is None or value == "":
        return table.get("null", table.get("", args[1] if len(args) > 1 else None))
    key = text_of(value)
    if key in table:
        return table[key]
    if len(args) > 1:
        return args[1]
    raise Bad("unknown_value", value=key[:60])


def _const(_value: Any, args: tuple[Any, ...], _setting: Setting) -> Any:
    return args[0]


def _default(value: Any, args: tuple[Any, ...], _setting: Setting) -> Any:
    return args[0] if value is None or value in ("", [], {}) else value


def _nothing(value: Any, args: tuple[Any, ...], _setting: Setting) -> Any:
    empty = args[0] if isinstance(args[0], list) else [args[0]]
    return None if text_of(value) in map(text_of, empty) else value


def _base64(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    return base64.b64encode(text_of(value).encode("utf-8", "surrogatepass")).decode()


def _hash(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    text = trees.json_text(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _str(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    text = text_of(value)
    if len(text) > LONGEST_TEXT:
        raise Bad("too_long", most=LONGEST_TEXT)
    return text


def _unexcel(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    text = text_of(value).rstrip("\t").strip()
    hit = _EXCEL.fullmatch(text)
    text = (hit[1] if hit else text).removeprefix("'").strip()
    if SCIENTIFIC.fullmatch(text):
        raise Bad("scientific")
    return text


def _phone(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    text = _unexcel(unicodedata.normalize("NFKC", text_of(value)), (), _setting)
    return re.sub(r"\s+", "", text)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _join(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    parts = _many(value)
    if any(isinstance(part, list | dict) for part in parts):
        raise Bad("not_one_value")
    texts = (text_of(part).strip() for part in parts if part is not None)
    return (args[0] if args else " ").join(text for text in texts if text)


def _first(value: Any, _args: tuple[Any, ...], _setting: Setting) -> Any:
    return next((one for one in _many(value) if one is not None and one not in ("", [], {})), None)


def _mask(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    text = text_of(value)
    head, tail = (int(count) for count in (*args, 0, 0)[:2])
    hidden = len(text) - head - tail
    if hidden <= 0:
        return "*" * len(text)
    return text[:head] + "*" * hidden + text[len(text) - tail :]


def _json(value: Any, _args: tuple[Any, ...], _setting: Setting) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return trees.read(value.encode("utf-8", "surrogatepass"), "json")
    except (Unreadable, json.JSONDecodeError):
        raise Bad("not_json") from None


def _json_text(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    return trees.json_text(value)


def _cut(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    return text_of(value)[: args[0]]


def _pad(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    return text_of(value).rjust(min(args[0], 100), "0")


def _tail(value: Any, args: tuple[Any, ...], _setting: Setting) -> str:
    text = text_of(value)
    return text[max(0, len(text) - args[0]) :]


def _split(value: Any, args: tuple[Any, ...], _setting: Setting) -> str | None:
    parts = text_of(value).split(args[0])
    return parts[args[1]].strip() if -len(parts) <= args[1] < len(parts) else None


def _basic(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str:
    name, _rest, *_more = [*_many(value), ""]
    word = _many(value)[1] if len(_many(value)) > 1 else ""
    return "Basic " + base64.b64encode(f"{text_of(name)}:{text_of(word or '')}".encode()).decode()


def _words(change: Callable[[str], str]) -> Transform:
    return lambda value, _args, _setting: change(text_of(value))


KNOWN: Mapping[str, Known] = {
    "str": Known(_str),
    "dec": Known(_dec, ("whole",)),
    "number": Known(_number),
    "cents": Known(_cents),
    "to_cents": Known(_to_cents),
    "int": Known(_int),
    "scale": Known(_scale, ("decimal",), 1),
    "bool": Known(_bool),
    "epoch": Known(moments.epoch),
    "epoch_ms": Known(moments.epoch_ms),
    "epoch_us": Known(moments.epoch_us),
    "epoch_ns": Known(moments.epoch_ns),
    "iso": Known(moments.iso),
    "local": Known(moments.local, ("zone",)),
    "packed_date": Known(moments.packed_date, ("text", "zone"), 1),
    "wall": Known(moments.wall, ("text", "zone"), 1),
    "to_epoch": Known(moments.to_epoch, ("whole",)),
    "map": Known(_map, ("table", "any"), 1, on_nothing=True),
    "const": Known(_const, ("any",), 1, on_nothing=True, on_many=True),
    "default": Known(_default, ("any",), 1, on_nothing=True, on_many=True),
    "nothing": Known(_nothing, ("any",), 1),
    "base64": Known(_base64),
    "hash": Known(_hash, on_many=True),
    "unexcel": Known(_unexcel),
    "join": Known(_join, ("text",), on_many=True),
    "first": Known(_first, on_many=True),
    "split": Known(_split, ("text", "whole"), 2),
    "mask": Known(_mask, ("whole", "whole")),
    "cut": Known(_cut, ("whole",), 1),
    "tail": Known(_tail, ("whole",), 1),
    "pad": Known(_pad, ("whole",), 1),
    "json": Known(_json, on_many=True),
    "json_text": Known(_json_text, on_many=True),
    "upper": Known(_words(str.upper)),
    "lower": Known(_words(str.lower)),
    "strip": Known(_words(str.strip)),
    "phone": Known(_phone),
    "basic": Known(_basic, on_many=True),
    "amount": Known(numbers.written, ("text",)),
    "minor": Known(numbers.minor, on_many=True),
    "to_minor": Known(numbers.to_minor, on_many=True),
    "shift": Known(numbers.shift, on_many=True),
    "product": Known(numbers.product, on_many=True),
    "total": Known(numbers.total, on_many=True),
    "minus": Known(numbers.minus, on_many=True),
    "over": Known(numbers.over, on_many=True),
    "plus": Known(numbers.plus, ("whole",), 1),
    "before": Known(tokens.before, ("text",), 1),
    "replace": Known(tokens.replaced, ("text", "text"), 2),
    "quote": Known(tokens.quoted),
    "unquote": Known(tokens.unquoted),
    "unescape": Known(tokens.unescaped),
    "unbase64": Known(tokens.unbase64),
    "md5": Known(tokens.digest("md5")),
    "sha256": Known(tokens.digest("sha256")),
    "jwt": Known(tokens.jwt, ("text", "whole"), 1, on_many=True),
}


def check_args(
    name: str, args: tuple[Any, ...], tables: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]] | None:
    """What is wrong with a transform's name or arguments: a code of `words.FLAWS` and its facts; None where all is well."""
    known = KNOWN.get(name)
    if known is None:
        return "unknown_transform", {"name": name[:40]}
    if not known.needed <= len(args) <= len(known.args):
        return "wrong_arguments", {"name": name, "wants": ", ".join(known.args) or "–"}
    for sort, arg in zip(known.args, args, strict=False):
        if not _fits(sort, arg, tables):
            return "wrong_argument", {"name": name, "sort": sort, "value": str(arg)[:40]}
    return None


def _fits(sort: str, arg: Any, tables: Mapping[str, Any]) -> bool:
    if sort == "whole":
        return isinstance(arg, int) and not isinstance(arg, bool) and abs(arg) <= 100_000
    if sort == "table":
        return isinstance(arg, Mapping) or (isinstance(arg, str) and arg in tables)
    if sort == "any":
        return arg is None or isinstance(arg, str | int | bool | list | dict)
    if not isinstance(arg, str):
        return False
    if sort == "zone":
        try:
            return bool(zone(arg))
        except Bad:
            return False
    if sort == "decimal":
        try:
            return Decimal(arg).is_finite()
        except InvalidOperation:
            return False
    return True
