"""One JSON value of a rule, checked and turned into a Python value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from rules.engine.language import MAX_TEXT, RuleError

_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,10})?", re.ASCII)
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMERIC = frozenset({"number", "money", "integer"})
TYPE_ZH = {
    "text": "文本",
    "number": "数字",
    "money": "金额",
    "integer": "整数",
    "boolean": "是否值",
    "datetime": "带时区的时间",
    "list[text]": "文本列表",
}


def object_of(value: object, path: str, keys: set[str], *, required: set[str]) -> dict[str, object]:
    """A JSON object with known keys only."""
    if not isinstance(value, Mapping):
        raise RuleError(path, "shape", zh="必须是一个对象", en="must be an object")
    if missing := sorted(required - value.keys()):
        named = ", ".join(missing)
        raise RuleError(path, "shape", zh=f"缺少 {named}", en=f"lacks {named}")
    # Counted first: a hostile object may have a million keys.
    if len(value) > len(keys) or not value.keys() <= keys:
        unknown = short(next(key for key in value if key not in keys))
        raise RuleError(path, "shape", zh=f"多出未知的 {unknown}", en=f"has the unknown key {unknown}")
    return dict(value)


def short(value: object) -> str:
    """A refused word, cut so that a hostile one cannot flood a message."""
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


def scalar(kind: str, value: object, path: str, choices: tuple[str, ...] = ()) -> Any:
    """One JSON value of a type; floats are refused because 0.1 is not a price."""
    if kind == "text" and isinstance(value, str) and len(value) <= MAX_TEXT:
        if choices and value not in choices:
            raise RuleError(
                path, "choice", zh=f"{short(value)} 不在可选值中", en=f"{short(value)} is not a choice"
            )
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in _NUMERIC and not isinstance(value, bool):
        text = str(value) if isinstance(value, int) and abs(value) < 10**18 else value
        if isinstance(text, str) and _NUMBER.fullmatch(text) and (kind != "integer" or "." not in text):
            return Decimal(text)
    if kind == "datetime" and isinstance(value, str) and len(value) <= 40:
        moment = _moment(value)
        if moment is not None and moment.tzinfo is not None:
            return moment
    raise RuleError(path, "type", zh=f"不是有效的{TYPE_ZH[kind]}", en=f"is not a valid {kind}")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def window(value: object, path: str) -> tuple[time, time] | tuple[date, date]:
    """``{"from", "to"}``: hours "22:00" to "06:00" (end excluded, may pass midnight) or whole days."""
    body = object_of(value, path, {"from", "to"}, required={"from", "to"})
    start, end = body["from"], body["to"]
    if isinstance(start, str) and isinstance(end, str):
        if _HOUR.fullmatch(start) and _HOUR.fullmatch(end):
            return time.fromisoformat(start), time.fromisoformat(end)
        if _DAY.fullmatch(start) and _DAY.fullmatch(end):
            try:
                first, last = date.fromisoformat(start), date.fromisoformat(end)
            except ValueError:
                first, last = date.max, date.min
            if first <= last:
                return first, last
    raise RuleError(path, "window", zh="需要两个时刻或两个日期", en="needs two hours or two days in order")
