"""Changing the custom fields of an order and its lines after it was placed; what they hold is never in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from orderhub.events import log, rows
from orderhub.orders import kinds, lifecycle
from orderhub.orders.models import Order, OrderLine

Values = Mapping[str, Any]
#: Makes the values that shall stand of those that do, e.g. by `fields.filling.fill`; asked under the order's lock.
Put = Callable[[Values], Values]


@transaction.atomic
def change(order_id: int, put: Put | None, lines: Mapping[int, Put], *, now: datetime, actor: str) -> Order:
    """Change the values of the order and, by line id, of its lines; tell which fields changed.

    Raises Order.DoesNotExist and whatever a `Put` raises; nothing is written then. Nothing is priced or routed again:
    rules see the new values when they are next asked.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    facts: list[log.Fact] = []
    values = order.custom if put is None else put(order.custom)
    if changed := differing(order.custom, values):
        order.custom = dict(values)
        facts.append(_fact(order, {"fields": changed}))
    touched = []
    for line in OrderLine.objects.filter(order=order, pk__in=lines).order_by("position"):
        values = lines[line.pk](line.custom)
        if changed := differing(line.custom, values):
            line.custom = dict(values)
            touched.append(line)
            facts.append(_fact(order, {"fields": changed, "line": line.position}))
    if facts:
        rows.save(touched, ["custom"])
        lifecycle.save([order], ["custom"], now=now)
        log.record(facts, now=now, actor=actor)
    return order


def differing(before: Values, after: Values) -> list[str]:
    """The codes whose values differ, sorted."""
    return sorted(code for code in {*before, *after} if before.get(code) != after.get(code))


def _fact(order: Order, payload: dict[str, object]) -> log.Fact:
    return log.Fact(order.stream, kinds.FIELDS_CHANGED.name, payload, order.merchant_id)
