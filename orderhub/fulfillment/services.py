"""What may be done to fulfillment orders: apply what warehouses and carriers say, cancel, send elsewhere.

Every verb works on batches: one transaction per 200, orders locked in id order, then stock, then the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from orderhub.access.models import Merchant
from orderhub.fulfillment import (
    actions,
    addresses,
    cancelling,
    handlers,
    parcels,
    production,
    reserve,
    standing,
)
from orderhub.fulfillment import desk as desks
from orderhub.fulfillment.asking import request_cancel
from orderhub.fulfillment.desk import Desk
from orderhub.fulfillment.handlers import Handler, Ignored, Unfit
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.standing import Stand
from orderhub.fulfillment.updates import Applied, Count, Update, UpdateKind
from orderhub.orders import ledger, lifecycle
from orderhub.orders import services as orders_services
from orderhub.orders.models import Order
from orderhub.orders.models.order import Stage
from orderhub.orders.services import Outcome

__all__ = ["Applied", "Count", "Outcome", "Update", "apply", "cancel", "request_cancel", "reroute"]

BATCH = 200
_HANDLERS: Mapping[UpdateKind, Handler] = {
    "acknowledge": handlers.acknowledge,
    "pick": handlers.pick,
    "pack": parcels.pack,
    "ship": parcels.ship,
    "reject": handlers.reject,
    "short": handlers.short,
    "cancelled": handlers.cancelled,
    "cancel_refused": handlers.cancel_refused,
    "scan": parcels.scan,
    "deliver": parcels.deliver,
    "redirected": parcels.redirected,
    "intercept_refused": parcels.intercept_refused,
    "make": production.make,
}


def apply(
    updates: Sequence[Update], *, merchant: Merchant | None = None, now: datetime, actor: str = "system"
) -> list[Applied]:
    """Apply updates in the order they occurred; one outcome per update, in the order given.

    With `merchant`, fulfillment orders of others are unknown. Late and repeated updates are ignored; an
    update that cannot be true is refused and changes nothing, the others of the batch are applied.
    """
    outcomes: list[Applied] = []
    for start in range(0, len(updates), BATCH):
        with transaction.atomic():
            outcomes += _apply(updates[start : start + BATCH], merchant=merchant, now=now, actor=actor)
    return outcomes


@transaction.atomic
def cancel(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> list[Outcome]:
    """Cancel orders, wherever they stand before shipping.

    Before release: at once, stock is free again (done). After release: the warehouses are asked, and the
    order ends when they agree (neither done nor refused). Refused("already_shipped") once a unit has left.
    """
    return _stop(order_ids, intent="cancel", reason=reason, actor=actor, now=now)


@transaction.atomic
def reroute(order_ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> list[Outcome]:
    """Send what has not shipped back to routing.

    What no warehouse has yet goes at once (done); released parts are asked back, and go when the warehouse
    agrees. Refused("already_shipped") if nothing is left to route.
    """
    return _stop(order_ids, intent="reroute", reason=reason, actor=actor, now=now)


def drop_unreleased(order_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Free what orders hold that were cancelled or sent back to routing by the orders' own verbs; rows
    dropped.

    Idempotent: an order that was planned afresh meanwhile is left alone.
    """
    with transaction.atomic():
        orders = list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk"))
        gone = [order.pk for order in orders if order.stage == Stage.CANCELLED]
        return len(reserve.drop(gone, lines=(), move_units=False, now=now, actor=actor))


def _apply(
    updates: Sequence[Update], *, merchant: Merchant | None, now: datetime, actor: str
) -> list[Applied]:
    desk = desks.load(
        (update.fulfillment_number for update in updates),
        (
            update.tracking_number
            for update in updates
            if update.kind in ("pack", "ship") and update.tracking_number
        ),
        merchant_id=merchant.pk if merchant else None,
        now=now,
        actor=actor,
    )
    outcomes: dict[int, Applied] = {}
    for position in sorted(range(len(updates)), key=lambda n: (updates[n].occurred_at, n)):
        outcomes[position] = _handle(desk, updates[position])
    desk.write()
    # A warehouse that was asked to stop may have answered an address change.
    asked = {
        case.order.pk
        for case in desk.cases.values()
        if case.row.state_before_cancel or any(parcel.intercept for parcel in case.parcels)
    }
    cancelling.settle(asked, now=now, actor=actor)
    addresses.settle(asked, now=now, actor=actor)
    return [outcomes[position] for position in range(len(updates))]


def _handle(desk: Desk, update: Update) -> Applied:
    case = desk.cases.get(update.fulfillment_number)
    if case is None:
        return Applied(update, "refused", "unknown_fulfillment")
    if case.row.state in (State.PLANNED, State.RESERVED):
        return Applied(update, "refused", "not_released")
    try:
        _HANDLERS[update.kind](desk, case, update)
    except Ignored as why:
        return Applied(update, "ignored", str(why))
    except Unfit as why:
        return Applied(update, "refused", str(why))
    return Applied(update, "applied")


def _stop(order_ids: Sequence[int], *, intent: str, reason: str, actor: str, now: datetime) -> list[Outcome]:
    stands = standing.load(order_ids)
    refused = {
        pk: actions.shipped(stand.order) for pk, stand in stands.items() if _is_too_late(stand, intent)
    }
    going = {pk: stand for pk, stand in stands.items() if pk not in refused}
    at_once = [pk for pk, stand in going.items() if stand.is_movable or not stand.numbers]
    outcomes = {pk: Outcome(pk, False, refused.get(pk)) for pk in order_ids}
    if intent == "cancel":
        whole = [pk for pk in at_once if not going[pk].numbers]
        outcomes |= {
            o.order_id: o for o in orders_services.cancel(whole, reason=reason, actor=actor, now=now)
        }
        reserve.drop(whole, lines=(), move_units=False, now=now, actor=actor)
        _cancel_rest([going[pk] for pk in at_once if going[pk].numbers], now=now, actor=actor)
    else:
        _choose_freely(going.values(), now=now)
        standing.unplan([going[pk] for pk in at_once], now=now, actor=actor)
        outcomes |= {
            o.order_id: o for o in orders_services.reroute(at_once, reason=reason, actor=actor, now=now)
        }
    asked = [number for stand in going.values() for number in stand.numbers]
    request_cancel(asked, reason=reason, intent=intent, actor=actor, now=now)
    unknown = [pk for pk in order_ids if pk not in stands]  # refused in the orders' own words
    outcomes |= {o.order_id: o for o in orders_services.reroute(unknown, reason=reason, actor=actor, now=now)}
    return [outcomes[pk] for pk in order_ids]


def _is_too_late(stand: Stand, intent: str) -> bool:
    if intent == "cancel":
        return stand.has_shipped
    return stand.has_shipped and not stand.is_movable and not stand.numbers


def _choose_freely(stands: Iterable[Stand], *, now: datetime) -> None:
    """Routing decides again among all warehouses, also for orders that somebody had moved to one."""
    moved = [stand.order for stand in stands if stand.order.only_at_id is not None]
    for order in moved:
        order.only_at = None
    lifecycle.save(moved, ["only_at"], now=now)


def _cancel_rest(stands: Sequence[Stand], *, now: datetime, actor: str) -> None:
    """Cancel what no warehouse has of orders whose other parts are being asked back."""
    standing.unplan(stands, now=now, actor=actor)
    lines = [line for stand in stands for line in stand.lines]
    ledger.move(ledger.all_of(lines, ("open", "backordered"), "cancelled"))
    ledger.save(lines)
    orders = [stand.order for stand in stands]
    lifecycle.finish(orders)
    lifecycle.save(orders, lifecycle.STEP_FIELDS, now=now)
