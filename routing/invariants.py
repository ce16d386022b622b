"""What must always hold of decisions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from orderhub.events.invariants import invariant
from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing.models import Decision
from routing.waves import waiting

TOLERANCE = Decimal("0.01")
PATIENCE = timedelta(minutes=15)


@invariant("I6", zh="决策各项之和等于总价", en="The terms of a decision add up to its total")
def terms_add_up() -> Iterable[str]:
    """I6: of every plan that was kept, to ¥0.01; parcel by parcel as well."""
    rows = Decision.objects.filter(total__isnull=False, plan__isnull=False).values_list(
        "pk", "total", "plan", "alternatives"
    )
    for pk, total, plan, alternatives in rows.iterator():
        assert total is not None
        assert plan is not None, "the filter left these out"
        terms = _sum(plan["terms"])
        parcels = sum((_sum(parcel["terms"]) for parcel in plan["parcels"]), Decimal(0))
        if max(abs(terms - total), abs(parcels - total)) > TOLERANCE:
            yield f"decision {pk}: total {total}, terms {terms}, parcels {parcels}"
        for number, other in enumerate(alternatives, 1):
            differs = abs(_sum(other["terms"]) - Decimal(other["total"]))
            if differs > TOLERANCE:
                yield f"decision {pk}: alternative {number} is {differs} off its total"


def _sum(terms: dict[str, str]) -> Decimal:
    return sum(map(Decimal, terms.values()), Decimal(0))


@invariant("I5", zh="等待拣货波次的订单都会下发", en="Every order that waits for a pick wave has one coming")
def waves_come() -> Iterable[str]:
    """I5: no order waits since before the last release of its merchant's schedule, or without a schedule."""
    late = clock.now() - PATIENCE
    rows = Order.objects.filter(waiting_for=waiting.WAITING_FOR, step_state=StepState.WAITING)
    plans = waiting.schedules(rows.values_list("merchant_id", flat=True).distinct())
    for order in rows.filter(updated_at__lt=late).iterator():
        plan = plans.get(order.merchant_id)
        if plan is None:
            yield f"order {order.pk} waits for a wave, its merchant has none"
        elif plan.counts_from < (last := plan.timetable.until(late)) and order.updated_at <= last:
            yield f"order {order.pk} has waited for a wave since {order.updated_at:%Y-%m-%d %H:%M}"
