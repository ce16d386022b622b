"""Which runs belong to which days."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q


def dated(since: date, until: date, *, path: str = "") -> Q:
    """Runs whose activity lies in this span; those stored before the day was kept count by when they were made."""
    day, made = f"{path}activity_date", f"{path}calculated_at__date"
    return Q(**{f"{day}__gte": since, f"{day}__lte": until}) | Q(
        **{f"{day}__isnull": True, f"{made}__gte": since, f"{made}__lte": until}
    )


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of a month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
