"""What a factory tells of a work order, and the watch over those it is silent about.

A factory says many things and repeats itself: each is kept once by its key, nothing moves backwards, and no more units
are made than were ordered. What it says of its plan counts by when it was said, not by when it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.fulfillment import production_kinds as kinds
from orderhub.fulfillment import rescheduling
from orderhub.fulfillment.desk import Case, Desk
from orderhub.fulfillment.handlers import AT_WORK, Ignored, Portions, Unfit, leave_short
from orderhub.fulfillment.models import WorkOrder, WorkStep
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.updates import Update
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order

Work = WorkOrder.State
Quality = WorkOrder.Quality
_ORDER = (Work.RELEASED, Work.ACCEPTED, Work.STARTED, Work.FINISHED)
#: Not over yet.
OPEN = (Work.RELEASED, Work.ACCEPTED, Work.STARTED)
#: So long after its finish was planned, a work order of which nobody heard since is called late.
GRACE = timedelta(hours=1)
MOST = 200


def make(desk: Desk, case: Case, update: Update) -> None:
    """Apply one thing a factory tells."""
    work = case.work
    if work is None:
        raise Unfit("nothing_made")
    if work.state == Work.CANCELLED or case.row.state in (State.REJECTED, State.CANCELLED):
        raise Ignored("late")
    key = update.key[:80] or _digest(update)
    if key in case.told:
        raise Ignored("repeat")
    told = _HANDLERS[update.event or "planned"](desk, case, work, update)
    moved = _plan(desk, case, work, update)
    if not told and not moved:
        raise Ignored("late")
    case.told.add(key)
    desk.new_steps.append(_step(desk, work, update, key))
    work.last_told_at = max(work.last_told_at or update.occurred_at, update.occurred_at)
    work.stalled_at = None


def _accepted(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    if not _forward(work, Work.ACCEPTED):
        return False
    if case.row.state == State.RELEASED:
        case.row.to_acknowledged()
    desk.tell(case, kinds.ACCEPTED, update.occurred_at)
    return True


def _planned(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    return False  # the plan itself is all it says


def _material(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    desk.tell(case, kinds.MATERIAL, update.occurred_at, reason=update.reason)
    return True


def _started(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    if not _forward(work, Work.STARTED):
        return False
    _begin(desk, case, work, update)
    return True


def _step_done(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    """A step with its units: no more good ones than are made of this order; those scrapped are made again."""
    if work.state != Work.FINISHED and (update.good or 0) > work.quantity:
        raise Unfit("too_many")
    _begin_if_untold(desk, case, work, update)
    work.scrap += update.scrap or 0
    if case.step_said_at is None or update.occurred_at >= case.step_said_at:
        work.step, case.step_said_at = update.step[:80], update.occurred_at
    desk.tell(
        case,
        kinds.STEP_DONE,
        update.occurred_at,
        step=update.step,
        good=update.good,
        scrap=update.scrap or None,
    )
    return True


def _qc_passed(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    _begin_if_untold(desk, case, work, update)
    _inspected(work, Quality.PASSED, update)
    desk.tell(case, kinds.QC_PASSED, update.occurred_at)
    return True


def _qc_failed(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    _begin_if_untold(desk, case, work, update)
    _inspected(work, Quality.FAILED, update)
    work.scrap += update.scrap or 0
    desk.tell(case, kinds.QC_FAILED, update.occurred_at, reason=update.reason)
    return True


def _rework(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    _inspected(work, Quality.REWORK, update)
    desk.tell(case, kinds.REWORK, update.occurred_at, reason=update.reason)
    return True


def _finished(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    """All that comes of it is made; what is missing of it is open again and made or found elsewhere."""
    if work.state == Work.FINISHED:
        return False
    good = work.quantity if update.good is None else update.good
    if good > work.quantity:
        raise Unfit("too_many")
    if good == 0:
        raise Unfit("no_units")
    _begin_if_untold(desk, case, work, update)
    work.state, work.finished_at, work.good = Work.FINISHED, update.occurred_at, good
    work.scrap += update.scrap or 0
    rescheduling.shift(
        work, update.occurred_at
    )  # the arrival is reckoned from what is true now; this is no news of delay
    desk.tell(case, kinds.FINISHED, update.occurred_at, good=good, scrap=work.scrap or None)
    missing = _missing(case, work.quantity - good)
    if missing:
        leave_short(desk, case, update, missing)
        work.quantity = good
    return True


def _changed(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    return False  # its answer to a change: the plan it names says the rest


_Handler = Callable[[Desk, Case, WorkOrder, Update], bool]
_HANDLERS: Mapping[str, _Handler] = {
    "accepted": _accepted, "planned": _planned, "material": _material, "started": _started, "step": _step_done,
    "qc_passed": _qc_passed, "qc_failed": _qc_failed, "rework": _rework, "finished": _finished, "changed": _changed,
}  # fmt: skip


def _inspected(work: WorkOrder, quality: WorkOrder.Quality, update: Update) -> None:
    """What the inspection said last stands, in whatever order its words come."""
    if work.quality_said_at is None or update.occurred_at >= work.quality_said_at:
        work.quality, work.quality_said_at = quality, update.occurred_at


def _forward(work: WorkOrder, to: WorkOrder.State) -> bool:
    """Move on, never back; whether it moved."""
    if _ORDER.index(Work(work.state)) >= _ORDER.index(to):
        return False
    work.state = to
    return True


def _begin_if_untold(desk: Desk, case: Case, work: WorkOrder, update: Update) -> None:
    """A step that comes before the word that it began says so too."""
    if _forward(work, Work.STARTED):
        _begin(desk, case, work, update)


def _begin(desk: Desk, case: Case, work: WorkOrder, update: Update) -> None:
    work.started_at = update.occurred_at
    if case.row.state in (State.RELEASED, State.ACKNOWLEDGED):
        case.row.to_in_progress()
    desk.begin_making(case)
    desk.tell(case, kinds.STARTED, update.occurred_at)


def _plan(desk: Desk, case: Case, work: WorkOrder, update: Update) -> bool:
    """Take over a finish the factory plans, unless it said something newer before."""
    is_older = work.plan_said_at is not None and update.occurred_at < work.plan_said_at
    if update.planned_at is None or is_older or work.state == Work.FINISHED:
        return False
    work.plan_said_at = update.occurred_at
    facts = rescheduling.move(case.order, work, update.planned_at, reason=update.reason)
    desk.told += facts
    return True


def _missing(case: Case, units: int) -> Portions:
    """So many units of the made lines, from the last one on."""
    found: Portions = []
    for part in reversed(case.parts):
        count = min(units, part.reserved) if part.made_on is not None else 0
        if count:
            found.append((part, count))
            units -= count
    return found


def _step(desk: Desk, work: WorkOrder, update: Update, key: str) -> WorkStep:
    return WorkStep(
        work=work, key=key, event=update.event or "planned", name=update.step[:80], good=update.good,
        scrap=update.scrap, planned_at=update.planned_at, reason=update.reason[:200], said_at=update.occurred_at,
        received_at=desk.now,
    )  # fmt: skip


def _digest(update: Update) -> str:
    """What a message without a key is known by: its own words."""
    parts = (
        update.event, update.step, update.good, update.scrap, update.occurred_at.isoformat(),
        update.planned_at.isoformat() if update.planned_at else "", update.reason,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]


# ---- what we ask of it, and when we wonder ---------------------------------------------------------


@transaction.atomic
def request_change(work_id: int, *, due_at: datetime, reason: str, actor: str, now: datetime) -> WorkOrder:
    """Ask the factory to be done by another time; it answers with its plan. Raises Refused("work_over")."""
    order_id = WorkOrder.objects.values_list("fulfillment__order_id", flat=True).get(pk=work_id)
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    work = WorkOrder.objects.select_related("fulfillment__warehouse").get(pk=work_id)
    if work.state not in OPEN or work.fulfillment.state not in AT_WORK:
        raise Refused(
            "work_over", _("This work order is finished or cancelled."), remedy=_("There is nothing left to change."),
            facts={"work": work.pk},
        )  # fmt: skip
    work.due_at = due_at
    work.save(update_fields=["due_at"])
    payload = {
        "fulfillment": work.fulfillment.number, "warehouse": work.fulfillment.warehouse.code,
        "due_at": due_at.isoformat(), "reason": reason[:200],
    }  # fmt: skip
    log.record(
        [log.Fact(order.stream, kinds.CHANGE_REQUESTED.name, payload, order.merchant_id)],
        now=now,
        actor=actor,
    )
    return work


def call_stalls(*, now: datetime) -> int:
    """Say once of each work order that it is past its planned finish without a word; how many."""
    finish = Coalesce(F("told_finish_at"), F("planned_finish_at"))
    late = WorkOrder.objects.annotate(finish=finish).filter(
        Q(last_told_at__isnull=True) | Q(last_told_at__lt=now - GRACE),
        state__in=OPEN, stalled_at__isnull=True, finish__lt=now - GRACE, fulfillment__state__in=AT_WORK,
    )  # fmt: skip
    found = list(late.order_by("pk").values_list("pk", "fulfillment__order_id")[:MOST])
    return sum(_call_stall(work_id, order_id, now=now) for work_id, order_id in found)


@transaction.atomic
def _call_stall(work_id: int, order_id: int, *, now: datetime) -> int:
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    work = WorkOrder.objects.select_related("fulfillment__warehouse").get(pk=work_id)
    if work.stalled_at is not None or work.state not in OPEN or work.finish_at > now - GRACE:
        return 0
    work.stalled_at = now
    work.save(update_fields=["stalled_at"])
    payload = {
        "fulfillment": work.fulfillment.number, "warehouse": work.fulfillment.warehouse.code,
        "planned_finish_at": work.finish_at.isoformat(),
    }  # fmt: skip
    log.record(
        [log.Fact(order.stream, kinds.STALLED.name, payload, order.merchant_id)], now=now, actor="system"
    )
    return 1
