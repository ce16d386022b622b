"""What each message of a warehouse does; late and repeated ones are ignored, nothing ever moves backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orderhub.fulfillment import kinds
from orderhub.fulfillment.desk import Case, Desk
from orderhub.fulfillment.models import FulfillmentLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.updates import Count, Update
from orderhub.orders import kinds as order_kinds
from orderhub.orders import ledger, lifecycle
from orderhub.orders.models.order import Stage

#: In the hands of the warehouse, not shipped, not asked to stop.
AT_WORK = frozenset({State.RELEASED, State.ACKNOWLEDGED, State.IN_PROGRESS})
#: It has left.
SENT = frozenset({State.SHIPPED, State.DELIVERED})
#: Where picking or what follows it has begun: that the warehouse took the order over is told late, and still belongs there.
_PICKING = frozenset({State.IN_PROGRESS, *SENT})
_OVER = frozenset({State.REJECTED, State.CANCELLED})

Handler = Callable[[Desk, Case, Update], None]
Portions = list[tuple[FulfillmentLine, int]]


class Ignored(Exception):
    """The update says nothing new; its text is the reason code."""


class Unfit(Exception):
    """The update cannot be true of this fulfillment order; its text is the reason code."""


def acknowledge(desk: Desk, case: Case, update: Update) -> None:
    """The warehouse took the order over."""
    if _is_told(case, "acknowledge"):
        raise Ignored("repeat")
    if case.row.state == State.RELEASED:
        case.row.to_acknowledged()
    elif case.row.state not in _PICKING:
        raise Ignored("late")
    case.row.told = [*case.row.told, "acknowledge"]
    desk.tell(case, kinds.ACKNOWLEDGED, update.occurred_at)


def pick(desk: Desk, case: Case, update: Update) -> None:
    """Picking began."""
    if _is_told(case, "pick"):
        raise Ignored("repeat")
    if case.row.state in (State.RELEASED, State.ACKNOWLEDGED):
        case.row.to_in_progress()
    elif case.row.state not in _PICKING:
        raise Ignored("late")
    case.row.told = [*case.row.told, "pick"]
    desk.tell(case, kinds.PICKING, update.occurred_at)


def _is_told(case: Case, step: str) -> bool:
    return step in case.row.told


def short(desk: Desk, case: Case, update: Update) -> None:
    """Some units cannot be found: they are open again and routed elsewhere. One such message counts."""
    row = case.row
    if row.state not in AT_WORK and row.state != State.CANCEL_REQUESTED:
        raise Ignored("late")
    if row.refusal:
        raise Ignored("repeat")
    missing = portions(case, update.lines)
    if not missing:
        raise Unfit("no_units")
    if case.shipped == 0 and sum(units for _, units in missing) == case.left:
        end(desk, case, update, reason="short_picked")
        return
    leave_short(desk, case, update, missing)
    if not case.left:
        row.to_shipped()
    elif row.state in (State.RELEASED, State.ACKNOWLEDGED):
        row.to_in_progress()


def reject(desk: Desk, case: Case, update: Update) -> None:
    """The warehouse refuses: its units are open again and routed elsewhere."""
    _end_by_warehouse(desk, case, update, reason=update.reason or "rejected")


def cancelled(desk: Desk, case: Case, update: Update) -> None:
    """The warehouse stopped, because it was asked to, or by itself (then it counts as refused)."""
    _end_by_warehouse(desk, case, update, reason=update.reason or "cancelled_by_warehouse")


def cancel_refused(desk: Desk, case: Case, update: Update) -> None:
    """Too late to stop: the warehouse goes on."""
    if case.row.state != State.CANCEL_REQUESTED:
        raise Ignored("late")
    case.row.to_cancel_refused()
    case.row.cancel_intent = ""
    desk.tell(case, kinds.CANCEL_REFUSED, update.occurred_at, reason=update.reason)


def _end_by_warehouse(desk: Desk, case: Case, update: Update, *, reason: str) -> None:
    if case.row.state in _OVER:
        raise Ignored("repeat")
    if case.row.state in SENT:
        raise Unfit("already_shipped")
    if case.shipped:
        leave_short(desk, case, update, portions(case, ()))
        case.row.to_shipped()
    else:
        end(desk, case, update, reason=reason)


def end(desk: Desk, case: Case, update: Update, *, reason: str) -> None:
    """Nothing of it ships: cancelled if that was asked for, else rejected and routed elsewhere."""
    row = case.row
    asked = row.state == State.CANCEL_REQUESTED
    target: ledger.Column = "cancelled" if asked and row.cancel_intent == "cancel" else "open"
    for part, units in portions(case, ()):
        ledger.move([ledger.Move(case.order_lines[part.order_line_id], "released", target, units)])
        desk.free(case, part, units)
    desk.free_slot(case)
    if target == "open":
        route_again(case)
    if asked:
        row.to_cancelled()
        _tell_cancelled(desk, case, update, reason=reason)
    else:
        row.to_rejected()
        row.refusal = reason[:200]
        desk.tell(case, kinds.REJECTED, update.occurred_at, reason=reason)


def leave_short(desk: Desk, case: Case, update: Update, missing: Portions) -> None:
    """Take units out of the fulfillment order; they are looked for elsewhere, unless the order is being
    cancelled."""
    target: ledger.Column = "cancelled" if case.row.cancel_intent == "cancel" else "open"
    told = []
    for part, units in missing:
        ledger.move([ledger.Move(case.order_lines[part.order_line_id], "released", target, units)])
        desk.free(case, part, units)
        part.quantity -= units
        told.append(line_fact(case, part, units))
    case.row.refusal = case.row.refusal or "short_picked"
    if target == "open":
        route_again(case)
    desk.tell(case, kinds.SHORT_PICKED, update.occurred_at, lines=told)


def route_again(case: Case) -> None:
    """Send the order back to routing for what is open."""
    case.order.attempts = 0
    lifecycle.send_to([case.order], lifecycle.ROUTING_STEP)


def portions(case: Case, counts: Sequence[Count]) -> Portions:
    """Units per line for counts by SKU, from what is left; no counts means everything left.

    Raises Unfit("unknown_sku" | "too_many").
    """
    if not counts:
        return [(part, part.reserved) for part in case.parts if part.reserved]
    found: Portions = []
    for sku, quantity in _sums(counts).items():
        parts = [part for part in case.parts if part.sku.code == sku]
        if not parts:
            raise Unfit("unknown_sku")
        if quantity > sum(part.reserved for part in parts):
            raise Unfit("too_many")
        for part in parts:
            units = min(part.reserved, quantity)
            quantity -= units
            if units:
                found.append((part, units))
    return found


def line_fact(case: Case, part: FulfillmentLine, units: int) -> dict[str, object]:
    """How an event names units of an order line."""
    position = case.order_lines[part.order_line_id].position
    return {"line": part.order_line_id, "position": position, "sku": part.sku.code, "quantity": units}


def _tell_cancelled(desk: Desk, case: Case, update: Update, *, reason: str) -> None:
    """The end of the fulfillment order, and of the order itself if nothing else of it is left."""
    order, stage_before = case.order, case.order.stage
    desk.tell(case, kinds.CANCELLED, update.occurred_at, reason=reason)
    if case.row.cancel_intent == "reroute":
        desk.tell(case, order_kinds.REROUTED, update.occurred_at, reason=reason)
    if order.stage == Stage.CANCELLED != stage_before:
        lifecycle.finish([order])
        desk.tell(case, order_kinds.CANCELLED, update.occurred_at, reason=reason)


def _sums(counts: Sequence[Count]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for count in counts:
        if count.quantity < 0:
            raise Unfit("too_many")
        found[count.sku] = found.get(count.sku, 0) + count.quantity
    return found
