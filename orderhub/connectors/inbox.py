"""The one door for what other systems tell us: kept raw, once only, applied in batches, quarantined instead of lost."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from orderhub.connectors import base, early, envelopes, opening, traffic
from orderhub.connectors.applying import dispatch
from orderhub.connectors.base import Incoming, Unreadable
from orderhub.connectors.meant import Fault, Told
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.events import doorbell, log, rows
from orderhub.events.log import Fact
from orderhub.fulfillment.updates import Update
from orderhub.kernel import canonical, secrets

logger = logging.getLogger(__name__)

BATCH = 200
#: Where kept messages are applied.
QUEUE = "intake"
State = InboxMessage.State
_SAVED = [
    "state",
    "error",
    "attempts",
    "applied_at",
    "faults",
    "means",
    "reference",
    "version_id",
    "retry_at",
]
#: What a person may replay, correct or dismiss.
OPEN = (State.QUARANTINED, State.WAITING)
Meant = tuple[InboxMessage, Sequence[Update | Told]]


def receive(connection: Connection, messages: Sequence[Incoming], *, now: datetime) -> int:
    """Keep new messages, which is to owe their handling; repeats of a key change nothing. Returns the new ones.

    One statement: pushes of one system wait for nobody, not even for each other.
    """
    fresh = rows.insert_unknown([_row(connection, message, now=now) for message in _once(messages)])
    if fresh:
        transaction.on_commit(partial(doorbell.ring, [QUEUE]), robust=True)
    return fresh


def drain(connection_id: int, *, now: datetime) -> int:
    """Apply every open message of a connection, oldest first, a batch per transaction; returns how many were handled."""
    handled = 0
    while count := _drain_batch(connection_id, now=now):
        handled += count
    return handled


def drain_some(*, now: datetime) -> int:
    """Apply a batch of every connection that has open messages; returns how many were handled.

    What goes wrong with one connection is logged and tried again by the sweep; the others go on.
    """
    handled = 0
    open_rows = InboxMessage.objects.filter(state=State.RECEIVED)
    for connection_id in open_rows.order_by("connection").values_list("connection", flat=True).distinct():
        try:
            handled += _drain_batch(connection_id, now=now)
        except Exception:
            logger.exception("connection %s: its messages could not be applied", connection_id)
    return handled


def replay(message_ids: Sequence[int], *, now: datetime) -> int:
    """Put quarantined and waiting messages back in line (after the cause was mended)."""
    chosen = InboxMessage.objects.filter(pk__in=message_ids, state__in=OPEN)
    connections = list(Connection.objects.filter(inboxmessage__in=chosen).distinct().order_by("pk"))
    count = chosen.update(state=State.RECEIVED, error="", faults=[])
    for connection in connections:
        drain(connection.pk, now=now)
    return count


def read_again(message_ids: Sequence[int], *, now: datetime) -> int:
    """Read kept messages once more, also those that were applied: what they told before is known and changes nothing."""
    chosen = InboxMessage.objects.filter(pk__in=message_ids)
    connections = list(Connection.objects.filter(inboxmessage__in=chosen).distinct().order_by("pk"))
    count = chosen.exclude(state=State.RECEIVED).update(state=State.RECEIVED, error="", faults=[])
    for connection in connections:
        drain(connection.pk, now=now)
    return count


def correct(message: InboxMessage, text: str, *, actor: str, now: datetime) -> None:
    """Read this text instead of what came, and try again; the bytes that came stay as they are. Empty text undoes it."""
    with transaction.atomic():
        row = InboxMessage.objects.select_for_update().get(pk=message.pk)
        row.sealed_edit = secrets.seal(text, keys=settings.SECRET_KEYS) if text else ""
        row.edited_by = actor[:80] if text else ""
        row.save(update_fields=["sealed_edit", "edited_by"])
        fact = Fact(
            f"connection:{row.connection_id}", "inbox.corrected", {"message": row.pk, "undone": not text},
            row.merchant_id,
        )  # fmt: skip
        log.record([fact], now=now, actor=actor)
    replay([message.pk], now=now)


def dismiss(message_ids: Sequence[int], *, note: str, actor: str, now: datetime) -> int:
    """Let quarantined and waiting messages be, with the reason; they stay kept."""
    chosen = InboxMessage.objects.filter(pk__in=message_ids, state__in=OPEN)
    return chosen.update(state=State.IGNORED, error=note[:2000], edited_by=actor[:80], applied_at=now)


def _once(messages: Sequence[Incoming]) -> list[Incoming]:
    return list({message.key[:120]: message for message in messages}.values())


def _row(connection: Connection, message: Incoming, *, now: datetime) -> InboxMessage:
    body = dict(message.body)
    sha256 = canonical.digest(body) if message.raw is None else hashlib.sha256(message.raw).hexdigest()
    return InboxMessage(
        connection=connection, merchant_id=connection.merchant_id, key=message.key[:120], body=body, sha256=sha256,
        received_at=now, raw=None if message.raw is None else envelopes.seal(message.raw),
        envelope=dict(message.envelope),
    )  # fmt: skip


def _drain_batch(connection_id: int, *, now: datetime) -> int:
    with transaction.atomic():
        # The lock keeps two workers from applying one system's messages side by side and out of order.
        chosen = Connection.objects.select_for_update(no_key=True, of=("self",))
        connection = chosen.select_related("merchant", "channel", "profile__in_force").get(pk=connection_id)
        open_rows = InboxMessage.objects.filter(connection=connection, state=State.RECEIVED)
        messages = list(open_rows.order_by("id")[: rows.at_once(BATCH)])
        if not messages:
            return 0
        whole = [row for row in messages if not _split(connection, row, now=now)]
        _apply(connection, whole, now=now)
        rows.save(messages, _SAVED)
        Connection.objects.filter(pk=connection.pk).update(
            last_message_at=max(row.received_at for row in messages)
        )
        bad = sum(row.state == State.QUARANTINED for row in messages)
        if connection.profile_id is not None:
            traffic.count(connection.pk, now=now, received=len(messages), quarantined=bad)
    return len(messages)


def _split(connection: Connection, row: InboxMessage, *, now: datetime) -> bool:
    """Make a message of each part of a request that holds several, so that a bad one keeps no other; whether it did."""
    try:
        parts = opening.split(connection, row)
    except (Unreadable, KeyError) as fault:
        _quarantine(row, _reason(fault), getattr(fault, "faults", ()))
        return True
    if parts is None:
        return False
    envelope: dict[str, Any] = {**row.envelope, "part": True, "of": row.pk}
    found = _once([Incoming(key, {}, raw, envelope) for key, raw in parts])
    fresh = rows.insert_unknown([_row(connection, part, now=now) for part in found])
    row.state, row.error, row.applied_at = State.APPLIED, "", now
    row.attempts += 1
    row.reference = f"{len(parts)}"
    if fresh < len(parts):
        traffic.count(connection.pk, now=now, repeated=len(parts) - fresh)
    return True


def _apply(connection: Connection, messages: Sequence[InboxMessage], *, now: datetime) -> None:
    readable: list[Meant] = []
    for row in messages:
        try:
            readable.append((row, base.kind_of(connection).normalize(connection, row)))
        except (Unreadable, KeyError) as fault:
            _quarantine(row, _reason(fault), getattr(fault, "faults", ()))
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


def _apply_readable(connection: Connection, readable: Sequence[Meant], *, now: datetime) -> None:
    told = [one for _row_, own in readable for one in own]
    outcomes = iter(dispatch.apply(connection, told, now=now))
    for row, own in readable:
        results = [next(outcomes) for _one in own]
        row.attempts += 1
        row.applied_at = now
        row.reference = next((result.subject for result in results if result.subject), row.reference)[:80]
        refused = [result for result in results if result.status == "refused"]
        if refused:
            faults = [fault for result in refused for fault in result.faults]
            _quarantine(row, "; ".join(dict.fromkeys(result.reason for result in refused)), faults)
            early.park(row, refused, now=now)
        elif all(result.status == "ignored" for result in results):
            row.state, row.error = State.IGNORED, results[0].reason if results else ""
        else:
            row.state, row.error = State.APPLIED, ""


def _reason(fault: Exception) -> str:
    if isinstance(fault, Unreadable):
        return str(fault)
    return f"{type(fault).__name__}: {fault}"


def _quarantine(row: InboxMessage, reason: str, faults: Sequence[Fault] = ()) -> None:
    row.state = State.QUARANTINED
    row.error = reason[:2000]
    row.faults = [fault.as_dict() for fault in list(faults)[:50]]
