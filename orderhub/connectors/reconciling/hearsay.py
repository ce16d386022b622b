"""What can be said of any system without asking it: messages that nobody could apply, calls that nobody acknowledged."""

from __future__ import annotations

from datetime import timedelta

from orderhub.connectors import inbox, settling
from orderhub.connectors.models import Call, InboxMessage
from orderhub.connectors.reconciling.turns import CHUNK, Evidence, Found, Sort, Turn

#: What was not known when a message came may be known by now.
_UNKNOWN_THEN = ("unknown_parcel", "unknown_order", "unknown_fulfillment", "not_found")
#: A system that wanted to answer later has had its time.
_LATER_FOR = timedelta(hours=24)
_WAITS = [Call.State.WAITING, Call.State.SENDING, Call.State.FAILED, Call.State.UNKNOWN]


def messages(turn: Turn, after: str) -> str:
    """Try again what came too early; what still waits for a person is one difference, with its number."""
    apart = InboxMessage.objects.filter(connection=turn.connection, state=InboxMessage.State.QUARANTINED)
    early = apart.filter(error__in=_UNKNOWN_THEN, received_at__gte=turn.run.since)
    if not after:
        inbox.replay(list(early.order_by("pk").values_list("pk", flat=True)[:5000]), now=turn.now)
    count = apart.count()
    if count:
        turn.found.append(Found(Sort.APART, "inbox", "", str(count), evidence=Evidence.TOLD))
    turn.told += InboxMessage.objects.filter(
        connection=turn.connection, received_at__gte=turn.run.since
    ).count()
    return ""


def calls(turn: Turn, after: str) -> str:
    """Calls of these days that stopped or were never acknowledged; those that an answer "no" settles are settled."""
    rows = Call.objects.filter(connection=turn.connection, pk__gt=int(after or 0)).filter(
        created_at__lt=turn.run.until
    )
    refused = rows.filter(state=Call.State.REFUSED).exclude(operation__in=settling.ANSWERED_BY_REFUSAL)
    forgotten = rows.filter(state=Call.State.LATER, sent_at__lt=turn.run.until - _LATER_FOR)
    stopped = rows.filter(state__in=[Call.State.DEAD, *_WAITS]) | refused | forgotten
    chunk = list(stopped.order_by("pk")[:CHUNK])
    turn.told += len(chunk)
    turn.found += [
        Found(
            Sort.UNANSWERED, f"{call.operation} {call.reference}", str(call.state), call.answer[:200], call.order_id,
            call.pk, Evidence.TOLD,
        )
        for call in chunk
    ]  # fmt: skip
    return str(chunk[-1].pk) if len(chunk) == CHUNK else ""
