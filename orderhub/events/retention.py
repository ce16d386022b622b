"""Deliveries that are done are kept for a month and then counted instead; the events they came from stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from orderhub.events.models import Delivery, DeliveryTally

KEPT_FOR = timedelta(days=30)
BATCH = 5000
OVER = (Delivery.State.DONE, Delivery.State.SKIPPED)


def forget(*, now: datetime, most: int = 500_000) -> int:
    """Delete done and skipped deliveries that ended over 30 days ago, oldest first; returns how many.

    What waits for a person is never deleted, however old.
    """
    limit, after, forgotten = now - KEPT_FOR, 0, 0
    while forgotten < most:
        window = list(
            Delivery.objects.filter(pk__gt=after).order_by("pk")
            .values_list("pk", "subscriber", "state", "created_at", "finished_at")[:BATCH]
        )  # fmt: skip
        # Ids rise with time: where a window begins too young, nothing after it is old enough.
        if not window or window[0][3] >= limit:
            break
        after = window[-1][0]
        old = [row for row in window if row[2] in OVER and row[4] is not None and row[4] < limit]
        forgotten += _count_and_delete(old)
    return forgotten


@transaction.atomic
def _count_and_delete(rows: list[tuple[int, str, str, datetime, datetime | None]]) -> int:
    counts: dict[tuple[str, str], int] = {}
    for _pk, subscriber, state, _created, _finished in rows:
        counts[subscriber, state] = counts.get((subscriber, state), 0) + 1
    for (subscriber, state), number in sorted(counts.items()):
        tally, _made = DeliveryTally.objects.get_or_create(subscriber=subscriber, state=state)
        DeliveryTally.objects.filter(pk=tally.pk).update(number=F("number") + number)
    deleted: int = Delivery.objects.filter(pk__in=[row[0] for row in rows], state__in=OVER).delete()[0]
    if deleted != len(rows):  # a person replayed one meanwhile: count again another time
        raise RuntimeError(f"{len(rows) - deleted} deliveries changed while they were counted")
    return deleted
