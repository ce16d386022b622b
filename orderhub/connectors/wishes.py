"""What the hub wants of other systems: which event asks which operation of whom, and what each message waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Min

from orderhub.connectors import facts
from orderhub.connectors.base import Push
from orderhub.connectors.documents import BY_FULFILLMENT, Documents
from orderhub.connectors.models import Call, Connection, ProfileVersion
from orderhub.connectors.models.profile import Profile
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import To
from orderhub.fulfillment import kinds as fulfillment_kinds
from orderhub.fulfillment import production_kinds
from orderhub.orders import kinds as order_kinds
from orderhub.orders.models import Order

KIND = "profile"
_R = Profile.Role
#: Per event the operation it asks of each sort of system.
ASKED: Mapping[str, Mapping[str, str]] = {
    fulfillment_kinds.RELEASED.name: {_R.WAREHOUSE: "release", _R.MES: "release", _R.ERP: "erp_order"},
    fulfillment_kinds.CANCEL_REQUESTED.name: {_R.WAREHOUSE: "cancel", _R.MES: "cancel"},
    fulfillment_kinds.INTERCEPT_REQUESTED.name: {_R.CARRIER: "intercept"},
    fulfillment_kinds.SHIPPED.name: {_R.CHANNEL: "ship_notice", _R.CARRIER: "subscribe"},
    production_kinds.CHANGE_REQUESTED.name: {_R.MES: "change"},
    production_kinds.RESCHEDULED.name: {_R.CHANNEL: "plan_notice", _R.ERP: "plan_notice"},
    facts.STOCK_PUBLISHED.name: {_R.CHANNEL: "stock"},
    order_kinds.CANCELLED.name: {_R.ERP: "erp_cancel"},
    order_kinds.RESTORED.name: {_R.ERP: "erp_restore"},
    order_kinds.UNITS_CANCELLED.name: {_R.ERP: "erp_change", _R.CHANNEL: "units_changed"},
    order_kinds.UNITS_RESTORED.name: {_R.ERP: "erp_change", _R.CHANNEL: "units_changed"},
    order_kinds.ADDRESS_CHANGED.name: {_R.ERP: "erp_change", _R.CHANNEL: "address_confirm"},
    order_kinds.ADDRESS_CHANGE_FAILED.name: {_R.CHANNEL: "address_confirm"},
}
_BY_PARCEL = frozenset({"subscribe", "intercept", "ship_notice"})
#: Said only of orders that the ERP has heard of: those that were once with a warehouse.
_AFTER_RELEASE = frozenset({"erp_change", "erp_restore"})
#: What an ERP is told of orders it has, and of no others.
_OF_KNOWN = frozenset({order_kinds.CANCELLED.name, order_kinds.ADDRESS_CHANGED.name})


class Manner(NamedTuple):
    """How an operation stands in line: what it comes after (None: everything said before), and whether it goes first."""

    after: tuple[str, ...] | None
    urgent: bool


_operations: dict[str, Mapping[str, Manner]] = {}


def operations_of(digest: str) -> Mapping[str, Manner]:
    """What the document of that digest can be asked; read once a process, since documents never change."""
    known = _operations.get(digest)
    if known is None:
        documents = ProfileVersion.objects.filter(digest=digest).values_list("document", flat=True)
        known = _operations[digest] = {
            name: Manner(tuple(part["after"]) if "after" in part else None, bool(part.get("urgent")))
            for name, part in documents[0].get("operations", {}).items()
        }
    return known


def destinations(events: Sequence[Event]) -> list[Iterable[To]]:
    """Per event the connections that are asked something by it, and what each message waits for there; one query, one
    more each for channels, for cancellations, and where an ERP hears of a change.
    """
    table = _connections({event.merchant_id for event in events if event.merchant_id is not None})
    told = _told(events) if any(row["others"] for row in table) else {}
    asked = _known_there(
        events,
        [_only_who_knows(event, [row for row in table if _is_asked(row, event)], told) for event in events],
    )
    channels = _channels(
        [event for event, found in zip(events, asked, strict=True) if any(row["channel_id"] for row in found)]
    )
    return [
        [_to(row, event) for row in found
         if not row["channel_id"] or event.kind == facts.CALL_WISHED.name
         or channels.get(event.stream) == row["channel_id"]]
        for event, found in zip(events, asked, strict=True)
    ]  # fmt: skip


def _to(row: Mapping[str, Any], event: Event) -> To:
    """Where a message goes, what it is about there, and what of its order it waits for."""
    digest = row["profile__in_force__digest"] if row["kind"] == KIND else None
    operation = _operation(event, row["profile__role"] or "")
    manner = operations_of(digest).get(operation) if digest else None
    if manner is None:
        return To(str(row["pk"]))
    parcel = str(event.payload.get("parcel") or "") if operation in _BY_PARCEL else ""
    waits_for = manner.after
    if waits_for is not None and not parcel and _BY_PARCEL.intersection(waits_for):
        waits_for = None  # what is about the whole order does not know which parcels it would wait for
    if waits_for is not None:
        waits_for = tuple(_topic(name, parcel) for name in waits_for)
    return To(str(row["pk"]), _topic(operation, parcel), waits_for, manner.urgent)


def _topic(operation: str, parcel: str) -> str:
    return f"{operation}:{parcel}" if parcel and operation in _BY_PARCEL else operation


def pushes(connection: Connection, deliveries: Sequence[Delivery]) -> dict[int, Push]:
    """What each delivery has to say to the connection, by delivery; a constant number of queries."""
    role = connection.profile.role if connection.profile is not None else ""
    operations = {row.pk: _operation(row.event, role) for row in deliveries}
    documents = Documents(connection, [(row.event, operations[row.pk]) for row in deliveries])
    return {row.pk: documents.push(row.event, operations[row.pk]) for row in deliveries}


def operation_of(event: Event, connection: Connection) -> str:
    """What an event asks of a connection, in our words."""
    if connection.kind != KIND:
        return {fulfillment_kinds.RELEASED.name: "release"}.get(event.kind, "cancel")
    return _operation(event, connection.profile.role if connection.profile is not None else "")


# ---- who is asked ---------------------------------------------------------------------------------


def _connections(merchant_ids: set[int]) -> list[dict[str, Any]]:
    rows = Connection.objects.filter(merchant_id__in=merchant_ids, is_active=True).exclude(kind="webhook")
    found: dict[int, dict[str, Any]] = {}
    names = (
        "pk", "merchant_id", "kind", "channel_id", "config", "profile__role", "profile__in_force__digest", "warehouses__code",
    )  # fmt: skip
    # By their numbers, so that a preview names the systems in the same order every time.
    for row in rows.order_by("pk").values(*names):
        kept = found.setdefault(row["pk"], {**row, "warehouses": set()})
        if row["warehouses__code"]:
            kept["warehouses"].add(row["warehouses__code"])
    for row in found.values():
        row["others"] = _named_by_others(row, found.values()) if not row["warehouses"] else set()
    return list(found.values())


def _named_by_others(row: Mapping[str, Any], table: Iterable[Mapping[str, Any]]) -> set[str]:
    """The warehouses that systems of the same sort were chosen for: who serves all the others does not serve these."""
    return {
        code for other in table
        if other["merchant_id"] == row["merchant_id"] and _sort(other) == _sort(row) and _releases(other)
        for code in other["warehouses"]
    }  # fmt: skip


def _sort(row: Mapping[str, Any]) -> str:
    return _R.WAREHOUSE if row["kind"] != KIND else str(row["profile__role"] or "")


def _releases(row: Mapping[str, Any]) -> bool:
    digest = row["profile__in_force__digest"]
    return row["kind"] != KIND or (bool(digest) and "release" in operations_of(digest))


def _told(events: Sequence[Event]) -> dict[str, set[int]]:
    """By fulfillment order that is taken back: the connections that were told of it."""
    numbers = {
        str(event.payload.get("fulfillment"))
        for event in events
        if event.kind == fulfillment_kinds.CANCEL_REQUESTED.name
    }
    found: dict[str, set[int]] = {}
    if numbers:
        rows = Call.objects.filter(operation="release", reference__in=numbers)
        for number, connection in rows.values_list("reference", "connection_id"):
            found.setdefault(number, set()).add(connection)
    return found


def _only_who_knows(
    event: Event, rows: list[dict[str, Any]], told: Mapping[str, set[int]]
) -> list[dict[str, Any]]:
    """A cancellation goes to the system that was told of the work, also after another one was chosen for its warehouse."""
    if event.kind != fulfillment_kinds.CANCEL_REQUESTED.name:
        return rows
    known = told.get(str(event.payload.get("fulfillment")), set())
    told_of_it = [row for row in rows if row["pk"] in known]
    return told_of_it or [row for row in rows if event.payload.get("warehouse") not in row["others"]]


def _is_asked(row: Mapping[str, Any], event: Event) -> bool:
    if row["merchant_id"] != event.merchant_id:
        return False
    if row["kind"] != KIND:  # a warehouse that is spoken to in this process
        return event.kind in (fulfillment_kinds.RELEASED.name, fulfillment_kinds.CANCEL_REQUESTED.name) and (
            _serves(row, event)
        )
    if event.kind == facts.CALL_WISHED.name:
        return bool(row["pk"] == event.payload.get("connection"))
    operation = ASKED.get(event.kind, {}).get(row["profile__role"] or "")
    if not operation or not row["profile__in_force__digest"]:
        return False
    if operation not in operations_of(row["profile__in_force__digest"]):
        return False
    if row["profile__role"] == _R.MES and event.kind == fulfillment_kinds.RELEASED.name:
        return bool(event.payload.get("made")) and _serves(
            row, event
        )  # a factory makes what is made to order
    if operation in BY_FULFILLMENT:
        return _serves(row, event)
    if operation in _AFTER_RELEASE and not event.payload.get("was_released", True):
        return False
    if operation in ("subscribe", "intercept"):
        carriers = row["config"].get("carriers") or ()
        return not carriers or event.payload.get("carrier") in words(carriers)
    return operation != "address_confirm" or event.payload.get("requested_by", "channel") == "channel"


def _known_there(
    events: Sequence[Event], asked: Sequence[list[dict[str, Any]]]
) -> list[list[dict[str, Any]]]:
    """Without the ERPs that have not heard of the order yet: it is handed over as it stands when it is released, and
    what nobody there knows cannot be changed or called off.
    """
    changed = {
        event.stream
        for event, found in zip(events, asked, strict=True)
        if event.kind in _OF_KNOWN and any(row["profile__role"] == _R.ERP for row in found)
    }
    if not changed:
        return list(asked)
    released = Event.objects.filter(stream__in=changed, kind=fulfillment_kinds.RELEASED.name)
    first = dict(released.order_by().values_list("stream").annotate(Min("seq")))
    for event in events:
        if event.kind == fulfillment_kinds.RELEASED.name:
            first[event.stream] = min(first.get(event.stream, event.seq), event.seq)
    return [
        found if event.kind not in _OF_KNOWN or first.get(event.stream, event.seq) < event.seq
        else [row for row in found if row["profile__role"] != _R.ERP]
        for event, found in zip(events, asked, strict=True)
    ]  # fmt: skip


def _serves(row: Mapping[str, Any], event: Event) -> bool:
    warehouse, is_cancel = (
        event.payload.get("warehouse"),
        event.kind == fulfillment_kinds.CANCEL_REQUESTED.name,
    )
    if row["warehouses"]:
        return warehouse in row["warehouses"]
    # Whom a cancellation concerns is seen from what was released (`_only_who_knows`).
    return is_cancel or warehouse not in row["others"]


def words(value: object) -> list[str]:
    """Names given as a list or as text with commas or blanks."""
    return (
        [str(one) for one in value]
        if isinstance(value, list | tuple)
        else str(value).replace(",", " ").split()
    )


def _channels(events: Sequence[Event]) -> dict[str, int]:
    """The channel of each order or offer, by stream; no query for no orders."""
    streams = {event.stream for event in events}
    offers = {one: int(one.split(":")[1]) for one in streams if one.startswith("offers:")}
    ids = {int(one.removeprefix("order:")) for one in streams if one.startswith("order:")}
    if not ids:
        return offers
    # A channel knows nothing of the orders that replace units of its own.
    rows = Order.objects.filter(pk__in=ids, follows_up=None).values_list("pk", "channel_id")
    return offers | {f"order:{pk}": channel for pk, channel in rows}


def _operation(event: Event, role: str) -> str:
    if event.kind == facts.CALL_WISHED.name:
        return str(event.payload["operation"])
    return ASKED.get(event.kind, {}).get(role, "")
