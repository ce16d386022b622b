"""Splitting an order into two and merging several into one: lines, money, holds and the way of each.

Works on orders whose rows the caller has locked and of which nothing is planned, released or shipped. Money is
shared line by line with the largest remainder, so that the sums of all parts are what they were, to the cent.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.kernel import canonical
from orderhub.kernel.money import shares
from orderhub.orders import holding, journeys, kinds, ledger, lifecycle, sharing, steps
from orderhub.orders.models import Hold, Order, OrderLine
from orderhub.orders.models.order import Stage
from rules.flow import Context

PRICING_STEP = "order.price"
#: Between the channel's own number and that of a part: T1~1. No channel writes it in a number.
MARK = "~"
_SUMS = ("goods_total", "discount_total", "total")
_LEDGER = ("ordered", *ledger.COLUMNS, "line_total", "discount")


@dataclass(frozen=True, slots=True)
class Sum:
    """What units of a line cost: their total and the discount taken off it."""

    total: Decimal
    discount: Decimal


def share(total: Decimal, discount: Decimal, *, ordered: int, moving: int) -> tuple[Sum, Sum]:
    """The sums of the units that stay and of those that move, pure; they add up, no discount above its total."""
    stays, moves = shares(total, [Decimal(ordered - moving), Decimal(moving)])
    stays_off, moves_off = shares(discount, [stays, moves])
    return Sum(stays, stays_off), Sum(moves, moves_off)


def movable(line: OrderLine) -> int:
    """Units of a line that no warehouse was given."""
    return line.open + line.backordered + line.allocated


def split(order: Order, portions: Mapping[int, int], *, reason: str, now: datetime, actor: str) -> Order:
    """Move units, by line position, into a new order with the same receiver, holds and way; the new order.

    Both go on where the order stood, from routing at the latest. The caller checked that the units are there
    and that some stay.
    """
    fix_money([order], now=now, actor=actor)
    lines = holding.lines_of([order])[order.pk]
    part = _sibling(order, now=now)
    held = _copy_holds(order, part)
    part.save(force_insert=True)
    moved = [_part_of(line, portions[line.position], part) for line in lines if portions.get(line.position)]
    whole = [line for line, new in moved if new is None]
    fresh = [new for _line, new in moved if new is not None]
    ledger.move(ledger.all_of([*lines, *fresh], ("backordered",), "open"))
    writing.save(lines, ["order", *_LEDGER])
    OrderLine.objects.bulk_create(fresh)
    Hold.objects.bulk_create(held)
    _add_up(order, [line for line in lines if line not in whole])
    _add_up(part, [*whole, *fresh])
    _go_on([order], held={order.pk} if part.stage == Stage.REVIEWING else set(), now=now, fields=_SUMS)
    writing.save([part], _SUMS)
    told = [{"position": position, "units": units} for position, units in sorted(portions.items()) if units]
    log.record(_split_facts(order, part, told, held, reason=reason), now=now, actor=actor)
    return part


def merge(orders: Sequence[Order], *, reason: str, now: datetime, actor: str) -> Order:
    """Bring the lines and holds of all orders together in the oldest one, which is returned; the others end
    as merged into it, with no lines and no money of their own.
    """
    fix_money(orders, now=now, actor=actor)
    first, *others = sorted(orders, key=lambda order: (order.received_at, order.pk))
    lines = holding.lines_of([first, *others])
    was = {line.pk: (order.pk, line.position) for order in others for line in lines[order.pk]}
    came = _bring_lines(first, others, lines)
    moves = [{"order": was[line.pk][0], "was": was[line.pk][1], "position": line.position} for line in came]
    holds = _bring_holds(first, others, now=now, actor=actor)
    for order in others:
        _add_up(order, ())
        order.merged_into = first
    _add_up(first, [*lines[first.pk], *came])
    lifecycle.transition(others, Stage.MERGED)
    lifecycle.finish(others)
    lifecycle.save(others, ["stage", *lifecycle.STEP_FIELDS, *_SUMS, "merged_into", "money_fixed"], now=now)
    Order.objects.filter(merged_into__in=others).update(merged_into=first)
    first.step = _earliest([first, *others])
    is_held = Hold.objects.filter(order=first, released_at__isnull=True).exists()
    _go_on([first], held={first.pk} if is_held else set(), now=now, fields=_SUMS)
    log.record(_merge_facts(first, others, moves, holds, reason=reason), now=now, actor=actor)
    return first


def fix_money(orders: Sequence[Order], *, now: datetime, actor: str) -> None:
    """Work out promotions that were not yet, so that what the orders cost is settled before lines move; the
    caller saves `money_fixed`.
    """
    walks = journeys.walks_of(orders)
    pending = [order for order in orders if _awaits_pricing(order, walks[order.pk])]
    if pending:
        steps.price(pending, Context(now, actor))
    for order in orders:
        order.money_fixed = True


def is_priced(order: Order) -> bool:
    """Whether the order has passed the step that works out promotions, or needs not."""
    return not _awaits_pricing(order, journeys.walk_of(order))


def _awaits_pricing(order: Order, walk: journeys.Walk) -> bool:
    return not order.money_fixed and walk.has_ahead(order, PRICING_STEP)


def _sibling(order: Order, *, now: datetime) -> Order:
    count = Order.objects.filter(split_from=order).count() + 1
    tail = f"{MARK}{count}"
    external_id = f"{order.external_id[: 100 - len(tail)]}{tail}"
    part = Order(
        **{
            field.attname: getattr(order, field.attname)
            for field in Order._meta.concrete_fields
            if not field.primary_key and field.attname != "stage"
        }
    )
    part.public_id, part.share_nonce, part.external_id = uuid.uuid4(), 0, external_id
    sharing.stamp(part)
    part.content_hash = canonical.digest(["split", order.content_hash, external_id])
    part.split_from, part.source = order, f"split:{order.pk}"
    part.promised_at, part.attempts, part.version, part.updated_at = None, 0, 1, now
    lifecycle.send_to([part], order.step if is_before_routing(order) else lifecycle.ROUTING_STEP)
    return part


def _copy_holds(order: Order, part: Order) -> list[Hold]:
    """The order's holds for its part too, so that splitting leads around none; also those that ended, so that
    screening does not raise them again.
    """
    holds = list(Hold.objects.filter(order=order).order_by("pk"))
    for hold in holds:
        hold.pk, hold.order = None, part
    if any(hold.released_at is None for hold in holds):
        lifecycle.transition([part], Stage.REVIEWING)
        lifecycle.park([part], holding.WAITING_FOR)
    return holds


def _part_of(line: OrderLine, units: int, part: Order) -> tuple[OrderLine, OrderLine | None]:
    """Take units out of a line for a part: the whole line goes over, or a new one is made, at its position."""
    if units == line.ordered:
        line.order = part
        return line, None
    stays, moves = share(line.line_total, line.discount, ordered=line.ordered, moving=units)
    new = OrderLine(
        order=part, position=line.position, sku_id=line.sku_id, name=line.name, unit_price=line.unit_price,
        line_total=moves.total, discount=moves.discount, ordered=units, open=units, origin_id=line.origin_id,
        custom=line.custom,
    )  # fmt: skip
    waiting = min(line.backordered, units)
    line.backordered, line.open = line.backordered - waiting, line.open - (units - waiting)
    line.ordered -= units
    line.line_total, line.discount = stays.total, stays.discount
    return line, new


def _bring_lines(
    first: Order, others: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]]
) -> list[OrderLine]:
    last = max((line.position for line in lines[first.pk]), default=0)
    came = [line for order in others for line in lines[order.pk]]
    for position, line in enumerate(came, last + 1):
        line.origin_id = line.origin_id or line.order_id
        line.order, line.position = first, position
    everything = [*lines[first.pk], *came]
    ledger.move(ledger.all_of(everything, ("backordered",), "open"))
    writing.save(everything, ["order", "position", "origin", *ledger.COLUMNS])
    return came


def _bring_holds(first: Order, others: Sequence[Order], *, now: datetime, actor: str) -> list[str]:
    """Active holds go over, one per reason; the reasons that are new to the surviving order."""
    holds = holding.active([first.pk, *(order.pk for order in others)])
    have = {hold.reason for hold in holds if hold.order_id == first.pk}
    coming = {hold.reason: hold for hold in holds if hold.order_id != first.pk and hold.reason not in have}
    Hold.objects.filter(pk__in=[hold.pk for hold in holds if hold.order_id != first.pk]).update(
        released_at=now, released_by=actor[:80], release_note=first.number
    )
    for hold in coming.values():
        hold.pk, hold.order = None, first
    Hold.objects.bulk_create(coming.values())
    return sorted(coming)


def _add_up(order: Order, lines: Sequence[OrderLine]) -> None:
    order.goods_total = sum((line.line_total for line in lines), Decimal(0))
    order.discount_total = sum((line.discount for line in lines), Decimal(0))
    order.total = order.goods_total - order.discount_total


def _go_on(orders: Sequence[Order], *, held: set[int], now: datetime, fields: Sequence[str]) -> None:
    """Send orders on from where they stood, from routing at the latest; the held ones wait there."""
    lifecycle.transition([x for x in orders if x.stage in {Stage.ROUTED, Stage.BACKORDERED}], Stage.RECEIVED)
    for order in orders:
        order.attempts = 0
        lifecycle.send_to([order], order.step if is_before_routing(order) else lifecycle.ROUTING_STEP)
    waiting = [order for order in orders if order.pk in held]
    lifecycle.transition([x for x in waiting if x.stage == Stage.RECEIVED], Stage.REVIEWING)
    lifecycle.park(waiting, holding.WAITING_FOR)
    lifecycle.save(orders, ["stage", *lifecycle.STEP_FIELDS, "money_fixed", *fields], now=now)


def is_before_routing(order: Order) -> bool:
    """Whether the order has still to come to routing."""
    if order.flow_version_id is not None:
        return journeys.walk_of(order).is_before(order, lifecycle.ROUTING_STEP)
    usual = journeys.built_in()
    if order.step not in usual or lifecycle.ROUTING_STEP not in usual:
        return False
    return usual.index(order.step) < usual.index(lifecycle.ROUTING_STEP)


def _earliest(orders: Sequence[Order]) -> str:
    """The step of the order that came least far: nothing is merged past a check."""
    first, *_others = orders
    before = {order: _coming(order) for order in orders if is_before_routing(order)}
    if not before:
        return lifecycle.ROUTING_STEP
    least = min(before.values(), key=journeys.built_in().index)
    return first.step if before.get(first) == least else least


def _coming(order: Order) -> str:
    """The next step of the built-in journey that an order before routing comes to."""
    if order.flow_version_id is None:
        return order.step
    walk = journeys.walk_of(order)
    return next(step for step in journeys.built_in() if walk.has_ahead(order, step))


def _split_facts(
    order: Order, part: Order, told: Sequence[Mapping[str, int]], holds: Sequence[Hold], *, reason: str
) -> list[log.Fact]:
    here = {
        "part": part.number, "part_id": part.pk, "lines": told, "total": order.total, "reason": reason,
        "stage": order.stage,
    }  # fmt: skip
    there = {
        "from": order.number, "from_id": order.pk, "external_id": part.external_id,
        "channel": order.channel.code, "total": part.total, "currency": part.currency, "lines": len(told),
        "paid": part.payment == Order.Payment.PAID, "reason": reason, "stage": part.stage,
        "holds": sorted({hold.reason for hold in holds if hold.released_at is None}),
    }  # fmt: skip
    return [
        log.Fact(order.stream, kinds.SPLIT.name, here, order.merchant_id),
        log.Fact(part.stream, kinds.SPLIT_OFF.name, there, part.merchant_id),
    ]


def _merge_facts(
    first: Order,
    others: Sequence[Order],
    moves: Sequence[Mapping[str, int]],
    holds: Sequence[str],
    *,
    reason: str,
) -> list[log.Fact]:
    here = {
        "orders": [order.number for order in others], "external_ids": [x.external_id for x in others],
        "lines": len(moves), "total": first.total, "holds": holds, "moves": moves, "reason": reason,
        "stage": first.stage,
    }  # fmt: skip
    there = {"into": first.number, "into_id": first.pk, "reason": reason}
    ended = [
        log.Fact(x.stream, kinds.MERGED_INTO.name, {**there, "stage": x.stage}, x.merchant_id) for x in others
    ]
    return [log.Fact(first.stream, kinds.MERGED.name, here, first.merchant_id), *ended]
