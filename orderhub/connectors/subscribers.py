"""What the connectors listen to: releases and cancellations go out, kept messages and queued imports are worked off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings

from orderhub.connectors import (
    base,
    early,
    facts,
    flow_messages,
    imports,
    inbox,
    partners,
    pausing,
    polling,
    shoppers,
    silence,
    telling,
    turning,
    wishes,
    worthwhile,
)
from orderhub.connectors.base import Push
from orderhub.connectors.kinds.profile import kind as spoken
from orderhub.connectors.kinds.simulator import kind as simulator
from orderhub.connectors.kinds.webhook import kind as webhook
from orderhub.connectors.models import Connection, SimulatedJob
from orderhub.connectors.offering import jobs
from orderhub.connectors.reconciling import running
from orderhub.connectors.ways import files, mail, tables, turns
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Later, Partly, backlog, every, on, projection
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock

__all__ = [
    "files", "flow_messages", "jobs", "mail", "silence", "spoken", "tables", "telling", "turning", "webhook",
]  # fmt: skip
#: What is owed to a connection that is switched off is looked at again so often; switching it on is noticed at once.
SWITCHED_OFF_SECONDS = 60.0
_OPERATIONS = {"fulfillment.released": "release", "fulfillment.cancel_requested": "cancel"}


@on(
    *wishes.ASKED, facts.CALL_WISHED.name,
    name="connectors.push", queue="outbox", batch=100, outside=True, destinations=wishes.destinations,
)  # fmt: skip
def push(deliveries: Sequence[Delivery]) -> None:
    """Tell the systems what they are asked; each is spoken to in its own way."""
    now = clock.now()
    chosen = Connection.objects.select_related("profile__in_force", "merchant")
    connections = chosen.in_bulk({int(row.destination) for row in deliveries})
    failures: dict[int, Exception] = {}
    for number, connection in connections.items():
        own = [row for row in deliveries if int(row.destination) == number]
        failures |= _tell(connection, own, now=now)
    if failures:
        raise Partly(failures)


def _tell(connection: Connection, deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, Exception]:
    """Say what these deliveries owe to one system; what failed by delivery."""
    if not connection.is_active:
        return {row.pk: Later(SWITCHED_OFF_SECONDS) for row in deliveries}
    if connection.kind == wishes.KIND:
        said = worthwhile.only(connection, wishes.pushes(connection, deliveries))
    else:
        bodies = _bodies({str(row.event.payload["fulfillment"]) for row in deliveries})
        said = {row.pk: _push(row, bodies) for row in deliveries}
    failed = base.kind_of(connection).push(connection, list(said.values()), now=now) or {}
    return {pk: failed[one.key] for pk, one in said.items() if one.key in failed}


def _push(delivery: Delivery, bodies: Mapping[str, Mapping[str, object]]) -> Push:
    number = str(delivery.event.payload["fulfillment"])
    return Push(
        key=f"event:{delivery.event_id}/connectors.push", operation=_OPERATIONS[delivery.event.kind],
        reference=number, body=bodies[number],
    )  # fmt: skip


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


@projection("partners.events", kinds=[kind.name for kind in partners.offered()], queue="low")
def owe_partners(events: Sequence[Event]) -> None:
    """Find out which partners are owed these events."""
    partners.owe(events, now=clock.now())


@on(
    name=partners.NAME, queue="outbox", batch=100, outside=True, delays=partners.DELAYS,
    max_attempts=len(partners.DELAYS) + 1, dead_blocks=False,
)  # fmt: skip
def tell_partners(deliveries: Sequence[Delivery]) -> None:
    """Tell partners what they subscribed to."""
    partners.send(deliveries, now=clock.now())


@backlog(
    "connectors.inbox", queue=inbox.QUEUE,
    waits="EXISTS (SELECT 1 FROM connectors_inboxmessage WHERE state = 'received')",
)  # fmt: skip
def work_off_inbox() -> int:
    """Apply kept messages, a batch of each connection."""
    return inbox.drain_some(now=clock.now())


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


@every(2.0, name="connectors.early", queue="intake")
def take_up_early() -> int:
    """Try messages again that came before what they are about."""
    now = clock.now()
    found = early.due(now=now)
    return inbox.replay(found, now=now) if found else 0


@every(5, name="connectors.ways", queue="low")
def fetch() -> int:
    """Look into folders, mailboxes and tables."""
    return turns.run_due(now=clock.now())


@every(5, name="connectors.poll", queue="outbox")
def poll() -> int:
    """Ask the systems that do not push."""
    return polling.run_due(now=clock.now())


@every(60, name="connectors.reconcile", queue="outbox")
def reconcile() -> int:
    """Once a day compare every system with what we have."""
    return running.run_due(now=clock.now())
