"""Undoing what was last done to an order, while nothing of it has left the building.

The log says what was done; one table says what undoes it. Each undo is a verb like any other: it can be previewed, is
refused with the way out, and is told to the same systems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.events import log
from orderhub.events.models import Event, StreamHead
from orderhub.fulfillment import cancelling, moving, services, standing
from orderhub.fulfillment.cancelling import gone
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.standing import Stand
from orderhub.kernel.errors import Refused
from orderhub.orders import kinds, rejoining, restoring
from orderhub.orders import services as orders_services
from orderhub.orders.models import FollowUp, Order
from orderhub.orders.models.order import Stage

NOTE = "undo"
#: Says why a cancelled order cannot go on, as far as an upper layer knows (see `objects`).
Objection = Callable[[Order], Refused | None]
_objections: list[Objection] = []


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was last done to an order and can be undone: the event, and what undoing it is called."""

    event: Event
    verb: str


@dataclass(frozen=True, slots=True)
class _Call:
    """What an undo works with."""

    order: Order
    event: Event
    actor: str
    now: datetime

    @property
    def said(self) -> Mapping[str, Any]:
        """What the event told."""
        payload: Mapping[str, Any] = self.event.payload
        return payload


def objects(function: Objection) -> Objection:
    """Register who may object to a cancelled order going on."""
    if function not in _objections:
        _objections.append(function)
    return function


def last(order: Order) -> Undoable | None:
    """What would be undone now: the newest deed that was not undone. Deeds are undone in reverse order, one by one. One
    query.
    """
    events = list(
        Event.objects.filter(stream=order.stream, kind__in=[*_UNDO, *_ENDS, kinds.UNDONE.name]).order_by(
            "-seq"
        )
    )
    skipped: set[int] = set()
    for event in events:
        if event.kind == kinds.UNDONE.name:
            skipped |= {event.payload["undone"], *event.payload["own"]}
        elif event.seq not in skipped:
            return Undoable(event, _UNDO[event.kind][0]) if event.kind in _UNDO else None
    return None


@transaction.atomic
def undo(order_id: int, *, seq: int | None = None, actor: str, now: datetime) -> Order:
    """Undo what was last done to the order (`seq`: only if that is it); the order.

    Raises Refused: "unknown_order", "nothing_to_undo", "already_shipped", "already_released",
    "refund_sent", "follow_up_order", or what the verb that undoes it says.
    """
    order = Order.objects.select_for_update(of=("self",), no_key=True).filter(pk=order_id).first()
    if order is None:
        raise orders_services.unknown(order_id)
    found = last(order)
    if found is None or (seq is not None and found.event.seq != seq):
        raise _nothing(order)
    head = StreamHead.objects.get(stream=order.stream).seq
    _UNDO[found.event.kind][1](_Call(order, found.event, actor, now))
    order = Order.objects.get(pk=order.pk)
    own = Event.objects.filter(stream=order.stream, seq__gt=head).values_list("seq", flat=True)
    payload = {
        "undone": found.event.seq, "undone_kind": found.event.kind, "own": sorted(own), "note": "",
        "stage": order.stage,
    }  # fmt: skip
    log.record([log.Fact(order.stream, kinds.UNDONE.name, payload, order.merchant_id)], now=now, actor=actor)
    return order


# ---- what undoes what -----------------------------------------------------------------------------


def _unhold(call: _Call) -> None:
    reason = str(call.said["reason"])
    outcomes = orders_services.release_holds(
        [call.order.pk], reason=reason, note=NOTE, actor=call.actor, now=call.now
    )
    if not any(outcome.done for outcome in outcomes):
        raise _nothing(call.order)


def _hold_again(call: _Call) -> None:
    outcomes = orders_services.hold(
        [call.order.pk], reason=str(call.said["reason"]), detail=str(call.said.get("note") or ""),
        actor=call.actor, now=call.now,
    )  # fmt: skip
    _raise(outcomes)


def _rejoin(call: _Call) -> None:
    order, part = _untouched([call.order.pk, int(call.said["part_id"])], call)
    if part.stage in (Stage.CANCELLED, Stage.MERGED):
        raise _nothing(call.order)
    rejoining.rejoin(order, part, now=call.now, actor=call.actor)


def _part_again(call: _Call) -> None:
    moves = call.said.get("moves") or []
    ids = sorted({int(one["order"]) for one in moves})
    stands = standing.load([call.order.pk, *ids])
    here = {(line.position) for line in stands[call.order.pk].lines}
    if not moves or any(one["position"] not in here for one in moves):
        raise _nothing(call.order)
    _untouched([call.order.pk, *ids], call, stands=stands)
    others = [stands[pk].order for pk in ids]
    rejoining.part_again(stands[call.order.pk].order, others, moves, now=call.now, actor=call.actor)


def _move_back(call: _Call) -> None:
    _still_here(call.order)
    before, pinned = list(call.said["before"]), str(call.said.get("pinned_before") or "")
    if pinned or len(before) == 1:
        moving.move(call.order.pk, pinned or before[0], reason=NOTE, actor=call.actor, now=call.now)
    else:
        moving.let_go(call.order.pk, actor=call.actor, now=call.now)


def _restore_units(call: _Call) -> None:
    cancelling.restore_units(int(call.said["cancellation"]), reason=NOTE, actor=call.actor, now=call.now)


def _restore(call: _Call) -> None:
    order = call.order
    if order.stage != Stage.CANCELLED:
        raise _nothing(order)
    _still_here(order)
    if order.payment == Order.Payment.REFUNDED:
        raise Refused(
            "refund_sent", _("The payment of order %(number)s was sent back.") % {"number": order.number},
            remedy=_("Place the order again."), facts={"order": order.pk},
        )  # fmt: skip
    if FollowUp.objects.filter(new_order=order).exists():
        raise Refused(
            "follow_up_order", _("Order %(number)s was an exchange or a resend.") % {"number": order.number},
            remedy=_("Make a new one from the first order."), facts={"order": order.pk},
        )  # fmt: skip
    for objection in _objections:
        if (no := objection(order)) is not None:
            raise no
    restoring.restore(
        order, cancelled_at=call.event.recorded_at, reason=NOTE, now=call.now, actor=call.actor,
        was_released=FulfillmentOrder.objects.filter(order=order, released_at__isnull=False).exists(),
    )  # fmt: skip


def _cancel_new(call: _Call) -> None:
    """The new order is cancelled; where a warehouse has it, it is asked first, and its answer ends the follow-up."""
    _raise(services.cancel([int(call.said["order_id"])], reason=NOTE, actor=call.actor, now=call.now))


_UNDO: Mapping[str, tuple[str, Callable[[_Call], None]]] = {
    kinds.HELD.name: ("release", _unhold),
    kinds.HOLD_RELEASED.name: ("hold", _hold_again),
    kinds.SPLIT.name: ("rejoin", _rejoin),
    kinds.MERGED.name: ("part_again", _part_again),
    kinds.MOVED.name: ("move_back", _move_back),
    kinds.UNITS_CANCELLED.name: ("restore_units", _restore_units),
    kinds.CANCELLED.name: ("restore", _restore),
    kinds.EXCHANGED.name: ("cancel_new", _cancel_new),
    kinds.RESENT.name: ("cancel_new", _cancel_new),
}
#: Deeds that nothing undoes; what was done before them stays done.
_ENDS = (kinds.MERGED_INTO.name, kinds.ADDRESS_CHANGED.name, kinds.PERSON_ERASED.name)


def _untouched(
    order_ids: Sequence[int], call: _Call, *, stands: Mapping[int, Stand] | None = None
) -> list[Order]:
    """The orders, of which no warehouse has anything; what is planned of them is taken back."""
    found = stands or standing.load(order_ids)
    facts = standing.facts(found.values())
    for pk in order_ids:
        _still_here(found[pk].order)
        if facts[pk].is_with_warehouses:
            raise Refused(
                "already_released", _("Order %(number)s is with the warehouse already.") % {"number": found[pk].order.number},
                remedy=_("Put it on hold and re-route it first: the warehouse is asked to give it back."),
                facts={"order": pk},
            )  # fmt: skip
    standing.unplan([found[pk] for pk in order_ids], now=call.now, actor=call.actor)
    return [found[pk].order for pk in order_ids]


def _still_here(order: Order) -> None:
    if order.lines.filter(shipped__gt=0).exists():
        raise gone(order)


def _raise(outcomes: Sequence[orders_services.Outcome]) -> None:
    for outcome in outcomes:
        if outcome.refused is not None:
            raise outcome.refused


def _nothing(order: Order) -> Refused:
    return Refused(
        "nothing_to_undo", _("Nothing that was done to order %(number)s can be undone now.") % {"number": order.number},
        remedy=_("Look at its history; the newest deed is undone first."), facts={"order": order.pk},
    )  # fmt: skip
