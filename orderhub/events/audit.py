"""The proof that nobody touched the log: hash chains checked from end to end, and anchors kept outside the
database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from orderhub.events import registry, tail
from orderhub.events.log import GENESIS, event_hash
from orderhub.events.models import Event
from orderhub.events.tail import Place
from orderhub.kernel import clock

ANCHORS = Path(settings.DATA_DIR) / "audit-anchors.jsonl"
CHUNK = 2000
DAY_SECONDS = 23 * 3600.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the heads of all streams came to at one place in the log."""

    at: str
    tx: int
    event_id: int
    digest: str


def verify(*, stream: str = "") -> Iterator[str]:
    """Every broken link, a sentence each, in one pass over the log (of one stream, if given) in constant
    memory.
    """
    events = Event.objects.order_by("stream", "seq")
    if stream:
        events = events.filter(stream=stream)
    previous: Event | None = None
    for event in events.iterator(chunk_size=CHUNK):
        if previous is not None and previous.stream != event.stream:
            previous = None
        yield from _broken_links(event, previous)
        previous = event


def _broken_links(event: Event, previous: Event | None) -> Iterator[str]:
    expected_seq, expected_hash = (previous.seq + 1, previous.hash) if previous else (1, GENESIS)
    if event.seq != expected_seq:
        yield f"{event.stream} jumps from {expected_seq - 1} to {event.seq}"
    elif event.prev_hash != expected_hash:
        yield f"{event} does not follow the event before it"
    if event.hash != event_hash(event):
        yield f"{event} was changed after it was written"


def head_differences() -> Iterator[str]:
    """Streams whose head is not their last event, and streams without a head."""
    statement = """
        SELECT m.stream FROM (SELECT stream, max(seq) AS seq FROM events_event GROUP BY stream) m
        JOIN events_event e ON e.stream = m.stream AND e.seq = m.seq
        LEFT JOIN events_streamhead h ON h.stream = m.stream
        WHERE h.stream IS NULL OR h.seq <> m.seq OR h.hash <> e.hash
        UNION ALL
        SELECT h.stream FROM events_streamhead h
        WHERE NOT EXISTS (SELECT 1 FROM events_event e WHERE e.stream = h.stream)"""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for (stream,) in cursor.fetchall():
            yield f"the head of {stream} is not its last event"


# ---- anchors ------------------------------------------------------------------------------------


@registry.every(3600, name="events.anchor")
def anchor_daily() -> int:
    """Anchor the log once a day, however often the clock was started again meanwhile."""
    written_at = ANCHORS.stat().st_mtime if ANCHORS.exists() else 0.0
    return anchor() if clock.now().timestamp() - written_at > DAY_SECONDS else 0


def anchor() -> int:
    """Write down the state of the whole log beside the database; returns 1, or 0 for an empty log."""
    place = tail.horizon()
    if place is None:
        return 0
    entry = Anchor(
        at=clock.now().isoformat(), tx=place.tx, event_id=place.event_id, digest=_digest_up_to(place)
    )
    ANCHORS.parent.mkdir(parents=True, exist_ok=True)
    with ANCHORS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry)) + "\n")
    return 1


def broken_anchors() -> Iterator[str]:
    """Anchors that the log no longer matches: it was rewritten as a whole, hashes included."""
    if not ANCHORS.exists():
        return
    for line in ANCHORS.read_text("utf-8").splitlines():
        entry = Anchor(**json.loads(line))
        if _digest_up_to(Place(entry.tx, entry.event_id)) != entry.digest:
            yield f"the log up to event {entry.event_id} is not what was anchored at {entry.at}"


def _digest_up_to(place: Place) -> str:
    """SHA-256 over the last hash of every stream at that place, streams in order."""
    within, bounds = (
        ("id <= %s", [place.event_id])
        if connection.vendor == "sqlite"
        else ("(tx, id) <= (%s::text::xid8, %s)", [place.tx, place.event_id])
    )
    statement = f"""
        SELECT e.stream, e.seq, e.hash FROM events_event e
        JOIN (SELECT stream, max(seq) AS seq FROM events_event WHERE {within} GROUP BY stream) m
          ON m.stream = e.stream AND m.seq = e.seq
        ORDER BY e.stream"""  # noqa: S608  (fixed words only)
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(statement, bounds)
        for stream, seq, last_hash in cursor.fetchall():
            digest.update(f"{stream} {seq} {last_hash}\n".encode())
    return digest.hexdigest()
