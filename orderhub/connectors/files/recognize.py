"""Finds out what a file is: encoding, separator and profile, from its header; only ties look further."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from orderhub.connectors.files import cells as read
from orderhub.connectors.files import dialects, guard, records
from orderhub.connectors.files.custom import Fields
from orderhub.connectors.files.faults import Caution, FileRefused
from orderhub.connectors.files.rows import Sheet

HEAD_BYTES = 64 * 1024
SAMPLE_BYTES = 256 * 1024
_FALLBACK_ENCODINGS = ("utf-8", "gb18030", "shift_jis", "cp1252")


@dataclass(frozen=True, slots=True)
class Recognized:
    """What the files are; `sheets` has one entry a file, for Taobao orders first and details second."""

    dialect: str
    kind: str
    sheets: tuple[Sheet, ...]
    warnings: tuple[Caution, ...] = ()
    fields: Fields = field(default_factory=Fields)

    @property
    def encoding(self) -> str:
        """The encoding of the first file."""
        return self.sheets[0].encoding

    @property
    def delimiter(self) -> str:
        """The separator of the first file."""
        return self.sheets[0].delimiter

    @property
    def headers(self) -> Mapping[str, list[str]]:
        """Column names by file name, trimmed."""
        return {sheet.name: sheet.header for sheet in self.sheets}

    @property
    def column_map(self) -> Mapping[str, Mapping[str, str]]:
        """By file name: our field names to the header's names."""
        return {sheet.name: sheet.column_map for sheet in self.sheets}


def recognize(
    files: Sequence[tuple[str, Path]],
    *,
    dialect: str | None = None,
    kind: str = "orders",
    encoding: str | None = None,
    limit_bytes: int = guard.MAX_BYTES,
) -> Recognized:
    """Say what the uploaded files (name, path) are; FileRefused when they cannot be read as `kind`.

    `dialect` and `encoding` are a merchant's explicit choice; ValueError for one that does not exist.
    """
    if encoding is not None and encoding not in dialects.COMMON_ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}")
    profiles = dialects.candidates(kind=kind, dialect=dialect)
    if not files:
        raise FileRefused("empty_file", {"file": ""})
    sheets, warnings = [], []
    for name, path in files:
        guard.check(path, filename=name, limit_bytes=limit_bytes)
        sheet = _sheet(name, path, profiles=profiles, encoding=encoding)
        sheets.append(sheet)
        warnings.extend(_cautions(sheet))
    return Recognized(sheets[0].profile.dialect, kind, _paired(sheets), tuple(warnings))


def _paired(sheets: list[Sheet]) -> tuple[Sheet, ...]:
    """The sheets in reading order; a pair must be whole, everything else is one file."""
    parts = sorted(sheet.profile.part for sheet in sheets)
    if "both" in parts:
        if len(sheets) > 1:
            raise FileRefused("too_many_files", {"file": sheets[1].name, "count": len(sheets)})
        return tuple(sheets)
    if parts != ["head", "line"]:
        if len(sheets) > 2:
            raise FileRefused("too_many_files", {"file": sheets[2].name, "count": len(sheets)})
        missing = "ExportOrderDetailList" if parts[0] == "head" else "ExportOrderList"
        raise FileRefused("missing_pair", {"file": sheets[0].name, "missing": missing})
    return tuple(sorted(sheets, key=lambda sheet: sheet.profile.part))


def _encodings(head: bytes, chosen: str | None) -> tuple[str, ...]:
    if chosen == "utf-16" and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ()
    if chosen:
        return (chosen,)
    if head.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return _FALLBACK_ENCODINGS


def _names(record: records.Record) -> list[str]:
    names = [" ".join(read.clean(cell).split()) for cell in record.cells]
    while names and not names[-1]:
        names.pop()
    return names


def _header(
    path: Path, *, encoding: str, delimiter: str, newline: bytes, is_quoting: bool = True
) -> list[str]:
    """The trimmed column names, or none where the first record is not readable in this encoding."""
    found = records.read(path, encoding=encoding, delimiter=delimiter, newline=newline, is_quoting=is_quoting)
    first = next(found, None)
    return [] if first is None or first.fault else _names(first)


def _newline(head: bytes, encoding: str) -> bytes:
    return b"\n" if encoding == "utf-16" and b"\n" in head else records.newline_of(head)


def _readings(path: Path, head: bytes, encoding: str | None) -> Iterator[tuple[str, str, list[str]]]:
    if len(head) == HEAD_BYTES and b"\n" not in head and b"\r" not in head:
        return  # no header is that long, and trying every encoding on such a line would only burn time
    for codec in _encodings(head, encoding):
        for delimiter in (",", "\t", ";"):
            names = _header(path, encoding=codec, delimiter=delimiter, newline=_newline(head, codec))
            if names:
                yield codec, delimiter, names


def _sheet(name: str, path: Path, *, profiles: Sequence[dialects.Profile], encoding: str | None) -> Sheet:
    with path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    widest: list[str] = []
    for codec, delimiter, names in _readings(path, head, encoding):
        widest = names if len(names) > len(widest) else widest
        profile = dialects.match(names, [x for x in profiles if delimiter in x.delimiters])
        if profile:
            _refuse_repeated(names, filename=name)
            newline = _newline(head, codec)
            sheet = Sheet(
                name=name,
                path=path,
                profile=profile,
                encoding=codec,
                delimiter=delimiter,
                newline=newline,
                header=names,
            )
            if not encoding and codec == "utf-8" and "".join(names).isascii():
                sheet.encoding = _settled(sheet)
            if not any(True for _ in islice(body(sheet), 1)):
                raise FileRefused("header_only", {"file": name})
            return sheet
    raise dialects.refuse_unknown(widest, profiles, filename=name)


def _refuse_repeated(names: list[str], *, filename: str) -> None:
    times = Counter(name.casefold() for name in names if name)
    repeated = sorted({name for name in names if times[name.casefold()] > 1})
    if repeated:
        raise FileRefused("duplicate_header", {"file": filename, "columns": repeated[:100]})


def _foreign_lines(sheet: Sheet) -> list[bytes]:
    """The lines of the first 256 kB that are not plain ASCII."""
    with sheet.path.open("rb") as handle:
        sample = handle.read(SAMPLE_BYTES)
    return [line for line in sample.split(sheet.newline)[:-1] if not line.isascii()]


def _fits(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _settled(sheet: Sheet) -> str:
    """The encoding where an ASCII header leaves several: the first that most foreign lines fit.

    A vote, so that one bad record cannot turn the file; a profile with one choice needs none.
    """
    choices = sheet.profile.ascii_header_encodings
    if len(choices) == 1:
        return choices[0]
    lines = _foreign_lines(sheet)
    return next((x for x in choices if 2 * sum(_fits(line, x) for line in lines) >= len(lines)), choices[-1])


def _cautions(sheet: Sheet) -> list[Caution]:
    """Doubts about the encoding, and payment taken for granted."""
    found = []
    if sheet.encoding in ("utf-8", "gb18030", "shift_jis"):
        lines = _foreign_lines(sheet)
        misfits = sum(not _fits(line, sheet.encoding) for line in lines)
        if 2 * misfits > len(lines):
            found.append(
                Caution("encoding_doubt", {"file": sheet.name, "encoding": sheet.encoding, "count": misfits})
            )
    has_state = {"paid_at", "paid_state", "state"} & sheet.columns.keys()
    if sheet.profile.kind == "orders" and sheet.profile.part != "line" and not has_state:
        found.append(Caution("payment_assumed", {"file": sheet.name}))
    return found


def body(sheet: Sheet) -> Iterator[records.Record]:
    """The records below the header."""
    found = records.read(
        sheet.path,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        is_quoting=sheet.is_quoting,
        newline=sheet.newline,
    )
    return islice(found, 1, None)
