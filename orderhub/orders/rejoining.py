"""Undoing a split or a merge: units and money go back to the order they came from, to the last cent.

Works on orders whose rows the caller has locked and of which nothing is planned, released or shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from orderhub.events import log
from orderhub.events import rows as writing
from orderhub.orders import holding, journeys, kinds, ledger, lifecycle
from orderhub.orders.models import Hold, LineCredit, Order, OrderLine
from orderhub.orders.models.order import Stage

_SUMS = ("goods_total", "discount_total", "total")
_ADDED = ("ordered", *ledger.COLUMNS, "line_total", "discount")


def rejoin(order: Order, part: Order, *, now: datetime, actor: str) -> Order:
    """Bring the units of a part back into the lines they were split from; the part ends as merged into the order."""
    lines = holding.lines_of([order, part])
    ledger.move(ledger.all_of([*lines[order.pk], *lines[part.pk]], ("backordered",), "open"))
    units = sum(line.ordered - line.cancelled for line in lines[part.pk])
    here, emptied = list(lines[order.pk]), []
    for line in lines[part.pk]:
        same = next((x for x in here if _is_same(x, line)), None)
        if same is None:
            taken = {x.position for x in here}
            line.order = order
            line.position = line.position if line.position not in taken else max(taken) + 1
            here.append(line)
        else:
            for name in _ADDED:
                setattr(same, name, getattr(same, name) + getattr(line, name))
                setattr(line, name, type(getattr(line, name))(0))
            LineCredit.objects.filter(line=line).update(line=same)
            emptied.append(line)
    # An emptied line stays for what was planned of it once; it counts for nothing.
    writing.save([*here, *emptied], ["order", "position", *_ADDED])
    _add_up(order, here)
    _add_up(part, ())
    part.merged_into = order
    lifecycle.transition([part], Stage.MERGED)
    lifecycle.finish([part])
    Hold.objects.filter(order=part, released_at__isnull=True).update(
        released_at=now, released_by=actor[:80], release_note=order.number
    )
    lifecycle.save([part], ["stage", *lifecycle.STEP_FIELDS, *_SUMS, "merged_into"], now=now)
    _send_on([order], now=now)
    payload = {
        "part": part.number, "part_id": part.pk, "lines": units, "total": order.total, "stage": order.stage,
    }  # fmt: skip
    facts = [
        log.Fact(order.stream, kinds.REJOINED.name, payload, order.merchant_id),
        log.Fact(
            part.stream, kinds.MERGED_INTO.name,
            {"into": order.number, "into_id": order.pk, "reason": "", "stage": part.stage}, part.merchant_id,
        ),
    ]  # fmt: skip
    log.record(facts, now=now, actor=actor)
    return order


def part_again(
    first: Order, others: Sequence[Order], moves: Sequence[Mapping[str, int]], *, now: datetime, actor: str
) -> list[Order]:
    """Give lines that a merge brought back to the orders they came from; `moves` as the merge told them: order, the
    position it was, the position it got. Those orders stand again as they were, with the holds of the whole.
    """
    by_id = {order.pk: order for order in others}
    lines = holding.lines_of([first])[first.pk]
    ledger.move(ledger.all_of(lines, ("backordered",), "open"))
    back: dict[int, list[OrderLine]] = {order.pk: [] for order in others}
    by_position = {line.position: line for line in lines}
    for one in moves:
        line = by_position[one["position"]]
        line.order, line.position = by_id[one["order"]], one["was"]
        line.origin_id = None if line.origin_id == one["order"] else line.origin_id
        back[one["order"]].append(line)
    writing.save(lines, ["order", "position", "origin", *ledger.COLUMNS])
    moved = [line for group in back.values() for line in group]
    _add_up(first, [line for line in lines if line not in moved])
    holds = holding.active([first.pk])
    lifecycle.transition(others, Stage.RECEIVED)
    for order in others:
        _add_up(order, back[order.pk])
        order.merged_into = None
        # Orders that were merged into that one before are with it again.
        earlier = {line.origin_id for line in back[order.pk] if line.origin_id is not None}
        Order.objects.filter(pk__in=earlier, merged_into=first).update(merged_into=order)
        for hold in holds:
            hold.pk, hold.order = None, order
        Hold.objects.bulk_create(holds)
    _send_on([first, *others], now=now)
    payload = {
        "orders": [order.number for order in others], "order_ids": [order.pk for order in others],
        "lines": len(moved), "total": first.total,
    }  # fmt: skip
    facts = [
        log.Fact(x.stream, kinds.PARTED_AGAIN.name, {**payload, "stage": x.stage}, x.merchant_id)
        for x in (first, *others)
    ]
    log.record(facts, now=now, actor=actor)
    return [first, *others]


def _is_same(one: OrderLine, other: OrderLine) -> bool:
    return (one.position, one.sku_id, one.unit_price, one.origin_id) == (
        other.position, other.sku_id, other.unit_price, other.origin_id,
    )  # fmt: skip


def _send_on(orders: Sequence[Order], *, now: datetime) -> None:
    """From the first step, so that every check sees what the order holds now; held ones wait there."""
    held = {hold.order_id for hold in holding.active([order.pk for order in orders])}
    lifecycle.transition([x for x in orders if x.stage in {Stage.ROUTED, Stage.BACKORDERED}], Stage.RECEIVED)
    for order in orders:
        order.attempts, order.money_fixed = 0, True
        first, order.flow_node = journeys.walk_of(order).first
        order.flow_marks = []
        lifecycle.send_to([order], first)
    waiting = [order for order in orders if order.pk in held]
    lifecycle.transition([x for x in waiting if x.stage == Stage.RECEIVED], Stage.REVIEWING)
    lifecycle.park(waiting, holding.WAITING_FOR)
    fields = ["stage", *lifecycle.STEP_FIELDS, *lifecycle.FLOW_FIELDS, *_SUMS, "merged_into", "money_fixed"]
    lifecycle.save(orders, fields, now=now)


def _add_up(order: Order, lines: Sequence[OrderLine]) -> None:
    order.goods_total = sum((line.line_total for line in lines), Decimal(0))
    order.discount_total = sum((line.discount for line in lines), Decimal(0))
    order.total = order.goods_total - order.discount_total
