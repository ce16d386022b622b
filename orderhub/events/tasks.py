"""Celery's way in: each task takes a name and calls one service; what is owed lives in the database, not in
messages.
"""

from __future__ import annotations

from celery import Task, shared_task
from django.conf import settings

from orderhub.events import beats, doorbell, embedded, leases, registry, relay, tail

#: Embedded, two threads serve all queues, so each run is short; with workers of their own, queues may take
#: longer turns.
BUDGET_SECONDS = 2.0 if settings.EMBEDDED else 20.0


@shared_task(name="events.pump")
def pump(queue: str) -> int:
    """Run what is due in this queue; ring again if the time ended first."""
    doorbell.answered(queue)
    with embedded.running(f"pump:{queue}"):
        handled = relay.run_queue(queue, budget_seconds=BUDGET_SECONDS)
    if handled:  # rows behind a stopped one are due too, but ringing for them would never end
        relay.ring_if_due(queue)
    return handled


@shared_task(name="events.sweep")
def sweep() -> int:
    """Bury rows that keep killing workers and ring for every queue with something due: finds what a
    doorbell missed.
    """
    relay.bury_lost(now=leases.db_now())
    return relay.ring_due()


@shared_task(name="events.project")
def project(name: str) -> int:
    """Bring one projection up to date."""
    return tail.project(name, budget_seconds=BUDGET_SECONDS)


@shared_task(name="events.periodic")
def periodic(name: str) -> int:
    """Run one periodic job, unless it is still running elsewhere."""
    with embedded.running(f"periodic:{name}"), beats.exclusively(f"periodic:{name}") as alone:
        return registry.periodics[name].run() if alone else 0


@shared_task(name="events.beat", bind=True)
def beat(self: Task[..., None]) -> None:
    """Write down that this worker hears its queues."""
    beats.beat(self.request.hostname or "worker")
