"""A first, light pass over order files: where the rows of each order number stand, in a few bytes a row.

With that, a second pass can read one order after the other, however its rows are scattered, and hold no more
than those in memory.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import BinaryIO

from orderhub.connectors.files import records
from orderhub.connectors.files.faults import CellFault
from orderhub.connectors.files.grouping import number_of
from orderhub.connectors.files.rows import Sheet

#: Rows that stand together are read together, up to so many bytes.
READ_BYTES = 256 * 1024
_LAST = -1
_QUOTED_FIRST = re.compile(rb'"((?:[^"]++|"")*+)"')


class Survey(AbstractContextManager["Survey"]):
    """The records of some files as numbers from 0 on, chained by order number; keeps the files open.

    A chain is all records of one order number, or one record alone whose number cannot be read.
    """

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._forms = [sheet.form for sheet in sheets]
        self._handles: list[BinaryIO] = []
        self._starts, self._ends = array("q"), array("q")
        self._rows, self._next = array("i"), array("i")
        #: The number of each file's first record, and what its row numbers start from in `position`.
        self._first: list[int] = []
        self._base: list[int] = []
        #: The first record of each chain.
        self.heads = array("i")
        with ExitStack() as stack:
            last: dict[str, int] = {}
            for sheet in sheets:
                handle = stack.enter_context(records.opened(sheet.path, encoding=sheet.encoding))
                self._handles.append(handle)
                self._add(sheet, handle, last)
            self._open = stack.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __len__(self) -> int:
        return len(self._rows)

    def _add(self, sheet: Sheet, handle: BinaryIO, last: dict[str, int]) -> None:
        self._base.append(self._base[-1] + self._rows[-1] if self._base and self._rows else 0)
        self._first.append(len(self._rows))
        cell, key = "", None
        for found, text in _numbered(sheet, handle):
            if text != cell:
                cell, key = text, _key(text)
            self._chain(key, last)
            self._starts.append(found.start)
            self._ends.append(found.end)
            self._rows.append(found.row)

    def _chain(self, key: str | None, last: dict[str, int]) -> None:
        number = len(self._next)
        self._next.append(_LAST)
        previous = None if key is None else last.get(key)
        if previous is None:
            self.heads.append(number)
        else:
            self._next[previous] = number
        if key is not None:
            last[key] = number

    def file_of(self, number: int) -> int:
        """Which file a record stands in."""
        return bisect_right(self._first, number) - 1

    def position(self, number: int) -> int:
        """The row of a record, counted on from file to file."""
        return self._base[self.file_of(number)] + self._rows[number]

    def chain(self, head: int) -> Iterator[int]:
        """The numbers of a chain's records, from its first on."""
        number = head
        while number != _LAST:
            yield number
            number = self._next[number]

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[int, records.Record]]:
        """File and record of these numbers, which rise."""
        at = 0
        while at < len(numbers):
            file, count = self.file_of(numbers[at]), self._together(numbers, at)
            for record in self._read_run(file, range(numbers[at], numbers[at] + count)):
                yield file, record
            at += count

    def _together(self, numbers: Sequence[int], at: int) -> int:
        """How many numbers from this one on follow each other in one file, without filling the memory."""
        first = numbers[at]
        file = self.file_of(first)
        behind = self._first[file + 1] if file + 1 < len(self._first) else len(self)
        fitting = bisect_right(self._ends, self._starts[first] + READ_BYTES, first, behind) - first
        most = min(max(1, fitting), len(numbers) - at)
        # The numbers rise, so once one is left out all later ones are too high.
        return bisect_left(range(most), True, key=lambda step: numbers[at + step] != first + step)

    def _read_run(self, file: int, run: range) -> Iterator[records.Record]:
        form, handle = self._forms[file], self._handles[file]
        begin, end = self._starts[run[0]], self._ends[run[-1]]
        handle.seek(begin)
        if end - begin > records.MAX_RECORD_BYTES:
            yield from _long_record(handle, self._rows[run[0]], end - begin, form)
            return
        stored, rows = handle.read(end - begin), self._rows[run.start : run.stop]
        simple = records.simple_records(stored, rows, form)
        if simple is not None:
            yield from simple
            return
        for number, row in zip(run, rows, strict=True):
            start = self._starts[number]
            piece = stored[start - begin : self._ends[number] - begin]
            if (record := records.record(records.span(row, start, piece, form), form)) is not None:
                yield record


def _long_record(handle: BinaryIO, row: int, size: int, form: records.Form) -> Iterator[records.Record]:
    """One record of more bytes than may be held, cut as in the first pass."""
    for found in records.spans(records.pieces(handle, size), form):
        if (record := records.record(found._replace(row=row), form)) is not None:
            yield record


def _numbered(sheet: Sheet, handle: BinaryIO) -> Iterator[tuple[records.Span, str]]:
    """The spans below the header, each with the cell of its order number."""
    form, column, is_past_header = sheet.form, sheet.id_column, False
    cut = sheet.delimiter.encode("ascii")
    for found in records.spans(records.pieces(handle), form, start=handle.tell()):
        cell = _plain_cell(found.raw, cut, column, form) if is_past_header else None
        if cell is not None:
            yield found, cell
        elif (record := records.record(found, form)) is not None:
            if is_past_header:
                yield found, record.cells[column] if column < len(record.cells) else ""
            is_past_header = True


def _plain_cell(raw: bytes, cut: bytes, column: int, form: records.Form) -> str | None:
    """The cell if only plain cells stand before its end, so that nothing can shift it; never a blank one."""
    if len(raw) > records.MAX_RECORD_BYTES:
        return None
    if column == 0 and form.is_quoting and (match := _QUOTED_FIRST.match(raw)):
        text: bytes = match[1].replace(b'""', b'"')
        is_whole = raw.startswith(cut, match.end())
        return text.decode("ascii") if is_whole and text.isascii() and text.strip() else None
    cells = raw.split(cut, column + 1)
    if len(cells) <= column or not cells[column].strip():
        return None
    before = cells[0] if column == 0 else cut.join(cells[: column + 1])
    if not before.isascii() or (form.is_quoting and b'"' in before):
        return None
    return cells[column].decode("ascii")


def _key(cell: str) -> str | None:
    """The order number in a cell, None where it cannot be read."""
    try:
        return number_of(cell)
    except CellFault:
        return None
