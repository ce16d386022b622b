"""Answers that come as messages of their own: a call was taken in, and what became of it is told later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orderhub.connectors import traffic
from orderhub.connectors.applying import effects
from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Call, Connection
from orderhub.events import rows
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.updates import Update

State = Call.State
#: A call in these states is answered by the message; the others have their answer.
_OPEN = (State.LATER, State.SENDING, State.UNKNOWN, State.FAILED)
_DONE = {True: State.ACKED, False: State.REFUSED}


def apply(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Settle the calls these messages answer, and do what the answers mean; two queries for any number."""
    references = {text(one.document, "reference")[:80] for one in told}
    known: dict[tuple[str, str], list[Call]] = {}
    for call in Call.objects.filter(connection=connection, reference__in=references).order_by("-pk"):
        known.setdefault((call.operation, call.reference), []).append(call)
    settled: list[tuple[Call, bool]] = []
    results = [_settle(one, known, settled, now=now) for one in told]
    rows.save([call for call, _ok in settled], ["state", "answer", "their_reference", "answered_at"])
    updates: list[Update] = []
    for call, is_ok in settled:
        updates += effects.of(
            connection, call.operation, "acked" if is_ok else "refused", number=call.reference,
            reason="" if is_ok else call.answer[:200], now=now,
        )  # fmt: skip
    if settled:
        acked = sum(is_ok for _call, is_ok in settled)
        traffic.count(connection.pk, now=now, acked=acked, refused=len(settled) - acked)
    fulfillment.apply(updates, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now)
    return results


def _settle(
    one: Told, known: dict[tuple[str, str], list[Call]], settled: list[tuple[Call, bool]], *, now: datetime
) -> Result:
    document = one.document
    reference, operation = text(document, "reference")[:80], text(document, "operation")
    is_ok = document.get("ok")
    if not isinstance(is_ok, bool):
        return Result("refused", "missing", (Fault("ok", "missing"),), reference)
    calls = known.get((operation, reference), [])
    if not calls:
        fault = Fault("reference", "unknown_call", f"{operation} {reference}")
        return Result("refused", "unknown_call", (fault,), reference)
    call = next((one for one in calls if one.state in _OPEN), None)
    if call is None:
        is_same = calls[0].state == _DONE[is_ok]
        fault = Fault("reference", "answered_otherwise", f"{operation} {reference}")
        return (
            Result("ignored", "repeat", subject=reference)
            if is_same
            else Result("refused", "answered_otherwise", (fault,), reference)
        )
    at = moment(document, "at") or now
    call.state, call.answered_at = _DONE[is_ok].value, min(at, now)
    call.answer = text(document, "message")[:1000]
    call.their_reference = text(document, "their_id")[:120] or call.their_reference
    settled.append((call, is_ok))
    return Result("applied", subject=reference)
