"""Writing the log: facts, their hash chain and the deliveries they owe, all in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection, transaction

from orderhub.events import doorbell, ids, kinds, registry, writing
from orderhub.events.models import Event, StreamHead
from orderhub.events.registry import To
from orderhub.events.tables import Row, row
from orderhub.kernel import canonical, clock

GENESIS = "0" * 64
#: The number and hash of the last event of a stream.
Head = tuple[int, str]
CLOCK_SLACK = timedelta(minutes=1)
_EVERYBODY = To("")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to one stream; `payload` must be JSON after Decimals and datetimes became
    strings.
    """

    stream: str
    kind: str
    payload: Mapping[str, object] = field(default_factory=dict)
    merchant_id: int | None = None
    occurred_at: datetime | None = None


def record(facts: Sequence[Fact], *, now: datetime, actor: str) -> list[Event]:
    """Append facts in order and write the deliveries they owe; a constant number of queries for any batch.

    Must run inside a transaction in which the caller holds the row lock of each stream's aggregate.
    Raises KeyError for an undeclared kind.
    """
    if not facts:
        return []
    if not connection.in_atomic_block:
        raise RuntimeError("events are recorded inside the transaction of the change they describe")
    chain: _Chain = getattr(_here, "chain", None) or _Chain()
    heads = chain.heads({fact.stream for fact in facts})
    chain.begun.update(fact.stream for fact in facts if fact.stream not in heads)
    fresh = chain.take(len(facts))
    chained = [_chained(fact, pk, heads, now=now, actor=actor) for fact, pk in zip(facts, fresh, strict=True)]
    events = [event for event, _text in chained]
    writing.append(
        [row_of(event, payload) for event, payload in chained],
        [(stream, str(seq), last) for stream, (seq, last) in heads.items()],
        owed(events, now=now),
    )
    chain.remember(heads)
    heard: list[Event] | None = getattr(_here, "heard", None)
    if heard is not None:
        heard += events
    ring_on_commit(event.kind for event in events)
    _tell_on_commit({stream: seq for stream, (seq, _hash) in heads.items() if stream not in chain.begun})
    return events


@contextmanager
def chained(*, spare: int) -> Iterator[None]:
    """Within the block, which is part of one transaction, the head of a stream is read once, and ids are taken for
    `spare` events at a time where that costs nothing.
    """
    chain = _Chain(spare)
    _here.chain = chain
    try:
        with connection.execute_wrapper(chain.before):
            yield
    finally:
        _here.chain = None


@contextmanager
def overheard() -> Iterator[list[Event]]:
    """Within the block, the events that this thread records, as they are recorded; for telling what a deed would do."""
    heard: list[Event] = []
    _here.heard = heard
    try:
        yield heard
    finally:
        _here.heard = None


class _Chain:
    """What a transaction knows of the log: the heads it wrote, which nobody else can move until it ends, and ids."""

    def __init__(self, spare: int = 0) -> None:
        self._spare = spare if connection.vendor == "postgresql" else 0
        self._heads: dict[str, Head] = {}
        self._ids: list[int] = []
        #: Streams that began in this transaction: nobody can follow them yet.
        self.begun: set[str] = set()

    def heads(self, streams: Collection[str]) -> dict[str, Head]:
        """The heads of those streams that have any; at most one query."""
        found = {stream: self._heads[stream] for stream in streams if stream in self._heads}
        if missing := [stream for stream in streams if stream not in found]:
            rows = StreamHead.objects.filter(stream__in=missing).values_list("stream", "seq", "hash")
            found.update((stream, (seq, last)) for stream, seq, last in rows)
        return found

    def take(self, count: int) -> list[int]:
        """So many rising ids; at most one query."""
        if len(self._ids) < count:
            self._ids = ids.take(max(count, self._spare))
        taken, self._ids = self._ids[:count], self._ids[count:]
        return taken

    def remember(self, heads: Mapping[str, Head]) -> None:
        """Heads that were just written."""
        self._heads.update(heads)

    def before(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Django's hook around every statement: what a savepoint takes back is not known any more."""
        if sql.startswith("ROLLBACK TO"):
            self._heads.clear()
            self.begun.clear()
        return execute(sql, *rest)


_here = threading.local()


def ring_on_commit(happened: Iterable[str]) -> None:
    """Tell the workers that listen to these kinds, once the transaction has succeeded."""
    queues = registry.queues_for(happened)
    if queues:
        transaction.on_commit(lambda: doorbell.ring(queues), robust=True)


def _tell_on_commit(reached: Mapping[str, int]) -> None:
    for listener in registry.logged if reached else ():
        transaction.on_commit(partial(listener, reached), robust=True)


def event_hash(event: Event) -> str:
    """SHA-256 over the previous hash and the canonical form of the fact."""
    return _digest(event, canonical.dumps(event.payload))


def row_of(event: Event, payload: str) -> Row:
    """The event as a row of `writing.EVENTS`; `payload` is its canonical text."""
    return row((
        event.pk, event.merchant_id, event.stream, event.seq, event.kind, event.occurred_at, event.recorded_at,
        event.actor, payload, event.prev_hash, event.hash,
    ))  # fmt: skip


class FirstEvents(NamedTuple):
    """The first events of new streams as rows of `writing.EVENTS`, `HEADS` and `DELIVERIES`."""

    rows: list[Row]
    heads: list[Row]
    deliveries: list[Row]


def first_events(facts: Sequence[Fact], pks: Sequence[int], *, now: datetime, actor: str) -> FirstEvents:
    """What `record` would write for facts of one kind and merchant that each open a stream, all told now.

    Nothing is read or written. Thousands of orders come this way, so what they share is worked out once.
    """
    if not facts:
        return FirstEvents([], [], [])
    shown = Event(
        merchant_id=facts[0].merchant_id, kind=facts[0].kind, actor=actor[:80], seq=1, occurred_at=now,
        recorded_at=now, prev_hash=GENESIS,
    )  # fmt: skip
    kinds.get(shown.kind)
    before, behind = _around_payload(shown)
    said = [canonical.dumps(fact.payload) for fact in facts]
    hashes = [
        hashlib.sha256(f"{before}{text}{behind}{canonical.dumps(fact.stream)}}}".encode()).hexdigest()
        for fact, text in zip(facts, said, strict=True)
    ]
    _pk, merchant, _stream, seq, kind, at, recorded, by, _payload, prev, _hash = row_of(shown, "")
    rows: list[Row] = [
        (str(pk), merchant, fact.stream, seq, kind, at, recorded, by, text, prev, digest)
        for pk, fact, text, digest in zip(pks, facts, said, hashes, strict=True)
    ]
    heads: list[Row] = [(fact.stream, "1", digest) for fact, digest in zip(facts, hashes, strict=True)]
    listening = registry.listening_to(shown.kind)
    if any(subscriber.destinations is not None for subscriber in listening):
        events = [
            Event(id=pk, merchant_id=shown.merchant_id, stream=fact.stream, kind=shown.kind, payload=json.loads(text))
            for pk, fact, text in zip(pks, facts, said, strict=True)
        ]  # fmt: skip
        return FirstEvents(rows, heads, owed(events, now=now))
    tails = [_tail(subscriber, shown.merchant_id, _EVERYBODY, now=now) for subscriber in listening]
    deliveries = [(cells[0], cells[2], *tail) for cells in rows for tail in tails]
    return FirstEvents(rows, heads, deliveries)


def owed(events: Sequence[Event], *, now: datetime) -> list[Row]:
    """The deliveries these events owe, as rows of `writing.DELIVERIES` by event and subscriber."""
    by_kind: dict[str, list[Event]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)
    rows: list[tuple[int, str, str, Row]] = []
    for kind, batch in by_kind.items():
        for subscriber in registry.listening_to(kind):
            tails: dict[tuple[int | None, To], Row] = {}
            for event, to in _owed(subscriber, batch):
                key = (event.merchant_id, to)
                if key not in tails:
                    tails[key] = _tail(subscriber, *key, now=now)
                written = (str(event.pk), event.stream, *tails[key])
                rows.append((event.pk, subscriber.name, to.destination, written))
    rows.sort(key=itemgetter(0, 1, 2))
    return [written for _event, _subscriber, _destination, written in rows]


def _tail(subscriber: registry.Subscriber, merchant_id: int | None, to: To, *, now: datetime) -> Row:
    # Due at once, even if this machine's clock is ahead of the database's or the caller lives in the future.
    due_at = min(now, clock.now()) - CLOCK_SLACK
    return writing.delivery_tail(
        merchant_id, subscriber.name, to, ordered=subscriber.ordered, due_at=due_at, now=now
    )


def _chained(fact: Fact, pk: int, heads: dict[str, Head], *, now: datetime, actor: str) -> tuple[Event, str]:
    kinds.get(fact.kind)
    seq, last = heads.get(fact.stream, (0, GENESIS))
    payload = canonical.dumps(dict(fact.payload))
    event = Event(
        id=pk, merchant_id=fact.merchant_id, stream=fact.stream, seq=seq + 1, kind=fact.kind,
        actor=actor[:80], occurred_at=fact.occurred_at or now, recorded_at=now, payload=json.loads(payload),
        prev_hash=last,
    )  # fmt: skip
    event.hash = _digest(event, payload)
    heads[fact.stream] = (event.seq, event.hash)
    return event, payload


def _digest(event: Event, payload: str) -> str:
    before, behind = _around_payload(event)
    text = f"{before}{payload}{behind}{canonical.dumps(event.stream)}}}"
    return hashlib.sha256(text.encode()).hexdigest()


def _around_payload(event: Event) -> tuple[str, str]:
    """The canonical form of all parts, whose names come in this order, before the payload and behind it."""
    said = canonical.dumps
    return (
        f'{{"actor":{said(event.actor)},"kind":{said(event.kind)},"merchant":{said(event.merchant_id)},'
        f'"occurred_at":{said(event.occurred_at)},"payload":',
        f',"prev":"{event.prev_hash}","seq":{event.seq},"stream":',
    )


def _owed(subscriber: registry.Subscriber, batch: Sequence[Event]) -> list[tuple[Event, To]]:
    if subscriber.destinations is None:
        return [(event, _EVERYBODY) for event in batch]
    named = subscriber.destinations(batch)
    return [
        (event, name if isinstance(name, To) else To(name))
        for event, names in zip(batch, named, strict=True)
        for name in names
    ]
