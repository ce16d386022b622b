"""The one door for what other systems tell us: kept raw, once only, applied in batches, quarantined instead of lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from orderhub.connectors import base
from orderhub.connectors.base import Incoming, Unreadable
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.events import log, rows
from orderhub.events.log import Fact
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.updates import Update
from orderhub.kernel import canonical

BATCH = 200


def receive(connection: Connection, messages: Sequence[Incoming], *, now: datetime) -> int:
    """Keep new messages and owe their handling, in one transaction; repeats of a key change nothing. Returns the new ones."""
    if not messages:
        return 0
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        keys = [message.key for message in messages]
        known = set(
            InboxMessage.objects.filter(connection=connection, key__in=keys).values_list("key", flat=True)
        )
        fresh = {message.key: message for message in messages if message.key not in known}
        rows.insert(_row(connection, message, now=now) for message in fresh.values())
        if fresh:
            Connection.objects.filter(pk=connection.pk).update(last_message_at=now)
            log.record(
                [Fact(stream=f"connection:{connection.pk}", kind="inbox.received", merchant_id=connection.merchant_id,
                      payload={"connection": connection.pk, "messages": len(fresh)})],
                now=now, actor=f"connection:{connection.code}",
            )  # fmt: skip
    return len(fresh)


def drain(connection_id: int, *, now: datetime) -> int:
    """Apply every open message of a connection, oldest first, a batch per transaction; returns how many were handled."""
    handled = 0
    while count := _drain_batch(connection_id, now=now):
        handled += count
    return handled


def replay(message_ids: Sequence[int], *, now: datetime) -> int:
    """Put quarantined messages back in line (after the cause was mended)."""
    chosen = InboxMessage.objects.filter(pk__in=message_ids, state=InboxMessage.State.QUARANTINED)
    connections = list(Connection.objects.filter(inboxmessage__in=chosen).distinct().order_by("pk"))
    count = chosen.update(state=InboxMessage.State.RECEIVED, error="")
    for connection in connections:
        drain(connection.pk, now=now)
    return count


def _row(connection: Connection, message: Incoming, *, now: datetime) -> InboxMessage:
    body = dict(message.body)
    return InboxMessage(
        connection=connection, merchant_id=connection.merchant_id, key=message.key, body=body,
        sha256=canonical.digest(body), received_at=now,
    )  # fmt: skip


def _drain_batch(connection_id: int, *, now: datetime) -> int:
    with transaction.atomic():
        # The lock keeps two workers from applying one system's messages side by side and out of order.
        connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
        open_rows = InboxMessage.objects.filter(connection=connection, state=InboxMessage.State.RECEIVED)
        messages = list(open_rows.order_by("id")[: rows.at_once(BATCH)])
        if not messages:
            return 0
        _apply(connection, messages, now=now)
        rows.save(messages, ["state", "error", "attempts", "applied_at"])
    return len(messages)


def _apply(connection: Connection, messages: Sequence[InboxMessage], *, now: datetime) -> None:
    readable: list[tuple[InboxMessage, Sequence[Update]]] = []
    for row in messages:
        try:
            readable.append((row, base.kind_of(connection).normalize(connection, row.body)))
        except (Unreadable, KeyError) as fault:
            _quarantine(row, f"{type(fault).__name__}: {fault}")
    try:
        with transaction.atomic():
            _apply_readable(connection, readable, now=now)
    except Exception:  # one message spoils the batch: find it, keep the others
        for pair in readable:
            try:
                with transaction.atomic():
                    _apply_readable(connection, [pair], now=now)
            except Exception as fault:
                _quarantine(pair[0], f"{type(fault).__name__}: {fault}")


def _apply_readable(
    connection: Connection, readable: Sequence[tuple[InboxMessage, Sequence[Update]]], *, now: datetime
) -> None:
    updates = [update for _row, updates in readable for update in updates]
    outcomes = iter(
        fulfillment.apply(
            updates, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now
        )
    )
    for row, own in readable:
        results = [next(outcomes) for _update in own]
        row.attempts += 1
        row.applied_at = now
        refused = [result.reason for result in results if result.status == "refused"]
        if refused:
            _quarantine(row, "; ".join(refused))
        elif results and all(result.status == "ignored" for result in results):
            row.state, row.error = InboxMessage.State.IGNORED, results[0].reason
        else:
            row.state, row.error = InboxMessage.State.APPLIED, ""


def _quarantine(row: InboxMessage, reason: str) -> None:
    row.state = InboxMessage.State.QUARANTINED
    row.error = reason[:2000]
