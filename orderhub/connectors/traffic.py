"""Counting what passes a connection, an hour a row: what health pages show and the silence alarm compares with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Greatest

from orderhub.connectors.models import Traffic


def count(connection_id: int, *, now: datetime, slowest_ms: int = 0, **numbers: int) -> None:
    """Add to the figures of this hour; one statement, two for the first of an hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    wanted = {name: number for name, number in numbers.items() if number}
    if not wanted:
        return
    changes: dict[str, Any] = {name: F(name) + number for name, number in wanted.items()}
    if slowest_ms:
        changes["slowest_ms"] = Greatest(F("slowest_ms"), Value(slowest_ms))
    rows = Traffic.objects.filter(connection_id=connection_id, hour=hour)
    if rows.update(**changes):
        return
    _row, is_new = Traffic.objects.get_or_create(
        connection_id=connection_id, hour=hour, defaults={**wanted, "slowest_ms": slowest_ms}
    )
    if not is_new:
        rows.update(**changes)
