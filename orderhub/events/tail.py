"""Projections: each reads the log behind its cursor, applies a batch and moves the cursor in one transaction.

The order is (tx, id). On PostgreSQL only what lies below every running transaction is read, since ids are
handed out before commit and "id > last seen" would miss a late commit for ever; on SQLite there is one writer
and tx is 0.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from django.db import connection, transaction

from orderhub.events import guard, registry, rows
from orderhub.events.models import Cursor, Event, ParkedEvent
from orderhub.events.registry import Projection

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the log: everything up to and with it."""

    tx: int
    event_id: int


# ---- reading -------------------------------------------------------------------------------------


def horizon() -> Place | None:
    """The last event that may be read without ever missing an earlier one; None for an empty log."""
    statement = (
        "SELECT 0, max(id) FROM events_event"
        if connection.vendor == "sqlite"
        # The second half only matters to a caller inside one transaction for good: a test.
        # `e.tx`: a plain `tx` would be the first column, the number made of it, which no index is ordered by.
        else "SELECT e.tx::text::bigint, e.id FROM events_event e "
        "WHERE e.tx < pg_snapshot_xmin(pg_current_snapshot()) OR e.tx = pg_current_xact_id_if_assigned() "
        "ORDER BY e.tx DESC, e.id DESC LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return Place(row[0], row[1]) if row and row[1] is not None else None


def behind() -> set[str]:
    """The names of the projections whose cursor is not at the end of the readable log."""
    end = horizon()
    if end is None:
        return set()
    reached = {name: (tx, last) for name, tx, last in Cursor.objects.values_list("name", "tx", "event_id")}
    return {name for name in registry.projections if reached.get(name, (0, 0)) < (end.tx, end.event_id)}


def _read(projection: Projection, after: Place, end: Place) -> tuple[list[Event], Place]:
    """The next batch of this projection's events in (after, end], and the place the cursor may then go to."""
    kinds, most = sorted(projection.kinds), rows.at_once(projection.batch)
    marks = ", ".join(["%s"] * len(kinds))
    if connection.vendor == "sqlite":
        columns, span, order = "*, 0 AS place_tx", "id > %s AND id <= %s", "id"
        bounds = [after.event_id, end.event_id]
    else:
        columns, order = "*, tx::text::bigint AS place_tx", "tx, id"
        span = "(tx, id) > (%s::text::xid8, %s) AND (tx, id) <= (%s::text::xid8, %s)"
        bounds = [after.tx, after.event_id, end.tx, end.event_id]
    select = f"SELECT {columns} FROM events_event WHERE {span} AND kind IN ({marks})"  # noqa: S608  (fixed words only)
    events = list(Event.objects.raw(f"{select} ORDER BY {order} LIMIT %s", [*bounds, *kinds, most]))
    if len(events) < most:
        return events, end
    return events, Place(vars(events[-1])["place_tx"], events[-1].pk)


# ---- applying ------------------------------------------------------------------------------------


def project(name: str, *, budget_seconds: float = 20.0) -> int:
    """Bring the projection up to the end of the log, or as far as the time allows; returns the events
    applied.
    """
    projection = registry.projections[name]
    deadline = monotonic() + budget_seconds
    applied = 0
    while step := advance(projection):
        applied += step
        if monotonic() > deadline:
            break
    return applied


def advance(projection: Projection) -> int:
    """Apply batches until one had events; returns how many, 0 at the end of the log or while another worker
    is at it.
    """
    if projection.name not in behind():
        return 0
    while True:
        applied = _advance_once(projection)
        if applied is None:
            return 0
        if applied:
            return applied


def _advance_once(projection: Projection) -> int | None:
    """One batch under the cursor's lock; None where there is nothing to read."""
    Cursor.objects.get_or_create(name=projection.name)
    with transaction.atomic():
        cursor = (
            Cursor.objects.select_for_update(skip_locked=_can_skip()).filter(name=projection.name).first()
        )
        end = horizon()
        if cursor is None or end is None or (cursor.tx, cursor.event_id) >= (end.tx, end.event_id):
            return None
        events, reached = _read(projection, Place(cursor.tx, cursor.event_id), end)
        _apply(projection, cursor, events)
        cursor.tx, cursor.event_id = reached.tx, reached.event_id
        cursor.save(update_fields=["tx", "event_id", "updated_at"])
    return len(events)


def _can_skip() -> bool:
    return connection.features.has_select_for_update_skip_locked


def _apply(projection: Projection, cursor: Cursor, events: Sequence[Event]) -> None:
    """Apply all but the events of parked streams, which join the queue of their stream."""
    if not events:
        return
    parked = set(
        ParkedEvent.objects.filter(cursor=cursor, stream__in={event.stream for event in events})
        .values_list("stream", flat=True)
        .distinct()
    )
    _park(cursor, [event for event in events if event.stream in parked], error="")
    _try(projection, cursor, [event for event in events if event.stream not in parked])


def _try(projection: Projection, cursor: Cursor, events: Sequence[Event]) -> None:
    """Apply in a savepoint; on failure by halves of streams, until the stream at fault stands alone and is
    parked.
    """
    if not events:
        return
    try:
        with transaction.atomic():
            projection.apply(events)
    except Exception as fault:  # whatever it is, the other streams go on
        streams = list(dict.fromkeys(event.stream for event in events))
        if len(streams) == 1:
            logger.exception("%s: stream %s is parked", projection.name, streams[0])
            _park(cursor, events, error=f"{type(fault).__name__}: {fault}"[:4000])
            return
        first = set(streams[: len(streams) // 2])
        _try(projection, cursor, [event for event in events if event.stream in first])
        _try(projection, cursor, [event for event in events if event.stream not in first])


def _park(cursor: Cursor, events: Sequence[Event], *, error: str) -> None:
    ParkedEvent.objects.bulk_create(
        [ParkedEvent(cursor=cursor, event=event, stream=event.stream, error=error) for event in events],
        ignore_conflicts=True,
    )


# ---- a person repairs ----------------------------------------------------------------------------


def unpark(name: str, *, stream: str = "") -> int:
    """Apply the parked events of the projection (of one stream, if given) in order; returns how many went
    through.

    A stream that fails again stays parked with its new error.
    """
    projection = registry.projections[name]
    parked = ParkedEvent.objects.filter(cursor_id=name)
    if stream:
        parked = parked.filter(stream=stream)
    return sum(
        _unpark_stream(projection, each) for each in sorted(set(parked.values_list("stream", flat=True)))
    )


def _unpark_stream(projection: Projection, stream: str) -> int:
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().get(name=projection.name)
        rows = ParkedEvent.objects.filter(cursor=cursor, stream=stream)
        events = [row.event for row in rows.select_related("event").order_by("event__seq")]
        rows.delete()
        _try(projection, cursor, events)
        return len(events) - ParkedEvent.objects.filter(cursor=cursor, stream=stream).count()


def rewind(name: str) -> None:
    """Send the projection back to the start of the log; its handler is idempotent, so what it wrote stays
    right.
    """
    with transaction.atomic():
        cursor, _created = Cursor.objects.get_or_create(name=name)
        ParkedEvent.objects.filter(cursor=cursor).delete()
        Cursor.objects.filter(pk=name).update(tx=0, event_id=0)


# ---- after a restore ---------------------------------------------------------------------------


def is_ahead_of_database() -> bool:
    """Whether the log carries transaction numbers this PostgreSQL server has not reached: it was restored
    from another one, so its end would not be readable.
    """
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(tx) >= pg_snapshot_xmax(pg_current_snapshot()) FROM events_event")
        return bool(cursor.fetchone()[0])


def rebase() -> int:
    """Put the whole restored log at transaction 0, in the order of ids, and each cursor before its first
    unread event; returns the number of events. Some events may be applied twice, which projections are
    ready for.
    """
    first_unread = """
        UPDATE events_cursor c SET tx = 0, event_id = COALESCE(
            (SELECT min(e.id) - 1 FROM events_event e WHERE (e.tx, e.id) > (c.tx::text::xid8, c.event_id)),
            (SELECT max(e.id) FROM events_event e), 0)"""
    with guard.opened("rebase after a restore"), connection.cursor() as cursor:
        cursor.execute(first_unread)
        cursor.execute("UPDATE events_streamhead SET tx = '0', moved_by = '0'")
        cursor.execute("UPDATE events_event SET tx = '0'")
        return int(cursor.rowcount)
