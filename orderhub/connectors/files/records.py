"""Cuts a delimited file into records by bytes and decodes each alone, so that a bad one stays alone.

Cutting before decoding is safe in every encoding we read: the later bytes of GB18030 and Shift_JIS never
equal a quote, comma, semicolon, tab or line end. UTF-16 is turned into UTF-8 on the way in.
"""

from __future__ import annotations

import codecs
import csv
import re
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple

CHUNK_BYTES = 256 * 1024
#: One record may not be larger; what is beyond is dropped and the record is refused.
MAX_RECORD_BYTES = 1024 * 1024
#: How far an opened quote is followed before the row that opened it is refused by itself.
MAX_QUOTED_LINES = 200
#: What one cell of a spreadsheet can hold.
MAX_CELL_CHARS = 32_767

_BLANK = b' \t\r\n,;"\x1a'
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_CONTROL_BYTES = bytes(set(range(32)) - {9, 10, 13} | {127})
_REPLACED = re.compile("\ufffd")
_QUOTED_BYTES = re.compile(rb'"(?:[^"]++|"")*+"')
_QUOTED_TEXT = re.compile(r'"((?:[^"]++|"")*+)("?)')
_LONG: Mapping[str, object] = MappingProxyType({"limit": MAX_CELL_CHARS})


@dataclass(slots=True)
class Record:
    """One record: its number (the first of a file is 1), its cells, and what makes it unusable."""

    row: int
    cells: list[str]
    fault: str = ""
    column: int = -1
    facts: Mapping[str, object] | None = None


class Form(NamedTuple):
    """How a file is written: its encoding, separator and line end, and whether quotes enclose cells."""

    encoding: str
    delimiter: str
    newline: bytes
    is_quoting: bool


class Span(NamedTuple):
    """The bytes of one record: its number, where it starts and ends in the file, and its joined lines.

    `is_closed` is False where its quote is never closed; `raw` is cut above MAX_RECORD_BYTES.
    """

    row: int
    start: int
    end: int
    raw: bytes
    is_closed: bool


#: Where a line starts and ends in the file, and the line without its end.
Line = tuple[int, int, bytes]


class _Lines:
    """Byte lines that can be handed back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._returned: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._returned.popleft() if self._returned else next(self._lines)

    def give_back(self, lines: list[Line]) -> None:
        self._returned.extendleft(reversed(lines))


def chunks(path: Path, *, encoding: str) -> Iterator[bytes]:
    """The file's bytes in an ASCII-compatible form, without a byte order mark."""
    with path.open("rb") as handle:
        if encoding == "utf-16":
            mark = handle.read(2)
            yield from _utf16_as_utf8(mark, pieces(handle))
            return
        _skip_mark(handle, encoding=encoding)
        yield from pieces(handle)


def _skip_mark(handle: BinaryIO, *, encoding: str) -> None:
    if encoding == "utf-8-sig" and handle.read(3) != codecs.BOM_UTF8:
        handle.seek(0)


def pieces(handle: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """The next `size` bytes, or all that are left, a chunk at a time."""
    while chunk := handle.read(CHUNK_BYTES if size is None else min(CHUNK_BYTES, size)):
        size = None if size is None else size - len(chunk)
        yield chunk


@contextmanager
def opened(path: Path, *, encoding: str) -> Iterator[BinaryIO]:
    """The file open behind its byte order mark; one in UTF-16 as a copy in UTF-8 that is gone afterwards."""
    if encoding != "utf-16":
        with path.open("rb") as handle:
            _skip_mark(handle, encoding=encoding)
            yield handle
        return
    with tempfile.TemporaryFile() as copy:
        copy.writelines(chunks(path, encoding=encoding))
        copy.seek(0)
        yield copy


def _utf16_as_utf8(mark: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Broken surrogates pass through as bytes that UTF-8 refuses, so only their own record is bad."""
    codec = "utf-16-be" if mark == codecs.BOM_UTF16_BE else "utf-16-le"
    decoder = codecs.getincrementaldecoder(codec)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    left_over, _ = decoder.getstate()
    if left_over:
        yield b"\xff"


def _lines(chunks: Iterable[bytes], *, newline: bytes, start: int) -> Iterator[Line]:
    """Lines without their end; a line longer than MAX_RECORD_BYTES is cut one byte above that."""
    rest, dropped = b"", 0
    for chunk in chunks:
        pieces = (rest + chunk).split(newline)
        rest = pieces.pop()
        for piece in pieces:
            end = start + dropped + len(piece)
            yield start, end, piece[: MAX_RECORD_BYTES + 1].removesuffix(b"\r")
            start, dropped = end + 1, 0
        if len(rest) > MAX_RECORD_BYTES + 1:
            dropped += len(rest) - MAX_RECORD_BYTES - 1
            rest = rest[: MAX_RECORD_BYTES + 1]
    if rest:
        yield start, start + dropped + len(rest), rest.removesuffix(b"\r")


def newline_of(head: bytes) -> bytes:
    """The line end of a file's first bytes: a lone CR only where there is no LF at all."""
    return b"\r" if b"\r" in head and b"\n" not in head else b"\n"


def stored_encoding(encoding: str) -> str:
    """The encoding of the lines that `read` decodes: UTF-16 arrives as UTF-8, a mark is taken off."""
    return "utf-8" if encoding in ("utf-16", "utf-8-sig") else encoding


def _ends_open(line: bytes, delimiter: bytes) -> bool:
    """Whether a line stops inside a quoted cell; a quote inside an unquoted cell is only a character."""
    at = 0
    while at < len(line):
        if line[at : at + 1] == b'"':
            match = _QUOTED_BYTES.match(line, at)
            if match is None:
                return True
            at = match.end()
        cut = line.find(delimiter, at)
        if cut < 0:
            return False
        at = cut + 1
    return False


def _quoted_record(first: Line, lines: _Lines, delimiter: bytes) -> tuple[int, bytes, bool]:
    """End and bytes of a record whose first line may stop inside quotes; False when they are never closed."""
    _, end, line = first
    if not _ends_open(line, delimiter):
        return end, line, True
    taken, size = [first], len(line)
    for found in lines:
        taken.append(found)
        size += len(found[2])
        if found[2].count(b'"') % 2:
            return found[1], b"\n".join(piece for _, _, piece in taken), True
        if len(taken) > MAX_QUOTED_LINES or size > MAX_RECORD_BYTES:
            break
    lines.give_back(taken[1:])
    return end, line, False


def spans(chunks: Iterable[bytes], form: Form, *, start: int = 0) -> Iterator[Span]:
    """The bytes of every record, header included, that hold more than separators; `start` is the first byte."""
    lines = _Lines(_lines(chunks, newline=form.newline, start=start))
    cut = form.delimiter.encode("ascii")
    for row, found in enumerate(lines, 1):
        begin, end, raw = found
        if not raw.strip(_BLANK):
            continue
        is_closed = True
        if form.is_quoting and raw.count(b'"') % 2:
            end, raw, is_closed = _quoted_record(found, lines, cut)
        yield Span(row, begin, end, raw, is_closed)


def span(row: int, start: int, stored: bytes, form: Form) -> Span:
    """The span of one record again, from its bytes as they stand in the file."""
    if form.newline in stored:
        lines = [line.removesuffix(b"\r") for line in stored.split(form.newline)]
        return Span(row, start, start + len(stored), b"\n".join(lines), True)
    raw = stored.removesuffix(b"\r")
    is_open = form.is_quoting and raw.count(b'"') % 2 == 1 and _ends_open(raw, form.delimiter.encode("ascii"))
    return Span(row, start, start + len(stored), raw, not is_open)


def split_cells(text: str, *, delimiter: str, is_quoting: bool) -> list[str]:
    """The cells of one record, as the csv module cuts them but without its limit on a cell's length."""
    if not is_quoting or '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader((text,), delimiter=delimiter))
    except (csv.Error, StopIteration):
        return _split_by_hand(text, delimiter)


def _split_by_hand(text: str, delimiter: str) -> list[str]:
    cells, at = [], 0
    while True:
        cell = ""
        if match := _QUOTED_TEXT.match(text, at):
            cell, at = match[1].replace('""', '"'), match.end()
        cut = text.find(delimiter, at)
        cells.append(cell + text[at : cut if cut >= 0 else len(text)])
        if cut < 0:
            return cells
        at = cut + 1


def _decoded(raw: bytes, encoding: str) -> tuple[str, str]:
    try:
        return raw.decode(encoding), ""
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace"), "bad_bytes"


def _first(cells: list[str], pattern: re.Pattern[str]) -> int:
    return next((number for number, cell in enumerate(cells) if pattern.search(cell)), -1)


def _examine(record: Record, text: str) -> Record:
    """Note the first thing that makes a decoded record unusable whatever its columns mean."""
    if record.fault == "bad_bytes":
        record.column = _first(record.cells, _REPLACED)
    elif not record.fault and not text.isprintable() and _CONTROL.search(text):
        record.column = _first(record.cells, _CONTROL)
        record.fault = "nul_byte" if "\x00" in text else "control_character"
    if not record.fault and len(text) > MAX_CELL_CHARS:
        longest = max(range(len(record.cells)), key=lambda number: len(record.cells[number]))
        if len(record.cells[longest]) > MAX_CELL_CHARS:
            record.fault, record.column, record.facts = "long_field", longest, _LONG
    return record


def record(found: Span, form: Form) -> Record | None:
    """The record in these bytes; None where every cell is blank."""
    raw = found.raw
    text, fault = _decoded(raw[:MAX_RECORD_BYTES], stored_encoding(form.encoding))
    if len(raw) > MAX_RECORD_BYTES:
        fault = "long_field"
    cells = split_cells(text, delimiter=form.delimiter, is_quoting=form.is_quoting)
    if not cells[0].strip() and not any(cell.strip() for cell in cells):
        return None
    fault = fault or ("" if found.is_closed else "open_quote")
    return _examine(Record(found.row, cells, fault, -1, _LONG if fault == "long_field" else None), text)


def simple_records(stored: bytes, rows: Sequence[int], form: Form) -> list[Record] | None:
    """The records with these row numbers, if `stored` is one plain line for each; else they are read singly.

    Gives what `record` gives, but decodes and looks for odd characters once for all.
    """
    if stored.count(form.newline) != len(rows) - 1 or len(stored.translate(None, _CONTROL_BYTES)) < len(
        stored
    ):
        return None
    try:
        text = stored.decode(stored_encoding(form.encoding))
    except UnicodeDecodeError:
        return None
    lines = [line.removesuffix("\r") for line in text.split(form.newline.decode("ascii"))]
    if "\ufffe" in text or "\uffff" in text or max(map(len, lines)) > MAX_CELL_CHARS:
        return None
    cut = form.delimiter
    if not form.is_quoting or '"' not in text:
        return [Record(row, line.split(cut)) for row, line in zip(rows, lines, strict=True)]
    if any(line.count('"') % 2 for line in lines):
        return None
    # The csv module is quicker on many quotes, plain splitting where only some rows have any.
    together = _split_together(lines, cut) if text.count('"') > len(lines) else None
    cells = together or [split_cells(line, delimiter=cut, is_quoting=True) for line in lines]
    return [Record(row, found) for row, found in zip(rows, cells, strict=True)]


def _split_together(lines: list[str], delimiter: str) -> list[list[str]] | None:
    """The cells of lines with quotes, if the csv module takes each line for one record."""
    if any("\r" in line for line in lines):
        return None
    try:
        found = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return None
    return found if len(found) == len(lines) else None


def read(
    path: Path, *, encoding: str, delimiter: str, is_quoting: bool, newline: bytes = b"\n"
) -> Iterator[Record]:
    """Every record that is not blank, header included, numbered with the blank ones."""
    form = Form(encoding, delimiter, newline, is_quoting)
    for found in spans(chunks(path, encoding=encoding), form):
        if (one := record(found, form)) is not None:
            yield one
