"""What happens to orders, told to partners who subscribed: CloudEvents by Standard Webhooks, from the log.

A subscription is a connection whose profile has the role partner, with the kinds of events it wants. A projection finds out
who is owed what, behind the order path; from then on a message is a delivery like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from orderhub.connectors import speaking
from orderhub.connectors.base import Push
from orderhub.connectors.models import Connection, Profile
from orderhub.connectors.settling import Spoken
from orderhub.events import doorbell, kinds, rows
from orderhub.events.kinds import Kind
from orderhub.events.log import CLOCK_SLACK
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Later, Partly
from orderhub.orders.models import Order

NAME = "connectors.partners"
OPERATION = "milestone"
_MINUTE, _HOUR = 60.0, 3600.0
#: Seconds before each further try; after the last one somebody decides.
DELAYS = (
    5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
SWITCHED_OFF_SECONDS = 60.0
#: Whoever reads the log again tells nobody what is older.
_TOLD_FOR = timedelta(days=3)
#: Settings of a subscription: the kinds it wants (none: all), whether it may see who receives, and since when it listens.
KINDS, PERSONAL, SINCE = "kinds", "personal", "since"


def offered() -> list[Kind]:
    """The kinds a partner may subscribe to: what the public may know of an order."""
    return [kind for kind in kinds.catalog() if kind.visibility == "public"]


# ---- who is owed what -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Subscription:
    merchant_id: int
    destination: str
    wanted: frozenset[str]
    since: datetime | None

    def wants(self, event: Event) -> bool:
        """Whether it is owed this event."""
        return (
            event.merchant_id == self.merchant_id
            and (not self.wanted or event.kind in self.wanted)
            and (self.since is None or event.recorded_at >= self.since)
        )


def owe(events: Sequence[Event], *, now: datetime) -> int:
    """Write the deliveries these events owe to subscribers, each once; how many. Inside the caller's transaction."""
    fresh = [
        event for event in events if event.stream.startswith("order:") and event.recorded_at > now - _TOLD_FOR
    ]
    found = _subscriptions({event.merchant_id for event in fresh if event.merchant_id is not None})
    owed = [
        Delivery(
            event_id=event.pk, merchant_id=event.merchant_id, subscriber=NAME, destination=one.destination,
            stream=event.stream, ordered=True, not_before=now - CLOCK_SLACK, created_at=now,
        )
        for event in fresh
        for one in found
        if one.wants(event)
    ]  # fmt: skip
    rows.insert(owed, skip_known=True)
    if owed:
        transaction.on_commit(lambda: doorbell.ring(["outbox"]), robust=True)
    return len(owed)


def _subscriptions(merchant_ids: Collection[int]) -> list[_Subscription]:
    if not merchant_ids:
        return []
    found = Connection.objects.filter(
        merchant_id__in=merchant_ids, is_active=True, profile__role=Profile.Role.PARTNER, profile__in_force__isnull=False
    )  # fmt: skip
    return [
        _Subscription(merchant_id, str(pk), frozenset(config.get(KINDS) or ()), _moment(config.get(SINCE)))
        for pk, merchant_id, config in found.order_by("pk").values_list("pk", "merchant_id", "config")
    ]


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


# ---- what is said ---------------------------------------------------------------------------------


def send(deliveries: Sequence[Delivery], *, now: datetime) -> None:
    """Tell the subscribers; raises Partly for what they did not take."""
    chosen = Connection.objects.select_related("profile__in_force", "merchant")
    connections = chosen.in_bulk({int(row.destination) for row in deliveries})
    failures: dict[int, Exception] = {}
    for number, connection in connections.items():
        own = [row for row in deliveries if int(row.destination) == number]
        failures |= _tell(connection, own, now=now)
    if failures:
        raise Partly(failures)


def _tell(connection: Connection, deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, Exception]:
    if not connection.is_active:
        return {row.pk: Later(SWITCHED_OFF_SECONDS) for row in deliveries}
    said = pushes(connection, deliveries)
    failed = speaking.send(connection, list(said.values()), after=_nothing, now=now)
    return {pk: failed[one.key] for pk, one in said.items() if one.key in failed}


def _nothing(connection: Connection, spoken: Sequence[Spoken], now: datetime) -> None:
    """A partner's answer changes nothing here."""


def pushes(connection: Connection, deliveries: Sequence[Delivery]) -> dict[int, Push]:
    """The message of each delivery; one query."""
    ids = {int(row.stream.removeprefix("order:")) for row in deliveries}
    orders = Order.objects.select_related("channel", "person").in_bulk(ids)
    return {
        row.pk: _push(connection, row.event, orders[int(row.stream.removeprefix("order:"))]) for row in deliveries
    }  # fmt: skip


def _push(connection: Connection, event: Event, order: Order) -> Push:
    config = speaking.config_of(connection)
    source = str(config.get("source") or "/orderhub").rstrip("/")
    body = envelope(
        event, order, source=f"{source}/{connection.merchant.code}", personal=config.get(PERSONAL) is True
    )  # fmt: skip
    return Push(
        key=f"event:{event.pk}/{NAME}", operation=OPERATION, reference=order.number, body=body, order_id=order.pk
    )  # fmt: skip


def envelope(event: Event, order: Order, *, source: str, personal: bool = False) -> dict[str, Any]:
    """The event as a CloudEvent without its id, for whoever is told of it or asks; the order with channel and person."""
    kind = kinds.get(event.kind)
    data: dict[str, Any] = {
        "kind": kind.name, "text": {"zh": kind.zh, "en": kind.en}, "milestone": kind.milestone or None,
        "order_number": order.number, "external_id": order.external_id, "channel": order.channel.code,
        "details": {name: value for name, value in event.payload.items() if name not in kind.personal},
    }  # fmt: skip
    if personal:
        data["receiver"] = _receiver(order)
        data["details"] = dict(event.payload)
    return {
        "type": f"com.orderhub.{kind.name}.v1", "source": source, "subject": order.number,
        "time": event.occurred_at.isoformat(), "sequence": str(event.seq), "data": data,
    }  # fmt: skip


def _receiver(order: Order) -> Mapping[str, str]:
    person = order.person
    return {
        "name": person.name, "phone": person.phone, "country": order.country, "province": order.province,
        "city": order.city, "district": order.district, "address": person.address, "postcode": person.postcode,
    }  # fmt: skip
