"""What will go, since when and until when: told in each answer that still uses it (RFC 9745, RFC 8594)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Retired:
    """Something of the API that goes: deprecated on `since`, not before `until` removed, replaced by `instead`."""

    since: date
    until: date
    instead: str


#: Everything deprecated, by name; each has its line in docs/changes.md. Between the dates lie at least 180 days.
RETIRED: dict[str, Retired] = {
    "page": Retired(date(2026, 11, 22), date(2027, 11, 22), "cursor"),
    "sku__code": Retired(date(2026, 11, 22), date(2027, 11, 22), "sku"),
    "warehouse__code": Retired(date(2026, 11, 22), date(2027, 11, 22), "warehouse"),
}
GUIDE = "/api/problems/#deprecations"


def deprecated_headers(name: str) -> dict[str, str]:
    """`Deprecation` (RFC 9745: @seconds), `Sunset` (RFC 8594) and the link to what to use instead."""
    one = RETIRED[name]
    since, until = (datetime.combine(day, time(), UTC) for day in (one.since, one.until))
    return {
        "Deprecation": f"@{int(since.timestamp())}",
        "Sunset": format_datetime(until, usegmt=True),
        "Link": f'<{settings.PUBLIC_URL}{GUIDE}>; rel="deprecation"; type="text/html"',
    }
