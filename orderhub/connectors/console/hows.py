"""How a value is read or written, as choices of a form: each is a list of transforms, some with one argument."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: How a value is read, with the words of the choice; what has an argument asks for it in the field beside.
HOWS: Mapping[str, tuple[str, str]] = {
    "text": ("文字", "text"),
    "as_is": ("原样", "as it is"),
    "amount": ("金额", "amount"),
    "cents": ("金额（单位：分）", "amount in cents"),
    "whole": ("整数", "whole number"),
    "yes_no": ("是 / 否", "yes or no"),
    "local": ("当地时间", "local time"),
    "iso": ("带时区的时间", "time with a zone"),
    "epoch": ("秒时间戳", "seconds since 1970"),
    "epoch_ms": ("毫秒时间戳", "milliseconds since 1970"),
    "packed": ("按格式的时间…", "time in a format…"),
    "phone": ("电话", "phone"),
    "table": ("对照表…", "table…"),
    "fixed": ("固定值…", "fixed value…"),
    "default": ("为空时用…", "if empty…"),
    "first": ("第一个", "the first"),
    "join": ("连接成一段", "joined"),
    "upper": ("大写", "capitals"),
    "strip": ("去空格", "without blanks"),
    "unexcel": ("表格编号", "id out of a spreadsheet"),
    "printed": ("带符号的金额", "amount with signs"),
    "minor": ("最小货币单位 [金额, 货币]", "small units [amount, currency]"),
    "shift": ("金额与小数位数 [金额, 位数]", "amount and its digits [amount, digits]"),
    "product": ("相乘 [甲, 乙]", "multiplied [a, b]"),
    "over": ("相除 [甲, 乙]", "divided [a, b]"),
    "epoch_us": ("微秒时间戳", "microseconds since 1970"),
    "epoch_ns": ("纳秒时间戳", "nanoseconds since 1970"),
    "before": ("前面加…", "behind a text…"),
    "number": ("数字", "number"),
    "to_cents": ("金额转为分", "into cents"),
    "wall": ("写成格式…", "time written as…"),
    "to_epoch": ("写成秒时间戳", "into seconds since 1970"),
    "to_epoch_ms": ("写成毫秒时间戳", "into milliseconds since 1970"),
    "basic": ("用户名和密码 [名, 密码]", "name and password [name, password]"),
    "own": ("自写（JSON）…", "own (JSON)…"),
}
_PLAIN_STEPS: Mapping[str, list[Any]] = {
    "as_is": [], "text": ["str"], "amount": ["dec"], "cents": ["cents"], "whole": ["int"], "yes_no": ["bool"],
    "local": ["local"], "iso": ["iso"], "epoch": ["epoch"], "epoch_ms": ["epoch_ms"], "phone": ["phone"],
    "printed": ["amount"], "minor": ["minor"], "shift": ["shift"], "product": ["product", "int"], "over": ["over"],
    "epoch_us": ["epoch_us"], "epoch_ns": ["epoch_ns"], "number": ["number"], "to_cents": ["to_cents"], "to_epoch": ["to_epoch"],
    "to_epoch_ms": [["to_epoch", 1000]], "basic": ["basic"],
    "first": ["first"], "join": ["join"], "upper": ["upper"], "strip": ["strip"], "unexcel": ["unexcel"],
}  # fmt: skip
_WITH_ONE = {
    "packed_date": "packed",
    "const": "fixed",
    "default": "default",
    "before": "before",
    "wall": "wall",
}


def how_of(steps: Sequence[Any]) -> tuple[str, str]:
    """The choice a list of transforms is, and its argument as text; what is no choice of ours is shown as JSON."""
    for how, plain in _PLAIN_STEPS.items():
        if list(steps) == plain:
            return how, ""
    if len(steps) == 1 and isinstance(steps[0], list) and len(steps[0]) == 2:
        name, argument = steps[0]
        if name == "map":
            return "table", f"@{argument}" if isinstance(argument, str) else table_text(argument)
        if name in _WITH_ONE and isinstance(argument, str):
            return _WITH_ONE[name], argument
    return "own", json.dumps(list(steps), ensure_ascii=False)


def says_itself(how: str, detail: str, *, is_known: bool = False) -> bool:
    """Whether a line needs no path: a fixed value, or steps of its own that begin with one."""
    if how == "fixed":
        return bool(detail.strip()) or is_known
    return how == "own" and '"const"' in detail


def steps_of(how: str, detail: str) -> list[Any]:
    """The transforms of a choice; raises ValueError for JSON that is none."""
    if how == "before":  # a blank at its end is meant
        return [["before", detail]] if detail else []
    detail = detail.strip()
    if how == "table":
        return [["map", detail[1:] if detail.startswith("@") else table_of(detail)]] if detail else []
    if how in _WITH_ONE.values():
        name = next(name for name, choice in _WITH_ONE.items() if choice == how)
        return [[name, detail]]
    if how == "own":
        found = json.loads(detail or "[]")
        if not isinstance(found, list):
            raise ValueError("not a list")
        return found
    return list(_PLAIN_STEPS.get(how, []))


def table_of(text: str) -> dict[str, str]:
    """`WAIT=created; PAID=paid` as a table; a full-width sign or a new line parts as well."""
    for sign, plain in (("；", ";"), ("＝", "="), ("\n", ";"), ("，", ";"), ("→", "=")):
        text = text.replace(sign, plain)
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {left.strip(): right.strip() for left, _sign, right in pairs}


def table_text(table: Mapping[str, Any]) -> str:
    """A table as one line of text."""
    return "; ".join(f"{left}={right}" for left, right in table.items())
