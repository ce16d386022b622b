"""What the log alone says of an order: folding its events must give what the tables hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orderhub.events import audit
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders.models import Hold, Order

_STATES = {
    "fulfillment.reserved": "reserved", "fulfillment.released": "released",
    "fulfillment.acknowledged": "acknowledged", "fulfillment.cancel_refused": "acknowledged",
    "fulfillment.picking": "in_progress", "fulfillment.rejected": "rejected",
    "fulfillment.cancel_requested": "cancel_requested", "fulfillment.cancelled": "cancelled",
    "fulfillment.shipped": "shipped",
}  # fmt: skip


@dataclass(slots=True)
class Told:
    """The state of an order as its events tell it."""

    stage: str = ""
    payment: str = "unpaid"
    holds: set[str] = field(default_factory=set)
    fulfillments: dict[str, str] = field(default_factory=dict)
    parcels: dict[str, str] = field(default_factory=dict)


def fold(events: Iterable[Event]) -> Told:
    """Apply events in order to nothing."""
    told = Told()
    for event in events:
        _apply(told, event.kind, event.payload)
    return told


def _apply(told: Told, kind: str, facts: dict[str, Any]) -> None:
    told.stage = facts.get("stage", told.stage)
    if kind == "order.placed":
        told.payment = "paid" if facts["paid"] else "unpaid"
    elif kind == "order.paid":
        told.payment = "paid"
    elif kind == "order.held":
        told.holds.add(facts["reason"])
    elif kind == "order.hold_released":
        told.holds.discard(facts["reason"])
    elif kind in ("order.cancelled", "order.merged_into"):
        told.holds.clear()
    elif kind == "order.split_off":
        told.payment = "paid" if facts["paid"] else "unpaid"
        told.holds |= set(facts["holds"])
    elif kind == "order.merged":
        told.holds |= set(facts["holds"])
    elif kind == "order.address_change_requested":
        told.holds.add("address_change")
    elif kind == "order.address_changed":
        told.holds -= {"address_change", "address_invalid"}
    elif kind == "order.address_change_failed":
        told.holds.discard("address_change")
    if kind in _STATES:
        told.fulfillments[facts["fulfillment"]] = _STATES[kind]
    if kind == "fulfillment.shipped":
        told.parcels[facts["tracking_number"]] = facts["fulfillment"]
    elif kind == "parcel.delivered":
        number = told.parcels.pop(facts["tracking_number"])
        if number not in told.parcels.values():
            told.fulfillments[number] = "delivered"


def stands(order: Order) -> Told:
    """The same, as the tables say it."""
    order = Order.objects.get(pk=order.pk)
    under_way = Parcel.objects.filter(fulfillment__order=order, delivered_at__isnull=True)
    return Told(
        stage=order.stage,
        payment=order.payment,
        holds=set(
            Hold.objects.filter(order=order, released_at__isnull=True).values_list("reason", flat=True)
        ),
        fulfillments=dict(FulfillmentOrder.objects.filter(order=order).values_list("number", "state")),
        parcels=dict(
            under_way.filter(shipped_at__isnull=False).values_list("tracking_number", "fulfillment__number")
        ),
    )


def assert_told(*orders: Order) -> None:
    """fold(events) = state, and no link of the chain is broken."""
    for order in orders:
        events = Event.objects.filter(stream=order.stream).order_by("seq")
        assert fold(events) == stands(order)
        assert list(audit.verify(stream=order.stream)) == []
