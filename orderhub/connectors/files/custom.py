"""Columns of custom fields in merchants' files: `custom.<code>` of the order or article, `line.custom.<code>` of a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from orderhub.connectors.files.faults import CellFault
from orderhub.connectors.files.memo import Memo
from orderhub.fields.engine import Definition, from_text
from orderhub.fields.filling import fill

OWN, OF_LINE = "custom.", "line.custom."
Values = Mapping[str, Any]
_NOTHING: Values = {}


@dataclass(frozen=True)
class Fields:
    """The fields that a merchant's files may fill, by code: of what a row is about, and of an order's lines."""

    own: Mapping[str, Definition] = field(default_factory=dict)
    line: Mapping[str, Definition] = field(default_factory=dict)


class CustomColumns:
    """The columns of one sheet that are fields of one kind of record; other columns of that form are left aside."""

    def __init__(self, header: Sequence[str], prefix: str, definitions: Mapping[str, Definition]) -> None:
        self._definitions = definitions
        self.at: dict[str, int] = {}
        for number, name in enumerate(header):
            code = name.strip().casefold()
            if code.startswith(prefix) and code.removeprefix(prefix) in definitions:
                self.at.setdefault(code.removeprefix(prefix), number)
        # The blank that every row ends with keeps it a tuple.
        self.cells: Callable[[list[str]], tuple[str, ...]] = itemgetter(*self.at.values(), -1, -1)
        self._values: Memo[tuple[str, ...], Values] = Memo(self._read)

    @property
    def needed(self) -> bool:
        """Whether there is anything to read: a column, a default, or a field that may not be missing."""
        return bool(self.at) or any(
            x.is_required or x.default is not None for x in self._definitions.values()
        )

    def values(self, cells: list[str]) -> Values:
        """The values as they are stored; CellFault for the first cell that cannot be used."""
        return self._values[self.cells(cells)] if self.needed else _NOTHING

    def given(self, cells: list[str]) -> Values:
        """As `values`, for rows that change what stands: only what they say, None where a cell is empty."""
        found = {}
        for code, number in self.at.items():
            one = fill({code: self._definitions[code]}, {code: cells[number]}, standing={}, read=from_text)
            self._refuse(one.faults, {code: cells[number]})
            found[code] = one.values.get(code)
        return found

    def _read(self, cells: tuple[str, ...]) -> Values:
        given = dict(zip(self.at, cells, strict=False))
        found = fill(self._definitions, given, standing=None, read=from_text)
        self._refuse(found.faults, given)
        return found.values

    def _refuse(self, faults: Mapping[str, Any], given: Mapping[str, str]) -> None:
        for code, fault in faults.items():
            column = f"#{self.at[code]}" if code in self.at else ""
            raise CellFault(fault.code, column, given.get(code, ""), {**fault.facts, "field": code})


def seal(values: Values) -> str:
    """The part of a content hash that tells of values; nothing where there are none."""
    return "\x1e".join(f"{code}={values[code]!r}" for code in sorted(values))
