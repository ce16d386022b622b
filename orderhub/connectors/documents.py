"""What is said to other systems: the documents are ours (docs/connectors.md lists their fields), a profile's maps turn them
into each system's own form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from orderhub.connectors import causes, facts, making
from orderhub.connectors.base import Push
from orderhub.connectors.models import Alias, Call, Connection, Published
from orderhub.connectors.models.profile import Profile
from orderhub.connectors.offering import marking, takes
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.kernel import clock
from orderhub.orders import kinds as order_kinds
from orderhub.orders import parting, receivers
from orderhub.orders.models import AddressChange, LineCredit, Order, OrderLine, Person

_SUBSCRIBER = "connectors.push"
_R = Profile.Role
#: Asked once for an order, however often its event comes.
ONCE = frozenset({"erp_order"})
#: What is about one fulfillment order.
BY_FULFILLMENT = frozenset({"release", "cancel", "change"})


def reference_of(event: Event, operation: str, order_number: str) -> str:
    """What the message is about, as both sides call it."""
    if event.kind == facts.CALL_WISHED.name:
        return str(event.payload["reference"])
    if event.kind == facts.STOCK_PUBLISHED.name:
        items = event.payload["items"]
        return f"{items[0]['sku'] if len(items) == 1 else event.payload['channel']} #{event.seq}"
    return str(event.payload["fulfillment"]) if operation in BY_FULFILLMENT else order_number


def key_of(event: Event, operation: str, reference: str) -> str:
    """What the other side deduplicates by: the event, or the thing itself where it is asked for once."""
    return (f"{operation}/{reference}" if operation in ONCE else f"event:{event.pk}/{_SUBSCRIBER}")[:120]


class Documents:
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
            if operation in BY_FULFILLMENT and event.kind != facts.CALL_WISHED.name
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
        elif operation in BY_FULFILLMENT:
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
        if items and (most := takes.of(self._connection)) and len(items) > most:
            # Cut before the system in force had its limit: told again, in messages that it takes.
            marking.mark_codes(
                self._connection.merchant_id, [item["own_sku"] for item in items], now=clock.now()
            )
            items = []
        body = {"channel": event.payload["channel"], "items": items}
        # Systems that take one at a time read it without a list.
        return {**body, **items[0]} if len(items) == 1 else body

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
                 "qty": line.ordered - line.cancelled or line.ordered, "price": str(line.unit_price),
                 "total": str(_total(line)), "unit": "PCS", "ext_line_id": _line_id(order, line.position)}
                for line in _stated(self._lines.get(order.pk, ()))
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


def _stated(lines: Sequence[OrderLine]) -> Sequence[OrderLine]:
    """Those with units left; all of them as they were sold where none is: its cancellation is said on its own, after it."""
    return [line for line in lines if line.ordered > line.cancelled] or lines


def _total(line: OrderLine) -> Decimal:
    """The price of the units that are not cancelled; of all where none is left (see `_stated`)."""
    if line.cancelled == line.ordered:
        return line.line_total
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
