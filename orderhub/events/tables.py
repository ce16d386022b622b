"""Rows in the form every database takes as it is, and the three ways to write many of them.

A row is a tuple of texts (or None) in the order of its table's fields. The same row goes into COPY, into one JSON
parameter of a statement that writes several tables at once, or into `executemany` on SQLite: what is written never
depends on the road it took.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Model

Row = tuple[str | None, ...]
# Neither of them is in what people write; a row that has one all the same is written with escapes.
_CELL, _NULL = "\x1f", "\x1e"
_ESCAPES = str.maketrans({
    "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", _CELL: "\\" + _CELL, _NULL: "\\" + _NULL,
})  # fmt: skip
_BLOCK = 4000


@dataclass(frozen=True)
class Table:
    """A model's table and the fields (attribute names) its rows give, in order."""

    model: type[Model]
    fields: tuple[str, ...]

    @cached_property
    def name(self) -> str:
        """The quoted name of the table."""
        return connection.ops.quote_name(self.model._meta.db_table)

    @cached_property
    def columns(self) -> str:
        """The quoted columns, joined by commas."""
        return ", ".join(connection.ops.quote_name(field.column) for field in self._fields)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The database's type of each column."""
        return tuple(str(field.db_type(connection)) for field in self._fields)

    @cached_property
    def moments(self) -> tuple[int, ...]:
        """Which columns hold times."""
        return tuple(n for n, field in enumerate(self._fields) if isinstance(field, DateTimeField))

    @property
    def _fields(self) -> list[Any]:
        byname: dict[str, Any] = {
            getattr(field, "attname", ""): field for field in self.model._meta.get_fields()
        }
        return [byname[name] for name in self.fields]


# ---- values as text -----------------------------------------------------------------------------


@lru_cache(maxsize=64)
def moment(value: datetime) -> str:
    """A time as every database reads it: UTC, offset at the end."""
    return value.astimezone(UTC).isoformat(" ")


def document(value: object) -> str:
    """A JSON column; PostgreSQL stores neither NUL nor half a character."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" in text:
        text = text.replace("\\u0000", "\\u2400")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _text(value: str) -> str:
    return value


def flag(value: bool) -> str:
    """A truth value as every database reads it."""
    return "1" if value else "0"


def _nothing(value: None) -> None:
    return None


def _number(value: Decimal) -> str:
    return format(value, "f")


def _token(value: UUID) -> str:
    return value.hex


_AS_TEXT: dict[type, Callable[[Any], str | None]] = {
    str: _text, int: str, bool: flag, type(None): _nothing, Decimal: _number, datetime: moment, UUID: _token,
    dict: document,
}  # fmt: skip


def row(values: Iterable[object]) -> Row:
    """The values of a row as texts; a str subclass (a choice) counts as its value."""
    return tuple(
        [_AS_TEXT[kind](value) if (kind := type(value)) in _AS_TEXT else str(value) for value in values]
    )


# ---- statements kept prepared -------------------------------------------------------------------


def ask(statement: str, parameters: Sequence[str | int | list[int]]) -> list[tuple[Any, ...]]:
    """Run a statement of the hot path and give its rows. PostgreSQL parses and plans it once per connection.

    Django puts parameters into the text, so that every call is planned anew; for the large statement of an order
    that is half of its cost. With a pooler that hands connections on, HUB_DB_PREPARED=0 turns it off.
    """
    # Where queries are logged, Django's own cursor shows them with their parameters.
    if connection.vendor != "postgresql" or not settings.DB_PREPARED or connection.queries_logged:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.prepare_threshold = 0
    with connection.make_cursor(_server_side(raw)) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def _server_side(raw: Any) -> Any:
    from psycopg import Cursor  # SQLite does without

    return Cursor(raw)


# ---- the three ways -----------------------------------------------------------------------------


def insert(table: Table, rows: Sequence[Row], *, conflict: str = "") -> None:
    """One prepared INSERT run for every row: the way on SQLite."""
    if not rows:
        return
    marks = ", ".join(["%s"] * len(table.fields))
    statement = f"INSERT INTO {table.name} ({table.columns}) VALUES ({marks}) {conflict}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_without_offsets(values, table.moments) for values in rows])


def _without_offsets(values: Row, moments: Sequence[int]) -> list[str | None]:
    """SQLite keeps times as UTC without saying so."""
    cells = list(values)
    for place in moments:
        if (cell := cells[place]) is not None:
            cells[place] = cell.removesuffix("+00:00")
    return cells


def insertion(table: Table, *, where: str = "", skip: int = 0, first: str = "", conflict: str = "") -> str:
    """An INSERT that takes its rows from one JSON parameter (see `parameter`): the way of few rows on PostgreSQL.

    `skip` leaves out so many leading cells of each row, which `where` may test as `r->>0`; `first` is an
    expression that gives the first column instead of the row.
    """
    cells = [f"(r->>{n})::{kind}" for n, kind in enumerate(table.types, start=skip)]
    if first:
        cells[0] = first
    return (
        f"INSERT INTO {table.name} ({table.columns}) SELECT {', '.join(cells)} "  # noqa: S608
        f"FROM jsonb_array_elements(%s::jsonb) AS r {where} {conflict}"
    )


def parameter(rows: Sequence[Row]) -> str:
    """The parameter of `insertion`."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def copy(table: Table, rows: Sequence[Row]) -> None:
    """COPY: the way of many rows on PostgreSQL."""
    if rows:
        copy_encoded(table, (encoded(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK)))


def encoded(rows: Sequence[Row]) -> bytes:
    """The rows as `copy_encoded` takes them."""
    # Nearly always no text needs an escape, which one look at the whole tells sooner than one at each row.
    text = "\n".join([_CELL.join([_NULL if value is None else value for value in row]) for row in rows])
    if not _is_plain(text, rows):
        text = "\n".join([_escaped(row) for row in rows])
    return f"{text}\n".encode("utf-8", "replace") if rows else b""


def _is_plain(text: str, rows: Sequence[Row]) -> bool:
    return (
        "\\" not in text
        and "\r" not in text
        and text.count("\n") == len(rows) - 1
        and text.count(_CELL) == sum(map(len, rows)) - len(rows)
        and text.count(_NULL) == sum([row.count(None) for row in rows])
    )


def _escaped(values: Row) -> str:
    return _CELL.join([_NULL if value is None else value.translate(_ESCAPES) for value in values])


def copy_encoded(table: Table, blocks: Iterable[bytes]) -> None:
    """COPY of rows encoded before, perhaps by another process."""
    statement = f"COPY {table.name} ({table.columns}) FROM STDIN (DELIMITER E'\\x1f', NULL E'\\x1e')"
    # Django does not know of COPY: without the wrapper a taken number or a full disk would be no error of Django's.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as sink:
        for block in blocks:
            sink.write(block)
