"""The one place that asks what time it is, so that tests and simulations can pass their own."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)
