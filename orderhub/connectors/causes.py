"""Why another system is told something: the address change that an event of an order belongs to, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from orderhub.events.models import Event
from orderhub.fulfillment import kinds
from orderhub.orders import kinds as order_kinds
from orderhub.orders.models import AddressChange

_TOLD = frozenset({
    order_kinds.ADDRESS_CHANGED.name, order_kinds.ADDRESS_CHANGE_FAILED.name, kinds.INTERCEPT_REQUESTED.name,
})  # fmt: skip


def of(event: Event) -> str:
    """What an event says of its cause itself: `address_change:12`; empty where it says nothing."""
    if event.payload.get("change"):
        return f"address_change:{event.payload['change']}"
    return str(event.payload.get("cause") or "")


def belongs(event: Event, change: AddressChange, changes: Sequence[AddressChange]) -> bool:
    """Whether an event of the order is part of that change; `changes` are all of the order, oldest first."""
    if event.kind in _TOLD:
        return bool(event.payload.get("change") == change.pk)
    if event.occurred_at < change.requested_at or event.kind not in _PARTS:
        return False
    if event.kind == kinds.CANCEL_REQUESTED.name:
        return event.payload.get("reason") == "address_change" and change.pk == _last_before(event, changes)
    # What is released after it was applied goes to the new address.
    settled = change.settled_at
    return settled is not None and event.recorded_at >= settled and change.pk == _last_before(event, changes)


_PARTS = frozenset({kinds.CANCEL_REQUESTED.name, kinds.RELEASED.name})


def _last_before(event: Event, changes: Sequence[AddressChange]) -> int | None:
    earlier = [change.pk for change in changes if change.requested_at <= event.occurred_at]
    return earlier[-1] if earlier else None
