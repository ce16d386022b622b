"""From the query of an address to a scope: bad values are left out, never an error page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from carbon.reports.scope import DIMENSIONS, Scope

#: The longest period of one report.
MOST_DAYS = 800


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked for: the scope, the dimension of the rows, and the electricity basis of the headline."""

    scope: Scope
    by: str
    basis: str

    def query(self, **changes: str) -> str:
        """The query of the same page with these changes; an empty value takes a part away."""
        values = {
            "from": self.scope.since.isoformat(), "to": self.scope.until.isoformat(), "by": self.by,
            "basis": self.basis, **self.scope.cuts, **changes,
        }  # fmt: skip
        return urlencode({name: text for name, text in values.items() if text})


def asked(
    given: Mapping[str, str],
    *,
    merchant_id: int | None,
    zone: str,
    now: datetime,
    dimensions: tuple[str, ...] = DIMENSIONS,
) -> Asked:
    """The question behind a query: a month by default, all merchants only for staff of none."""
    today = now.astimezone(ZoneInfo(zone)).date()
    since = _day(given.get("from", "")) or today.replace(day=1)
    until = _day(given.get("to", "")) or _month_end(since)
    if until < since or (until - since).days > MOST_DAYS:
        until = _month_end(since)
    cuts = {name: text[:120] for name in DIMENSIONS if name != "merchant" and (text := given.get(name, ""))}
    chosen = given.get("merchant", "")
    if merchant_id is None and chosen.isdigit():
        merchant_id = int(chosen)
        cuts["merchant"] = chosen
    if "period" in cuts and _day(cuts["period"]) is None:
        del cuts["period"]
    by = given.get("by", "")
    basis = "market" if given.get("basis") == "market" else "location"
    return Asked(
        Scope(since, until, zone, merchant_id, cuts), by if by in dimensions else dimensions[0], basis
    )


def year_to(found: Asked) -> Scope:
    """The twelve months that end with the asked period, with the same cuts."""
    last = found.scope.until
    first = (last.replace(day=1) - timedelta(days=334)).replace(day=1)
    cuts = {name: value for name, value in found.scope.cuts.items() if name != "period"}
    return Scope(first, last, found.scope.zone, found.scope.merchant_id, cuts)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
