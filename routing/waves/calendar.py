"""When waves are released: at times of the day, or every so many hours from midnight; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS_LOOKED_AT = 3


@dataclass(frozen=True, slots=True)
class Timetable:
    """Local times of the day, in order; `zone` is an IANA name."""

    times: tuple[time, ...]
    zone: str

    def after(self, moment: datetime) -> datetime:
        """The first release after this moment, in UTC."""
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        return next(at for at in self._from(today) if at > moment)

    def until(self, moment: datetime) -> datetime:
        """The last release at or before this moment, in UTC."""
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        return max(at for at in self._from(today - timedelta(days=_DAYS_LOOKED_AT)) if at <= moment)

    def _from(self, first: date) -> Iterator[datetime]:
        zone = ZoneInfo(self.zone)
        for n in range(2 * _DAYS_LOOKED_AT):
            for at in self.times:
                # Through UTC: a time that a change of the clocks leaves out is an hour later that day.
                yield datetime.combine(first + timedelta(days=n), at, tzinfo=zone).astimezone(UTC)


def daily(texts: Sequence[str], zone: str) -> Timetable:
    """From times such as "14:00"; ValueError for anything else, or none."""
    times = sorted({time.fromisoformat(text) for text in texts})
    if not times or any(at.tzinfo is not None or at.second or at.microsecond for at in times):
        raise ValueError("times of the day are hours and minutes")
    return Timetable(tuple(times), zone)


def every(hours: int, zone: str) -> Timetable:
    """Every so many hours (1 to 24) from local midnight; the last span of a day may be shorter."""
    if not 1 <= hours <= 24:
        raise ValueError("from every hour to once a day")
    return Timetable(tuple(time(hour) for hour in range(0, 24, hours)), zone)
