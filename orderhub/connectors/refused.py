"""Keeping the rows of a file that were left out."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.connectors.files.faults import RowError
from orderhub.connectors.models import ImportBatch, RefusedRow


def write_refused(batch: ImportBatch, errors: Sequence[RowError]) -> int:
    """Keep each row with its reason; returns their number."""
    RefusedRow.objects.bulk_create(
        [
            RefusedRow(
                batch=batch,
                file=error.file,
                row=error.row,
                order_no=_clean(error.order_no, 120),
                column=_clean(error.column, 120),
                kind=error.kind,
                value=_clean(error.value, 200),
                facts={name: _clean(str(value), 300) for name, value in error.facts.items()},
            )
            for error in errors
        ],
        batch_size=500,
    )
    return len(errors)


def _clean(text: str, limit: int) -> str:
    """PostgreSQL stores no NUL and no lone surrogates."""
    return text.replace("\x00", "\u2400").encode("utf-8", "replace").decode()[:limit]
