"""Monthly partitions of tables that only grow, on PostgreSQL; SQLite keeps one plain table.

A table is split by its id, whose upper bits are the month (`id >> 40`, months since January 2020), or by a
moment. Partitions are made ahead by the clock; what fits none lands in the default partition, which must stay
empty: PostgreSQL refuses a new partition whose rows already lie there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection, transaction

MONTH_BITS = 40
EPOCH_YEAR = 2020
AHEAD = 3
DEFAULT = "default"
#: The table as it was before it was split, attached as the first partition.
EARLY = "early"

_NAME = re.compile(r"_p(\d{4})(\d{2})$")


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A split table. `by_id`: its key is an id with the month on top, else a timestamp; `unique`: columns
    unique within each partition, for uniqueness without the key cannot span them.
    """

    table: str
    key: str
    by_id: bool = False
    unique: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as it stands: its month (None for early and default), rough rows and bytes."""

    name: str
    month: date | None
    bounds: str
    rows: int
    size_bytes: int


EVENTS = Partitioned("events_event", "id", by_id=True, unique=("stream", "seq"))
_declared: dict[str, Partitioned] = {EVENTS.table: EVENTS}


def declare(table: Partitioned) -> Partitioned:
    """Have the clock look after this table too."""
    _declared[table.table] = table
    return table


def declared() -> list[Partitioned]:
    """All split tables, by name; none where the database has no partitions."""
    if connection.vendor != "postgresql":
        return []
    return [_declared[name] for name in sorted(_declared)]


# ---- months --------------------------------------------------------------------------------------


def month_of(moment: datetime) -> date:
    """The first day of the moment's month in UTC, which partitions go by."""
    return moment.astimezone(UTC).date().replace(day=1)


def plus_months(month: date, count: int) -> date:
    """The month so many later (or earlier)."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def first_id(month: date) -> int:
    """The lowest id of a month in a table split by id."""
    return ((month.year - EPOCH_YEAR) * 12 + month.month - 1) << MONTH_BITS


def name_of(table: Partitioned, month: date) -> str:
    """What the partition of a month is called."""
    return f"{table.table}_p{month:%Y%m}"


# ---- making them ---------------------------------------------------------------------------------


def statements(table: Partitioned, month: date) -> Iterator[str]:
    """What makes the partition of a month: built apart and then attached, which does not stop writers."""
    low, high = (_literal(table, each) for each in (month, plus_months(month, 1)))
    name = name_of(table, month)
    yield from _built(table, name)
    yield f"ALTER TABLE {table.table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})"


def default_statements(table: Partitioned) -> Iterator[str]:
    """What makes the safety net: the default partition."""
    name = f"{table.table}_{DEFAULT}"
    yield from _built(table, name)
    yield f"ALTER TABLE {table.table} ATTACH PARTITION {name} DEFAULT"


def _built(table: Partitioned, name: str) -> Iterator[str]:
    yield f"CREATE TABLE {name} (LIKE {table.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    if table.unique:
        columns = ", ".join(table.unique)
        yield f"CREATE UNIQUE INDEX {name}_{'_'.join(table.unique)} ON {name} ({columns})"


def _literal(table: Partitioned, month: date) -> str:
    return str(first_id(month)) if table.by_id else f"'{month:%Y-%m-%d} 00:00:00+00'"


def ensure(*, now: datetime, ahead: int = AHEAD) -> list[str]:
    """Make the partitions of this month and so many after it that are missing; returns their names."""
    made = []
    for table in declared():
        present = {partition.name for partition in listing(table)}
        for offset in range(ahead + 1):
            month = plus_months(month_of(now), offset)
            if name_of(table, month) not in present:
                _execute(statements(table, month))
                made.append(name_of(table, month))
    return made


@transaction.atomic
def _execute(lines: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for line in lines:
            cursor.execute(line)


def drop_before(table: Partitioned, moment: datetime) -> list[str]:
    """Drop the partitions of whole months before that of `moment`, rows and all; returns their names."""
    if connection.vendor != "postgresql":
        return []
    limit = month_of(moment)
    old = [part.name for part in listing(table) if part.month is not None and part.month < limit]
    for name in old:
        _execute([f"ALTER TABLE {table.table} DETACH PARTITION {name}", f"DROP TABLE {name}"])
    return old


# ---- asking about them ---------------------------------------------------------------------------


def listing(table: Partitioned) -> list[Partition]:
    """The partitions of a table, by name; rows are PostgreSQL's estimate."""
    statement = """
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), greatest(c.reltuples, 0)::bigint,
               pg_total_relation_size(c.oid)
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = %s::regclass ORDER BY c.relname"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [table.table])
        return [
            Partition(name, _month(name), bounds, rows, size)
            for name, bounds, rows, size in cursor.fetchall()
        ]


def parts(name: str) -> list[str]:
    """The names of the partitions of a table; none for a plain one."""
    return [part.name for table in declared() if table.table == name for part in listing(table)]


def _month(name: str) -> date | None:
    found = _NAME.search(name)
    return date(int(found[1]), int(found[2]), 1) if found else None


def strays() -> dict[str, int]:
    """Rows in the default partition of each table that has some: a partition was missing when they came."""
    found = {}
    with connection.cursor() as cursor:
        for table in declared():
            cursor.execute(f"SELECT count(*) FROM {table.table}_{DEFAULT}")  # noqa: S608  (our own names)
            (count,) = cursor.fetchone()
            if count:
                found[table.table] = int(count)
    return found


def months_ahead(*, now: datetime) -> dict[str, int]:
    """For each table, for how many months after this one partitions stand ready without a gap; -1 if even
    this month has none.
    """
    found = {}
    for table in declared():
        present = {partition.month for partition in listing(table)}
        ready = -1
        while plus_months(month_of(now), ready + 1) in present:
            ready += 1
        found[table.table] = ready
    return found
