"""One byte form for any JSON value, so that hashes and idempotency keys agree everywhere."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form; convert it first")


# One encoder for all: making one costs as much as a small document.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def dumps(value: object) -> str:
    """Canonical JSON: keys sorted, no blanks, Decimals and datetimes as strings, UTF-8 kept."""
    return _ENCODER.encode(value)


def plain(value: object) -> object:
    """The value as JSON would give it back (Decimals and datetimes become strings)."""
    return json.loads(dumps(value))


def digest(value: object) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()
