"""What a verb would do, found out by doing it and taking it back: so the preview and the deed cannot differ.

The deed runs in a transaction that is rolled back. In it the order also walks on as it would next, and, where a
warehouse is asked to give something back, once more as if it had agreed. Nothing is kept and nobody is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from orderhub.events import log
from orderhub.events.models import Event
from orderhub.fulfillment import kinds, services
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.fulfillment.updates import Update
from orderhub.orders import crediting
from orderhub.orders.advance import Unfinished, advance
from orderhub.orders.models import Hold, Order
from orderhub.orders.models.order import Stage

#: When something would come about: by the deed itself, when the order goes on, or once the warehouses agree.
NOW, NEXT, AGREED = "now", "next", "if_agreed"
_ENDED = (State.CANCELLED, State.REJECTED)


@dataclass(frozen=True, slots=True)
class Asked:
    """One message to one system: who, what in our word and in words, and the event it comes of."""

    connection: str
    role: str
    operation: str
    text: str
    event: Event


@dataclass(frozen=True, slots=True)
class Told:
    """One message that a system would be sent, and when."""

    asked: Asked
    when: str


@dataclass(frozen=True, slots=True)
class Work:
    """What one warehouse would ship, or ships."""

    number: str
    warehouse: str
    warehouse_en: str
    carrier: str
    state: str
    units: int
    freight: Decimal
    kgco2e: Decimal
    eta_to_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """Units of a line that are not cancelled."""

    position: int
    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An order as it stands at one moment."""

    order_id: int
    number: str
    external_id: str
    stage: str
    currency: str
    total: Decimal
    is_paid: bool
    credited: Decimal
    lines: Sequence[Line]
    works: Sequence[Work]
    holds: Sequence[str]

    @property
    def units(self) -> int:
        """All units that are not cancelled."""
        return sum(line.units for line in self.lines)

    @property
    def due_back(self) -> Decimal:
        """What of the payment belongs to the buyer again."""
        if not self.is_paid:
            return Decimal(0)
        return self.total if self.stage == Stage.CANCELLED else self.credited


@dataclass(slots=True)
class Preview:
    """What would come about, by order: before, by the deed itself, and at last; and who would be told what."""

    before: dict[int, Standing] = field(default_factory=dict)
    now: dict[int, Standing] = field(default_factory=dict)
    after: dict[int, Standing] = field(default_factory=dict)
    recalled: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


Teller = Callable[[Sequence[Event]], Sequence[Asked]]
_tellers: list[Teller] = []


def tells(function: Teller) -> Teller:
    """Register who knows which systems are told of events; the connectors do."""
    if function not in _tellers:
        _tellers.append(function)
    return function


def of(order_id: int, deed: Callable[[], object], *, now: datetime) -> Preview:
    """What the deed would do to the order and its kin. Raises Refused as the deed does; nothing is kept."""
    found = Preview()
    with _taken_back(), log.overheard() as heard:
        deed()
        events = _take(heard)
        touched = _touched(order_id, events)
        found.events, found.now = list(events), _standing(touched)
        found.told += _asked(events, NOW)
        found.recalled = [
            str(x.payload["fulfillment"]) for x in events if x.kind == kinds.CANCEL_REQUESTED.name
        ]
        _walk_on(touched, now=now)
        found.told += _asked(_take(heard), NEXT)
        if found.recalled:
            agreed = [Update("cancelled", number, now) for number in found.recalled]
            services.apply(agreed, now=now, actor="preview")
            _walk_on(touched, now=now)
            later = _take(heard)
            found.told += _asked(later, AGREED)
            found.events += later
        found.after = _standing(touched)
    found.before = _standing(touched)
    return found


@contextmanager
def _taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _take(heard: list[Event]) -> list[Event]:
    events = list(heard)
    heard.clear()
    return events


def _touched(order_id: int, events: Sequence[Event]) -> list[int]:
    streams = [event.stream for event in events if event.stream.startswith("order:")]
    return sorted({order_id, *(int(stream.removeprefix("order:")) for stream in streams)})


def _walk_on(order_ids: Sequence[int], *, now: datetime) -> None:
    """As far as the orders go by themselves; a fault stays theirs, and shows when they really go on."""
    try:
        with transaction.atomic():
            advance(order_ids, now=now, actor="preview")
    except Unfinished:
        return


def _asked(events: Sequence[Event], when: str) -> list[Told]:
    return [Told(asked, when) for teller in _tellers for asked in teller(events)]


def _standing(order_ids: Sequence[int]) -> dict[int, Standing]:
    """The orders as they stand now; a constant number of queries but for credits."""
    works: dict[int, list[Work]] = {}
    rows = FulfillmentOrder.objects.filter(order__in=order_ids).exclude(state__in=_ENDED)
    for row in rows.select_related("warehouse", "rate_card").prefetch_related("lines").order_by("pk"):
        works.setdefault(row.order_id, []).append(_work(row))
    holds: dict[int, list[str]] = {}
    for hold in Hold.objects.filter(order__in=order_ids, released_at__isnull=True).order_by("pk"):
        holds.setdefault(hold.order_id, []).append(str(hold.get_reason_display()))
    found = Order.objects.filter(pk__in=order_ids).prefetch_related("lines__sku").order_by("pk")
    return {order.pk: _order(order, works.get(order.pk, []), holds.get(order.pk, [])) for order in found}


def _order(order: Order, works: Sequence[Work], holds: Sequence[str]) -> Standing:
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return Standing(
        order_id=order.pk, number=order.number, external_id=order.external_id, stage=order.stage,
        currency=order.currency, total=order.total, is_paid=order.payment == Order.Payment.PAID,
        credited=crediting.of_order(order.pk),
        lines=[Line(x.position, x.sku.code, x.ordered - x.cancelled) for x in lines if x.ordered > x.cancelled],
        works=works, holds=holds,
    )  # fmt: skip


def _work(row: FulfillmentOrder) -> Work:
    return Work(
        number=row.number, warehouse=row.warehouse.name, warehouse_en=row.warehouse.name_en or row.warehouse.name,
        carrier=row.rate_card.carrier, state=row.state, units=sum(line.quantity for line in row.lines.all()),
        freight=row.freight, kgco2e=row.estimated_kgco2e, eta_to_at=row.eta_to_at,
    )  # fmt: skip


def document(verb: str, found: Preview, sentences: Sequence[str], undo: str) -> Mapping[str, Any]:
    """The preview as the API writes it."""
    return {
        "verb": verb, "sentences": list(sentences), "undo": undo,
        "orders": [
            {
                "id": pk if pk in found.before else None,
                "number": found.now[pk].number if pk in found.now else found.before[pk].number,
                "is_new": pk not in found.before,
                "before": _written(found.before.get(pk)), "after": _written(found.after.get(pk)),
            }
            for pk in sorted({*found.before, *found.after})
        ],
        "recalled": found.recalled,
        "systems": [
            {
                "connection": one.asked.connection, "role": one.asked.role, "operation": one.asked.operation,
                "text": one.asked.text, "because": one.asked.event.kind, "when": one.when,
            }
            for one in found.told
        ],
    }  # fmt: skip


def _written(standing: Standing | None) -> Mapping[str, Any] | None:
    if standing is None:
        return None
    return {
        "stage": standing.stage, "currency": standing.currency, "total": f"{standing.total:.2f}",
        "due_back": f"{standing.due_back:.2f}", "holds": list(standing.holds),
        "lines": [{"position": x.position, "sku": x.sku, "units": x.units} for x in standing.lines],
        "fulfillment_orders": [
            {
                "number": x.number, "warehouse": x.warehouse, "carrier": x.carrier, "state": x.state, "units": x.units,
                "freight": f"{x.freight:.2f}", "kgco2e": f"{x.kgco2e:.4f}",
                "arrives_by": x.eta_to_at.isoformat() if x.eta_to_at else None,
            }
            for x in standing.works
        ],
    }  # fmt: skip
