"""What the hub wants of other systems: which event asks which operation of whom, and the document that is said.

The documents are ours (docs/connectors.md lists their fields); a profile's maps turn them into each system's own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Min, Sum

from orderhub.connectors import causes, facts, making
from orderhub.connectors.base import Push
from orderhub.connectors.models import Alias, Call, Connection, ProfileVersion, Published
from orderhub.connectors.models.profile import Profile
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import To
from orderhub.fulfillment import kinds as fulfillment_kinds
from orderhub.fulfillment import production_kinds
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.orders import kinds as order_kinds
from orderhub.orders import parting, receivers
from orderhub.orders.models import AddressChange, LineCredit, Order, OrderLine, Person

KIND = "profile"
_SUBSCRIBER = "connectors.push"
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
#: Asked once for an order, however often its event comes.
ONCE = frozenset({"erp_order"})
_BY_FULFILLMENT = frozenset({"release", "cancel", "change"})
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
    documents = _Documents(connection, [(row.event, operations[row.pk]) for row in deliveries])
    return {row.pk: documents.push(row.event, operations[row.pk]) for row in deliveries}


def operation_of(event: Event, connection: Connection) -> str:
    """What an event asks of a connection, in our words."""
    if connection.kind != KIND:
        return {fulfillment_kinds.RELEASED.name: "release"}.get(event.kind, "cancel")
    return _operation(event, connection.profile.role if connection.profile is not None else "")


def reference_of(event: Event, operation: str, order_number: str) -> str:
    """What the message is about, as both sides call it."""
    if event.kind == facts.CALL_WISHED.name:
        return str(event.payload["reference"])
    if event.kind == facts.STOCK_PUBLISHED.name:
        return f"{event.payload['channel']} #{event.seq}"
    return str(event.payload["fulfillment"]) if operation in _BY_FULFILLMENT else order_number


def key_of(event: Event, operation: str, reference: str) -> str:
    """What the other side deduplicates by: the event, or the thing itself where it is asked for once."""
    return (f"{operation}/{reference}" if operation in ONCE else f"event:{event.pk}/{_SUBSCRIBER}")[:120]


# ---- who is asked ---------------------------------------------------------------------------------


def _connections(merchant_ids: set[int]) -> list[dict[str, Any]]:
    rows = Connection.objects.filter(merchant_id__in=merchant_ids, is_active=True).exclude(kind="webhook")
    found: dict[int, dict[str, Any]] = {}
    names = (
        "pk", "merchant_id", "kind", "channel_id", "config", "profile__role", "profile__in_force__digest", "warehouses__code",
    )  # fmt: skip
    for row in rows.values(*names):
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
    return row["kind"] != KIND or bool(digest) and "release" in operations_of(digest)


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
    if operation in _BY_FULFILLMENT:
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
    offers = {one: int(one.removeprefix("offers:")) for one in streams if one.startswith("offers:")}
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


# ---- what is said ---------------------------------------------------------------------------------


class _Documents:
    """The rows that some messages to one connection are about, read once for all of them."""

    def __init__(self, connection: Connection, asked: Sequence[tuple[Event, str]]) -> None:
        self._connection = connection
        self._theirs = _their_names(connection)
        streams = {event.stream for event, _operation_ in asked if event.stream.startswith("order:")}
        rows = Order.objects.filter(pk__in={int(stream.removeprefix("order:")) for stream in streams})
        self._orders = {f"order:{row.pk}": row for row in rows.select_related("person__sealed", "channel")}
        self._lines = self._lines_of([stream for stream in streams if stream in self._orders])
        numbers = {
            str(event.payload["fulfillment"])
            for event, operation in asked
            if operation in _BY_FULFILLMENT and event.kind != facts.CALL_WISHED.name
        }
        self._works = {row.number: row for row in _works(numbers)} if numbers else {}
        self._before = _before(connection, list(self._works.values())) if numbers else {}
        is_factory = connection.profile is not None and connection.profile.role == _R.MES
        self._made = (
            making.documents(list(self._works.values()), self._called) if is_factory and numbers else {}
        )
        parcels = {
            int(event.payload["parcel"])
            for event, _o in asked
            if str(event.payload.get("parcel", "")).isdigit()
        }
        self._parcels = Parcel.objects.in_bulk(parcels) if parcels else {}
        changes = {int(event.payload["change"]) for event, _o in asked if event.payload.get("change")}
        rows_changed = AddressChange.objects.select_related("new_person__sealed")
        self._changes = rows_changed.in_bulk(changes) if changes else {}
        self._versions = _versions(connection, [event for event, _o in asked])
        self._refunded = _refunded([row.pk for row in self._orders.values()])

    def push(self, event: Event, operation: str) -> Push:
        """The message of one event."""
        order = self._orders.get(event.stream)
        if event.kind == facts.CALL_WISHED.name:
            body = dict(event.payload["document"])
        elif event.kind == facts.STOCK_PUBLISHED.name:
            body = self._offer(event)
        elif operation in _BY_FULFILLMENT:
            body = self._work(self._works[str(event.payload["fulfillment"])], event)
        else:
            assert order is not None, "an order's events lie in its stream"
            body = self._order(order, event, operation)
        reference = reference_of(event, operation, order.number if order is not None else "")
        return Push(
            key=key_of(event, operation, reference), operation=operation, reference=reference, body=body,
            order_id=order.pk if order is not None else None, cause=causes.of(event)[:40],
        )  # fmt: skip

    def _lines_of(self, streams: Sequence[str]) -> dict[int, list[OrderLine]]:
        found: dict[int, list[OrderLine]] = {}
        ids = [self._orders[stream].pk for stream in streams]
        for line in (
            OrderLine.objects.filter(order_id__in=ids).select_related("sku").order_by("order_id", "position")
        ):
            found.setdefault(line.order_id, []).append(line)
        return found

    def _called(self, sort: str, ours: str) -> str:
        return self._theirs.get((sort, ours), ours)

    def _work(self, row: FulfillmentOrder, event: Event) -> dict[str, Any]:
        order, warehouse = row.order, row.warehouse
        before = self._before.get(row.pk)
        made = self._made.get(row.pk, {})
        released = self._before.get(-row.pk)
        return {
            **self._base(order), "number": row.number, "previous_number": before or "", "order_number": order.number,
            "warehouse": self._called("warehouse", warehouse.code), "service": row.rate_card.service,
            "kind": order.follows_up.sort if hasattr(order, "follows_up") else "sale",
            "carrier": self._called("carrier", row.rate_card.carrier), "grams": row.grams,
            "created_at": row.created_at.isoformat(), "their_id": released or "",
            "reason": str(event.payload.get("reason", "")),
            "planned_at": row.eta_to_at.isoformat() if row.eta_to_at else None,
            "sender": {
                "name": warehouse.contact or warehouse.name,
                "phone": warehouse.phone, "country": "CN", "province": warehouse.province, "city": warehouse.city,
                "address": warehouse.address or warehouse.name,
            },
            "lines": [
                {"position": part.order_line.position, "sku": self._called("sku", part.sku.code),
                 "name": part.order_line.name, "qty": part.quantity, "price": str(part.order_line.unit_price),
                 "ext_order_id": order.external_id, "ext_line_id": _line_id(order, part.order_line.position)}
                for part in row.lines.all() if not made or part.made_on is not None
            ],
            **made, **({"due_at": event.payload["due_at"]} if event.payload.get("due_at") else {}),
        }  # fmt: skip

    def _offer(self, event: Event) -> dict[str, Any]:
        # What a later message says otherwise is not said any more: after an outage a channel gets the last quantities.
        items = [
            {"sku": self._called("sku", item["sku"]), "own_sku": item["sku"], "qty": item["qty"], "version": item["version"]}
            for item in event.payload["items"]
            if self._versions.get(item["sku"], 0) <= item["version"]
        ]  # fmt: skip
        return {"channel": event.payload["channel"], "items": items}

    def _order(self, order: Order, event: Event, operation: str) -> dict[str, Any]:
        payload = event.payload
        body = {
            **self._base(order), "number": order.number, "version": order.version, "currency": order.currency,
            "total": str(order.total - self._refunded.get(order.pk, Decimal(0))),
            "discount": str(order.discount_total), "customer": order.channel.code,
            "reason": str(payload.get("reason") or payload.get("answer") or ""),
            "approved": event.kind != order_kinds.ADDRESS_CHANGE_FAILED.name,
            "lines": [
                {"position": line.position, "sku": self._called("sku", line.sku.code), "name": line.name,
                 "qty": line.ordered - line.cancelled, "price": str(line.unit_price), "total": str(_total(line)),
                 "unit": "PCS", "ext_line_id": _line_id(order, line.position)}
                for line in self._lines.get(order.pk, ()) if line.ordered > line.cancelled
            ],
        }  # fmt: skip
        if operation in (
            "ship_notice",
            "units_changed",
        ):  # the channel knows a part by the number it sold it with
            body |= {
                "ext_id": order.external_id.partition(parting.MARK)[0],
                "refund": str(payload.get("refund") or "0.00"),
            }
        change = self._changes.get(int(payload.get("change") or 0))
        if operation == "intercept" and change is not None:
            body["receiver"] = _receiver(change)
        if operation == "plan_notice":
            body |= {name: payload.get(name) for name in making.PLAN_FIELDS}
        if operation in ("ship_notice", "subscribe", "intercept"):
            parcel = self._parcels.get(int(payload.get("parcel") or 0))
            body |= {
                "carrier": self._called("carrier", str(payload.get("carrier", ""))),
                "tracking_number": str(payload.get("tracking_number", "")), "shipped_at": event.occurred_at.isoformat(),
                "phone_tail": order.person.phone[-4:], "fulfillment": str(payload.get("fulfillment", "")),
                "grams": parcel.grams if parcel is not None else None, "shipped_lines": payload.get("lines") or [],
            }  # fmt: skip
        return body

    def _base(self, order: Order) -> dict[str, Any]:
        extra, hidden = order.extra, receivers.of_order(order)
        return {
            "ext_id": order.external_id, "ext_no": extra.get("ext_no") or order.external_id, "channel": order.channel.code,
            "shop": order.channel.name, "placed_at": order.placed_at.isoformat(), "green": order.green,
            "paid_at": order.paid_at.isoformat() if order.paid_at else None, "note": order.note,
            "cipher": hidden.get("cipher") or {},
            "receiver": {
                "country": order.country, "province": order.province, "city": order.city, "district": order.district,
                **_who(order.person, hidden),
            },
        }  # fmt: skip


def _receiver(change: AddressChange) -> dict[str, str]:
    """Where a change wants it to go."""
    return {**change.new_place, **_who(change.new_person, receivers.of(change.new_person))}


def _who(person: Person, hidden: Mapping[str, Any]) -> dict[str, str]:
    """The receiver: what the platform sent in place of one it hides, byte by byte; else as it stands."""
    cipher = hidden.get("cipher")
    cipher = cipher if isinstance(cipher, Mapping) else {}
    shown = {name: cipher.get(name) or getattr(person, name) for name in ("name", "phone", "address")}
    return {
        **shown, "email": person.email, "postcode": person.postcode, "town": hidden.get("town") or "",
        "oaid": hidden.get("oaid") or "",
    }  # fmt: skip


def _line_id(order: Order, position: int) -> str:
    ids = order.extra.get("line_ids") or []
    return str(ids[position - 1]) if 0 < position <= len(ids) else ""


def _total(line: OrderLine) -> Decimal:
    """The price of the units that are not cancelled."""
    stays, _gone = parting.share(line.line_total, line.discount, ordered=line.ordered, moving=line.cancelled)
    return stays.total


def _refunded(order_ids: Sequence[int]) -> dict[int, Decimal]:
    """What is due back for cancelled units, by order; one query."""
    if not order_ids:
        return {}
    rows = LineCredit.objects.filter(
        line__order_id__in=order_ids, voided_at=None, cause__startswith="cancellation:"
    ).values("line__order_id")
    return {row["line__order_id"]: row["sum"] for row in rows.annotate(sum=Sum("amount"))}


def _works(numbers: set[str]) -> Iterable[FulfillmentOrder]:
    return (
        FulfillmentOrder.objects.filter(number__in=numbers)
        .select_related(
            "order__person__sealed", "order__channel", "order__follows_up", "warehouse", "rate_card"
        )
        .prefetch_related("lines__sku", "lines__order_line")
    )


def _before(connection: Connection, works: Sequence[FulfillmentOrder]) -> dict[int, str]:
    """The number a warehouse knew an order by before (by fulfillment order), and under the negative id its own number."""
    references = Call.objects.filter(
        connection=connection, operation="release", order_id__in={row.order_id for row in works}
    ).exclude(state=Call.State.REFUSED)
    found: dict[int, str] = {}
    for order_id, reference, theirs in references.order_by("pk").values_list(
        "order_id", "reference", "their_reference"
    ):
        for row in works:
            if row.order_id == order_id and row.number != reference:
                found[row.pk] = reference
            elif row.order_id == order_id:
                found[-row.pk] = theirs
    return found


def _versions(connection: Connection, events: Sequence[Event]) -> dict[str, int]:
    """The last version of each quantity that these events tell the channel; no query if they tell none."""
    told = [event for event in events if event.kind == facts.STOCK_PUBLISHED.name]
    skus = {item["sku"] for event in told for item in event.payload["items"]}
    if not skus:
        return {}
    rows = Published.objects.filter(channel=connection.channel_id, sku__code__in=skus)
    return dict(rows.values_list("sku__code", "version"))


def _their_names(connection: Connection) -> dict[tuple[str, str], str]:
    rows = Alias.objects.filter(connection=connection).order_by("pk").values_list("sort", "ours", "theirs")
    return {(sort, ours): theirs for sort, ours, theirs in rows}
