"""Meter readings, temperatures, trips and other facts from a CSV file: a fact a row, refused rows named with their reason.

Columns `kind, key, starts_at, ends_at, source` and, if wanted, `evidence_sha256, supersedes`; every other column is a
figure or text of the fact (`warehouse, meter, reading, quantity …`), empty where it has none. Figures stay text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from carbon.activity.models import ActivityRecord
from carbon.activity.services import Given

NEEDED = ("kind", "key", "starts_at", "ends_at", "source")
OWN = frozenset({*NEEDED, "evidence_sha256", "supersedes"})
LISTS = frozenset({"parcels"})
MARKS = frozenset({"is_replaced"})
YES = frozenset({"1", "true", "yes", "y", "是"})


class Fault(NamedTuple):
    """What is wrong with a row: its number in the file (the head is 1), the column and a code of `message_of`."""

    row: int
    column: str
    code: str


class Sheet(NamedTuple):
    """Facts with their row numbers, and what could not be read."""

    facts: list[tuple[int, Given]]
    faults: list[Fault]


def read(content: bytes) -> Sheet:
    """The facts of a file; a file in another encoding than UTF-8 or without the needed columns has no facts."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Sheet([], [Fault(1, "", "not_utf8")])
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        return Sheet([], [Fault(1, name, "missing") for name in missing])
    found = Sheet([], [])
    for number, row in enumerate(rows, 2):
        told = {name: (value or "").strip() for name, value in row.items() if name and isinstance(value, str)}
        if not any(told.values()):
            continue
        faults = list(_faults(number, told, is_ragged=None in row))
        found.faults.extend(faults)
        if not faults:
            found.facts.append((number, _given(told)))
    return found


def _faults(number: int, row: dict[str, str], *, is_ragged: bool) -> Iterator[Fault]:
    if is_ragged:
        yield Fault(number, "", "too_many_cells")
    for name in NEEDED:
        if not row.get(name):
            yield Fault(number, name, "missing")
    if row.get("kind") and row["kind"] not in ActivityRecord.Kind.values:
        yield Fault(number, "kind", "unknown")
    for name in ("starts_at", "ends_at"):
        if row.get(name) and _moment(row[name]) is None:
            yield Fault(number, name, "not_a_moment")


def _given(row: dict[str, str]) -> Given:
    starts_at, ends_at = _moment(row["starts_at"]), _moment(row["ends_at"])
    assert starts_at is not None
    assert ends_at is not None
    data: dict[str, object] = {}
    for name, value in row.items():
        if name in OWN or not value:
            continue
        if name in LISTS:
            data[name] = [part.strip() for part in value.split(";") if part.strip()]
        else:
            data[name] = value.lower() in YES if name in MARKS else value
    return Given(
        row["kind"], row["key"], starts_at, ends_at, data, row["source"],
        row.get("evidence_sha256", ""), row.get("supersedes", ""),
    )  # fmt: skip


def _moment(text: str) -> datetime | None:
    """A moment with its time zone; None for anything else, since a local time of nowhere would be a guess."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
