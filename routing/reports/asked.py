"""From the query of an address to a period: bad values are left out, never an error page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from orderhub.access.models import Merchant
from routing.reports.models import RoutingReport
from routing.reports.sums import DIMENSIONS

Kind = RoutingReport.Kind


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked for; `by` is the dimension of the rows."""

    merchant: Merchant
    kind: str
    since: date
    until: date
    by: str

    def query(self, **changes: str) -> str:
        """The query of the same page with these changes."""
        values = {
            "merchant": str(self.merchant.pk), "kind": self.kind, "from": self.since.isoformat(),
            "to": self.until.isoformat(), "by": self.by, **changes,
        }  # fmt: skip
        return urlencode({name: text for name, text in values.items() if text})

    def moved(self, steps: int) -> str:
        """The query of a period so many before (below zero) or after this one."""
        by = timedelta(days=((self.until - self.since).days + 1) * steps)
        return self.query(**{"from": (self.since + by).isoformat(), "to": (self.until + by).isoformat()})


def asked(given: Mapping[str, str], merchant: Merchant, *, now: datetime) -> Asked:
    """The question behind a query: last week by default; a day or week snaps to whole ones."""
    today = now.astimezone(ZoneInfo(merchant.time_zone)).date()
    kind = given.get("kind", "")
    kind = kind if kind in Kind.values else Kind.WEEKLY.value
    since, until = _day(given.get("from", "")), _day(given.get("to", ""))
    if kind == Kind.WEEKLY:
        since = since or today - timedelta(days=today.weekday() + 7)
        since -= timedelta(days=since.weekday())
        until = since + timedelta(days=6)
    elif kind == Kind.DAILY:
        since = until = since or today - timedelta(days=1)
    else:
        since = since or today - timedelta(days=28)
        until = until or since + timedelta(days=27)
    by = given.get("by", "")
    return Asked(merchant, kind, since, until, by if by in DIMENSIONS else "region")


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
