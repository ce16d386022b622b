"""The list of refused rows that a merchant downloads: a CSV that spreadsheets open safely."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from orderhub.connectors.files.faults import RowError
from orderhub.connectors.files.messages import about_row

COLUMNS = ("file", "row", "order_no", "column", "kind", "value", "reason")
MAX_VALUE_CHARS = 80
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_UNWRITABLE = dict.fromkeys((*range(32), 127), " ")


def neutralized(value: str) -> str:
    """The text as a spreadsheet shows it: what would be a formula gets a leading apostrophe.

    A formula behind blanks counts as well, since some spreadsheets drop the blanks.
    """
    is_formula = value.startswith(_FORMULA_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)
    return "'" + value if is_formula else value


def _cell(value: str) -> str:
    """At most 80 characters on one line."""
    safe = neutralized(value[:MAX_VALUE_CHARS])
    return safe.translate(_UNWRITABLE)


def _reason(error: RowError, *, language: str) -> str:
    worded = about_row(error, language=language)
    space = "" if worded.reason.endswith("。") else " "
    return neutralized(f"{worded.reason}{space}{worded.remedy}".translate(_UNWRITABLE))


def write_errors(handle: TextIO, errors: Iterable[RowError], language: str) -> int:
    """Write the errors with a byte order mark and return their number; `handle` is UTF-8 with newline=""."""
    handle.write("\ufeff")
    out = csv.writer(handle, lineterminator="\r\n")
    out.writerow(COLUMNS)
    written = 0
    for error in errors:
        texts = (error.order_no, error.column, error.kind, error.value)
        out.writerow((_cell(error.file), error.row, *map(_cell, texts), _reason(error, language=language)))
        written += 1
    return written
