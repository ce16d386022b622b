"""Which deliveries may be run now: due, at the head of their stream, and not for a destination that rests; one
compare-and-swap statement leases them.

What a delivery waits for is data of its own: every earlier one of its stream and destination, or only those of the topics
it names (see docs/reliability.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from orderhub.events import breaker, lanes, leases, tables
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Backlog, Subscriber

_READY = "d.state = 'ready' AND d.not_before <= %(now)s"
_URGENT = f"d.is_urgent AND {_READY}"
_LOST = "d.state = 'leased' AND d.lease_until < %(now)s AND d.attempts < %(max_attempts)s"
#: A comparison, not NOT EXISTS: PostgreSQL makes a join of that, which without fresh statistics reads the whole
#: backlog for each row (30 a second at 30,000 waiting); this is one look into the index, whatever it believes.
#: What has no topic was written by something that knows of none: it counts for everybody.
_HEAD = """d.id = (
    SELECT min(e.id) FROM events_delivery e
    WHERE e.subscriber = d.subscriber AND e.destination = d.destination AND e.stream = d.stream
      AND e.state IN ({blocking})
      AND (d.waits_for = '' OR e.id = d.id OR e.topic = ''
           OR replace(d.waits_for, ',' || e.topic || ',', '') <> d.waits_for))"""
_BLOCKING, _BLOCKING_ALIVE = "'ready', 'leased', 'dead'", "'ready', 'leased'"
# MATERIALIZED: PostgreSQL may otherwise run the inner query again per row and lease more than the limit.
_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT d.id FROM events_delivery d
    WHERE d.subscriber = %(subscriber)s AND d.state IN ('ready', 'leased') AND {conditions}
    ORDER BY d.id LIMIT %(limit)s {lock})
UPDATE events_delivery
SET state = 'leased', attempts = attempts + 1, lease_until = %(until)s, lease_token = %(token)s
WHERE id IN (SELECT id FROM picked)
RETURNING *"""
#: Asked of all subscribers of a queue at once, three columns each.
_DUE = """EXISTS (SELECT 1 FROM events_delivery d
                  WHERE d.subscriber = %s AND d.state IN ('ready', 'leased')
                    AND d.state = 'ready' AND d.not_before <= %s),
          EXISTS (SELECT 1 FROM events_delivery d
                  WHERE d.subscriber = %s AND d.state IN ('ready', 'leased')
                    AND d.state = 'leased' AND d.lease_until < %s AND d.attempts < %s),
          EXISTS (SELECT 1 FROM events_delivery d
                  WHERE d.subscriber = %s AND d.is_urgent AND d.state IN ('ready', 'leased')
                    AND d.state = 'ready' AND d.not_before <= %s)"""


@dataclass(frozen=True, slots=True)
class Due:
    """What waits for a subscriber: rows to run, a row of a lost worker, rows that go first."""

    subscriber: Subscriber
    ready: bool
    lost: bool
    urgent: bool


def claim(subscriber: Subscriber, *, limit: int, now: datetime) -> list[Delivery]:
    """Lease up to `limit` deliveries for 30 s, events attached, the urgent first, else the oldest; each statement in its
    own transaction.

    If nothing is ready, one row whose worker was lost is taken, alone: should it be the one that kills workers, it
    takes no neighbors with it.
    """
    return (
        claim_ready(subscriber, limit=limit, now=now, urgent=subscriber.outside)
        or _claim(subscriber, _LOST, limit=1, now=now)
    )  # fmt: skip


def claim_ready(subscriber: Subscriber, *, limit: int, now: datetime, urgent: bool) -> list[Delivery]:
    """Rows that are due: those that go first, if there may be `urgent` ones, else the oldest."""
    first = _claim(subscriber, _URGENT, limit=limit, now=now) if urgent else []
    return first or _claim(subscriber, _READY, limit=limit, now=now)


def claim_lost(subscriber: Subscriber, *, now: datetime) -> list[Delivery]:
    """One row whose worker was lost."""
    return _claim(subscriber, _LOST, limit=1, now=now)


def waiting(
    subscribers: Iterable[Subscriber], backlogs: Sequence[Backlog], now: datetime
) -> tuple[list[Due], list[Backlog]]:
    """Those for whom something waits, and the backlogs with something in them; one statement, since an idle look is the
    usual one.
    """
    asked = list(subscribers)
    if not asked and not backlogs:
        return [], []
    at = str(moment(now))
    parameters = [
        value for one in asked for value in (one.name, at, one.name, at, one.max_attempts, one.name, at)
    ]
    (told,) = tables.ask(
        "SELECT " + ", ".join([_DUE] * len(asked) + [one.waits for one in backlogs]), parameters
    )
    row, end = [bool(value) for value in told], 3 * len(asked)
    flags = zip(asked, row[:end:3], row[1:end:3], row[2:end:3], strict=True)
    found = [one for one in (Due(*each) for each in flags) if one.ready or one.lost]
    return found, [one for one, waits in zip(backlogs, row[end:], strict=True) if waits]


def moment(value: datetime) -> Any:
    """A time as this database compares it."""
    return connection.ops.adapt_datetimefield_value(value)


def _claim(subscriber: Subscriber, state: str, *, limit: int, now: datetime) -> list[Delivery]:
    parameters: dict[str, Any] = {
        "subscriber": subscriber.name, "now": moment(now), "max_attempts": subscriber.max_attempts, "limit": limit,
        "token": leases.new_token(), "until": moment(now + leases.LEASE),
    }  # fmt: skip
    blocking = _BLOCKING if subscriber.dead_blocks else _BLOCKING_ALIVE
    conditions = [state, *([_HEAD.format(blocking=blocking)] if subscriber.ordered else [])]
    resting = breaker.resting(subscriber.name, now=now) if subscriber.outside else []
    for number, destination in enumerate(
        {*resting, *lanes.busy(subscriber), *_paused_destinations(subscriber)}
    ):
        conditions.append(f"d.destination <> %(paused{number})s")
        parameters[f"paused{number}"] = destination
    lock = "FOR UPDATE OF d SKIP LOCKED" if connection.vendor == "postgresql" else ""
    statement = _CLAIM.format(conditions=" AND ".join(conditions), lock=lock)
    rows = sorted(Delivery.objects.raw(statement, parameters), key=lambda row: row.pk)
    events = Event.objects.in_bulk({row.event_id for row in rows})
    for row in rows:
        row.event = events[row.event_id]
    return rows


def _paused_destinations(subscriber: Subscriber) -> list[str]:
    if subscriber.is_paused is None:
        return []
    waiting = Delivery.objects.filter(subscriber=subscriber.name, state__in=["ready", "leased"])
    names = sorted(set(waiting.values_list("destination", flat=True).distinct()))
    return [name for name in names if subscriber.is_paused(name)]
