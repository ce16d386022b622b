"""Rows of a batch that are watched from loading to writing, so that only what changed is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from django.db.models import Model

from orderhub.events import rows as writing

Row = TypeVar("Row", bound=Model)


class Watch(Generic[Row]):
    """Remembers rows of one model as they were loaded; their orders are locked."""

    def __init__(self, rows: Iterable[Row], fields: Sequence[str]) -> None:
        self._fields = fields
        self._before = {id(row): (row, self._values(row)) for row in rows}

    def changed(self) -> tuple[list[Row], list[str]]:
        """The rows that differ now, and the fields that changed in any of them."""
        pairs = [(row, old, self._values(row)) for row, old in self._before.values()]
        moved = [(row, old, new) for row, old, new in pairs if old != new]
        names = [
            name for n, name in enumerate(self._fields) if any(old[n] != new[n] for _, old, new in moved)
        ]
        return [row for row, _old, _new in moved], names

    def write(self) -> None:
        """Write what changed."""
        writing.save(*self.changed())

    def _values(self, row: Row) -> tuple[object, ...]:
        return tuple(getattr(row, name) for name in self._fields)
