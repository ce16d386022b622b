"""What production systems tell of the things that are made to order, as updates of work orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast, get_args

from orderhub.connectors.meant import Fault, Result, Told, moment, text
from orderhub.connectors.models import Connection
from orderhub.fulfillment import services as fulfillment
from orderhub.fulfillment.updates import MakeEvent, Update, UpdateKind

_EVENTS = frozenset(get_args(MakeEvent))
#: What the milestones of production mean for a work order.
_MILESTONES: Mapping[str, str] = {
    "MATERIAL_RECEIVED": "material", "PRODUCTION_STARTED": "started", "PRODUCTION_STEP": "step", "QC_PASSED": "qc_passed",
    "QC_FAILED": "qc_failed", "PRODUCTION_FINISHED": "finished",
}  # fmt: skip
#: What a factory says of a fulfillment order as a warehouse does.
HOUSE: Mapping[str, UpdateKind] = {
    "reject": "reject", "cancelled": "cancelled", "cancel_refused": "cancel_refused", "packed": "pack", "PACKED": "pack",
}  # fmt: skip


def is_step(one: Told) -> bool:
    """Whether a document tells a step of production that happened, which moves the work order."""
    said = text(one.document, "event") or text(one.document, "milestone")
    planned = text(one.document, "classifier") in ("PLANNED", "ESTIMATED")
    return not planned and (bool(text(one.document, "event")) or said in _MILESTONES or said in HOUSE)


def apply(connection: Connection, told: Sequence[Told], *, now: datetime) -> list[Result]:
    """Apply what factories tell, in the order it happened; one result a document."""
    wanted = [_update(connection, one) for one in told]
    updates = [one for one in wanted if isinstance(one, Update)]
    outcomes = iter(
        fulfillment.apply(
            updates, merchant=connection.merchant, actor=f"connection:{connection.code}", now=now
        )
    )
    results = []
    for one in wanted:
        if isinstance(one, Result):
            results.append(one)
            continue
        found, subject = next(outcomes), one.fulfillment_number
        faults = [Fault("", found.reason, subject)] if found.status == "refused" else []
        results.append(Result(found.status, found.reason, faults, subject))
    return results


def _update(connection: Connection, one: Told) -> Update | Result:
    document = one.document
    reference, at = text(document, "reference"), moment(document, "at")
    said = text(document, "event") or text(document, "milestone")
    event = _MILESTONES.get(said, said)
    units = {name: document.get(name) for name in ("qty", "scrap")}
    faults = [
        Fault(name, code, text(document, name))
        for name, code, bad in (
            ("reference", "missing", not reference), ("at", "bad_moment", at is None),
            ("event", "unknown_event", event not in _EVENTS and said not in HOUSE),
            ("qty", "bad_quantity", not _is_count(units["qty"])), ("scrap", "bad_quantity", not _is_count(units["scrap"])),
            ("planned_at", "bad_moment", bool(text(document, "planned_at")) and moment(document, "planned_at") is None),
        )
        if bad
    ]  # fmt: skip
    if faults or at is None:
        return Result("refused", faults[0].code, faults, reference)
    reason = text(document, "reason") or text(document, "remark")
    if said in HOUSE:
        return Update(
            kind=HOUSE[said],
            fulfillment_number=reference,
            occurred_at=at,
            source=connection.name,
            reason=reason[:200],
        )
    return Update(
        kind="make", fulfillment_number=reference, occurred_at=at, source=connection.name, reason=reason[:200],
        event=cast(MakeEvent, event), step=text(document, "step")[:80], good=units["qty"], scrap=units["scrap"],
        planned_at=moment(document, "planned_at"), key=text(document, "key"),
    )  # fmt: skip


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
