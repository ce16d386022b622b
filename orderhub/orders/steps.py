"""The orders' own steps: screening, which may hold, and pricing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from orderhub.events import log, rows
from orderhub.orders import carrying, holding, kinds, ledger, lifecycle, pricing, vocabulary
from orderhub.orders.models import Hold, Order, OrderLine
from rules import services as rules
from rules.engine import FiredAction
from rules.flow import NEXT, Context, Verdict, step, wait

_FACTS = "orders.facts"
#: What the rules said of one order: the actions in order, each with the code of its set.
Said = list[tuple[str, FiredAction]]


@step("order.screen", zh="审核订单", en="Screen the order")
def screen(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
    """Hold what is unpaid, inside its merge window, or caught by a screening rule; the rest goes on.

    A reason that somebody released once is not raised again: a person looked at it.
    """
    said = _ask("screen", orders, context)
    had = {(hold.order_id, hold.reason) for hold in Hold.objects.filter(order__in=orders)}
    wanted = [hold for order in orders for hold in _reasons(order, said[order.pk], now=context.now)]
    new = [hold for hold in wanted if (hold.order.pk, hold.reason) not in had]
    holding.place(new, now=context.now, actor=context.actor)
    held = {hold.order.pk for hold in new}
    return {order.pk: wait(holding.WAITING_FOR) if order.pk in held else NEXT for order in orders}


@step("order.price", zh="计算优惠", en="Apply promotions")
def price(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
    """Take promotions off and share them among the lines; told to the log only where the sums change.

    An order that was split or merged keeps the sums it has.
    """
    open_to = [order for order in orders if not order.money_fixed]
    said = _ask("price", open_to, context)
    changed = [order for order in open_to if _reprice(order, said[order.pk])]
    lines = carrying.lines_of(changed, context)
    for order in changed:
        _share(order, lines[order.pk])
    lifecycle.save(changed, ["discount_total", "total"], now=context.now)
    ledger.save([line for order in changed for line in lines[order.pk]], ["discount"])
    facts = [log.Fact(x.stream, kinds.PRICED.name, _priced(x, said[x.pk]), x.merchant_id) for x in changed]
    log.record(facts, now=context.now, actor=context.actor)
    return dict.fromkeys((order.pk for order in orders), NEXT)


def _reasons(order: Order, said: Said, *, now: datetime) -> list[holding.NewHold]:
    """At most one hold per reason: payment, the channel's merge window, then what the rules say."""
    found: list[holding.NewHold] = []
    if order.payment == Order.Payment.UNPAID:
        found.append(holding.NewHold(order, Hold.Reason.AWAITING_PAYMENT.value))
    until = order.received_at + timedelta(seconds=order.channel.merge_window_seconds)
    if until > now:
        found.append(holding.NewHold(order, Hold.Reason.MERGE_WINDOW.value, until=until))
    details: dict[str, list[str]] = {}
    for code, action in said:
        detail = str(action.params.get("detail") or f"{code}/{action.rule_id}")
        details.setdefault(str(action.params["reason"]), []).append(detail)
    have = {hold.reason for hold in found}
    return found + [
        holding.NewHold(order, reason, "; ".join(texts))
        for reason, texts in details.items()
        if reason not in have
    ]


def _ask(purpose: str, orders: Sequence[Order], context: Context) -> dict[int, Said]:
    """What the rule sets in force say of each order.

    The versions are noted on the order and saved. One query when no set is published for these merchants.
    """
    in_force = rules.in_force_many(purpose, {_scope(order) for order in orders})
    asked = [order for order in orders if in_force[_scope(order)]]
    facts = _facts(asked, context)
    said: dict[int, Said] = {order.pk: [] for order in orders}
    for order in asked:
        for found in in_force[_scope(order)]:
            outcome = found.run(facts[order.pk], now=context.now)
            said[order.pk] += [(found.code, action) for action in outcome.actions]
    _note_versions({order: in_force[_scope(order)] for order in asked})
    return said


def _facts(orders: Sequence[Order], context: Context) -> dict[int, dict[str, object]]:
    """The facts of the orders; pricing finds those that screening has looked up, nothing has changed since."""
    known: dict[int, dict[str, object]] = context.kept.setdefault(_FACTS, {})
    missing = [order for order in orders if order.pk not in known]
    if missing:
        lines = carrying.lines_of(missing, context)
        known.update(vocabulary.facts_of(missing, lines, now=context.now))
    return known


def _note_versions(asked: Mapping[Order, Sequence[rules.ActiveSet]]) -> None:
    changed = []
    for order, sets in asked.items():
        noted = {**order.rule_versions, **{found.code: found.number for found in sets}}
        if noted != order.rule_versions:
            order.rule_versions = noted
            changed.append(order)
    rows.save(changed, ["rule_versions"])


def _reprice(order: Order, said: Said) -> bool:
    """Set the sums that the rules give; whether they differ from before."""
    off = pricing.discount(order.goods_total, [action for _code, action in said])
    if off == order.discount_total:
        return False
    order.discount_total, order.total = off, order.goods_total - off
    return True


def _share(order: Order, lines: Sequence[OrderLine]) -> None:
    shares = pricing.allocate(order.discount_total, [line.line_total for line in lines])
    for line, share in zip(lines, shares, strict=True):
        line.discount = share


def _priced(order: Order, said: Said) -> dict[str, object]:
    names = [f"{code}/{action.rule_id}" for code, action in said]
    return {"discount": order.discount_total, "total": order.total, "rules": names, "stage": order.stage}


def _scope(order: Order) -> str:
    return f"merchant:{order.merchant_id}"
