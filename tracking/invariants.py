"""What must always hold of tracking pages: they say what the log says, no more and no less."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orderhub.events.invariants import invariant
from orderhub.events.models import Event, ParkedEvent, StreamHead
from tracking import projection
from tracking.models import Journey, TimelineEntry

#: The newest pages that are folded afresh.
SAMPLE = 200
Row = tuple[int, str, datetime, str]


@invariant("I3", zh="追踪页不会超前于事件日志", en="No tracking page is ahead of the log")
def pages_follow_the_log() -> Iterable[str]:
    """I3: the sequence a page was told is at most the last one of its stream."""
    streams = dict(
        StreamHead.objects.filter(stream__startswith=projection.PREFIX).values_list("stream", "seq")
    )
    for order_id, seq in Journey.objects.order_by("pk").values_list("order_id", "seq").iterator():
        if seq > streams.get(f"order:{order_id}", 0):
            yield f"the page of order {order_id} is at {seq}, beyond the end of its log"


@invariant(
    "I3", zh="重放日志得到相同的追踪页", en="Folding the log again gives the timelines that are stored"
)
def timelines_are_the_fold() -> Iterable[str]:
    """I3: the newest pages, each as far as it was told; pages parked for a person are left out."""
    parked = ParkedEvent.objects.filter(cursor_id="tracking.timeline").values_list("stream", flat=True)
    waiting = {int(stream.partition(":")[2]) for stream in set(parked)}
    pages = {
        row.order_id: row for row in Journey.objects.order_by("-pk")[:SAMPLE] if row.order_id not in waiting
    }
    stored = _stored(pages)
    events = list(_events(pages))
    for order_id, folded in projection.fold(events, projection.books_of(events)).items():
        if (folded.seq, folded.stage) != (pages[order_id].seq, pages[order_id].stage):
            yield f"order {order_id}: the log says {folded.seq} {folded.stage}, the page {pages[order_id]}"
        told = {(said.seq, said.milestone, said.occurred_at, said.place) for said in folded.told}
        if told != stored.get(order_id, set()):
            yield f"order {order_id}: the timeline is not what the log says"


def _events(pages: dict[int, Journey]) -> Iterable[Event]:
    """The events each page was told, stream by stream."""
    streams = {f"order:{order_id}": page.seq for order_id, page in pages.items()}
    events = Event.objects.filter(stream__in=streams, kind__in=projection.told_kinds())
    return (event for event in events.order_by("stream", "seq") if event.seq <= streams[event.stream])


def _stored(pages: dict[int, Journey]) -> dict[int, set[Row]]:
    found: dict[int, set[Row]] = {}
    rows = TimelineEntry.objects.filter(journey__order_id__in=pages)
    names = ("journey__order_id", "seq", "milestone", "occurred_at", "place")
    for key, seq, milestone, at, place in rows.values_list(*names):
        found.setdefault(key, set()).add((seq, milestone, at, place))
    return found
