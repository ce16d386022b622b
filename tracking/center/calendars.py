"""Working calendars from their rows, ready to reckon with."""

from __future__ import annotations

from collections.abc import Iterable

from tracking.center.engine.working import AROUND_THE_CLOCK, Hours
from tracking.center.models import Calendar, CalendarDay


def hours_of(calendars: Iterable[Calendar | None]) -> dict[int | None, Hours]:
    """The working hours of these calendars by id, of no calendar under None; one query for the holidays."""
    rows = {row.pk: row for row in calendars if row is not None}
    countries = {row.country for row in rows.values() if row.country}
    days: dict[str, dict[object, bool]] = {}
    if countries:
        found = CalendarDay.objects.filter(country__in=countries).values_list("country", "date", "is_open")
        for country, day, is_open in found:
            days.setdefault(country, {})[day] = is_open
    return {None: AROUND_THE_CLOCK} | {
        pk: Hours(
            zone=row.zone, weekdays=frozenset(int(day) - 1 for day in row.weekdays if day in "1234567"),
            opens=row.opens_at, closes=row.closes_at, days=days.get(row.country, {}),  # type: ignore[arg-type]
        )
        for pk, row in rows.items()
    }  # fmt: skip
