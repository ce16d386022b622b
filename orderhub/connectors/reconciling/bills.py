"""ERPs: whether every order that was handed over is there, and called off where it is called off here."""

from __future__ import annotations

from django.db.models import Q

from orderhub.connectors.meant import text
from orderhub.connectors.models import Call
from orderhub.connectors.reconciling.turns import CHUNK, GRACE, Found, Sort, Turn
from orderhub.orders.models import Order
from orderhub.orders.models.order import Stage

_GONE = frozenset({"cancelled", "closed"})


def handed_over(turn: Turn, after: str) -> str:
    """Ask for each order whose handing over they acknowledged in these days."""
    calls = Call.objects.filter(
        Q(created_at__gte=turn.run.since) | Q(reference__in=turn.unsettled), connection=turn.connection,
        operation="erp_order", state=Call.State.ACKED, created_at__lt=turn.now - GRACE, pk__gt=int(after or 0),
    )  # fmt: skip
    if not turn.can("query_erp"):
        turn.told += calls.count()
        return ""
    chunk = list(calls.order_by("pk")[:CHUNK])
    orders = Order.objects.in_bulk({call.order_id for call in chunk if call.order_id})
    for call in chunk:
        order = orders.get(call.order_id or 0)
        answer = turn.ask("query_erp", {"number": call.reference, "reference": call.reference})
        turn.asked += 1
        if order is None:
            continue
        is_off = order.stage == Stage.CANCELLED
        if answer.means == "refused":
            if not is_off:
                turn.found.append(
                    Found(Sort.MISSING_THERE, call.reference, order.stage, answer.message, order.pk, call.pk)
                )
            continue
        part = turn.read("query_erp", answer.tree)
        status = text(part.value, "status") if part is not None else ""
        if status and is_off != (status in _GONE):
            turn.found.append(_other(turn, order, call, status, is_off=is_off))
    return str(chunk[-1].pk) if len(chunk) == CHUNK else ""


def _other(turn: Turn, order: Order, call: Call, status: str, *, is_off: bool) -> Found:
    if not is_off:
        return Found(Sort.CANCELLED_THERE, call.reference, order.stage, status, order.pk)
    said = Call.objects.filter(
        connection=turn.connection, operation="erp_cancel", order_id=order.pk, state=Call.State.ACKED
    )
    own = said.order_by("-pk").values_list("pk", flat=True).first()
    return Found(Sort.CANCELLED_HERE, call.reference, order.stage, status, order.pk, own)
