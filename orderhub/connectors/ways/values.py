"""Values of other databases: as places where a walk goes on, and as JSON that maps read."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from orderhub.connectors.ways.reasons import Broken

Noted = list[str]


def noted(value: Any) -> Noted:
    """A value of a watermark or id, as a cursor keeps it: its sort and its text."""
    if isinstance(value, bool) or value is None:
        raise Broken("no_order", value=str(value))
    if isinstance(value, datetime):
        return ["moment", value.isoformat()]
    if isinstance(value, date):
        return ["day", value.isoformat()]
    if isinstance(value, int | Decimal):
        return ["number", str(value)]
    if isinstance(value, str | UUID):
        return ["text", str(value)[:200]]
    raise Broken("no_order", value=type(value).__name__)


def value(kept: Sequence[str]) -> Any:
    """What `noted` has kept, as a parameter of a question."""
    sort, text = kept
    if sort == "moment":
        return datetime.fromisoformat(text)
    if sort == "day":
        return date.fromisoformat(text)
    if sort == "number":
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)
    return text


def earlier(kept: Sequence[str], *, seconds: int, rows: int) -> Any:
    """Where the next walk begins: so far before that what was committed late is met as well."""
    found = value(kept)
    if isinstance(found, datetime):
        return found - timedelta(seconds=seconds)
    if isinstance(found, date):
        return found - timedelta(days=1 + seconds // 86_400)
    if isinstance(found, int | Decimal):
        return found - rows
    return found


def is_before(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a watermark comes before another of the same sort; texts are never."""
    if one[0] != other[0] or one[0] == "text":
        return False
    return bool(value(one) < value(other))


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it: moments as text, numbers digit by digit."""
    return {name: _plain(one) for name, one in row.items()}


def _plain(one: Any) -> Any:
    if isinstance(one, datetime):
        return one.isoformat(sep=" ")
    if isinstance(one, date | time):
        return one.isoformat()
    if isinstance(one, float):
        return Decimal(repr(one)) if math.isfinite(one) else None
    if isinstance(one, bytes | bytearray | memoryview):
        return _bytes(bytes(one))
    if isinstance(one, Mapping):
        return {str(name): _plain(inner) for name, inner in one.items()}
    if isinstance(one, list | tuple | set):
        return [_plain(inner) for inner in one]
    if one is None or isinstance(one, bool | int | str | Decimal):
        return one if not isinstance(one, Decimal) or one.is_finite() else None
    return str(one)


def _bytes(data: bytes) -> Any:
    if data in (b"\x00", b"\x01"):
        return data[0]  # a bit of MySQL
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()
