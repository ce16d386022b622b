"""Times in words: arrival bands and how long ago, in the reader's zone, Chinese and English."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from math import ceil

WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEAR_DAYS = {"zh": {-1: "昨天", 0: "今天", 1: "明天"}, "en": {-1: "yesterday", 0: "today", 1: "tomorrow"}}
# A band of a working day says no more than the day itself.
WHOLE_DAY = timedelta(hours=9)
# Beyond this many days a weekday could be taken for the wrong week.
WEEKDAY_REACH = 6


def eta_text(
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    promise: datetime | None = None,
    language: str = "zh-hans",
    zone: tzinfo | None = None,
) -> str:
    """「今天 15:10–16:00 送到」 or "Arriving Fri–Sat" for a band of aware datetimes.

    Says by how much the band passes `promise`, and that the time is being updated once the band is over.
    """
    tongue = "zh" if language.lower().startswith("zh") else "en"
    if end < now:
        late = {"zh": "比预计的晚，正在更新送达时间", "en": "Later than expected. We are updating the time"}
        return late[tongue]
    band = eta_band(start, end, now=now, language=language, zone=zone)
    if tongue == "zh":
        text = f"{band} 送到" if band[-1].isdigit() else f"{band}送到"
    else:
        text = f"Arriving {band}"
    return text + _past_promise(end, promise, tongue, zone or now.tzinfo)


def eta_band(
    start: datetime, end: datetime, *, now: datetime, language: str = "zh-hans", zone: tzinfo | None = None
) -> str:
    """The band alone: 「今天 15:10–16:00」, 「周五–周六」, "today, 15:10–16:00", "24–26 Nov"."""
    tongue = "zh" if language.lower().startswith("zh") else "en"
    tz = zone or now.tzinfo
    first, last, today = start.astimezone(tz), end.astimezone(tz), now.astimezone(tz).date()
    first = max(first, now.astimezone(tz))
    if first.date() != last.date():
        return _days(first.date(), last.date(), today, tongue)
    day = _day(last.date(), today, tongue)
    if last - start.astimezone(tz) >= WHOLE_DAY:
        return day
    if start.astimezone(tz) < now:
        return f"{day} {last:%H:%M} 前" if tongue == "zh" else f"{day} by {last:%H:%M}"
    hours = f"{first:%H:%M}–{last:%H:%M}"
    return f"{day} {hours}" if tongue == "zh" else f"{day}, {hours}"


def relative_time(
    at: datetime, *, now: datetime, language: str = "zh-hans", zone: tzinfo | None = None
) -> str:
    """「3 分钟前」, 「昨天 21:10」, "Tue 20:14", "3 Nov 2025, 20:14": near times in words, then dates."""
    tongue = "zh" if language.lower().startswith("zh") else "en"
    tz = zone or now.tzinfo
    local, today = at.astimezone(tz), now.astimezone(tz).date()
    minutes = (now - at) // timedelta(minutes=1)
    if 0 <= minutes < 60:
        if minutes < 1:
            return "刚刚" if tongue == "zh" else "just now"
        return f"{minutes} 分钟前" if tongue == "zh" else f"{minutes} min ago"
    day = _day(local.date(), today, tongue, back=True)
    comma = "," if tongue == "en" and day[0].isdigit() else ""
    return f"{day[0].upper()}{day[1:]}{comma} {local:%H:%M}"


def _day(day: date, today: date, tongue: str, *, back: bool = False) -> str:
    """A day as near as words allow; weekdays reach back only where the past is meant."""
    apart = (day - today).days
    if apart in NEAR_DAYS[tongue]:
        return NEAR_DAYS[tongue][apart]
    if 0 < apart <= WEEKDAY_REACH or (back and -WEEKDAY_REACH <= apart < 0):
        return WEEKDAYS[tongue][day.weekday()]
    return _date(day, today, tongue)


def _date(day: date, today: date, tongue: str) -> str:
    if tongue == "zh":
        text = f"{day.month} 月 {day.day} 日"
        return text if day.year == today.year else f"{day.year} 年 {text}"
    text = f"{day.day} {MONTHS[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"


def _days(first: date, last: date, today: date, tongue: str) -> str:
    near = (first - today).days in NEAR_DAYS[tongue]
    if near and (last - first).days == 1:
        joint = {"zh": "或", "en": " or "}[tongue]
        return f"{_day(first, today, tongue)}{joint}{_day(last, today, tongue)}"
    if (last - today).days > WEEKDAY_REACH and not near:
        return _dates(first, last, today, tongue)
    if near:
        joint = {"zh": "至", "en": " to "}[tongue]
        return f"{_day(first, today, tongue)}{joint}{_day(last, today, tongue)}"
    return f"{_day(first, today, tongue)}–{_day(last, today, tongue)}"


def _dates(first: date, last: date, today: date, tongue: str) -> str:
    if (first.year, first.month) != (last.year, last.month):
        return f"{_date(first, today, tongue)}–{_date(last, today, tongue)}"
    if tongue == "zh":
        return f"{_date(first, today, tongue)}–{last.day} 日"
    return f"{first.day}–{_date(last, today, tongue)}"


def _past_promise(end: datetime, promise: datetime | None, tongue: str, tz: tzinfo | None) -> str:
    if promise is None or end <= promise:
        return ""
    days = (end.astimezone(tz).date() - promise.astimezone(tz).date()).days
    if days >= 1:
        if tongue == "zh":
            return f"，比承诺晚 {days} 天"
        return f", {days} {_many('day', days)} later than promised"
    hours = ceil((end - promise) / timedelta(hours=1))
    if tongue == "zh":
        return f"，比承诺晚约 {hours} 小时"
    return f", about {hours} {_many('hour', hours)} later than promised"


def _many(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
