"""What steps of drawn flows share: what they were given at a node, what was done there already, waiting and telling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from orderhub.events import log
from orderhub.orders import holding
from orderhub.orders.holding import NewHold
from orderhub.orders.models import Hold, Order
from rules.flow import NEXT, Context, Verdict, wait

#: Reason, detail and end of the hold an order gets.
HoldFor = tuple[str, str, datetime | None]
MOST_TAGS = 20
_WAITS = wait(holding.WAITING_FOR)


def given(order: Order, context: Context, name: str) -> str:
    """What the order's node was given under that name, as text; empty for nothing."""
    value = context.places[order.pk].given.get(name)
    return "" if value is None else str(value)


def minutes(order: Order, context: Context) -> int:
    """The minutes the order's node was given."""
    return int(given(order, context, "minutes") or 0)


def is_marked(order: Order, context: Context) -> bool:
    """Whether the order's node has done its work for the order, or has begun to let it wait."""
    return context.places[order.pk].id in order.flow_marks


def once(orders: Sequence[Order], context: Context) -> list[Order]:
    """Those for whom their node has not done its work yet; marked from now on."""
    fresh = [order for order in orders if not is_marked(order, context)]
    for order in fresh:
        order.flow_marks = [*order.flow_marks, context.places[order.pk].id]
    return fresh


def tell(orders: Sequence[Order], kind: str, names: Sequence[str], context: Context) -> None:
    """Record an event of this kind for each order, with what its node was given."""
    facts = [
        log.Fact(
            order.stream, kind,
            {"node": context.places[order.pk].id, **{name: given(order, context, name) for name in names}},
            order.merchant_id,
        )
        for order in orders
    ]  # fmt: skip
    log.record(facts, now=context.now, actor=context.actor)


def hold(orders: Sequence[Order], context: Context, told: Callable[[Order], HoldFor]) -> None:
    """Place a hold on each order and mark its node, so that it goes on there once the hold has ended."""
    once(orders, context)
    # Nobody who is held already comes here: the pass lets held orders stand.
    holding.place([NewHold(order, *told(order)) for order in orders], now=context.now, actor=context.actor)


def pause(
    orders: Sequence[Order], context: Context, until: Callable[[Order], datetime]
) -> Mapping[int, Verdict]:
    """Let orders wait until that moment. Whoever waited here goes on, and waits anew if it comes again."""
    waited = [order for order in orders if is_marked(order, context)]
    fresh = [order for order in orders if not is_marked(order, context)]
    for order in waited:
        here = context.places[order.pk].id
        order.flow_marks = [mark for mark in order.flow_marks if mark != here]
    hold(fresh, context, lambda order: (Hold.Reason.FLOW.value, "", until(order)))
    return verdicts(orders, fresh)


def tag(order: Order, name: str) -> None:
    """Put a tag on an order of the pass, which saves it; no more than twenty."""
    short = name.strip()[:40]
    if short and short not in order.tags and len(order.tags) < MOST_TAGS:
        order.tags = [*order.tags, short]


def verdicts(orders: Sequence[Order], waiting: Sequence[Order]) -> dict[int, Verdict]:
    """Those that wait stay, the others go on."""
    stay = {order.pk for order in waiting}
    return {order.pk: _WAITS if order.pk in stay else NEXT for order in orders}


def all_on(orders: Sequence[Order]) -> dict[int, Verdict]:
    """Everybody goes on."""
    return dict.fromkeys((order.pk for order in orders), NEXT)
