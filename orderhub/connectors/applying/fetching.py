"""Hints: another system says that something changed, and the whole of it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orderhub.connectors import facts
from orderhub.connectors.meant import Fault, Result, Told, text
from orderhub.connectors.models import Call, Connection
from orderhub.events import again, log

SUBSCRIBER = "connectors.push"


def wish(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Owe a call for each thing that was hinted at, once for those hinted at twice in a batch."""
    results: list[Result] = []
    wanted: dict[tuple[str, str], Told] = {}
    for one in told:
        operation, subject = text(one.document, "operation") or "fetch_order", text(one.document, "ext_id")
        if not subject:
            results.append(Result("refused", "no_number", (Fault("ext_id", "missing"),)))
            continue
        wanted[operation, subject] = one
        results.append(Result("applied", subject=subject))
    _forget_refused(connection, wanted)
    log.record(
        [
            log.Fact(
                stream=_stream(connection, subject), kind=facts.CALL_WISHED.name,
                merchant_id=connection.merchant_id,
                payload={"connection": connection.pk, "operation": operation, "reference": subject,
                         "document": dict(one.document), "cause": ""},
            )
            for (operation, subject), one in wanted.items()
        ],
        now=now, actor=f"connection:{connection.code}",
    )  # fmt: skip
    return results


def _stream(connection: Connection, subject: str) -> str:
    return f"fetch:{connection.pk}:{subject}"[:64]


def _forget_refused(connection: Connection, wanted: Iterable[tuple[str, str]]) -> None:
    """A question that was refused before must not keep the new one waiting behind it: it asks the same."""
    subjects = {subject for _operation, subject in wanted}
    streams = [_stream(connection, subject) for subject in subjects]
    if not again.supersede(SUBSCRIBER, str(connection.pk), streams, note="asked for again"):
        return
    calls = Call.objects.filter(connection=connection, operation="fetch_order", reference__in=subjects)
    calls.filter(state__in=[Call.State.REFUSED, Call.State.DEAD]).update(state=Call.State.SKIPPED)
