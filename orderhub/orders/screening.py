"""Everything that may hold an order before it goes on: payment, merge window, rules, cross-border checks, risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from orderhub.orders import carrying
from orderhub.orders.compliance import checking, shipments
from orderhub.orders.holding import NewHold
from orderhub.orders.models import Hold, Order
from orderhub.orders.risk import screening as risk
from rules.engine import FiredAction
from rules.flow import Context

#: What the rules said of one order: the actions in order, each with the code of its set.
Said = Sequence[tuple[str, FiredAction]]


def wanted(orders: Sequence[Order], said: Mapping[int, Said], context: Context) -> list[NewHold]:
    """The holds these locked orders need now, at most one per reason; the caller places them.

    A reason that somebody released once is not raised again by payment, merge window or rules: a person looked at it.
    The cross-border checks raise theirs until what is missing is there, the risk check when there are new signs.
    """
    had = {(hold.order_id, hold.reason) for hold in Hold.objects.filter(order__in=orders)}
    plain = [hold for order in orders for hold in _reasons(order, said[order.pk], context)]
    plain = [hold for hold in plain if (hold.order.pk, hold.reason) not in had]
    return _one_per_reason([*plain, *_checked(orders, context)])


def _checked(orders: Sequence[Order], context: Context) -> list[NewHold]:
    """What the two checks ask for; no statement where nobody has them on and nothing crosses a border."""
    concerned = [order for order in orders if risk.is_on(order) or shipments.is_cross_border(order)]
    if not concerned:
        return []
    lines = carrying.lines_of(concerned, context)
    compliance = checking.assess(concerned, lines, now=context.now)
    return compliance.holds + risk.assess(concerned, lines, near=compliance.near, now=context.now)


def _reasons(order: Order, said: Said, context: Context) -> list[NewHold]:
    """Payment, the channel's merge window, then what the rules say."""
    found: list[NewHold] = []
    if order.payment == Order.Payment.UNPAID:
        found.append(NewHold(order, Hold.Reason.AWAITING_PAYMENT.value))
    until = order.received_at + timedelta(seconds=order.channel.merge_window_seconds)
    if until > context.now:
        found.append(NewHold(order, Hold.Reason.MERGE_WINDOW.value, until=until))
    details: dict[str, list[str]] = {}
    for code, action in said:
        detail = str(action.params.get("detail") or f"{code}/{action.rule_id}")
        details.setdefault(str(action.params["reason"]), []).append(detail)
    have = {hold.reason for hold in found}
    return found + [
        NewHold(order, reason, "; ".join(texts)) for reason, texts in details.items() if reason not in have
    ]


def _one_per_reason(holds: Sequence[NewHold]) -> list[NewHold]:
    """Two causes of one reason are one hold that says both; it lasts until the later of them."""
    merged: dict[tuple[int, str], NewHold] = {}
    for hold in holds:
        key = hold.order.pk, hold.reason
        first = merged.get(key)
        if first is None:
            merged[key] = hold
            continue
        until = None if first.until is None or hold.until is None else max(first.until, hold.until)
        merged[key] = NewHold(
            hold.order, hold.reason, "; ".join(filter(None, (first.detail, hold.detail))), until,
            "; ".join(one.detail_en or one.detail for one in (first, hold) if one.detail)
            if first.detail_en or hold.detail_en else "",
        )  # fmt: skip
    return list(merged.values())
