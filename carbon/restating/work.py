"""Calculating a span of the ledger again: asked for on a page, worked off in parts by any number of workers.

A part is computed and written in one transaction that ends by marking it done under the worker's own token, so a worker
that dies leaves nothing half written and its part is taken again when the lease ends. What was reported does not change:
without adoption only the comparison is kept; with it each run is taken back and posted anew, in open periods only.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from carbon import posting
from carbon.estimate import EstimateError
from carbon.models import (
    CalculationRun,
    FactorSet,
    Period,
    Recompute,
    RecomputePart,
    Restated,
)
from carbon.restating.dates import dated
from carbon.restating.exchanging import Json, counterparts, exchanged
from orderhub.access.models import Merchant
from orderhub.events import doorbell
from orderhub.events import rows as row_writer
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

logger = logging.getLogger(__name__)

RUNS_PER_PART = 250
LEASE = timedelta(minutes=5)
QUEUE = "carbon"
State = Recompute.State
#: Parts that can be taken up, for the relay's one look; a part's lease may have ended.
WAITS = (
    "EXISTS (SELECT 1 FROM carbon_recompute r WHERE r.state = 'queued') OR EXISTS (SELECT 1 FROM carbon_recompute r "
    "JOIN carbon_recomputepart p ON p.recompute_id = r.id WHERE r.state = 'running' AND p.state = 'waiting' "
    "AND (p.lease_until IS NULL OR p.lease_until < CURRENT_TIMESTAMP))"
)


def ask(
    merchant: Merchant, factor_set: FactorSet, *, since: date, until: date, is_adopted: bool, cause: str,
    actor: str, now: datetime,
) -> Recompute:  # fmt: skip
    """A recalculation to be worked off; raises Refused for a span that is none, a draft to adopt, a closed period."""
    if until < since:
        raise Refused(
            "recompute_span",
            _("The span ends before it begins."),
            remedy=_("Choose other days."),
            field="until",
        )
    if is_adopted and factor_set.status != FactorSet.Status.ACTIVE:
        raise Refused(
            "recompute_draft", _("Only an active factor set can be written to the ledger."),
            remedy=_("Activate it first, or only compare."), field="is_adopted",
        )  # fmt: skip
    if is_adopted and closed_between(merchant.pk, since, until):
        raise Refused(
            "period_closed", _("The span touches a closed period, whose figures are reported."),
            remedy=_("Reopen the period with a reason, or only compare."), field="is_adopted",
        )  # fmt: skip
    made = Recompute.objects.create(
        merchant=merchant, factor_set=factor_set, since=since, until=until, is_adopted=is_adopted, cause=cause,
        asked_by=actor[:80], asked_at=now,
    )  # fmt: skip
    transaction.on_commit(lambda: doorbell.ring([QUEUE]))
    return made


def closed_between(merchant_id: int, since: date, until: date) -> bool:
    """Whether a month in this span is closed."""
    rows = Period.objects.filter(merchant_id=merchant_id, reopened_at__isnull=True)
    return rows.filter(month__gte=since.replace(day=1), month__lte=until).exists()


def steer(recompute: Recompute, *, to: str) -> bool:
    """Pause, resume or stop one that is not over; False if it is."""
    allowed = {
        State.PAUSED: (State.QUEUED, State.RUNNING),
        State.RUNNING: (State.PAUSED,),
        State.STOPPED: Recompute.OPEN,
    }[State(to)]
    rows = Recompute.objects.filter(pk=recompute.pk, state__in=allowed)
    if to == State.RUNNING:  # one that was never divided into parts begins at the beginning
        changed = rows.filter(started_at__isnull=True).update(state=State.QUEUED)
        changed = changed or rows.update(state=State.RUNNING)
        transaction.on_commit(lambda: doorbell.ring([QUEUE]))
    else:
        changed = rows.update(state=to)
    return bool(changed)


def work() -> int:
    """One round: divide what was asked for, or calculate one part; how much was done (0 or 1)."""
    return int(_divide() or _take())


def standing(recompute: Recompute) -> QuerySet[CalculationRun]:
    """The runs that count in its span."""
    return CalculationRun.objects.filter(
        dated(recompute.since, recompute.until), merchant_id=recompute.merchant_id, reverses__isnull=True,
        reversal__isnull=True,
    )  # fmt: skip


@transaction.atomic
def _divide() -> bool:
    """Cut the oldest one that waits into parts."""
    found = Recompute.objects.filter(state=State.QUEUED).order_by("pk").first()
    if found is None:
        return False
    now = clock.now()
    mine = Recompute.objects.filter(pk=found.pk, state=State.QUEUED).update(
        state=State.RUNNING, started_at=now
    )
    if not mine:
        return False
    pks = list(standing(found).order_by("pk").values_list("pk", flat=True))
    step = row_writer.at_once(RUNS_PER_PART)
    parts = [pks[n : n + step] for n in range(0, len(pks), step)]
    RecomputePart.objects.bulk_create(
        [RecomputePart(recompute=found, low=part[0], high=part[-1]) for part in parts], batch_size=1000
    )
    Recompute.objects.filter(pk=found.pk).update(
        total=len(pks), **({} if parts else {"state": State.DONE, "finished_at": now})
    )
    return True


def _take() -> bool:
    now = clock.now()
    free = RecomputePart.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        state=RecomputePart.State.WAITING, recompute__state=State.RUNNING,
    )  # fmt: skip
    token = secrets.token_hex(16)
    for pk in free.order_by("recompute_id", "pk").values_list("pk", flat=True)[:8]:
        if free.filter(pk=pk).update(token=token, lease_until=now + LEASE):
            _calculate(RecomputePart.objects.select_related("recompute__factor_set").get(pk=pk), now=now)
            return True
    return False


def _calculate(part: RecomputePart, *, now: datetime) -> None:
    """Compute outside any lock, then write all of it, or nothing if the part is no longer ours."""
    asked = part.recompute
    by_key = counterparts(asked.factor_set)
    rows = standing(asked).filter(pk__gte=part.low, pk__lte=part.high).order_by("pk")
    # Of the result only its total is wanted, which is a twentieth of it.
    runs = list(rows.defer("result").annotate(ledger_total=KeyTransform("ledger_total", "result")))
    found = [_again(run, asked, by_key, now=now) for run in runs]
    try:
        # Made before the chain is locked, since other workers wait for it.
        changed = [(run, draft) for run, (_row, draft) in zip(runs, found, strict=True) if draft]
        drafts = _pairs(changed, asked, now) if asked.is_adopted else []
        _write(part, [row for row, _draft in found], drafts)
    except Refused:  # the period was closed while this ran: a person decides
        Recompute.objects.filter(pk=asked.pk, state=State.RUNNING).update(state=State.PAUSED)
        RecomputePart.objects.filter(pk=part.pk, token=part.token).update(lease_until=None)
    except OperationalError:  # the chain was busy for too long: whoever comes next takes the part again
        logger.warning("part %d of recalculation %d waits for the chain", part.pk, asked.pk)
        RecomputePart.objects.filter(pk=part.pk, token=part.token).update(lease_until=None)


def _write(part: RecomputePart, rows: Sequence[Restated], drafts: Sequence[posting.Draft]) -> None:
    asked = part.recompute
    with transaction.atomic():
        mine = RecomputePart.objects.filter(pk=part.pk, token=part.token, state=RecomputePart.State.WAITING)
        if not mine.update(state=RecomputePart.State.DONE, lease_until=None):
            return
        row_writer.insert(rows)
        if drafts:
            _adopt(drafts, asked)
        Recompute.objects.filter(pk=asked.pk).update(done=F("done") + len(rows))
        if not asked.parts.filter(state=RecomputePart.State.WAITING).exists():
            open_ones = Recompute.objects.filter(pk=asked.pk, state__in=(State.RUNNING, State.PAUSED))
            open_ones.update(state=State.DONE, finished_at=clock.now())


def _again(
    run: CalculationRun, asked: Recompute, by_key: Mapping[str, Json], *, now: datetime
) -> tuple[Restated, posting.Draft | None]:
    """What the run comes to on the other factors; unchanged ones have no draft, refused ones a fault."""
    total: Mapping[str, str] = run.ledger_total  # type: ignore[attr-defined]
    before = Decimal(total["total_kg"])
    row = Restated(
        recompute_id=asked.pk,
        run_id=run.pk,
        order_id=run.order_id,
        basis=run.basis,
        before_kgco2e=before,
        after_kgco2e=before,
    )
    case, row.swapped = exchanged(run.case, by_key)
    if not row.swapped:
        return row, None
    try:
        draft = posting.again(run, case, reason=asked.cause, generation=asked.pk, now=now)
    except EstimateError as fault:
        row.fault = str(fault)[:60]
        return row, None
    row.after_kgco2e = Decimal(draft.run.result["ledger_total"]["total_kg"])
    return row, draft


def _adopt(drafts: Sequence[posting.Draft], asked: Recompute) -> None:
    """Take the old runs back and post the new ones; raises Refused if their period was closed meanwhile."""
    posting.locked_heads([asked.merchant_id])  # whoever closes the period waits for this lock too
    if closed_between(asked.merchant_id, asked.since, asked.until):
        raise Refused("period_closed", _("The span touches a closed period, whose figures are reported."))
    posting.post(drafts)


def _pairs(
    changed: Sequence[tuple[CalculationRun, posting.Draft]], asked: Recompute, now: datetime
) -> list[posting.Draft]:
    """The run that takes each old one back, and the new one."""
    entries = posting.entries_of([run.pk for run, _draft in changed])
    drafts: list[posting.Draft] = []
    for run, draft in changed:
        back = posting.reversal(
            run, entries.get(run.pk, ()), event_id=-run.pk, now=now, cause=asked.cause, generation=asked.pk
        )
        drafts += [back, draft]
    return drafts
