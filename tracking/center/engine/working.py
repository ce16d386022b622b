"""Working time: weekdays and hours of an actor, with public holidays and the days that are worked instead; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
#: A calendar that never opens within these days would be waited for forever.
MOST_DAYS = 400
WEEK = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody works: weekdays (0 Monday … 6 Sunday), local hours, and single days that are otherwise.

    `days` says of a date whether it is worked, whatever its weekday; equal hours mean around the clock.
    """

    zone: str = "Asia/Shanghai"
    weekdays: frozenset[int] = WEEK
    opens: time = time(0)
    closes: time = time(0)
    days: Mapping[date, bool] = field(default_factory=dict)

    def is_open(self, day: date) -> bool:
        """Whether the local day is worked."""
        return self.days.get(day, day.weekday() in self.weekdays)

    def span(self, day: date) -> tuple[datetime, datetime]:
        """The working hours of a local day as aware moments."""
        zone = ZoneInfo(self.zone)
        first = datetime.combine(day, self.opens, zone)
        last = datetime.combine(day if self.closes > self.opens else day + DAY, self.closes, zone)
        return first, last


AROUND_THE_CLOCK = Hours()


def after(start: datetime, span: timedelta, hours: Hours) -> datetime:
    """The moment at which `span` of working time has passed since an aware `start`, in UTC's reckoning of seconds.

    A calendar without a working day in 400 days gives the end of those.
    """
    left = span
    day = start.astimezone(ZoneInfo(hours.zone)).date() - DAY  # a night shift began the day before
    for _n in range(MOST_DAYS):
        if hours.is_open(day):
            first, last = hours.span(day)
            begin = max(first, start)
            length = _between(begin, last)
            if length >= left and length > timedelta(0):
                return (begin.astimezone(start.tzinfo)) + left
            left -= max(timedelta(0), length)
        day += DAY
    return start + MOST_DAYS * DAY


def worked(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """The working time between two aware moments."""
    total, day = timedelta(0), start.astimezone(ZoneInfo(hours.zone)).date() - DAY
    for _n in range(MOST_DAYS):
        first, last = hours.span(day)
        if first >= end:
            break
        if hours.is_open(day):
            total += max(timedelta(0), _between(max(first, start), min(last, end)))
        day += DAY
    return total


def _between(first: datetime, last: datetime) -> timedelta:
    """Real time: moments of one zone are subtracted by the wall clock otherwise, which errs where clocks change."""
    return timedelta(seconds=last.timestamp() - first.timestamp())
