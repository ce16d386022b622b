"""Handing out event ids before their rows are written, so that hashes, deliveries and rows go out together."""

from __future__ import annotations

from django.db import connection
from django.db.models import Max

from orderhub.events.models import Event
from orderhub.events.tables import ask


def take(count: int) -> list[int]:
    """So many fresh, rising event ids; one query. On SQLite inside the transaction that writes the rows."""
    if connection.vendor == "postgresql":
        # The column's own default: the month above, a number that never repeats below.
        rows = ask("SELECT events_event_next_id() FROM generate_series(1, %s)", [count])
        return [int(number) for (number,) in rows]
    # SQLite has one writer at a time, and events are never deleted.
    highest = Event.objects.aggregate(highest=Max("pk"))["highest"] or 0
    return list(range(highest + 1, highest + 1 + count))
