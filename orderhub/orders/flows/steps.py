"""The steps that only drawn flows have: deciding, waiting, holding, marking, telling. They take nothing but a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orderhub.orders import carrying, journeys, kinds, lifecycle
from orderhub.orders.flows import deciding, nodes
from orderhub.orders.models import Hold, Order
from rules.flow import Choice, Context, Param, Verdict, step
from rules.flows.graph import DECIDE

ROUTE, RELEASE = "routing.route", "fulfillment.release"
_REASONS = (Hold.Reason.RISK, Hold.Reason.MANUAL, Hold.Reason.COMPLIANCE, Hold.Reason.CUSTOMER)
_REASON_WORDS = {
    Hold.Reason.RISK: ("风险审核", "risk check"),
    Hold.Reason.MANUAL: ("人工审核", "review by staff"),
    Hold.Reason.COMPLIANCE: ("跨境合规", "cross-border check"),
    Hold.Reason.CUSTOMER: ("等顾客答复", "answer of the customer"),
}


@step(DECIDE, zh="判断", en="Decision", group="decide", icon="split")
def decide(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Send every order out by the first branch that holds for it, else by the exit of the rest."""
    walks = journeys.kept(context, orders)
    branches = {}
    for order in orders:
        drawn = walks[order.pk].drawn
        assert drawn is not None, "only drawings have decisions"
        branches[order.pk] = drawn.branches[context.places[order.pk].id]
    lines = carrying.lines_of(orders, context)
    found = deciding.decide(orders, branches, lines, now=context.now)
    return {pk: Verdict("next", exit=one.exit, told=one.told) for pk, one in found.items()}


@step(
    "flow.hold", zh="冻结待审", en="Hold for review", group="wait", icon="hold", before=(RELEASE,),
    params=(
        Param("reason", "choice", "原因", "reason",
              choices=tuple(Choice(x.value, *_REASON_WORDS[x]) for x in _REASONS)),
        Param("detail", "text", "说明", "what to look at", required=False),
    ),
)  # fmt: skip
def hold(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Hold orders for a person, once: who has been let go here is not held here again."""
    fresh = [order for order in orders if not nodes.is_marked(order, context)]
    nodes.hold(
        fresh, context, lambda x: (nodes.given(x, context, "reason"), nodes.given(x, context, "detail"), None)
    )
    return nodes.verdicts(orders, fresh)


@step(
    "flow.wait_minutes", zh="等待一段时间", en="Wait some minutes", group="wait", icon="wait", before=(RELEASE,),
    pauses=True,
    params=(Param("minutes", "integer", "时长", "how long", low=1, high=43_200, unit=("分钟", "minutes")),),
)  # fmt: skip
def wait_minutes(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Wait so many minutes from now; an order that comes here again waits again."""
    return nodes.pause(
        orders, context, lambda order: context.now + timedelta(minutes=nodes.minutes(order, context))
    )


@step(
    "flow.wait_until", zh="等到某个时刻", en="Wait until a time of day", group="wait", icon="calendar",
    before=(RELEASE,), pauses=True,
    params=(Param("at", "time", "时刻（店铺时区）", "time of day, where the shop is"),),
)  # fmt: skip
def wait_until(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Wait until the clock where the channel is next shows that time."""
    return nodes.pause(
        orders, context, lambda order: _next_at(order, nodes.given(order, context, "at"), context.now)
    )


@step(
    "flow.merge_window", zh="合单等待", en="Merge window", group="wait", icon="box", before=(ROUTE,),
    params=(Param("minutes", "integer", "收到后等待", "after it came in", low=1, high=10_080,
                  unit=("分钟", "minutes")),),
)  # fmt: skip
def merge_window(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Wait until so many minutes after the order came in, so that others of the customer can join it."""

    def until(order: Order) -> datetime:
        return order.received_at + timedelta(minutes=nodes.minutes(order, context))

    fresh = [x for x in orders if not nodes.is_marked(x, context) and until(x) > context.now]
    nodes.hold(fresh, context, lambda order: (Hold.Reason.MERGE_WINDOW.value, "", until(order)))
    return nodes.verdicts(orders, fresh)


@step("flow.wait_payment", zh="等待付款", en="Wait for payment", group="wait", icon="cart", before=(RELEASE,))
def wait_payment(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Wait until the order is paid, or somebody lets it go unpaid."""
    fresh = [x for x in orders if x.payment == Order.Payment.UNPAID and not nodes.is_marked(x, context)]
    nodes.hold(fresh, context, lambda _order: (Hold.Reason.AWAITING_PAYMENT.value, "", None))
    return nodes.verdicts(orders, fresh)


@step(
    "flow.tag", zh="打标签", en="Tag", group="act", icon="filter",
    params=(Param("tag", "text", "标签", "tag"),),
)  # fmt: skip
def tag(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Put a tag on the orders; later decisions may ask for it."""
    for order in orders:
        nodes.tag(order, nodes.given(order, context, "tag"))
    return nodes.all_on(orders)


@step(
    "flow.set_service", zh="改配送服务", en="Set the delivery service", group="act", icon="edit", before=(ROUTE,),
    params=(Param("service", "choice", "配送服务", "service", choices=(
        Choice("standard", "标准", "standard"), Choice("express", "特快", "express"),
        Choice("economy", "经济", "economy"),
    )),),
)  # fmt: skip
def set_service(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Set the field `service` before routing looks at it."""
    return _set(
        orders, "service", {order.pk: nodes.given(order, context, "service") for order in orders}, context
    )


@step(
    "flow.set_green", zh="改绿色配送", en="Set green delivery", group="act", icon="leaf", before=(ROUTE,),
    params=(Param("green", "choice", "绿色配送", "green delivery",
                  choices=(Choice("yes", "是", "yes"), Choice("no", "否", "no"))),),
)  # fmt: skip
def set_green(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Set the field `green` before routing looks at it."""
    wanted = {order.pk: nodes.given(order, context, "green") == "yes" for order in orders}
    return _set(orders, "green", wanted, context)


@step(
    "flow.notify", zh="发通知", en="Notify", group="act", icon="bell",
    params=(
        Param("audience", "choice", "通知谁", "whom", choices=(
            Choice("customer", "顾客", "the customer"), Choice("operator", "运营人员", "operators"))),
        Param("text", "text", "中文内容", "text in Chinese"),
        Param("text_en", "text", "英文内容", "text in English", required=False),
    ),
)  # fmt: skip
def notify(orders: Sequence[Order], context: Context) -> Mapping[int, Verdict]:
    """Tell the customer (on the order's page) or operators, once for each order; the log keeps and delivers it."""
    fresh = nodes.once(orders, context)
    nodes.tell(fresh, kinds.FLOW_NOTIFIED.name, ("audience", "text", "text_en"), context)
    return nodes.all_on(orders)


def _set(
    orders: Sequence[Order], field: str, wanted: Mapping[int, object], context: Context
) -> dict[int, Verdict]:
    changed = [order for order in orders if getattr(order, field) != wanted[order.pk]]
    for order in changed:
        setattr(order, field, wanted[order.pk])
    lifecycle.save(changed, [field], now=context.now)
    return nodes.all_on(orders)


def _next_at(order: Order, clock: str, now: datetime) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    local = now.astimezone(ZoneInfo(order.channel.time_zone))
    at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)
