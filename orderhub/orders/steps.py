"""The orders' own steps: screening, which may hold, and pricing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orderhub.events import rows
from orderhub.orders import carrying, holding, screening, vocabulary
from orderhub.orders.flows import setting  # noqa: F401  (registers its step)
from orderhub.orders.flows import steps as flow_steps  # noqa: F401  (registers the steps of drawings)
from orderhub.orders.models import Order
from orderhub.orders.promotions import desk, reviewing, running
from rules import services as rules
from rules.engine import FiredAction
from rules.flow import NEXT, Context, Verdict, step, wait

_FACTS = "orders.facts"
#: What the rules said of one order: the actions in order, each with the code of its set.
Said = list[tuple[str, FiredAction]]


@step(
    "order.screen", zh="审核订单", en="Screen the order", group="check", icon="shield", required=True, once=True,
    before=("routing.route",),
)  # fmt: skip
def screen(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
    """Hold what is unpaid, inside its merge window, or caught by a rule, the cross-border or the risk check."""
    new = screening.wanted(orders, _ask("screen", orders, context), context)
    holding.place(new, now=context.now, actor=context.actor)
    held = {hold.order.pk for hold in new}
    return {order.pk: wait(holding.WAITING_FOR) if order.pk in held else NEXT for order in orders}


@step(
    "order.price", zh="计算优惠", en="Apply promotions", icon="scale", once=True, after=("order.screen",),
    before=("routing.route",),
)  # fmt: skip
def price(orders: Sequence[Order], context: Context) -> dict[int, Verdict]:
    """Take promotions off, add gifts, and share what comes off among the lines (see `promotions.running`).

    An order that was split or merged keeps the sums it has.
    """
    running.price([order for order in orders if not order.money_fixed], context, _facts)
    return dict.fromkeys((order.pk for order in orders), NEXT)


def _ask(purpose: str, orders: Sequence[Order], context: Context) -> dict[int, Said]:
    """What the rule sets in force say of each order.

    The versions are noted on the order and saved. One query when no set is published for these merchants.
    """
    in_force = rules.in_force_many(purpose, {_scope(order) for order in orders}, now=context.now)
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


def _scope(order: Order) -> str:
    return f"merchant:{order.merchant_id}"


reviewing.teach_all()
desk.teach_all()
