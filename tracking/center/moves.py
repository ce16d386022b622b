"""What an event means for the parts of an order that are watched; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from orderhub.events import kinds
from orderhub.events.models import Event

ORDER = "order"
ALL = "*"
RELEASED, REROUTED, BACKORDERED = "RELEASED", "REROUTED", "BACKORDERED"
#: Nothing more is expected after these.
ENDS = frozenset({"DELIVERED", "CANCELLED", "RETURN_RECEIVED", "REFUNDED"})
#: What may happen after a delivery; anything else is late news.
AFTER_END = frozenset({"RETURN_IN_TRANSIT", "RETURN_RECEIVED", "REFUSED", "REFUNDED", "LOST", "DAMAGED"})

_OF_ORDER: Mapping[str, str] = {
    "order.placed": "ORDER_PLACED", "order.follow_up_placed": "ORDER_PLACED", "order.split_off": "ORDER_PLACED",
    "order.paid": "ORDER_PAID", "order.rerouted": REROUTED, "order.restored": REROUTED,
    "order.backordered": BACKORDERED, "routing.decided": "ALLOCATED", "fulfillment.rejected": REROUTED,
}  # fmt: skip
_OF_WORK: Mapping[str, str] = {
    "fulfillment.released": RELEASED, "fulfillment.acknowledged": "WMS_ACCEPTED", "fulfillment.picking": "PICKED",
    "fulfillment.packed": "PACKED", "fulfillment.cancel_refused": "WMS_ACCEPTED",
}  # fmt: skip
_END_OF_WORK = frozenset(
    {"fulfillment.shipped", "fulfillment.rejected", "fulfillment.cancelled", "fulfillment.cancel_requested"}
)
#: A cancellation that is asked for may still be refused.
_ENDED: Mapping[str, str] = {"fulfillment.shipped": "SHIPPED", "fulfillment.cancel_requested": "CANCEL_ASKED"}
_END_OF_ALL = frozenset({"order.cancelled", "order.merged_into"})
_TOLD = frozenset({"parcel.scanned", "order.milestone_told"})
KINDS = frozenset(
    {
        *_OF_ORDER,
        *_OF_WORK,
        *_END_OF_WORK,
        *_END_OF_ALL,
        *_TOLD,
        "order.held",
        "order.hold_released",
        "parcel.delivered",
    }
)
Sort = Literal["stand", "end", "hold", "free", "note"]


@dataclass(frozen=True, slots=True)
class Move:
    """One part (`order`, `f:number`, `p:id`, or `*` for all) stands at a milestone, ends, is held or let go.

    A `note` is said of the order as a whole: it is kept, and says nothing of where its parts stand.
    """

    subject: str
    sort: Sort
    milestone: str
    at: datetime
    seq: int
    place: str = ""
    parcel_id: int | None = None
    carrier: str = ""
    warehouse: str = ""
    reason: str = ""
    eta: str = ""


def watched_kinds() -> list[str]:
    """The kinds that move something; steps of production among them."""
    made = [kind.name for kind in kinds.catalog() if kind.name.startswith("production.") and _is_step(kind)]
    return sorted({*KINDS, *made})


def _is_step(kind: kinds.Kind) -> bool:
    """A plan that moved is news for customers, but nothing was made."""
    return bool(kind.milestone) and kind.milestone != "PLAN_MOVED"


def of(event: Event) -> list[Move]:
    """What an event moves, in order."""
    kind, said, at = event.kind, event.payload, event.occurred_at
    number, parcel = str(said.get("fulfillment") or ""), said.get("parcel")
    work = f"f:{number}"
    common: dict[str, Any] = {"at": at, "seq": event.seq, "warehouse": str(said.get("warehouse") or "")}
    found: list[Move] = []
    if kind in ("order.held", "order.hold_released"):
        sort: Sort = "hold" if kind == "order.held" else "free"
        # Only what still waits to be handed over can be held; what a warehouse or a carrier has goes on.
        return [Move(ORDER, sort, "", at, event.seq, reason=str(said.get("reason") or "manual"))]
    if kind in _END_OF_ALL:
        return [Move(ALL, "end", "CANCELLED", at, event.seq)]
    if kind in _END_OF_WORK:
        found.append(Move(work, "end", _ENDED.get(kind, "CANCELLED"), **common))
    if kind in _OF_ORDER:
        found.append(Move(ORDER, "stand", _OF_ORDER[kind], **common))
    elif kind in _OF_WORK or (kind.startswith("production.") and _is_step(kinds.get(kind))):
        if kind == "fulfillment.released":
            found.append(Move(ORDER, "end", RELEASED, **common))
        found.append(Move(work, "stand", _OF_WORK.get(kind) or kinds.get(kind).milestone, **common))
    elif kind == "fulfillment.shipped" and isinstance(parcel, int):
        carrier = str(said.get("carrier") or "")
        found.append(Move(f"p:{parcel}", "stand", "SHIPPED", parcel_id=parcel, carrier=carrier, **common))
    elif kind == "parcel.delivered" and isinstance(parcel, int):
        found.append(Move(f"p:{parcel}", "end", "DELIVERED", parcel_id=parcel, **common))
    elif kind in _TOLD:
        found += _told(event, common)
    return found


def _told(event: Event, common: Mapping[str, Any]) -> list[Move]:
    """Only what happened moves something; plans, estimates and corrections do not."""
    said = event.payload
    milestone, parcel = str(said.get("milestone") or ""), said.get("parcel")
    if not milestone or said.get("corrects") or said.get("classifier") not in (None, "", "ACTUAL"):
        return []
    subject = ORDER
    if isinstance(parcel, int):
        subject = f"p:{parcel}"
    elif said.get("fulfillment"):
        subject = f"f:{said['fulfillment']}"
    sort: Sort = "note" if subject == ORDER else "end" if milestone in ENDS else "stand"
    return [
        Move(
            subject, sort, milestone, place=str(said.get("place") or "")[:120],
            parcel_id=parcel if isinstance(parcel, int) else None, **common,
        )
    ]  # fmt: skip
