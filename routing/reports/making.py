"""Making one report: reads the period and the one before, adds up, explains the change, advises; writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import localcontext
from typing import Any
from zoneinfo import ZoneInfo

from orderhub.fulfillment.models import RateCard
from orderhub.inventory.models import Sku
from orderhub.kernel import regions
from orderhub.orders.models import Channel
from routing.models import Strategy, StrategyVersion
from routing.reports import advice, changes, facts
from routing.reports.advice import Advice
from routing.reports.models import RoutingReport
from routing.reports.sums import Tally

Json = dict[str, Any]
#: Digits of a sum: kilograms of one parcel have up to thirty, and none of a million may be lost.
DIGITS = 60
#: Told orders read and all there are; raises to stop.
Progress = Callable[[int, int], None]


class CannotMake(Exception):
    """There is nothing to report on; `code` and `facts` are put into words by `reports.words`."""

    def __init__(self, code: str, **known: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, known


@dataclass(frozen=True, slots=True)
class Span:
    """Local days `since` … `until`, both included."""

    since: date
    until: date
    zone: ZoneInfo

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days + 1

    @property
    def starts_at(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.since, time(), self.zone)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), self.zone)

    @property
    def before(self) -> Span:
        """As many days just before."""
        return Span(self.since - timedelta(days=self.days), self.since - timedelta(days=1), self.zone)


def span_of(report: RoutingReport) -> Span:
    """The days a report is on, in its merchant's time zone."""
    return Span(report.since, report.until, ZoneInfo(report.merchant.time_zone))


def make(report: RoutingReport, *, as_of: datetime, tell: Progress) -> tuple[Json, list[Advice]]:
    """The result as it is kept, and the advice. Raises CannotMake for a period without a routed order."""
    with localcontext(prec=DIGITS):
        return _made(report, as_of=as_of, tell=tell)


def _made(report: RoutingReport, *, as_of: datetime, tell: Progress) -> tuple[Json, list[Advice]]:
    span = span_of(report)
    reader = facts.Reader(report.merchant_id, span.zone, as_of)
    counts = [reader.count(one.starts_at, one.ends_at) for one in (span, span.before)]
    if not counts[0]:
        waiting = facts.undecided(report.merchant_id, span.starts_at, span.ends_at)
        raise CannotMake("empty", waiting=waiting)
    work = _Work(reader, sum(counts), tell)
    now, before = work.tally(span, deep=True), work.tally(span.before, deep=False)
    ground = advice.Ground(report.merchant_id, now, span.days, reader.warehouses)
    found = advice.all_of(ground)
    result = {
        "now": now.plain(), "before": before.plain() if before.total.orders else None,
        "previous": [span.before.since.isoformat(), span.before.until.isoformat()],
        "undecided": facts.undecided(report.merchant_id, span.starts_at, span.ends_at),
        "why": changes.explain(now, before), "versions": _versions(report.merchant_id, span),
        "names": _names(report.merchant_id, reader, now, before, found),
    }  # fmt: skip
    return result, found


@dataclass(slots=True)
class _Work:
    reader: facts.Reader
    total: int
    tell: Progress
    done: int = 0

    def tally(self, span: Span, *, deep: bool) -> Tally:
        found = Tally(deep=deep)
        for page in self.reader.read(span.starts_at, span.ends_at, deep=deep):
            found.add(page)
            self.done += len(page)
            self.tell(min(self.done, self.total), self.total)
        return found


def _versions(merchant_id: int, span: Span) -> list[Json]:
    """Strategy versions that came into force within the two periods: part of what changed."""
    rows = StrategyVersion.objects.filter(
        strategy__merchant_id=merchant_id, number__gt=1,
        created_at__gte=span.before.starts_at, created_at__lt=span.ends_at,
    ).order_by("created_at")  # fmt: skip
    return [
        {"strategy": row.strategy_id, "number": row.number, "at": row.created_at.isoformat()}
        for row in rows[:20]
    ]


def _names(merchant_id: int, reader: facts.Reader, now: Tally, before: Tally, found: list[Advice]) -> Json:
    """Everything a page has to call by name, in both languages, as it was called then."""
    skus = {move["sku"] for one in found for move in one.moves}
    keys = {str(key) for tally in (now, before) for key in tally.by["region"]}
    return {
        "warehouse": {str(pk): _pair(row) for pk, row in reader.warehouses.items()},
        "warehouse_code": {str(pk): row.code for pk, row in reader.warehouses.items()},
        "channel": {str(row.pk): _pair(row) for row in Channel.objects.filter(merchant_id=merchant_id)},
        "strategy": {str(row.pk): _pair(row) for row in Strategy.objects.filter(merchant_id=merchant_id)},
        "card": {row.code: _pair(row) for row in RateCard.objects.filter(merchant_id=merchant_id)},
        "region": {key: region_names(key) for key in sorted(keys)},
        "sku": {
            str(row.pk): [row.code, row.name] for row in Sku.objects.filter(merchant_id=merchant_id, pk__in=skus)
        },
    }  # fmt: skip


def _pair(row: Any) -> list[str]:
    return [row.name, row.name_en or row.name]


def region_names(key: str) -> list[str]:
    """A region's names: "CN-ZJ" is 浙江, Zhejiang; a country alone is its own; unknown ones stand for themselves."""
    code, _dash, province = key.partition("-")
    if province:
        found = regions.provinces(code).get(province)
        return [found.zh, found.en] if found else [key, key]
    nation = regions.find_country(code)
    return [nation.zh, nation.en] if nation else [key, key]
