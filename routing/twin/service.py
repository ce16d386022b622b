"""What-if runs from outside: start, cancel, find; and the job that works them off.

A run is worked off by whoever holds its lease. A worker that dies leaves a lease that runs out; the next beat
of the clock takes the run up again from its beginning, three times at most.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import F, Q

from orderhub.access.models import Merchant, User
from orderhub.kernel import canonical, clock
from orderhub.kernel.errors import Refused
from routing import figures as plain_figures
from routing.models import Strategy
from routing.twin import history, running
from routing.twin.models import TwinRun
from routing.twin.words import DAYS_WRONG, FIGURES_WRONG

logger = logging.getLogger(__name__)

DEFAULT_DAYS = 7
MOST_DAYS = 90
LEASE = timedelta(seconds=60)
#: Progress and the lease are written at most this often.
TELL_SECONDS = 0.5
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=90)
_OPEN = Q(state__in=TwinRun.OPEN)


class Stopped(Exception):
    """Somebody cancelled the run, or another worker has it."""


def figures_key(figures: Mapping[str, Any]) -> str:
    """The same for figures that route alike, however they are written; 64 hexadecimal digits."""
    told = plain_figures.complete(figures)
    for name in plain_figures.RATES:
        told[name] = plain_figures.plain(Decimal(str(told[name])))
    return hashlib.sha256(canonical.dumps(told).encode()).hexdigest()


def start(
    strategy: Strategy,
    figures: Mapping[str, Any],
    days: int = DEFAULT_DAYS,
    *,
    actor: User | None = None,
    now: datetime | None = None,
) -> TwinRun:
    """A run of the last `days` days under these figures: a finished one that would come out the same, else new.

    A run of the merchant that is still open is cancelled: one at a time. Refused `invalid` for figures that
    may not route orders, or a period of fewer than 1 or more than 90 days.
    """
    moment = now or clock.now()
    _check(figures, days)
    key, starts_at = figures_key(figures), moment - timedelta(days=days)
    mark = history.watermark(strategy.merchant_id, starts_at=starts_at, ends_at=moment)
    mark = f"{mark}/{_in_force_number(strategy)}"
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=strategy.merchant_id)
        same = TwinRun.objects.filter(strategy=strategy, figures_key=key, days=days, watermark=mark)
        kept = same.filter(Q(state=TwinRun.State.DONE) | _OPEN).order_by("-pk").first()
        others = TwinRun.objects.filter(merchant=strategy.merchant_id)
        _cancel(others.exclude(pk=kept.pk) if kept is not None else others, moment)
        if kept is not None:
            return kept
        return TwinRun.objects.create(
            merchant_id=strategy.merchant_id, strategy=strategy, figures=dict(figures), figures_key=key,
            days=days, starts_at=starts_at, ends_at=moment, watermark=mark, started_by=actor,
            created_at=moment,
        )  # fmt: skip


def cancel(run: TwinRun, *, now: datetime | None = None) -> bool:
    """End a run that is still open; whether there was anything to end. The worker stops within a second."""
    return bool(_cancel(TwinRun.objects.filter(pk=run.pk), now or clock.now()))


def latest(strategy: Strategy, figures: Mapping[str, Any]) -> TwinRun | None:
    """The newest finished run of the strategy for exactly these figures, or None."""
    rows = TwinRun.objects.filter(
        strategy=strategy, figures_key=figures_key(figures), state=TwinRun.State.DONE
    )
    return rows.order_by("-pk").first()


def newest(strategy: Strategy) -> TwinRun | None:
    """The newest run of the strategy, whatever became of it."""
    return TwinRun.objects.filter(strategy=strategy).order_by("-pk").first()


def work(now: datetime | None = None) -> int:
    """Take up the oldest run that nobody works on and work it off; how many were (0 or 1)."""
    run = _take(now or clock.now())
    if run is None:
        return 0
    teller = _Teller(run)
    try:
        result = running.work_off(run, tell=teller.tell, keep=teller.keep)
        teller.end(TwinRun.State.DONE, result=result)
    except Stopped:
        logger.info("what-if %s was stopped", run.pk)
    except running.CannotReplay as cannot:
        teller.end(TwinRun.State.FAILED, error=cannot.code, error_facts=cannot.facts)
    except (running.TooSlow, SoftTimeLimitExceeded):
        teller.end(TwinRun.State.FAILED, error="too_slow")
    except Exception:
        # A fault of ours is shown as such and not tried again; what a worker's death leaves is.
        logger.exception("what-if %s failed", run.pk)
        teller.end(TwinRun.State.FAILED, error="fault")
    return 1


def forget(*, now: datetime) -> int:
    """Delete runs older than 90 days; how many."""
    return TwinRun.objects.filter(created_at__lt=now - KEPT_FOR).exclude(_OPEN).delete()[0]


class _Teller:
    """Writes how far a run is, as long as its lease is ours."""

    def __init__(self, run: TwinRun) -> None:
        self._mine = TwinRun.objects.filter(
            pk=run.pk, state=TwinRun.State.RUNNING, lease_token=run.lease_token
        )
        self._told_at = 0.0

    def tell(self, done: int, total: int) -> None:
        """Progress, at most twice a second; Stopped if the run is no longer ours."""
        if monotonic() - self._told_at < TELL_SECONDS:
            return
        self._told_at = monotonic()
        self._write(done=done, total=total, lease_until=clock.now() + LEASE)

    def keep(self, result: dict[str, Any]) -> None:
        """Show the comparison while the chart is still being worked out."""
        self._write(result=result, lease_until=clock.now() + LEASE)

    def end(self, state: TwinRun.State, **fields: Any) -> None:
        """The run is over; nothing is written if somebody else ended it first."""
        values = {"state": state, "finished_at": clock.now(), "lease_until": None, "lease_token": ""}
        if state == TwinRun.State.DONE:
            values["done"] = F("total")
        self._mine.update(**values, **fields)

    def _write(self, **fields: Any) -> None:
        if not self._mine.update(**fields):
            raise Stopped


def _check(figures: Mapping[str, Any], days: int) -> None:
    faults = plain_figures.check(figures)
    if faults:
        raise Refused("invalid", FIGURES_WRONG, remedy=str(faults[0]), status=400, field=faults[0].field)
    if not 1 <= days <= MOST_DAYS:
        raise Refused("invalid", DAYS_WRONG % {"most": MOST_DAYS}, status=400, field="days")


def _in_force_number(strategy: Strategy) -> int:
    number = strategy.versions.order_by("-number").values_list("number", flat=True).first()
    return number or 0


def _cancel(rows: Any, now: datetime) -> int:
    found: int = rows.filter(_OPEN).update(
        state=TwinRun.State.CANCELLED, finished_at=now, lease_until=None, lease_token=""
    )
    return found


def _take(now: datetime) -> TwinRun | None:
    """The oldest run without a living worker, now ours; one whose workers keep dying is given up."""
    free = TwinRun.objects.filter(_OPEN).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=TwinRun.State.FAILED, error="workers_died", finished_at=now, lease_until=None, lease_token=""
    )
    run = free.filter(attempts__lt=MOST_ATTEMPTS).order_by("created_at", "pk").first()
    if run is None:
        return None
    token = secrets.token_hex(16)
    mine = free.filter(pk=run.pk).update(
        state=TwinRun.State.RUNNING, lease_token=token, lease_until=now + LEASE, attempts=F("attempts") + 1,
        started_at=now, done=0, total=0, result=None,
    )  # fmt: skip
    if not mine:
        return None
    return TwinRun.objects.select_related("strategy", "merchant").get(pk=run.pk)
