"""Who has heard of it: for an order, and for each change of its address, a row a system and message, as it stands now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orderhub.connectors import causes, documents, wishes
from orderhub.connectors.models import Call, Connection
from orderhub.events.models import Delivery, Event
from orderhub.orders.models import AddressChange, Order

_SUBSCRIBER = "connectors.push"
_NAMES = (*wishes.ASKED,)
_D, _C = Delivery.State, Call.State


@dataclass(frozen=True, slots=True)
class Row:
    """One message to one system. `state` is waiting, sending, acked, refused, unknown, failed, dead or skipped."""

    connection: str
    role: str
    operation: str
    reference: str
    state: str
    answer: str
    attempts: int
    asked_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    next_at: datetime | None
    their_reference: str = ""
    call_id: int | None = None
    delivery_id: int | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows of each address change of an order, oldest first, and those of no change."""

    changes: Sequence[tuple[AddressChange, Sequence[Row]]]
    others: Sequence[Row]


def of_order(order: Order) -> Matrix:
    """Everything that systems were to be told of an order; five queries, whatever there is."""
    events = list(Event.objects.filter(stream=order.stream, kind__in=_NAMES).order_by("seq"))
    deliveries = Delivery.objects.filter(event__in=events, subscriber=_SUBSCRIBER).order_by("pk")
    by_event: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        by_event.setdefault(delivery.event_id, []).append(delivery)
    calls = {(str(call.connection_id), call.key): call for call in Call.objects.filter(order_id=order.pk)}
    known = Connection.objects.select_related("profile").filter(merchant_id=order.merchant_id)
    connections = {str(connection.pk): connection for connection in known}
    changes = list(order.address_changes.order_by("pk"))
    rows = {
        event.pk: list(_rows(order, event, by_event.get(event.pk, ()), connections, calls))
        for event in events
    }
    owned = [
        (
            change,
            [row for event in events if causes.belongs(event, change, changes) for row in rows[event.pk]],
        )
        for change in changes
    ]
    taken = {event.pk for event in events for change in changes if causes.belongs(event, change, changes)}
    others = [row for event in events if event.pk not in taken for row in rows[event.pk]]
    return Matrix(owned, others)


def _rows(
    order: Order, event: Event, deliveries: Iterable[Delivery], connections: Mapping[str, Connection],
    calls: Mapping[tuple[str, str], Call],
) -> Iterable[Row]:  # fmt: skip
    for delivery in deliveries:
        connection = connections.get(delivery.destination)
        if connection is None:
            continue
        operation = wishes.operation_of(event, connection)
        key = documents.key_of(event, operation, documents.reference_of(event, operation, order.number))
        call = calls.get((delivery.destination, key))
        if call is not None and call.created_at < event.recorded_at and operation in documents.ONCE:
            continue  # was said when an earlier event asked for it
        yield _row(order, event, delivery, connection, operation, call)


def _row(
    order: Order, event: Event, delivery: Delivery, connection: Connection, operation: str, call: Call | None
) -> Row:
    return Row(
        connection=connection.name, role=connection.profile.role if connection.profile else "", operation=operation,
        reference=documents.reference_of(event, operation, order.number), state=_state(delivery, call),
        answer=call.answer if call is not None else delivery.dead_reason or delivery.last_error[:200],
        attempts=call.attempts if call is not None else delivery.attempts, asked_at=event.occurred_at,
        sent_at=call.sent_at if call is not None else None,
        answered_at=call.answered_at if call is not None else delivery.finished_at,
        next_at=delivery.not_before if delivery.state == _D.READY and delivery.attempts else None,
        their_reference=call.their_reference if call is not None else "",
        call_id=call.pk if call is not None else None, delivery_id=delivery.pk,
    )  # fmt: skip


def _state(delivery: Delivery, call: Call | None) -> str:
    """The answer where there is one; else how far the message is. Systems without calls have only the message."""
    if delivery.state == _D.SKIPPED:
        return _C.SKIPPED.value
    if call is not None and call.state in (_C.ACKED, _C.REFUSED):
        return call.state
    if delivery.state == _D.DEAD:
        return _C.DEAD.value
    if call is not None:
        return call.state
    if delivery.state == _D.DONE:
        return _C.ACKED.value
    return _C.SENDING.value if delivery.state == _D.LEASED else _C.WAITING.value
