"""Reports from outside: ask for one, find the one in force, make what waits, make what is due, forget the old.

A making is worked off by whoever holds its lease; a worker that dies leaves a lease that runs out, and the next beat
of the clock takes it up again, three times at most. The event that a report is made is recorded in the transaction
that puts it in force, and owes an e-mail to every subscription.
"""

from __future__ import annotations

import logging
import secrets
from datetime import date, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.events.log import Fact
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from routing.kinds import REPORT_MADE
from routing.models import Decision
from routing.reports import making, words
from routing.reports.advice import Advice
from routing.reports.models import Recommendation, RoutingReport

logger = logging.getLogger(__name__)
State, Kind = RoutingReport.State, RoutingReport.Kind
MOST_DAYS = 92
LEASE = timedelta(seconds=60)
TELL_SECONDS = 0.5
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=400)
#: Reports of a day or week are made this long after its end, so that what came in late is told.
SETTLED = timedelta(hours=1)
_OPEN = Q(state__in=RoutingReport.OPEN)
CLOCK = "system"


class Stopped(Exception):
    """Another worker has it."""


def ask(
    merchant: Merchant, kind: str, since: date, until: date, *, actor: str, now: datetime | None = None
) -> RoutingReport:
    """A making of that report: the one under way, or a new one. Refused `invalid` for days that are no period."""
    moment = now or clock.now()
    if until < since or (until - since).days >= MOST_DAYS:
        most = {"most": MOST_DAYS}
        raise Refused(
            "invalid", words.WRONG_DAYS % most, remedy=words.WRONG_DAYS_REMEDY % most, status=400, field="to"
        )
    if since > moment.astimezone(ZoneInfo(merchant.time_zone)).date():
        raise Refused("invalid", words.FUTURE, remedy=words.FUTURE_REMEDY, status=400, field="from")
    key = {"merchant": merchant, "kind": kind, "since": since, "until": until}
    found = RoutingReport.objects.filter(_OPEN, **key).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return RoutingReport.objects.create(**key, asked_by=actor, asked_at=moment)
    except IntegrityError:  # somebody asked for the same at the same moment
        return RoutingReport.objects.filter(**key).latest("pk")


def in_force(merchant_id: int, kind: str, since: date, until: date) -> RoutingReport | None:
    """The newest making that is done: a later one that failed changes nothing."""
    rows = RoutingReport.objects.filter(
        merchant_id=merchant_id, kind=kind, since=since, until=until, state=State.DONE
    )
    return rows.select_related("merchant").order_by("-pk").first()


def newest(merchant_id: int, kind: str, since: date, until: date) -> RoutingReport | None:
    """The newest making, whatever became of it."""
    rows = RoutingReport.objects.filter(merchant_id=merchant_id, kind=kind, since=since, until=until)
    return rows.select_related("merchant").order_by("-pk").first()


def work(now: datetime | None = None) -> int:
    """Take up the oldest making that nobody works on and make it; how many were (0 or 1)."""
    report = _take(now or clock.now())
    if report is None:
        return 0
    mine = RoutingReport.objects.filter(pk=report.pk, state=State.RUNNING, lease_token=report.lease_token)
    teller = _Teller(mine)
    try:
        as_of = clock.now() if now is None else now
        result, found = making.make(report, as_of=as_of, tell=teller.tell)
        _put_in_force(report, result, found, as_of=as_of)
    except Stopped:
        logger.info("report %s was taken over", report.pk)
    except making.CannotMake as cannot:
        teller.fail(cannot.code, cannot.facts)
    except SoftTimeLimitExceeded:
        teller.fail("too_slow", {})
    except Exception:
        # A fault of ours is shown as such and not tried again; what a worker's death leaves is.
        logger.exception("report %s failed", report.pk)
        teller.fail("fault", {})
    return 1


def make_due(now: datetime | None = None) -> int:
    """Ask for yesterday's and last week's reports of every merchant that had decisions then; how many were asked for."""
    moment = now or clock.now()
    asked = 0
    for merchant in Merchant.objects.filter(is_active=True).order_by("pk"):
        for kind, since, until in due(merchant, moment):
            zone = ZoneInfo(merchant.time_zone)
            span = making.Span(since, until, zone)
            known = RoutingReport.objects.filter(merchant=merchant, kind=kind, since=since, until=until)
            decided = Decision.objects.filter(
                merchant=merchant, decided_at__gte=span.starts_at, decided_at__lt=span.ends_at
            )
            if not known.exists() and decided.exists():
                ask(merchant, kind, since, until, actor=CLOCK, now=moment)
                asked += 1
    return asked


def due(merchant: Merchant, now: datetime) -> list[tuple[str, date, date]]:
    """The last whole day and the last whole week, Monday to Sunday, where the merchant is."""
    today = (now - SETTLED).astimezone(ZoneInfo(merchant.time_zone)).date()
    monday = today - timedelta(days=today.weekday())
    yesterday = today - timedelta(days=1)
    return [
        (Kind.DAILY, yesterday, yesterday),
        (Kind.WEEKLY, monday - timedelta(days=7), monday - timedelta(days=1)),
    ]


def forget(*, now: datetime) -> int:
    """Delete makings older than 400 days; how many."""
    return RoutingReport.objects.filter(asked_at__lt=now - KEPT_FOR).exclude(_OPEN).delete()[0]


def _put_in_force(
    report: RoutingReport, result: making.Json, found: list[Advice], *, as_of: datetime
) -> None:
    with transaction.atomic():
        held = RoutingReport.objects.select_for_update(no_key=True).get(pk=report.pk)
        if held.lease_token != report.lease_token or held.state != State.RUNNING:
            raise Stopped
        rows = RoutingReport.objects.filter(pk=report.pk)
        rows.update(
            state=State.DONE, result=result, as_of=as_of, finished_at=clock.now(), done=F("total"),
            lease_until=None, lease_token="",
        )  # fmt: skip
        Recommendation.objects.bulk_create(
            Recommendation(
                report=report,
                kind=one.kind,
                rank=rank,
                value_yuan=one.value,
                facts=one.facts,
                moves=one.moves,
            )
            for rank, one in enumerate(found, 1)
        )
        payload = {
            "report": report.pk, "kind": report.kind, "since": report.since.isoformat(),
            "until": report.until.isoformat(),
        }  # fmt: skip
        fact = Fact(report.stream, REPORT_MADE.name, payload, merchant_id=report.merchant_id)
        log.record([fact], now=as_of, actor=report.asked_by)


class _Teller:
    """Writes how far a making is, as long as its lease is ours."""

    def __init__(self, mine: QuerySet[RoutingReport]) -> None:
        self._mine = mine
        self._told_at = 0.0

    def tell(self, done: int, total: int) -> None:
        """Progress, at most twice a second; Stopped if it is no longer ours."""
        if monotonic() - self._told_at < TELL_SECONDS and done < total:
            return
        self._told_at = monotonic()
        if not self._mine.update(done=done, total=total, lease_until=clock.now() + LEASE):
            raise Stopped

    def fail(self, code: str, facts: dict[str, object]) -> None:
        """It is over without a result; the one before stays in force."""
        self._mine.update(
            state=State.FAILED, error=code, error_facts=facts, finished_at=clock.now(), lease_until=None,
            lease_token="",
        )  # fmt: skip


def _take(now: datetime) -> RoutingReport | None:
    """The oldest making without a living worker, now ours; one whose workers keep dying is given up."""
    free = RoutingReport.objects.filter(_OPEN).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=State.FAILED, error="workers_died", finished_at=now, lease_until=None, lease_token=""
    )
    report = free.order_by("asked_at", "pk").first()
    if report is None:
        return None
    mine = free.filter(pk=report.pk).update(
        state=State.RUNNING, lease_token=secrets.token_hex(16), lease_until=now + LEASE,
        attempts=F("attempts") + 1, done=0, total=0,
    )  # fmt: skip
    if not mine:
        return None
    return RoutingReport.objects.select_related("merchant").get(pk=report.pk)
