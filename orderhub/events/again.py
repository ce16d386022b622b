"""Deliveries that are owed once more, or not any more, since what they said is said anew."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from orderhub.events import doorbell, leases, registry
from orderhub.events.models import Delivery
from orderhub.kernel import clock


def owe(delivery: Delivery, *, actor: str, note: str) -> bool:
    """Owe a delivery that was done once more, for the other side has lost what it took; whether it was done.

    What came after it in its stream has left already; it goes after that.
    """
    done = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.DONE)
    changed = done.update(
        state=Delivery.State.READY, attempts=0, not_before=leases.db_now(), finished_at=None,
        note=f"{actor}: {note}"[:200],
    )  # fmt: skip
    subscriber = registry.subscribers.get(delivery.subscriber)
    if changed and subscriber is not None:
        queue = subscriber.queue
        transaction.on_commit(lambda: doorbell.ring([queue]), robust=True)
    return bool(changed)


def supersede(subscriber: str, destination: str, streams: Sequence[str], *, note: str) -> int:
    """Let dead deliveries of these streams go, for one that says the same comes after them; how many there were."""
    if not streams:
        return 0
    dead = Delivery.objects.filter(
        subscriber=subscriber, destination=destination, stream__in=streams, state=Delivery.State.DEAD
    )
    return dead.update(state=Delivery.State.SKIPPED, note=note[:200], finished_at=clock.now())
