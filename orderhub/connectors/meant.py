"""What messages of other systems mean, once read: documents by meaning, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.utils.dateparse import parse_datetime

Status = Literal["applied", "ignored", "refused"]


@dataclass(frozen=True, slots=True)
class Told:
    """One document that a map gave: `means` says of what sort, `version` orders what is told of the same thing."""

    means: str
    document: Mapping[str, Any]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing a person must look at: a field, what is wrong with it (a code) and the value."""

    field: str
    code: str
    value: str = ""

    def as_dict(self) -> dict[str, str]:
        """As it is kept with the message."""
        return {"field": self.field[:80], "code": self.code, "value": self.value[:200]}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one document; `subject` is what it is about, as a person knows it."""

    status: Status
    reason: str = ""
    faults: Sequence[Fault] = field(default=())
    subject: str = ""


def is_newer(version: str, known: str) -> bool:
    """Whether a version comes after the known one: as numbers, as moments, else as text."""
    if not known:
        return True
    try:
        return Decimal(version) > Decimal(known)
    except InvalidOperation:
        pass
    ours, theirs = _moment(version), _moment(known)
    if ours is not None and theirs is not None and (ours.tzinfo is None) == (theirs.tzinfo is None):
        return ours > theirs
    return version > known


def moment(document: Mapping[str, Any], name: str) -> datetime | None:
    """An aware moment of the document; None where it has none."""
    found = _moment(str(document.get(name) or ""))
    return found if found is not None and found.tzinfo is not None else None


def text(document: Mapping[str, Any], name: str) -> str:
    """A text of the document, without blanks around; empty where it has none."""
    value = document.get(name)
    return "" if value is None else str(value).strip()


def _moment(value: str) -> datetime | None:
    try:
        return parse_datetime(value)
    except ValueError:
        return None
