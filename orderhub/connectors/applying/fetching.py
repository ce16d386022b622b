"""Hints: another system says that something changed, and the whole of it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orderhub.connectors import facts
from orderhub.connectors.meant import Fault, Result, Told, text
from orderhub.connectors.models import Connection
from orderhub.events import log


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
    log.record(
        [
            log.Fact(
                stream=f"fetch:{connection.pk}:{subject}"[:64], kind=facts.CALL_WISHED.name,
                merchant_id=connection.merchant_id,
                payload={"connection": connection.pk, "operation": operation, "reference": subject,
                         "document": dict(one.document), "cause": ""},
            )
            for (operation, subject), one in wanted.items()
        ],
        now=now, actor=f"connection:{connection.code}",
    )  # fmt: skip
    return results
