"""The log's three tables, written together: events, heads of their streams, deliveries owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from django.db import connection

from orderhub.events.models import Delivery, Event, StreamHead
from orderhub.events.registry import To
from orderhub.events.tables import Row, Table, ask, insert, insertion, parameter, row

EVENTS = Table(
    Event,
    (
        "id", "merchant_id", "stream", "seq", "kind", "occurred_at", "recorded_at", "actor", "payload",
        "prev_hash", "hash",
    ),
)  # fmt: skip
HEADS = Table(StreamHead, ("stream", "seq", "hash"))
_OWN = (
    "event_id",
    "stream",
    "merchant_id",
    "subscriber",
    "destination",
    "ordered",
    "topic",
    "waits_for",
    "is_urgent",
    "not_before",
    "created_at",
)
_DEFAULTED = [
    field for field in Delivery._meta.concrete_fields
    if not field.primary_key and field.attname not in _OWN
]  # fmt: skip
DELIVERIES = Table(Delivery, (*_OWN, *(field.attname for field in _DEFAULTED)))
HEAD_MOVES = "ON CONFLICT (stream) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash"


def delivery_tail(
    merchant_id: int | None,
    subscriber: str,
    to: To,
    *,
    ordered: bool,
    due_at: datetime,
    now: datetime,
) -> Row:
    """What the deliveries of one subscriber have in common; a row is (event id, stream, *tail)."""
    waits_for = "" if to.waits_for is None else f",{','.join(dict.fromkeys((to.topic, *to.waits_for)))},"
    known = row((
        merchant_id, subscriber, to.destination, ordered, to.topic, waits_for, to.is_urgent, due_at, now,
    ))  # fmt: skip
    return known + row(field.get_default() for field in _DEFAULTED)


def append(events: Sequence[Row], heads: Sequence[Row], deliveries: Sequence[Row]) -> None:
    """Write all three; one statement on PostgreSQL, one per table on SQLite."""
    if connection.vendor == "postgresql":
        ask(_statement(), [parameter(events), parameter(heads), parameter(deliveries)])
        return
    insert(EVENTS, events)
    insert(HEADS, heads, conflict=HEAD_MOVES)
    insert(DELIVERIES, deliveries)


def last_rows(rows: Iterable[Row]) -> list[Row]:
    """The last head of each stream."""
    return list({values[0]: values for values in rows}.values())


@cache
def _statement() -> str:
    return (
        f"WITH e AS ({insertion(EVENTS)}), h AS ({insertion(HEADS, conflict=HEAD_MOVES)}) "
        f"{insertion(DELIVERIES)}"
    )
