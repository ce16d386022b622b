"""Who waits for a pick wave and until when; one query per pass for merchants with and without waves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.orders import journeys
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing.waves.models import WaveSchedule
from rules.flow import Context

STEP = "routing.wave"
#: What orders wait for at that step.
WAITING_FOR = "wave"
_RELEASES = "routing.waves.releases"


def schedules(merchant_ids: Iterable[int]) -> dict[int, WaveSchedule]:
    """The active schedule of each merchant that has one; one query."""
    rows = WaveSchedule.objects.filter(merchant_id__in=set(merchant_ids), is_active=True)
    return {row.merchant_id: row for row in rows}


def next_release(schedule: WaveSchedule, *, now: datetime) -> datetime | None:
    """When the next wave of a schedule goes; None if it names no time, and so has none."""
    try:
        return schedule.timetable.after(now)
    except ValueError:
        return None


def releases(orders: Sequence[Order], context: Context) -> Mapping[int, datetime]:
    """When the wave of each order is released that has to wait for one; the others are missing.

    An order that was handed to a warehouse once waits for no further wave: what a warehouse refused, or what came
    in late, goes out as soon as it can. The answer is kept for the later steps of the pass.
    """
    known: dict[int, datetime | None] = context.kept.setdefault(_RELEASES, {})
    new = [order for order in orders if order.pk not in known]
    if new:
        known.update(dict.fromkeys(order.pk for order in new))
        known.update(_releases(new, now=context.now))
    return {order.pk: at for order in orders if (at := known[order.pk]) is not None}


def _releases(orders: Sequence[Order], *, now: datetime) -> dict[int, datetime]:
    found = schedules(order.merchant_id for order in orders)
    if not found:
        return {}
    coming = {pk: next_release(row, now=now) for pk, row in found.items()}
    next_at = {pk: at for pk, at in coming.items() if at is not None}
    picked = [order for order in orders if order.merchant_id in found]
    walks = journeys.walks_of(picked)
    waiting = [x for x in picked if x.merchant_id in next_at and walks[x.pk].includes(x, STEP)]
    begun = _released_before([order.pk for order in waiting])
    return {order.pk: next_at[order.merchant_id] for order in waiting if order.pk not in begun}


def _released_before(order_ids: Collection[int]) -> set[int]:
    rows = FulfillmentOrder.objects.filter(order_id__in=order_ids, released_at__isnull=False)
    return set(rows.values_list("order_id", flat=True))


def count(merchant_id: int) -> int:
    """How many orders of the merchant wait for a wave now."""
    return Order.objects.filter(
        merchant_id=merchant_id, waiting_for=WAITING_FOR, step_state=StepState.WAITING
    ).count()
