"""What can be wrong: with a whole file (FileRefused), one row (RowError), one cell (CellFault)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A refused cell is quoted back to the merchant, never kept whole: it may be 200 kB of junk.
MAX_VALUE_CHARS = 200


class FileRefused(Exception):
    """The file as a whole cannot be read; `kind` names the wording and `facts` fill it in."""

    def __init__(self, kind: str, facts: Mapping[str, object] | None = None) -> None:
        self.kind = kind
        self.facts: dict[str, object] = dict(facts or {})
        super().__init__(kind, self.facts)


@dataclass(frozen=True, slots=True)
class RowError:
    """One refused row: file name, record number (header is 1), order number, column, bad value."""

    file: str
    row: int
    order_no: str
    column: str
    kind: str
    value: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something the merchant should look at although the file is readable."""

    kind: str
    facts: Mapping[str, object] = field(default_factory=dict)


class CellFault(Exception):
    """A cell that cannot be used; `field` is our name for the column, turned into the header's own later."""

    def __init__(
        self, kind: str, field: str, value: str = "", facts: Mapping[str, object] | None = None
    ) -> None:
        self.kind = kind
        self.field = field
        self.value = value[:MAX_VALUE_CHARS]
        self.facts: dict[str, object] = dict(facts or {})
        super().__init__(kind, field)
