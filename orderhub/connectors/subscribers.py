"""What the connectors listen to: releases and cancellations go out, kept messages and queued imports are worked off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from orderhub.connectors import base, facts, imports, inbox, pausing, shoppers
from orderhub.connectors.base import Push
from orderhub.connectors.kinds.simulator import kind as simulator
from orderhub.connectors.models import Connection, SimulatedJob
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import every, on
from orderhub.fulfillment import kinds
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock

_OPERATIONS = {"fulfillment.released": "release", "fulfillment.cancel_requested": "cancel"}


def _destinations(events: Sequence[Event]) -> list[Iterable[str]]:
    """Per event the connections that serve its warehouse."""
    connections = Connection.objects.filter(
        merchant_id__in={event.merchant_id for event in events}, is_active=True
    ).prefetch_related("warehouses")
    table = [(c.merchant_id, {w.code for w in c.warehouses.all()}, str(c.pk)) for c in connections]
    return [
        [pk for merchant, codes, pk in table
         if merchant == event.merchant_id and (not codes or event.payload.get("warehouse") in codes)]
        for event in events
    ]  # fmt: skip


@on(
    kinds.RELEASED.name, kinds.CANCEL_REQUESTED.name,
    name="connectors.push", queue="outbox", batch=100, outside=True, destinations=_destinations,
)  # fmt: skip
def push(deliveries: Sequence[Delivery]) -> None:
    """Send released fulfillment orders and cancellations to the systems of their warehouses."""
    now = clock.now()
    numbers = {str(delivery.event.payload["fulfillment"]) for delivery in deliveries}
    bodies = _bodies(numbers)
    by_destination: dict[str, list[Push]] = {}
    for delivery in deliveries:
        number = str(delivery.event.payload["fulfillment"])
        by_destination.setdefault(delivery.destination, []).append(Push(
            key=f"event:{delivery.event_id}/connectors.push", operation=_OPERATIONS[delivery.event.kind],
            reference=number, body=bodies[number],
        ))  # fmt: skip
    connections = {str(c.pk): c for c in Connection.objects.filter(pk__in=by_destination)}
    for destination, pushes in by_destination.items():
        connection = connections[destination]
        base.kind_of(connection).push(connection, pushes, now=now)


def _bodies(numbers: set[str]) -> dict[str, dict[str, object]]:
    rows = FulfillmentOrder.objects.filter(number__in=numbers).select_related(
        "order__person", "warehouse", "rate_card"
    ).prefetch_related("lines__sku", "lines__order_line")  # fmt: skip
    return {row.number: _body(row) for row in rows}


def _body(row: FulfillmentOrder) -> dict[str, object]:
    order, person, warehouse = row.order, row.order.person, row.warehouse
    return {
        "number": row.number, "order_number": order.number, "warehouse": warehouse.code, "carrier": row.rate_card.carrier,
        "service": row.rate_card.service, "grams": row.grams, "planned_hours": str(row.planned_hours),
        "distance_km": str(row.distance_km),
        "lines": [{"line": part.order_line.position, "sku": part.sku.code, "name": part.order_line.name,
                   "quantity": part.quantity} for part in row.lines.all()],
        "origin": {"city": warehouse.city, "latitude": str(warehouse.latitude), "longitude": str(warehouse.longitude)},
        "destination": {
            "country": order.country, "province": order.province, "city": order.city, "district": order.district,
            "latitude": str(order.latitude), "longitude": str(order.longitude), "address": person.address,
            "name": person.name, "phone": person.phone, "postcode": person.postcode,
        },
    }  # fmt: skip


@on(facts.INBOX_RECEIVED.name, name="connectors.inbox", queue="intake", ordered=False, batch=100)
def work_off_inbox(deliveries: Sequence[Delivery]) -> None:
    """Apply the kept messages of these connections."""
    for connection_id in sorted({int(delivery.event.payload["connection"]) for delivery in deliveries}):
        inbox.drain(connection_id, now=clock.now())


@on(facts.IMPORT_QUEUED.name, name="connectors.imports", queue="import", batch=1)
def work_off_import(deliveries: Sequence[Delivery]) -> None:
    """Read the uploaded files chunk by chunk."""
    for delivery in deliveries:
        imports.run(int(delivery.event.payload["import"]))


@every(60, name="connectors.resume_imports")
def resume_imports() -> int:
    """Go on with imports that a full disk stopped."""
    return pausing.resume_all(now=clock.now())


@every(0.5, name="simulator.tick", queue="low")
def play_simulation(now: datetime | None = None) -> int:
    """Let the demo's make-believe warehouse and carrier go on; nothing to do where none is connected."""
    moment = now or clock.now()
    if not SimulatedJob.objects.filter(due_at__lte=moment).exists():
        return 0
    return simulator.tick(now=moment)


@every(shoppers.SECONDS, name="demo.shoppers", queue="low")
def let_customers_shop() -> int:
    """Keep the demo alive with a new order now and then; never outside `serve --demo`."""
    return shoppers.shop(now=clock.now()) if settings.DEMO_SHOPPERS else 0
