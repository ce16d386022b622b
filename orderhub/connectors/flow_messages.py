"""What drawn flows tell other systems: calls to the webhook they name, notices to all of the merchant's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orderhub.connectors import base, net
from orderhub.connectors.base import Push
from orderhub.connectors.kinds.webhook.kind import NAME
from orderhub.connectors.models import Connection
from orderhub.events import breaker
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Later, Partly, on
from orderhub.kernel import clock
from orderhub.orders import kinds
from orderhub.orders.models import Order

_NAME = "connectors.flow_messages"
SWITCHED_OFF_SECONDS = 60.0


def _destinations(events: Sequence[Event]) -> list[Iterable[str]]:
    """Per event the webhooks of its merchant: the one a call names, all of them for a notice."""
    merchants = {event.merchant_id for event in events if event.merchant_id is not None}
    rows = list(Connection.objects.filter(merchant_id__in=merchants, kind=NAME, is_active=True))
    return [
        [str(row.pk) for row in rows
         if row.merchant_id == event.merchant_id
         and (event.kind == kinds.FLOW_NOTIFIED.name or row.code == event.payload.get("connection"))]
        for event in events
    ]  # fmt: skip


@on(
    kinds.FLOW_CALLED.name, kinds.FLOW_NOTIFIED.name,
    name=_NAME, queue="outbox", batch=20, outside=True, destinations=_destinations,
)  # fmt: skip
def send(deliveries: Sequence[Delivery]) -> None:
    """Send them to their webhooks, signed; the log retries what fails."""
    now = clock.now()
    ids = {int(delivery.stream.removeprefix("order:")) for delivery in deliveries}
    orders = Order.objects.in_bulk(ids)
    connections = Connection.objects.in_bulk({int(delivery.destination) for delivery in deliveries})
    failures: dict[int, Exception] = {}
    in_vain = 0
    for delivery in deliveries:
        connection = connections[int(delivery.destination)]
        if not connection.is_active:
            failures[delivery.pk] = Later(SWITCHED_OFF_SECONDS)
            continue
        if in_vain >= breaker.OUTAGE_FAILURES:  # nobody is there: the rest is not tried
            failures[delivery.pk] = Later(0)
            continue
        push = _push(delivery, orders[int(delivery.stream.removeprefix("order:"))])
        fault = (base.kind_of(connection).push(connection, [push], now=now) or {}).get(push.key)
        in_vain = in_vain + 1 if isinstance(fault, net.NotSent | net.NoAnswer) else 0
        if fault is not None:
            failures[delivery.pk] = fault
            connection.refresh_from_db(fields=["is_active"])
    if failures:
        raise Partly(failures)


def _push(delivery: Delivery, order: Order) -> Push:
    payload = delivery.event.payload
    is_notice = delivery.event.kind == kinds.FLOW_NOTIFIED.name
    names = ("node", "audience", "text", "text_en") if is_notice else ("node",)
    body: dict[str, Any] = {
        "external_id": order.external_id, "stage": order.stage, "total": str(order.total),
        "currency": order.currency, "tags": list(order.tags),
        "occurred_at": delivery.event.occurred_at.isoformat(),
        **{name: payload.get(name, "") for name in names},
    }  # fmt: skip
    operation = "order.notice" if is_notice else str(payload.get("operation", ""))
    return Push(f"event:{delivery.event_id}/{_NAME}", operation, order.number, body)
