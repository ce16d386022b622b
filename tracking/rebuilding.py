"""The timelines once more from the log: the same bytes, or the difference is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from orderhub.events import rows
from orderhub.events.models import Event
from orderhub.fulfillment.models import Parcel
from tracking import projection
from tracking.models import Journey, TimelineEntry

BATCH = 100
_COLUMNS = (
    "journey__order_id", "seq", "milestone", "classifier", "occurred_at", "source", "place", "parcel_id", "facts",
)  # fmt: skip


@dataclass(slots=True)
class Rebuilt:
    """How many pages and entries were written anew, and the orders whose rows were not what the log says."""

    journeys: int = 0
    entries: int = 0
    differing: list[int] = field(default_factory=list)


def rebuild(order_ids: Iterable[int] | None = None) -> Rebuilt:
    """Fold the log of each order afresh, as far as its page was told, and write its entries anew; a batch a transaction.

    What readers see changes only where the rows were wrong; a page keeps its number and its revision.
    """
    chosen = Journey.objects.order_by("pk")
    if order_ids is not None:
        chosen = chosen.filter(order_id__in=list(order_ids))
    keys = list(chosen.values_list("pk", flat=True))
    done = Rebuilt()
    for start in range(0, len(keys), BATCH):
        _rebuild(keys[start : start + BATCH], done)
    return done


def digest(order_id: int) -> str:
    """What an order's timeline says, as one hash over its rows."""
    found = TimelineEntry.objects.filter(journey__order_id=order_id).values_list(*_COLUMNS)
    lines = sorted(json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@transaction.atomic
def _rebuild(keys: Sequence[int], done: Rebuilt) -> None:
    journeys = {
        row.order_id: row for row in Journey.objects.select_for_update(no_key=True).filter(pk__in=keys)
    }
    before = {order_id: digest(order_id) for order_id in journeys}
    reach = {f"{projection.PREFIX}{order_id}": row.seq for order_id, row in journeys.items()}
    events = Event.objects.filter(stream__in=reach, kind__in=projection.told_kinds()).order_by(
        "stream", "seq"
    )
    read = [event for event in events if event.seq <= reach[event.stream]]
    folded = projection.fold(read, projection.books_of(read))
    TimelineEntry.objects.filter(journey__in=keys).delete()
    named = {said.parcel_id for order in folded.values() for said in order.told if said.parcel_id is not None}
    known = set(Parcel.objects.filter(pk__in=named).values_list("pk", flat=True))
    fresh = [
        projection.entry_of(journeys[order.order_id], said, known)
        for order in folded.values()
        for said in order.told
    ]
    rows.insert(fresh, skip_known=True)
    done.journeys += len(journeys)
    done.entries += len(fresh)
    done.differing += [order_id for order_id, known_as in before.items() if digest(order_id) != known_as]
