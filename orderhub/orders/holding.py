"""Placing and releasing holds on orders whose rows the caller has locked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from orderhub.events import log
from orderhub.orders import kinds, lifecycle
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage, StepState

#: What an order waits for while any hold is active.
WAITING_FOR = "hold"
#: What the scope reference of a hold begins with that an address change placed.
FREEZE = "change:"
_REVIEWABLE = frozenset({Stage.RECEIVED, Stage.ROUTED, Stage.BACKORDERED})


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be placed on a locked order; `detail_en` is what it is about in English, where it is known."""

    order: Order
    reason: str
    detail: str = ""
    until: datetime | None = None
    detail_en: str = ""


def can_hold(order: Order) -> bool:
    """Whether some of the order still waits to be handed to a warehouse."""
    return order.step_state != StepState.DONE


def place(holds: Sequence[NewHold], *, now: datetime, actor: str) -> None:
    """Place holds that are not active yet, stop the orders at their step and record it. The caller asked
    `can_hold`.
    """
    if not holds:
        return
    Hold.objects.bulk_create([
        Hold(
            order=x.order, reason=x.reason, detail=x.detail[:300], until=x.until, placed_at=now,
            placed_by=actor[:80],
        )
        for x in holds
    ])  # fmt: skip
    orders = list({x.order.pk: x.order for x in holds}.values())
    lifecycle.transition([order for order in orders if order.stage in _REVIEWABLE], Stage.REVIEWING)
    lifecycle.park(orders, WAITING_FOR)
    lifecycle.save(orders, ["stage", *lifecycle.STEP_FIELDS], now=now)
    facts = [
        log.Fact(
            x.order.stream, kinds.HELD.name,
            {"reason": x.reason, "detail": x.detail, "until": x.until, "stage": x.order.stage}
            | ({"detail_en": x.detail_en} if x.detail_en else {}),
            x.order.merchant_id,
        )
        for x in holds
    ]  # fmt: skip
    log.record(facts, now=now, actor=actor)


def active(order_ids: Collection[int]) -> list[Hold]:
    """The active holds of these orders, oldest first."""
    return list(Hold.objects.filter(order_id__in=order_ids, released_at__isnull=True).order_by("pk"))


def release(
    orders: Sequence[Order], chosen: Callable[[Hold], bool], *, note: str, now: datetime, actor: str
) -> set[int]:
    """Release the chosen active holds of locked orders; the ids of orders that lost one.

    An order without any hold left goes on at its step, in the stage its lines say. Five queries or a few
    more.
    """
    by_id = {order.pk: order for order in orders}
    ending = lift(orders, chosen, note=note, now=now, actor=actor)
    facts = [
        log.Fact(
            by_id[hold.order_id].stream, kinds.HOLD_RELEASED.name,
            {"reason": hold.reason, "note": note, "stage": by_id[hold.order_id].stage},
            by_id[hold.order_id].merchant_id,
        )
        for hold in ending
    ]  # fmt: skip
    log.record(facts, now=now, actor=actor)
    return {hold.order_id for hold in ending}


def lift(
    orders: Sequence[Order], chosen: Callable[[Hold], bool], *, note: str, now: datetime, actor: str
) -> list[Hold]:
    """Like `release`, but the caller tells the log what ended them; the holds that ended."""
    by_id = {order.pk: order for order in orders}
    holds = active(by_id)
    ending = [hold for hold in holds if chosen(hold)]
    if not ending:
        return []
    touched = {hold.order_id for hold in ending}
    still_held = {hold.order_id for hold in holds if not chosen(hold)}
    Hold.objects.filter(pk__in=[hold.pk for hold in ending]).update(
        released_at=now, released_by=actor[:80], release_note=note[:300]
    )
    _resume([by_id[pk] for pk in sorted(touched - still_held)], now=now)
    return ending


def is_freeze(hold: Hold) -> bool:
    """Whether the hold belongs to an address change under way, and ends with it and not by hand."""
    return hold.scope_ref.startswith(FREEZE)


def _resume(orders: Sequence[Order], *, now: datetime) -> None:
    waiting = [order for order in orders if order.step_state == StepState.WAITING]
    lines = lines_of(waiting)
    stages: dict[Stage, list[Order]] = {}
    for order in waiting:
        if order.stage == Stage.REVIEWING:
            stages.setdefault(lifecycle.stage_of(lines[order.pk]), []).append(order)
    for stage, group in stages.items():
        lifecycle.transition(group, stage)
    for order in waiting:
        lifecycle.send_to([order], order.step)
    lifecycle.save(waiting, ["stage", *lifecycle.STEP_FIELDS], now=now)


def lines_of(orders: Sequence[Order]) -> dict[int, list[OrderLine]]:
    """The lines of these orders by order id, in position order; one query."""
    found: dict[int, list[OrderLine]] = {order.pk: [] for order in orders}
    if found:
        for line in OrderLine.objects.filter(order_id__in=found).order_by("order_id", "position"):
            found[line.order_id].append(line)
    return found
