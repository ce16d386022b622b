"""Writing rows of a batch in one statement, whatever their number.

PostgreSQL gets one array per column, as text made here: `bulk_update` builds a CASE per row and field, `bulk_create` and
a pipeline of single updates adapt each value by itself (400 updates: 26 ms against 5; 200 decisions: 130 ms against 9).
SQLite gets one prepared statement run for every row, which is its fastest way.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import AutoField, Field, Model

Row = TypeVar("Row", bound=Model)
Texts = Callable[[Sequence[Any]], list[str]]


class Encoded(str):
    """The text of a JSON column that is encoded already; `insert` and `save` write it as it is."""

    __slots__ = ()


#: SQLite has one writer at a time, and whoever places an order waits for it: about 100 ms of work.
_AT_ONCE_ON_SQLITE = 30


def at_once(most: int) -> int:
    """How many rows one transaction may work on: `most`, on SQLite fewer."""
    return min(most, _AT_ONCE_ON_SQLITE) if connection.vendor == "sqlite" else most


def save(rows: Iterable[Model], fields: Sequence[str]) -> None:
    """Write these fields of locked rows of one model. One query, at the end where writes are `gathered`."""
    unique = list({row.pk: row for row in rows}.values())
    if not unique:
        return
    gathering: _Gathering | None = getattr(_here, "gathering", None)
    if gathering is None:
        _save(unique, fields)
    else:
        gathering.add(unique, fields)


@contextmanager
def gathered() -> Iterator[None]:
    """Within the block each row is written once, however often it is saved: at the end, or before any statement
    that names its table, so that no query sees an older state than it would have seen.

    The rows must stay locked, and complete, until the end; an exception drops what is not written, so it must end
    the transaction too.
    """
    gathering = _Gathering()
    _here.gathering = gathering
    try:
        with connection.execute_wrapper(gathering.before):
            yield
            gathering.flush()
    finally:
        _here.gathering = None


class _Gathering:
    """Rows whose new values are not written yet, by model, and the fields that changed in any of them."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], dict[Any, Model]] = {}
        self._fields: dict[type[Model], dict[str, None]] = {}
        self._tables: dict[type[Model], str] = {}

    def add(self, rows: Sequence[Model], fields: Sequence[str]) -> None:
        """Note rows to be written; another instance of a row that is noted already has it written first."""
        model = type(rows[0])
        known = self._rows.get(model, {})
        if any(known.get(row.pk, row) is not row for row in rows):
            self.flush()
        self._rows.setdefault(model, {}).update((row.pk, row) for row in rows)
        self._fields.setdefault(model, {}).update(dict.fromkeys(fields))
        self._tables[model] = _quoted(model._meta.db_table)

    def flush(self) -> None:
        """Write everything noted."""
        rows, fields = self._rows, self._fields
        self._rows, self._fields, self._tables = {}, {}, {}
        for model, noted in rows.items():
            _save(list(noted.values()), list(fields[model]))

    def before(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Django's hook around every statement."""
        if self._tables and any(table in sql for table in self._tables.values()):
            self.flush()
        return execute(sql, *rest)


_here = threading.local()


def _save(unique: Sequence[Model], fields: Sequence[str]) -> None:
    model = type(unique[0])
    key, columns = _key(model), [_field(model, name) for name in fields]
    table, own = _quoted(model._meta.db_table), _quoted(key.column)
    # Only names from our own models are put into the text; every value is a parameter.
    if connection.vendor == "postgresql":
        named = [key, *columns]
        assignments = ", ".join(f"{_quoted(column.column)} = v{n}" for n, column in enumerate(columns, 1))
        values = ", ".join(f"v{n}" for n in range(len(named)))
        statement = (
            f"UPDATE {table} SET {assignments} FROM unnest({_arrays(named)}) AS v({values}) WHERE {own} = v0"  # noqa: S608
        )
        _execute(statement, [_literal(column, unique) for column in named])
        return
    assignments = ", ".join(f"{_quoted(column.column)} = %s" for column in columns)
    _execute_each(f"UPDATE {table} SET {assignments} WHERE {own} = %s", unique, [*columns, key])  # noqa: S608


def insert(rows: Iterable[Row], *, skip_known: bool = False, update: Sequence[str] = ()) -> list[Row]:
    """Add new rows of one model, whose related rows are saved, and give them their ids. One query, two on SQLite.

    Must run inside a transaction. A row that breaks a unique constraint fails the batch, unless `skip_known` leaves
    such rows out (then none gets an id) or `update` names the fields a row of the same key takes over.
    """
    new = list(rows)
    if not new:
        return new
    if not connection.in_atomic_block:
        raise RuntimeError("rows are added inside a transaction")
    model = type(new[0])
    for column in _stamped(model):
        for row in new:
            column.pre_save(row, True)
    known = _on_conflict(model, skip_known=skip_known, update=update)
    (_insert_arrays if connection.vendor == "postgresql" else _insert_each)(model, new, known)
    for row in new:
        row._state.adding, row._state.db = False, connection.alias
    return new


def insert_bare(model: type[Model], rows: Sequence[object]) -> None:
    """Add rows that are no model instances but have its columns as attributes (`run_id`, not `run`), without ids.

    For tables that get tens of rows an order: making an instance costs more than all else about a row. Must run inside
    a transaction; a row that breaks a constraint fails the batch.
    """
    if not rows:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("rows are added inside a transaction")
    written = [field for field in model._meta.concrete_fields if field is not _key(model)]
    names, table = ", ".join(_quoted(column.column) for column in written), _quoted(model._meta.db_table)
    if connection.vendor == "postgresql":
        source = f"SELECT * FROM unnest({_arrays(written)})"  # noqa: S608
        _execute(f"INSERT INTO {table} ({names}) {source}", [_literal(column, rows) for column in written])
        return
    marks = ", ".join(["%s"] * len(written))
    _execute_each(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows, written)  # noqa: S608


def insert_unknown(rows: Iterable[Row]) -> int:
    """Add those rows of one model that break no unique constraint and say how many that were. One statement, which needs
    no transaction around it; no row gets an id.
    """
    new = list(rows)
    if not new:
        return 0
    model = type(new[0])
    for column in _stamped(model):
        for row in new:
            column.pre_save(row, True)
    written = [field for field in model._meta.concrete_fields if field is not _key(model)]
    names, table = ", ".join(_quoted(column.column) for column in written), _quoted(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            source = f"SELECT * FROM unnest({_arrays(written)})"  # noqa: S608
            cursor.execute(
                f"INSERT INTO {table} ({names}) {source} ON CONFLICT DO NOTHING",
                [_literal(column, new) for column in written],
            )
        else:
            marks = ", ".join(["%s"] * len(written))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
            cursor.executemany(statement, _values(new, written))
        return int(cursor.rowcount)


def _insert_arrays(model: type[Model], new: Sequence[Model], on_conflict: str) -> None:
    key = _key(model)
    wants_ids = isinstance(key, AutoField) and new[0].pk is None
    written = [field for field in model._meta.concrete_fields if not (wants_ids and field is key)]
    names = ", ".join(_quoted(column.column) for column in written)
    table = _quoted(model._meta.db_table)
    statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({_arrays(written)}){on_conflict}"  # noqa: S608
    literals = [_literal(column, new) for column in written]
    if not wants_ids or on_conflict:
        _execute(statement, literals)
        return
    found = _execute(f"{statement} RETURNING {_quoted(key.column)}", literals)
    for row, (number,) in zip(new, found, strict=True):
        row.pk = number


def _insert_each(model: type[Model], new: Sequence[Model], on_conflict: str) -> None:
    """SQLite has one writer at a time, so the next ids are known as soon as it is our turn."""
    key, table = _key(model), model._meta.db_table
    wants_ids = isinstance(key, AutoField) and new[0].pk is None
    if wants_ids and not on_conflict:
        found = _execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        for number, row in enumerate(new, found[0][0] + 1 if found else 1):
            row.pk = number
    written = [f for f in model._meta.concrete_fields if not (f is key and new[0].pk is None)]
    names = ", ".join(_quoted(column.column) for column in written)
    marks = ", ".join(["%s"] * len(written))
    _execute_each(f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks}){on_conflict}", new, written)  # noqa: S608


def _on_conflict(model: type[Model], *, skip_known: bool, update: Sequence[str]) -> str:
    if skip_known:
        return " ON CONFLICT DO NOTHING"
    if not update:
        return ""
    names = [_quoted(_field(model, name).column) for name in update]
    taken = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
    return f" ON CONFLICT ({_quoted(_key(model).column)}) DO UPDATE SET {taken}"


def _execute(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def _execute_each(statement: str, rows: Sequence[object], columns: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, _values(rows, columns))


def _values(rows: Sequence[object], columns: Sequence[Any]) -> list[list[Any]]:
    return [
        [
            str(value)
            if type(value := getattr(row, column.attname)) is Encoded
            else column.get_db_prep_save(value, connection)
            for column in columns
        ]
        for row in rows
    ]


# ---- what a model is made of ---------------------------------------------------------------------


def _key(model: type[Model]) -> Any:
    return model._meta.pk


@cache
def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


@cache
def _stamped(model: type[Model]) -> tuple[Any, ...]:
    """The fields that set themselves when a row is added."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    )


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


# ---- arrays of PostgreSQL ------------------------------------------------------------------------


def _arrays(columns: Sequence[Any]) -> str:
    return ", ".join(f"%s::{_type(column)}[]" for column in columns)


@cache
def _type(column: Field[Any, Any]) -> str:
    """The column's type without its limits: an assignment checks them, a cast would cut values short."""
    return str(column.db_type(connection)).partition("(")[0]


def _literal(column: Any, rows: Sequence[object]) -> str:
    name = column.attname
    return "{" + ",".join(_texts(column)([getattr(row, name) for row in rows])) + "}"


@cache
def _texts(column: Any) -> Texts:
    kind = _type(column)
    if kind in {"smallint", "integer", "bigint"}:
        return lambda values: ["NULL" if value is None else str(int(value)) for value in values]
    if kind == "boolean":
        return lambda values: ["NULL" if value is None else "t" if value else "f" for value in values]
    if kind in {"timestamp with time zone", "date"}:
        return lambda values: ["NULL" if value is None else value.isoformat() for value in values]
    if kind == "double precision":
        return lambda values: ["NULL" if value is None else repr(float(value)) for value in values]
    if kind in {"numeric", "uuid"}:
        return lambda values: ["NULL" if value is None else str(column.to_python(value)) for value in values]
    if kind == "jsonb":
        dumps = json.JSONEncoder if column.encoder is None else column.encoder
        encode = dumps(ensure_ascii=False).encode
        return lambda values: [
            "NULL" if value is None else _text(value if type(value) is Encoded else encode(value))
            for value in values
        ]
    if kind in {"varchar", "text"}:
        return lambda values: ["NULL" if value is None else _text(str(value)) for value in values]
    if kind == "bytea":
        # Backslashes are escaped once more inside an array.
        return lambda values: [
            "NULL" if value is None else f'"\\\\x{bytes(value).hex()}"' for value in values
        ]
    raise TypeError(f"{column}: no array is made of {kind} yet")


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
