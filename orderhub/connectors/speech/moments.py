"""Transforms between their moments and ours, and what all transforms share: settings and refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d{1,24}(?:\.\d{1,12})?")
#: Signs of patterns as Java, .NET and most portals write them (yyyyMMddHHmmss), the long ones first.
_SIGNS = (
    ("yyyy", "%Y"), ("yy", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("hh", "%I"),
    ("mm", "%M"), ("ss", "%S"), ("SSSSSS", "%f"), ("SSS", "%f"), ("a", "%p"), ("tt", "%p"), ("XXX", "%z"), ("Z", "%z"),
    ("M", "%m"), ("d", "%d"), ("H", "%H"), ("h", "%I"), ("m", "%M"), ("s", "%S"),
)  # fmt: skip
#: EDIFACT's codes of date formats.
_PACKED = {"102": "%Y%m%d", "203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S"}


class Bad(Exception):
    """A value the transform cannot take: a code of `words.FAULTS` and its facts."""

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Setting:
    """What transforms may know besides the value: the zone where none is named, and the profile's tables."""

    zone: str = "UTC"
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def text_of(value: Any) -> str:
    """A single value as text: a number digit by digit, a truth as true or false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def decimal_of(value: Any) -> Decimal | None:
    """None for an empty text; raises Bad."""
    if isinstance(value, bool):
        raise Bad("not_number")
    if isinstance(value, int | Decimal):
        return Decimal(value)
    text = str(value).strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text) or not text.isascii():
        raise Bad("scientific" if SCIENTIFIC.fullmatch(text) else "not_number")
    return Decimal(text)


def _iso_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _seconds(value: Any, scale: int) -> str | None:
    number = decimal_of(value)
    if number is None or number == 0:
        return None
    try:
        return _iso_utc(datetime.fromtimestamp(float(number) / scale, UTC))
    except (OverflowError, ValueError, OSError):
        raise Bad("not_moment") from None


def epoch(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """Epoch seconds to a moment of ours; 0 is none. Raises Bad."""
    return _seconds(value, 1)


def epoch_ms(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """Epoch milliseconds to a moment of ours; 0 is none. Raises Bad."""
    return _seconds(value, 1000)


def epoch_us(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """Epoch microseconds to a moment of ours; 0 is none. Raises Bad."""
    return _fine(value, 1)


def epoch_ns(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """Epoch nanoseconds to a moment of ours, to the microsecond; 0 is none. Raises Bad."""
    return _fine(value, 1000)


def _fine(value: Any, scale: int) -> str | None:
    number = decimal_of(value)
    if number is None or number == 0:
        return None
    try:
        return _iso_utc(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number) // scale))
    except OverflowError:
        raise Bad("not_moment") from None


def _moment(value: Any) -> datetime | None:
    text = str(value).strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise Bad("not_moment") from None


def _safely(at: datetime) -> str:
    try:
        return _iso_utc(at)
    except (OverflowError, ValueError):
        raise Bad("not_moment") from None


def iso(value: Any, _args: tuple[Any, ...], _setting: Setting) -> str | None:
    """A time with its offset to a moment of ours (UTC); raises Bad where it has none."""
    at = _moment(value)
    if at is None:
        return None
    # An offset of zero is an offset: only None means that the zone is not known.
    if at.tzinfo is None:
        raise Bad("no_zone")
    return _safely(at)


def _zone(args: tuple[Any, ...], at: int, setting: Setting) -> ZoneInfo:
    return zone(args[at] if len(args) > at and args[at] else setting.zone)


def zone(name: str) -> ZoneInfo:
    """A time zone by name; raises Bad for a name there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Bad("unknown_zone", zone=name[:40]) from None


def local(value: Any, args: tuple[Any, ...], setting: Setting) -> str | None:
    """A time on the clock of a zone to a moment of ours; one with an offset keeps it. Raises Bad."""
    at = _moment(value)
    if at is None:
        return None
    return _safely(at if at.tzinfo is not None else at.replace(tzinfo=_zone(args, 0, setting)))


def pattern(text: str) -> str:
    """A pattern of ours (`%Y%m%d`), EDIFACT's code (102), or a pattern of signs (`dd.MM.yyyy hh:mm a`), as strptime takes it."""
    if "%" in text or text in _PACKED or "yy" not in text:
        return _PACKED.get(text, text)
    made, at = "", 0
    while at < len(text):
        if text[at] == "'":
            end = text.find("'", at + 1)
            made, at = made + text[at + 1 : end if end > 0 else None], (end if end > 0 else len(text)) + 1
            continue
        sign, code = next(
            ((sign, code) for sign, code in _SIGNS if text.startswith(sign, at)), (text[at], text[at])
        )
        made, at = made + code, at + len(sign)
    return made


def packed_date(value: Any, args: tuple[Any, ...], setting: Setting) -> str | None:
    """A time written by a pattern or by EDIFACT's code to a moment of ours. Raises Bad."""
    text = text_of(value).strip()
    if not text:
        return None
    try:
        at = datetime.strptime(text, pattern(args[0]))  # noqa: DTZ007 - the zone follows
    except ValueError:
        raise Bad("not_moment") from None
    return _safely(at if at.tzinfo is not None else at.replace(tzinfo=_zone(args, 1, setting)))


def wall(value: Any, args: tuple[Any, ...], setting: Setting) -> str | None:
    """A moment of ours as a time on the clock of a zone, by a pattern. Raises Bad."""
    at = _moment(value)
    if at is None:
        return None
    if at.tzinfo is None:
        raise Bad("no_zone")
    try:
        return at.astimezone(_zone(args, 1, setting)).strftime(pattern(args[0]))
    except (OverflowError, ValueError):
        raise Bad("not_moment") from None


def to_epoch(value: Any, args: tuple[Any, ...], _setting: Setting) -> int | None:
    """A moment of ours as epoch seconds, or milliseconds. Raises Bad."""
    at = _moment(value)
    if at is None:
        return None
    if at.tzinfo is None:
        raise Bad("no_zone")
    # Whole milliseconds from whole parts: a float of seconds would be one short now and then.
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = delta.days * 86_400 + delta.seconds
    return seconds * 1000 + delta.microseconds // 1000 if args and args[0] == 1000 else seconds
