"""Prepared orders into the tables: few of them by one statement, many by COPY, row by row statements on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from django.db import connection

from orderhub.events import ids, log
from orderhub.events.tables import Row, Table, ask, copy, copy_encoded, encoded, insert, insertion, parameter
from orderhub.events.writing import DELIVERIES, EVENTS, HEADS
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.prepared import LINES, ORDERS, ORIGINALS, PERSONS, Prepared
from orderhub.orders.receivers import TABLE as SEALED

_NEW_EVENTS = Table(EVENTS.model, EVENTS.fields[1:])
#: In the order in which they are written.
_TABLES = (ORDERS, PERSONS, LINES, ORIGINALS, EVENTS, HEADS, DELIVERIES, SEALED)
#: Up to so many orders one statement is cheaper than a COPY for each table.
FEW = 60


def is_few(count: int) -> bool:
    """Whether so many orders are written by one statement that steps over numbers already taken."""
    return connection.vendor == "postgresql" and count <= FEW


def standing(channel_id: int, numbers: Sequence[str]) -> list[tuple[str, int, str]]:
    """Number, id and content hash of the channel's orders with one of these numbers; one query."""
    if connection.vendor == "postgresql":
        statement = (
            f"SELECT external_id, id, content_hash FROM {ORDERS.name} "  # noqa: S608
            "WHERE channel_id = %s AND external_id IN (SELECT jsonb_array_elements_text(%s::jsonb))"
        )
        return [(number, pk, said) for number, pk, said in ask(statement, [channel_id, json.dumps(numbers)])]
    found = Order.objects.filter(channel_id=channel_id, external_id__in=numbers)
    return list(found.values_list("external_id", "pk", "content_hash"))


def take_ids(orders: int, lines: int) -> tuple[list[int], Iterator[int]]:
    """Fresh ids for so many orders and lines; one query. On SQLite inside the transaction that writes the rows."""
    if connection.vendor == "postgresql":
        # OFFSET keeps the sequence from being looked up for every row.
        statement = " UNION ALL ".join([
            "SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) s, "
            "generate_series(1, %s::int)"
        ] * 2)  # fmt: skip
        tables: list[str | int] = [Order._meta.db_table, orders, OrderLine._meta.db_table, lines]
        taken = [int(row[0]) for row in ask(statement, tables)]
        return taken[:orders], iter(taken[orders:])
    # SQLite has one writer at a time; its own table of sequences counts rows deleted since, too.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, seq FROM sqlite_sequence WHERE name IN (%s, %s)",
            [Order._meta.db_table, OrderLine._meta.db_table],
        )
        last = dict(cursor.fetchall())
    first_order, first_line = (int(last.get(x._meta.db_table, 0)) + 1 for x in (Order, OrderLine))
    return list(range(first_order, first_order + orders)), iter(range(first_line, first_line + lines))


def insert_new(prepared: Sequence[Prepared], *, now: datetime, actor: str) -> set[int]:
    """Write those whose number is free, waiting for whoever is just taking it; the ids of those written.

    One statement, PostgreSQL only. Orders must come sorted by key, so that two batches never wait in a circle.
    """
    # The log gives its events their ids itself here: nothing else depends on them.
    events, heads, deliveries = _told(prepared, [0] * len(prepared), now=now, actor=actor)
    pairs = [(str(x.order_id), x) for x in prepared]
    parameters = [
        parameter([x.order for x in prepared]),
        parameter([(pk, *x.person) for pk, x in pairs]),
        parameter([(pk, *line) for pk, x in pairs for line in x.lines]),
        parameter([(pk, *x.original) for pk, x in pairs]),
        parameter([(pk, *event[1:]) for (pk, _x), event in zip(pairs, events, strict=True)]),
        parameter([(pk, *head) for (pk, _x), head in zip(pairs, heads, strict=True)]),
        parameter(deliveries),
    ]
    sealed = [(pk, *x.sealed) for pk, x in pairs if x.sealed is not None]
    if sealed:
        parameters.append(parameter(sealed))
    return {int(row[0]) for row in ask(_statement(bool(sealed)), parameters)}


def write_all(prepared: Sequence[Prepared], *, now: datetime, actor: str) -> None:
    """Write them all; IntegrityError where somebody has just taken one of the numbers."""
    write = copy if connection.vendor == "postgresql" else insert
    for table, rows in zip(_TABLES, _rows(prepared, now=now, actor=actor), strict=True):
        write(table, rows)


def encode_all(prepared: Sequence[Prepared], *, now: datetime, actor: str) -> list[bytes]:
    """What `write_encoded` writes, as bytes that may come from another process. PostgreSQL only."""
    return [encoded(rows) for rows in _rows(prepared, now=now, actor=actor)]


def write_encoded(blocks: Sequence[bytes]) -> None:
    """As `write_all`, for what `encode_all` made of it before."""
    for table, block in zip(_TABLES, blocks, strict=True):
        if block:
            copy_encoded(table, [block])


def _rows(prepared: Sequence[Prepared], *, now: datetime, actor: str) -> list[Sequence[Row]]:
    """The rows of each of `_TABLES`."""
    told = _told(prepared, ids.take(len(prepared)), now=now, actor=actor)
    lines = [line for x in prepared for line in x.lines]
    return [
        [x.order for x in prepared], [x.person for x in prepared], lines, [x.original for x in prepared], *told,
        [x.sealed for x in prepared if x.sealed is not None],
    ]  # fmt: skip


def _told(
    prepared: Sequence[Prepared], event_ids: Sequence[int], *, now: datetime, actor: str
) -> tuple[list[Row], list[Row], list[Row]]:
    """The event of each order, the head of its stream, and what is owed for it."""
    first = log.first_events([x.placed for x in prepared], event_ids, now=now, actor=actor)
    return first.rows, first.heads, first.deliveries


@cache
def _statement(has_sealed: bool) -> str:
    """All tables: orders whose number is free, then what belongs to those; few have a receiver that is hidden."""
    taken = "ON CONFLICT (channel_id, external_id) DO NOTHING RETURNING id"
    written = "WHERE (r->>0)::bigint IN (SELECT id FROM o)"
    parts = {
        "o": insertion(ORDERS, conflict=taken),
        "p": insertion(PERSONS, skip=1, where=written),
        "l": insertion(LINES, skip=1, where=written),
        "g": insertion(ORIGINALS, skip=1, where=written),
        "e": insertion(_NEW_EVENTS, skip=1, where=written, conflict="RETURNING id, stream"),
        "h": insertion(HEADS, skip=1, where=written),
        "d": insertion(DELIVERIES, where="JOIN e ON e.stream = r->>1", first="e.id"),
    }
    if has_sealed:
        parts["s"] = insertion(SEALED, skip=1, where=written)
    return f"WITH {', '.join(f'{name} AS ({part})' for name, part in parts.items())} SELECT id FROM o"  # noqa: S608
