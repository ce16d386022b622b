"""Which template an order begins with, the dates that come of it, and what is expected now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from orderhub.events import rows
from orderhub.orders.models import Order, OrderLine
from tracking.center import calendars
from tracking.center.engine import planning
from tracking.center.engine.planning import Step, Stop
from tracking.center.engine.working import Hours
from tracking.center.models import JourneyTemplate, OrderPlan, TemplateStep
from tracking.models import Journey, TimelineEntry

ACTUAL = TimelineEntry.Classifier.ACTUAL


def begin(journeys: Sequence[Journey]) -> None:
    """Give new orders the template that fits them and fix its dates; one query without active templates, five with."""
    templates = list(
        JourneyTemplate.objects.filter(is_active=True).select_related("calendar").prefetch_related("steps")
    ) if journeys else []  # fmt: skip
    if not templates:
        return
    orders = Order.objects.in_bulk([row.order_id for row in journeys])
    codes = _codes(orders) if any(one.sku_prefix for one in templates) else {}
    hours = calendars.hours_of(one.calendar for one in templates)
    made = [
        _plan(order, template, hours[template.calendar_id])
        for order in orders.values()
        if (template := fitting(order, codes.get(order.pk, ()), templates)) is not None
    ]
    rows.insert(made, skip_known=True)


def fitting(
    order: Order, codes: Iterable[str], templates: Iterable[JourneyTemplate]
) -> JourneyTemplate | None:
    """The template of the highest priority whose every condition holds; one of the order's merchant wins a tie."""
    own = [
        one
        for one in templates
        if one.merchant_id in (None, order.merchant_id) and _fits(order, list(codes), one)
    ]
    return max(own, key=lambda one: (one.priority, one.merchant_id is not None, -(one.pk or 0)), default=None)


def _fits(order: Order, codes: Sequence[str], one: JourneyTemplate) -> bool:
    if one.channel_id is not None and one.channel_id != order.channel_id:
        return False
    if one.service and one.service != order.service:
        return False
    prefixes = tuple(part.strip() for part in one.sku_prefix.split("|") if part.strip())
    return not prefixes or any(code.startswith(prefixes) for code in codes)


def _codes(orders: Mapping[int, Order]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for order_id, code in OrderLine.objects.filter(order__in=orders).values_list("order_id", "sku__code"):
        found.setdefault(order_id, []).append(code)
    return found


def _plan(order: Order, template: JourneyTemplate, hours: Hours) -> OrderPlan:
    steps = [step_of(row) for row in template.steps.all()]
    begun = order.paid_at or order.placed_at
    dates = planning.planned(steps, begun, hours)
    return OrderPlan(
        order=order, merchant_id=order.merchant_id, template=template, begun_at=begun,
        steps=[_kept(step) for step in steps], planned={key: at.isoformat() for key, at in dates.items()},
    )  # fmt: skip


def step_of(row: TemplateStep) -> Step:
    """A row of a template as the engine reckons with it."""
    return Step(
        row.milestone,
        float(row.hours),
        row.name,
        row.name_en,
        row.works,
        row.is_optional,
        row.shown_to,
        row.position,
    )


def stops(plan: OrderPlan, entries: Iterable[TimelineEntry], *, now: datetime) -> list[Stop]:
    """The plan with what happened and what is expected now; the steps are those of the day the order began."""
    steps = [Step(**said) for said in plan.steps]
    dates = {key: at for key, said in plan.planned.items() if (at := parse_datetime(said)) is not None}
    actuals: dict[str, datetime] = {}
    for entry in entries:
        if entry.classifier == ACTUAL:
            for key in (entry.milestone, f"{entry.milestone}:{entry.facts.get('step', '')}"):
                actuals.setdefault(key, entry.occurred_at)
    hours = calendars.hours_of([plan.template.calendar])[plan.template.calendar_id]
    return planning.expected(steps, dates, actuals, hours, begin=plan.begun_at, now=now)


def of_order(order: Order) -> OrderPlan | None:
    """The plan an order began with; one query."""
    return OrderPlan.objects.filter(order=order).select_related("template__calendar").first()


def _kept(step: Step) -> dict[str, Any]:
    names = ("milestone", "hours", "name_zh", "name_en", "works", "is_optional", "shown_to", "position")
    return {name: getattr(step, name) for name in names}


def ahead(
    plan: OrderPlan, entries: Iterable[TimelineEntry], *, now: datetime, audiences: Sequence[str]
) -> list[Stop]:
    """The steps to come whose dates are shown to one of these (customer, board, staff), the nearest first."""
    return [stop for stop in stops(plan, entries, now=now) if stop.actual is None and stop.expected > now
            and stop.step.shown_to in audiences]  # fmt: skip
