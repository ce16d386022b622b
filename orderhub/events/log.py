"""Writing the log: facts, their hash chain and the deliveries they owe, all in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from django.db import connection, transaction

from orderhub.events import doorbell, ids, kinds, registry, writing
from orderhub.events.models import Event, StreamHead
from orderhub.events.tables import Row, row
from orderhub.kernel import canonical, clock

GENESIS = "0" * 64
CLOCK_SLACK = timedelta(minutes=1)


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
    found = StreamHead.objects.filter(stream__in={fact.stream for fact in facts})
    heads = {stream: (seq, last) for stream, seq, last in found.values_list("stream", "seq", "hash")}
    fresh = ids.take(len(facts))
    chained = [_chained(fact, pk, heads, now=now, actor=actor) for fact, pk in zip(facts, fresh, strict=True)]
    events = [event for event, _text in chained]
    writing.append(
        [row_of(event, payload) for event, payload in chained],
        [(stream, str(seq), last) for stream, (seq, last) in heads.items()],
        owed(events, now=now),
    )
    ring_on_commit(event.kind for event in events)
    return events


def ring_on_commit(happened: Iterable[str]) -> None:
    """Tell the workers that listen to these kinds, once the transaction has succeeded."""
    queues = registry.queues_for(happened)
    if queues:
        transaction.on_commit(lambda: doorbell.ring(queues), robust=True)


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
    tails = [_tail(subscriber, shown.merchant_id, "", now=now) for subscriber in listening]
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
            tails: dict[tuple[int | None, str], Row] = {}
            for event, destination in _owed(subscriber, batch):
                key = (event.merchant_id, destination)
                if key not in tails:
                    tails[key] = _tail(subscriber, *key, now=now)
                written = (str(event.pk), event.stream, *tails[key])
                rows.append((event.pk, subscriber.name, destination, written))
    rows.sort(key=itemgetter(0, 1, 2))
    return [written for _event, _subscriber, _destination, written in rows]


def _tail(
    subscriber: registry.Subscriber, merchant_id: int | None, destination: str, *, now: datetime
) -> Row:
    # Due at once, even if this machine's clock is ahead of the database's or the caller lives in the future.
    due_at = min(now, clock.now()) - CLOCK_SLACK
    return writing.delivery_tail(
        merchant_id, subscriber.name, destination, ordered=subscriber.ordered, due_at=due_at, now=now
    )


def _chained(
    fact: Fact, pk: int, heads: dict[str, tuple[int, str]], *, now: datetime, actor: str
) -> tuple[Event, str]:
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


def _owed(subscriber: registry.Subscriber, batch: Sequence[Event]) -> list[tuple[Event, str]]:
    if subscriber.destinations is None:
        return [(event, "") for event in batch]
    named = subscriber.destinations(batch)
    return [(event, name) for event, names in zip(batch, named, strict=True) for name in names]
