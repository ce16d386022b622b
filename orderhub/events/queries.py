"""How the log and its workers are doing; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from orderhub.events import beats, partitions, registry, tail
from orderhub.events.models import Cursor, Delivery, ParkedEvent, WorkerBeat

_NUMBER = (1 << partitions.MONTH_BITS) - 1
OPEN = (Delivery.State.READY, Delivery.State.LEASED)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one subscriber has yet to do; `oldest_seconds` is the age of its oldest open delivery."""

    subscriber: str
    queue: str
    open: int
    dead: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker or the clock: when it was last heard, and whether that is recent enough."""

    name: str
    queues: tuple[str, ...]
    beat_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class ProjectionState:
    """How many events lie between a projection and the end of the log (its own kinds or not), and what it had
    to park.
    """

    name: str
    behind: int
    parked: int


def backlog(*, now: datetime) -> list[Backlog]:
    """Open and dead deliveries by subscriber, by name; only subscribers that have some."""
    rows = (
        Delivery.objects.filter(state__in=[*OPEN, Delivery.State.DEAD])
        .values("subscriber")
        .annotate(
            open=Count("pk", filter=Q(state__in=OPEN)),
            dead=Count("pk", filter=Q(state=Delivery.State.DEAD)),
            oldest=Min("created_at", filter=Q(state__in=OPEN)),
        )
        .order_by("subscriber")
    )
    return [
        Backlog(
            row["subscriber"], _queue_of(row["subscriber"]), row["open"], row["dead"],
            max(0.0, (now - row["oldest"]).total_seconds()) if row["oldest"] else 0.0,
        )
        for row in rows
    ]  # fmt: skip


def _queue_of(subscriber: str) -> str:
    known = registry.subscribers.get(subscriber)
    return known.queue if known else ""


def workers(*, now: datetime) -> list[WorkerState]:
    """Everything that ever gave a sign of life within a day, by name."""
    rows = WorkerBeat.objects.filter(beat_at__gt=now - timedelta(days=1)).order_by("name")
    lost_before = now - timedelta(seconds=beats.LOST_SECONDS)
    return [
        WorkerState(
            row.name, tuple(filter(None, row.queues.split(","))), row.beat_at, row.beat_at > lost_before
        )
        for row in rows
    ]


def unserved_queues(*, now: datetime) -> set[str]:
    """Queues that have work by declaration but no live worker."""
    served = {queue for worker in workers(now=now) if worker.alive for queue in worker.queues}
    return {listener.queue for listener in registry.listeners()} - served


def projections() -> list[ProjectionState]:
    """Every declared projection, by name."""
    end = tail.horizon()
    reached = {name: (tx, last) for name, tx, last in Cursor.objects.values_list("name", "tx", "event_id")}
    parked = dict(ParkedEvent.objects.values_list("cursor_id").annotate(number=Count("pk")).order_by())
    last = end.event_id if end else 0
    states = []
    for name in sorted(registry.projections):
        tx, event_id = reached.get(name, (0, 0))
        is_there = end is not None and (tx, event_id) >= (end.tx, end.event_id)
        # The lower bits number all events, whatever their month.
        behind = 0 if is_there else max(1, (last & _NUMBER) - (event_id & _NUMBER))
        states.append(ProjectionState(name, behind if end else 0, parked.get(name, 0)))
    return states
