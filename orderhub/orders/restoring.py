"""Undoing the cancellation of a whole order: its units are open again, its holds active, and it walks its way anew."""

from __future__ import annotations

from datetime import datetime

from orderhub.events import log
from orderhub.orders import holding, journeys, kinds, ledger, lifecycle
from orderhub.orders.models import Cancellation, Hold, Order
from orderhub.orders.models.order import Stage


def restore(
    order: Order, *, cancelled_at: datetime, was_released: bool, reason: str, now: datetime, actor: str
) -> None:
    """Open a locked, cancelled order again. Holds that ended with it are active again, and it starts at the first
    step, so that no check is led around; what it costs stays as it is.
    """
    lines = holding.lines_of([order])[order.pk]
    out = _taken_out_before(order)
    ledger.move([
        ledger.Move(line, "cancelled", "open", line.cancelled - out.get(line.pk, 0)) for line in lines
    ])  # fmt: skip
    ledger.save(lines)
    holds = Hold.objects.filter(order=order, released_at=cancelled_at)
    reasons = sorted(holds.values_list("reason", flat=True))
    holds.update(released_at=None, released_by="", release_note="")
    lifecycle.transition([order], Stage.RECEIVED)
    order.attempts, order.money_fixed, order.promised_at = 0, True, None
    first, order.flow_node = journeys.walk_of(order).first
    order.flow_marks = []
    lifecycle.send_to([order], first)
    if reasons:
        lifecycle.transition([order], Stage.REVIEWING)
        lifecycle.park([order], holding.WAITING_FOR)
    fields = ["stage", *lifecycle.STEP_FIELDS, *lifecycle.FLOW_FIELDS, "money_fixed", "promised_at"]
    lifecycle.save([order], fields, now=now)
    payload = {"holds": reasons, "was_released": was_released, "reason": reason, "stage": order.stage}
    fact = log.Fact(order.stream, kinds.RESTORED.name, payload, order.merchant_id)
    log.record([fact], now=now, actor=actor)


def _taken_out_before(order: Order) -> dict[int, int]:
    """Units that partial cancellations took out; those stay cancelled."""
    found: dict[int, int] = {}
    states = [Cancellation.State.APPLIED, Cancellation.State.PARTLY]
    for row in Cancellation.objects.filter(order=order, state__in=states):
        for pk, units in row.done.items():
            found[int(pk)] = found.get(int(pk), 0) + units
    return found
