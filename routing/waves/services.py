"""The clock of the waves: opened in time, planned together before the release, released; any step may be cut short."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.kernel.errors import Refused
from orderhub.orders import journeys, lifecycle
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing import kinds
from routing.engine.model import Plan
from routing.waves import applying, planning, waiting
from routing.waves.models import PickWave, WaveSchedule
from routing.waves.planning import Change, Proposal

logger = logging.getLogger(__name__)

ACTOR = "system"
RELEASE_BATCH = 200
#: A wave whose planning keeps killing its worker is released as it stands.
MOST_ATTEMPTS = 3
#: No plan is thought about anymore this long after the release was due.
LATEST = timedelta(minutes=10)
#: One run of the clock plans no longer than this; the waves that are left are next.
BUDGET_SECONDS = 60.0
MOST_CHANGES_SHOWN = 200
YUAN = Decimal("0.0001")


def tick(*, now: datetime) -> int:
    """Open, plan and release what is due of all waves; how much was done. A wave that fails hinders no other."""
    done = _send_strays(now=now)
    active = list(WaveSchedule.objects.filter(is_active=True).order_by("pk"))
    for schedule in active:
        try:
            done += _open(schedule, now=now)
        except ValueError:
            logger.warning("pick wave schedule %s names no time", schedule.pk)
    until = monotonic() + BUDGET_SECONDS
    waves = PickWave.objects.exclude(state=PickWave.State.RELEASED).select_related("schedule")
    for wave in waves.order_by("releases_at", "pk"):
        if wave.state == PickWave.State.OPEN and monotonic() < until and now - wave.releases_at < LATEST:
            done += plan(wave, now=now)
        if wave.releases_at <= now:
            done += release(wave, now=now)
    return done


def open_now(schedule: WaveSchedule, *, now: datetime) -> PickWave:
    """A wave by hand, planned and released as soon as the clock looks; Refused where the schedule is off."""
    if not schedule.is_active:
        raise Refused(
            "wave_schedule_off",
            _("The schedule is switched off: no order waits for it."),
            status=409,
            facts={"schedule": schedule.pk},
        )
    made, _is_new = PickWave.objects.get_or_create(
        schedule=schedule, releases_at=now, defaults={"merchant_id": schedule.merchant_id, "is_manual": True}
    )
    return made


def preview(schedule: WaveSchedule, *, now: datetime, seconds: float) -> Proposal:
    """What planning the orders that wait now together would change; nothing is written."""
    releases_at = waiting.next_release(schedule, now=now) or now
    return planning.propose(
        schedule.merchant_id, releases_at=releases_at, max_changes=schedule.max_changes, seconds=seconds
    )


def _open(schedule: WaveSchedule, *, now: datetime) -> int:
    """Rows for the release that has come, if its time was this schedule's, and for the one to be planned now."""
    times = schedule.timetable
    wanted = []
    last, coming = times.until(now), times.after(now)
    if last > schedule.counts_from:
        wanted.append(last)
    if coming - timedelta(minutes=schedule.replan_minutes) <= now:
        wanted.append(coming)
    known = set(
        PickWave.objects.filter(schedule=schedule, releases_at__in=wanted).values_list(
            "releases_at", flat=True
        )
    )
    new = [
        PickWave(merchant_id=schedule.merchant_id, schedule=schedule, releases_at=at)
        for at in wanted
        if at not in known
    ]
    PickWave.objects.bulk_create(new, ignore_conflicts=True)
    return len(new) + (_send_late(schedule, last, now=now) if last in known else 0)


# ---- planning ------------------------------------------------------------------------------------


def plan(wave: PickWave, *, now: datetime) -> int:
    """Plan the orders that wait for a wave together and move them; how many were moved.

    A wave that was cut short in the middle is planned anew from where its orders stand. Where planning fails, the
    orders keep their plans, and the wave says why.
    """
    schedule = wave.schedule
    wave.attempts += 1
    PickWave.objects.filter(pk=wave.pk).update(attempts=wave.attempts)
    if wave.attempts > MOST_ATTEMPTS:
        _finish_planning(wave, now=now, error=wave.error or "planning was cut short every time")
        return 1
    left = None if schedule.max_changes is None else max(0, schedule.max_changes - wave.changed)
    try:
        found = planning.propose(
            wave.merchant_id,
            releases_at=max(wave.releases_at, now),
            max_changes=left,
            seconds=float(schedule.seconds_limit),
        )
        _note(wave, found)
        made = applying.apply(
            found.changes,
            releases_at=max(wave.releases_at, now),
            noted=_Counter(wave, found).count,
            now=now,
            actor=ACTOR,
        )
    except Exception as fault:  # whatever it is: the orders have their plans, and are released with them
        logger.exception("pick wave %s was not planned", wave.pk)
        _finish_planning(wave, now=now, error=f"{type(fault).__name__}: {fault}")
        return 1
    _finish_planning(wave, now=now)
    return made + 1


def _note(wave: PickWave, found: Proposal) -> None:
    """Write down what the planning found, before anything is moved; a second try keeps the first starting point."""
    if wave.cost_before is None:
        wave.orders, wave.untouched = found.orders, found.untouched
        wave.cost_before = wave.cost_after = _yuan(found.cost_before)
    wave.lower_bound, wave.gap = _yuan(found.lower_bound), Decimal(str(round(found.gap, 6)))
    wave.seconds = Decimal(str(round(found.seconds, 3)))
    wave.loads = wave.loads or loads_json(found)
    wave.save(
        update_fields=[
            "orders", "untouched", "cost_before", "cost_after", "lower_bound", "gap", "seconds", "loads",
        ]
    )  # fmt: skip


class _Counter:
    """Notes what each batch has moved, in its transaction."""

    def __init__(self, wave: PickWave, found: Proposal) -> None:
        self._wave, self._found, self._made = wave, found, list[Change]()
        self._from = wave.cost_after or Decimal(0)

    def count(self, changes: Sequence[Change], conflicts: int) -> None:
        """Add a batch: orders moved, and orders that could not be moved any more."""
        wave = self._wave
        self._made += changes
        wave.changed += len(changes)
        wave.conflicts += conflicts
        wave.cost_after = self._from - _yuan(self._found.saved(self._made))
        wave.changes = [*wave.changes, *changes_json(changes)][:MOST_CHANGES_SHOWN]
        for row in wave.loads:
            row["after"] = row["after"] + _moved(changes, row["warehouse_id"])
        wave.save(update_fields=["changed", "conflicts", "cost_after", "changes", "loads"])


def _moved(changes: Sequence[Change], warehouse_id: int) -> int:
    came = sum(p.node_id == warehouse_id for change in changes for p in change.after.parcels)
    return came - sum(p.node_id == warehouse_id for change in changes for p in change.before.parcels)


def _finish_planning(wave: PickWave, *, now: datetime, error: str = "") -> None:
    wave.state, wave.planned_at, wave.error = PickWave.State.PLANNED, now, error[:500]
    wave.save(update_fields=["state", "planned_at", "error"])


def loads_json(found: Proposal) -> list[dict[str, Any]]:
    """Parcels by warehouse before; after is the same until orders are moved."""
    return [
        {
            "warehouse_id": row.warehouse.pk,
            "name": row.warehouse.name,
            "name_en": row.warehouse.name_en or row.warehouse.name,
            "before": row.before,
            "after": row.before,
        }
        for row in found.loads
    ]


def changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """What became of each order: where it was to ship from, where it ships from now, ¥ saved on it alone."""
    return [
        {
            "order_id": change.order.pk,
            "number": change.order.number,
            "from": [parcel.node_name for parcel in change.before.parcels],
            "to": [parcel.node_name for parcel in change.after.parcels],
            "from_en": _english(change, change.before),
            "to_en": _english(change, change.after),
            "from_codes": [parcel.node_code for parcel in change.before.parcels],
            "to_codes": [parcel.node_code for parcel in change.after.parcels],
            "saving": f"{_yuan(change.saving)}",
        }
        for change in changes
    ]


def _english(change: Change, plan: Plan) -> list[str]:
    names = change.member.offer.names_en
    return [names.get(parcel.node_id, parcel.node_code) for parcel in plan.parcels]


def _yuan(amount: float) -> Decimal:
    return Decimal(str(amount)).quantize(YUAN)


# ---- releasing -----------------------------------------------------------------------------------


def release(wave: PickWave, *, now: datetime) -> int:
    """Send everything that waits for the wave on to its warehouses; how many orders, and one for the wave itself."""
    sent = 0
    for batch in _batches(_waiting(wave.merchant_id)):
        with transaction.atomic():
            gone = _send_on(batch, wave=wave, now=now)
            PickWave.objects.filter(pk=wave.pk).update(released=F("released") + gone)
        sent += gone
    PickWave.objects.filter(pk=wave.pk).update(state=PickWave.State.RELEASED, released_at=now)
    return sent + 1


def _send_late(schedule: WaveSchedule, released_at: datetime, *, now: datetime) -> int:
    """Orders that began to wait before the last release, but were written after it: they are part of it."""
    wave = PickWave.objects.filter(
        schedule=schedule, releases_at=released_at, state=PickWave.State.RELEASED
    ).first()
    if wave is None:
        return 0
    sent = 0
    for batch in _batches(_waiting(schedule.merchant_id, before=released_at)):
        with transaction.atomic():
            gone = _send_on(batch, wave=wave, now=now)
            PickWave.objects.filter(pk=wave.pk).update(released=F("released") + gone)
        sent += gone
    return sent


def _send_strays(*, now: datetime) -> int:
    """Orders that wait although their merchant has no waves anymore go on at once."""
    active = WaveSchedule.objects.filter(is_active=True).values("merchant_id")
    rows = _waiting_rows().exclude(merchant_id__in=active)
    sent = 0
    for batch in _batches(list(rows.order_by("pk").values_list("pk", flat=True))):
        with transaction.atomic():
            sent += _send_on(batch, wave=None, now=now)
    return sent


def _waiting_rows() -> Any:
    return Order.objects.filter(waiting_for=waiting.WAITING_FOR, step_state=StepState.WAITING)


def _waiting(merchant_id: int, *, before: datetime | None = None) -> list[int]:
    rows = _waiting_rows().filter(merchant_id=merchant_id)
    rows = rows if before is None else rows.filter(updated_at__lte=before)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    size = writing.at_once(RELEASE_BATCH)
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _send_on(order_ids: Collection[int], *, wave: PickWave | None, now: datetime) -> int:
    """Take locked orders that still wait past the wave; their journey goes on through the log."""
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    going = [x for x in rows if x.step_state == StepState.WAITING and x.waiting_for == waiting.WAITING_FOR]
    walks = journeys.walks_of(going)
    for order in going:
        following, order.flow_node = walks[order.pk].following(order)
        if following:
            lifecycle.send_to([order], following)
        else:
            lifecycle.finish([order])
    lifecycle.save(going, [*lifecycle.STEP_FIELDS, "flow_node"], now=now)
    told: dict[str, object] = {} if wave is None else {"wave": wave.pk, "releases_at": wave.releases_at}
    log.record(
        [log.Fact(order.stream, kinds.WAVE_RELEASED.name, told, order.merchant_id) for order in going],
        now=now,
        actor=ACTOR,
    )
    return len(going)
