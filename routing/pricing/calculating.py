"""Books made by hand: asked for on a page, worked off by a worker, watched while it lasts.

A run is worked off by whoever holds its lease. A worker that dies leaves a lease that runs out; the next beat
of the clock takes the run up again, three times at most.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from time import monotonic

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import F, Max, Q

from orderhub.access.models import Merchant
from orderhub.kernel import clock
from routing.pricing import services
from routing.pricing.models import PriceBook, PriceRun

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
#: Progress and the lease are written at most this often.
TELL_SECONDS = 0.5
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=30)
_OPEN = Q(state__in=PriceRun.OPEN)


class Stopped(Exception):
    """Another worker has the run, or it was given up."""


def ask(merchant_id: int, *, actor: str, now: datetime) -> PriceRun:
    """A run that makes a book of the merchant's prices; the one that is open already if there is any."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
        found = PriceRun.objects.filter(_OPEN, merchant_id=merchant_id).first()
        if found is not None:
            return found
        PriceRun.objects.filter(merchant_id=merchant_id, asked_at__lt=now - KEPT_FOR).delete()
        return PriceRun.objects.create(merchant_id=merchant_id, asked_by=actor[:80], asked_at=now)


def newest(merchant_ids: Collection[int]) -> dict[int, PriceRun]:
    """The last run of each merchant that asked for one; one query."""
    last = (
        PriceRun.objects.filter(merchant_id__in=merchant_ids).values("merchant_id").annotate(last=Max("pk"))
    )
    rows = PriceRun.objects.filter(pk__in=last.values("last")).select_related("book").defer("book__slots")
    return {run.merchant_id: run for run in rows}


def work(now: datetime | None = None) -> int:
    """Take up the oldest run that nobody works on and make its book; how many were made (0 or 1)."""
    run = _take(now or clock.now())
    if run is None:
        return 0
    teller = _Teller(run)
    try:
        book = services.refresh(
            run.merchant_id,
            reason=PriceBook.Reason.HAND,
            actor=run.asked_by,
            now=clock.now(),
            tell=teller.tell,
        )
    except Stopped:
        logger.info("price run %s was taken over", run.pk)
    except Exception as fault:
        # A fault of ours is shown as such and not tried again; what a worker's death leaves is.
        if not isinstance(fault, SoftTimeLimitExceeded):
            logger.exception("price run %s failed", run.pk)
        teller.end(PriceRun.State.FAILED)
    else:
        if book is None:  # the clock makes one just now: ours comes after it
            teller.give_back()
            return 0
        teller.end(PriceRun.State.DONE, book=book, done=book.skus, total=book.skus)
    return 1


class _Teller:
    """Writes how far a run is, as long as its lease is ours."""

    def __init__(self, run: PriceRun) -> None:
        self._mine = PriceRun.objects.filter(
            pk=run.pk, state=PriceRun.State.RUNNING, lease_token=run.lease_token
        )
        self._told_at = 0.0

    def tell(self, done: int, total: int) -> None:
        """Progress, at most twice a second; Stopped if the run is no longer ours."""
        if monotonic() - self._told_at < TELL_SECONDS:
            return
        self._told_at = monotonic()
        if not self._mine.update(done=done, total=total, lease_until=clock.now() + LEASE):
            raise Stopped

    def end(self, state: PriceRun.State, **fields: object) -> None:
        """The run is over; nothing is written if somebody else has it."""
        self._mine.update(state=state, finished_at=clock.now(), lease_until=None, lease_token="", **fields)

    def give_back(self) -> None:
        """Leave it for the next beat, as if it had not been tried."""
        self._mine.update(
            state=PriceRun.State.QUEUED, lease_until=None, lease_token="", attempts=F("attempts") - 1
        )


def _take(now: datetime) -> PriceRun | None:
    """The oldest run without a living worker, now ours; one whose workers keep dying is given up."""
    free = PriceRun.objects.filter(_OPEN).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=PriceRun.State.FAILED, finished_at=now, lease_until=None, lease_token=""
    )
    run = free.filter(attempts__lt=MOST_ATTEMPTS).order_by("asked_at", "pk").first()
    if run is None:
        return None
    token = secrets.token_hex(16)
    mine = free.filter(pk=run.pk).update(
        state=PriceRun.State.RUNNING, lease_token=token, lease_until=now + LEASE, attempts=F("attempts") + 1,
        started_at=now, done=0, total=0,
    )  # fmt: skip
    return PriceRun.objects.get(pk=run.pk) if mine else None
