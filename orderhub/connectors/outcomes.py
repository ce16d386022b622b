"""What an import came to, in words and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from orderhub.connectors import pausing
from orderhub.connectors.files import messages, report
from orderhub.connectors.files.faults import FileRefused, RowError
from orderhub.connectors.models import ImportBatch, RefusedRow

#: So many rows are shown for each cause; all of them are in the file to download.
EXAMPLES = 3


def failure(batch: ImportBatch, *, language: str) -> dict[str, str] | None:
    """Kind, title, reason and remedy of a file refused as a whole or paused; None if it was neither."""
    if not batch.failure_kind:
        return None
    if batch.status == ImportBatch.Status.PAUSED:
        return pausing.words(batch.failure_kind, language=language)
    words = messages.about_file(FileRefused(batch.failure_kind, batch.failure_facts), language=language)
    return {"kind": batch.failure_kind, "title": words.title, "reason": words.reason, "remedy": words.remedy}


def row_errors(batch: ImportBatch) -> Iterator[RowError]:
    """The refused rows, by file and row; a file refused as a whole gives one with row 0."""
    if batch.status == ImportBatch.Status.FAILED:
        name = ", ".join(batch.files.order_by("position").values_list("name", flat=True))
        yield RowError(name, 0, "", "", batch.failure_kind, "", dict(batch.failure_facts))
    for row in batch.refused.order_by("file", "row", "id").iterator(chunk_size=1000):
        yield as_error(row)


def as_error(row: RefusedRow) -> RowError:
    """The stored row as the reader told it."""
    return RowError(row.file, row.row, row.order_no, row.column, row.kind, row.value, row.facts)


def write_errors(handle: TextIO, batch: ImportBatch, *, language: str) -> int:
    """Write the CSV of refused rows; returns their number."""
    return report.write_errors(handle, row_errors(batch), language)


def causes(batch: ImportBatch, *, language: str) -> list[dict[str, object]]:
    """Refused rows by cause, most frequent first: count, title, reason, remedy, examples; two queries."""
    counts = list(batch.refused.values("kind").annotate(n=Count("id")).order_by("-n", "kind"))
    place = Window(RowNumber(), partition_by=F("kind"), order_by=[F("file"), F("row"), F("id")])
    examples: dict[str, list[RefusedRow]] = {}
    for row in batch.refused.annotate(place=place).filter(place__lte=EXAMPLES).order_by("file", "row", "id"):
        examples.setdefault(row.kind, []).append(row)
    return [_cause(group["kind"], group["n"], examples[group["kind"]], language=language) for group in counts]


def _cause(kind: str, count: int, examples: list[RefusedRow], *, language: str) -> dict[str, object]:
    words = messages.about_row(as_error(examples[0]), language=language)
    return {
        "kind": kind,
        "count": count,
        "title": words.title,
        "reason": words.reason,
        "remedy": words.remedy,
        "examples": examples,
    }


def cautions(batch: ImportBatch, *, language: str) -> list[messages.Wording]:
    """What the merchant should look at although the file was read."""
    return [messages.worded(row["kind"], row["facts"], language=language) for row in batch.warnings]
