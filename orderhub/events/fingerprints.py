"""Whether rows that seldom change are still what a process read before: one statement instead of reading them again.

PostgreSQL gives each version of a row a place (ctid) and the transaction that wrote it (xmin). How many versions a
reader sees and the sum of their hashes tell every change, however it was made, and nothing must be written for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Model

from orderhub.events.tables import ask

T = TypeVar("T")
MOST_KEPT = 256
Key = tuple[int, ...]
_TOLD = "SELECT count(*), coalesce(sum(hashtextextended(t.xmin::text || t.ctid::text, 0)), 0) FROM {tables} WHERE {where}"


@dataclass(frozen=True)
class Watched:
    """The rows of a model that belong to a merchant: by `column`, or by the row of `owner` that `column` points to."""

    model: type[Model]
    column: str = "merchant_id"
    owner: type[Model] | None = None

    @property
    def statement(self) -> str:
        """Their number and the sum of their versions; the parameter is an array of merchants."""
        quote = connection.ops.quote_name
        tables, where = f"{quote(self.model._meta.db_table)} t", f"t.{quote(self.column)} = ANY(%s)"
        if self.owner is not None:
            tables += f" JOIN {quote(self.owner._meta.db_table)} o ON o.id = t.{quote(self.column)}"
            where = "o.merchant_id = ANY(%s)"
        return _TOLD.format(tables=tables, where=where)


class Seldom(Generic[T]):
    """What `read` gives for some merchants, kept for as long as none of the watched rows is another than it was.

    What is kept is shared by all callers of the process, so nobody may change it. On SQLite every call reads.
    """

    def __init__(self, read: Callable[[Key], T], *watched: Watched) -> None:
        self._read, self._watched = read, watched
        self._kept: dict[Key, tuple[object, T]] = {}
        self._lock = threading.Lock()

    def of(self, merchant_ids: Iterable[int]) -> T:
        """One statement if nothing changed since this process read it, else that and those of `read`."""
        key = tuple(sorted(set(merchant_ids)))
        # Asked first: what is read after may be newer than the question's answer, never older.
        print_ = self._fingerprint(key)
        known = self._kept.get(key)
        if known is not None and print_ is not None and known[0] == print_:
            return known[1]
        found = self._read(key)
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            if print_ is not None:
                self._kept[key] = print_, found
        return found

    @cached_property
    def _statement(self) -> str:
        return " UNION ALL ".join(one.statement for one in self._watched)

    def _fingerprint(self, key: Sequence[int]) -> object | None:
        """None where the database cannot tell."""
        if connection.vendor != "postgresql":
            return None
        return connection.settings_dict["NAME"], ask(self._statement, [list(key)] * len(self._watched))
