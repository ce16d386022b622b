"""What the hub does about the answers of other systems: an accepted release is acknowledged, a cancellation is settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orderhub.connectors import inbox, shelf
from orderhub.connectors.applying import effects
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.offering import publishing
from orderhub.connectors.offering.publishing import Acknowledged
from orderhub.connectors.settling import Spoken
from orderhub.connectors.speech import answers, mapping, trees
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.updates import Update


def act(connection: Connection, spoken: Sequence[Spoken], now: datetime) -> None:
    """Apply what the answers mean, inside the transaction that notes them."""
    updates: list[Update] = []
    for one in spoken:
        assert one.answer is not None
        number = str(one.push.body.get("fulfillment") or one.push.reference)
        updates += effects.of(
            connection, one.push.operation, one.answer.means, number=number, reason=_reason(one.call),
            tracking_number=str(one.push.body.get("tracking_number") or ""), now=now,
        )  # fmt: skip
    _take_offers(connection, spoken, now=now)
    inbox.receive(connection, [message for one in spoken for message in told_by(connection, one)], now=now)
    if updates:
        fulfillment.apply(
            updates, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now
        )


def _take_offers(connection: Connection, spoken: Sequence[Spoken], *, now: datetime) -> None:
    """A channel that took quantities shows them from now on."""
    channel = connection.channel
    for one in spoken:
        if (
            channel is None
            or one.push.operation != "stock"
            or one.answer is None
            or one.answer.means != "acked"
        ):
            continue
        items = [Acknowledged(item["own_sku"], item["version"]) for item in one.push.body["items"]]
        publishing.acknowledge(channel, items, at=now, now=now)


def _reason(call: Call) -> str:
    return call.answer[:200] if call.state == Call.State.REFUSED else ""


def told_by(connection: Connection, one: Spoken) -> list[Incoming]:
    """The messages an answer holds, where its operation says which map reads it; they go the way of all others."""
    endpoint = shelf.spec_of(connection).operations[one.push.operation]
    if not endpoint.map or one.answer is None or one.answer.means != "acked":
        return []
    tree = one.answer.tree
    items = [tree]
    if endpoint.items is not None:
        found = answers.pick(endpoint.items, mapping.scope(tree, {}))
        items = found if isinstance(found, list) else [] if found is None else [found]
    return [
        Incoming(
            f"{one.push.key}/{number}"[-120:], {}, trees.json_text(item).encode(), {"fetched": endpoint.map}
        )
        for number, item in enumerate(items)
    ]
