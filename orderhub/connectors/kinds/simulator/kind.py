"""The simulator: a warehouse and a carrier that exist only here, on an accelerated clock; the demo's other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from orderhub.connectors import base, inbox
from orderhub.connectors.base import Incoming, PositionFix, Push, Unreadable
from orderhub.connectors.kinds.simulator import plan
from orderhub.connectors.models import Connection, InboxMessage, SimulatedJob
from orderhub.events import rows
from orderhub.fulfillment.updates import Count, Update

#: A step the simulated warehouse can no longer undo.
_GONE = {"ship", "scan", "position", "deliver"}
_KINDS = {"acknowledge", "pick", "pack", "ship", "reject", "cancelled", "cancel_refused", "scan", "deliver"}
#: What a carrier's milestone says of the parcel.
_STATUS = {
    "PICKED_UP": "picked_up", "DEPARTED": "in_transit", "ARRIVED": "in_transit", "DELAYED": "delivery_delayed",
    "OUT_FOR_DELIVERY": "out_for_delivery",
}  # fmt: skip


class Simulator:
    """Answers a release with acknowledge, pick, pack, ship, scans, positions and delivery; a cancel with yes or no."""

    name = "simulator"

    def push(self, connection: Connection, pushes: Sequence[Push], *, now: datetime) -> None:
        """Take the messages over; a key seen before is counted and changes nothing."""
        with transaction.atomic():
            seen = SimulatedJob.objects.filter(connection=connection, key__in=[push.key for push in pushes])
            known = set(seen.values_list("key", flat=True))
            if known:
                seen.update(received=F("received") + 1)
            fresh = [push for push in pushes if push.key not in known]
            releases = [push for push in fresh if push.operation == "release"]
            rows.insert((self._job(connection, push, now=now) for push in releases), skip_known=True)
            for push in fresh:
                if push.operation == "cancel":
                    self._cancel(connection, push, now=now)

    def normalize(self, connection: Connection, message: InboxMessage) -> Sequence[Update]:
        """One message is one update; raises Unreadable for one that lacks its kind, reference or moment."""
        body = message.body
        occurred_at = parse_datetime(str(body.get("occurred_at", "")))
        if occurred_at is None or body.get("kind") not in _KINDS or "reference" not in body:
            raise Unreadable("kind, reference and occurred_at are needed")
        facts = body.get("facts", {})
        milestone = str(facts.get("milestone", ""))
        return [Update(
            kind=body["kind"], fulfillment_number=str(body["reference"]), occurred_at=occurred_at,
            source=connection.name, reason=str(facts.get("reason", "")),
            lines=tuple(Count(str(line["sku"]), int(line["quantity"])) for line in facts.get("lines", ())),
            carrier=str(facts.get("carrier", "")), tracking_number=str(facts.get("tracking_number", "")),
            grams=facts.get("grams"), carton_grams=facts.get("carton_grams"), milestone=milestone,
            status=_STATUS.get(milestone, ""), place=str(facts.get("place", "")),
            latitude=_decimal(facts, "latitude"), longitude=_decimal(facts, "longitude"),
            distance_km=_decimal(facts, "distance_km"),
        )]  # fmt: skip

    def _job(self, connection: Connection, push: Push, *, now: datetime) -> SimulatedJob:
        steps = plan.make(push.body, trouble=float(connection.config.get("trouble", 0.04)))
        return SimulatedJob(
            connection=connection, key=push.key, reference=push.reference, request=dict(push.body), plan=steps,
            due_at=now + _real(steps[0]["hours"]), created_at=now,
        )  # fmt: skip

    def _cancel(self, connection: Connection, push: Push, *, now: datetime) -> None:
        job = (
            SimulatedJob.objects.select_for_update()
            .filter(connection=connection, reference=push.reference)
            .first()
        )
        gone = job is not None and any(step["kind"] in _GONE for step in job.plan[: job.position])
        answer = "cancel_refused" if gone else "cancelled"
        if job is not None and not gone:
            SimulatedJob.objects.filter(pk=job.pk).update(due_at=None)
        message = _message(f"{push.key}/answer", answer, push.reference, {}, now=now)
        inbox.receive(connection, [message], now=now)


def _decimal(facts: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(str(facts[name])) if name in facts else None


def _real(hours: float) -> timedelta:
    return timedelta(seconds=hours * 3600 / settings.SIM_SPEED)


def _message(key: str, kind: str, reference: str, facts: Mapping[str, Any], *, now: datetime) -> Incoming:
    return Incoming(
        key=key,
        body={"kind": kind, "reference": reference, "occurred_at": now.isoformat(), "facts": dict(facts)},
    )


def tick(*, now: datetime, limit: int = 400, budget_seconds: float = 5.0) -> int:
    """Let the make-believe world go on: send what is due, plan what comes next. Returns the steps played.

    A batch is a transaction; batches follow each other until nothing is due or the time is up.
    """
    deadline, most = monotonic() + budget_seconds, rows.at_once(limit)
    played = 0
    while batch := _tick(now=now, most=most):
        played += batch
        if batch < most or monotonic() > deadline:
            break
    return played


def _tick(*, now: datetime, most: int) -> int:
    with transaction.atomic():
        due = SimulatedJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(due_at__lte=now)
        jobs = list(due.select_related("connection").order_by("due_at", "id")[:most])
        fixes: list[PositionFix] = []
        by_connection: dict[int, tuple[Connection, list[Incoming]]] = {}
        for job in jobs:
            _connection, messages = by_connection.setdefault(job.connection_id, (job.connection, []))
            _play(job, messages, fixes, now=now)
        rows.save(jobs, ["position", "due_at"])
        for connection, messages in by_connection.values():
            inbox.receive(connection, messages, now=now)
    base.report_positions(fixes)
    return len(jobs)


def _play(job: SimulatedJob, messages: list[Incoming], fixes: list[PositionFix], *, now: datetime) -> None:
    step = job.plan[job.position]
    facts = step["facts"]
    shipped = next((s["facts"] for s in job.plan[: job.position] if s["kind"] == "ship"), None)
    if shipped and "latitude" in facts:
        fixes.append(PositionFix(
            carrier=shipped["carrier"], tracking_number=shipped["tracking_number"],
            latitude=Decimal(facts["latitude"]), longitude=Decimal(facts["longitude"]), occurred_at=now,
        ))  # fmt: skip
    if step["kind"] != "position":
        if shipped:
            facts = {**facts, "carrier": shipped["carrier"], "tracking_number": shipped["tracking_number"]}
        messages.append(_message(f"{job.key}/{job.position}", step["kind"], job.reference, facts, now=now))
    job.position += 1
    job.due_at = now + _real(job.plan[job.position]["hours"]) if job.position < len(job.plan) else None


simulator = base.register(Simulator())
