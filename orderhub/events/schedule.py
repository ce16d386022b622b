"""What the clock sends: the sweep, the echo every worker must hear, and the periodic jobs apps have
declared.
"""

from __future__ import annotations

from orderhub.celery import QUEUES
from orderhub.events import beats, registry
from orderhub.events.embedded import SWEEP_SECONDS


def schedule() -> dict[str, dict[str, object]]:
    """Celery beat's schedule; messages expire so that a pause of the workers leaves no heap of them."""
    entries = {"sweep": _entry("events.sweep", SWEEP_SECONDS, queue="low")}
    for queue in QUEUES:
        entries[f"beat {queue}"] = _entry("events.beat", beats.BEAT_SECONDS, queue=queue)
    for job in registry.periodics.values():
        entries[job.name] = _entry("events.periodic", job.seconds, queue=job.queue, name=job.name)
    return entries


def _entry(task: str, seconds: float, *, queue: str, **arguments: str) -> dict[str, object]:
    options = {"queue": queue, "expires": max(seconds, 10.0), "ignore_result": True}
    return {"task": task, "schedule": seconds, "kwargs": arguments, "options": options}
