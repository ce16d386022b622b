"""Placing orders: a batch at a time, each number of a channel once, whoever sends it and however often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.events import log
from orderhub.events.models import Event
from orderhub.kernel import regions
from orderhub.kernel.errors import Refused
from orderhub.orders import journeys, kinds, prepared, writing
from orderhub.orders.drafts import OrderDraft, Outcome, Placement
from orderhub.orders.models import Order
from orderhub.orders.prepared import Batch, Prepared

Key = tuple[int, str]
# Each lost race means that somebody else's row is now visible, so two rounds settle it; more is a fault.
_ROUNDS = 5


def place(
    drafts: Sequence[OrderDraft], *, merchant: Merchant, actor: str, now: datetime, source: str
) -> list[Placement]:
    """Place drafts of one merchant, one placement per draft in the order given; about ten queries for any
    number.

    A known number with the same content changes nothing; with other content it is not applied and the order's
    stream says so. Raises Refused (see `refusal`) before anything is written; drafts of doubtful origin are
    asked first. A created order comes with lines, holds and fulfillments at hand (see `prepared.model`).
    """
    settled = _settled(drafts, merchant=merchant, actor=actor, now=now, source=source)
    created = {key: prepared.model(row, settled.batch) for key, row in settled.created.items()}
    known = Order.objects.in_bulk([x.pk for x in settled.standing.values()]) if settled.standing else {}
    orders = created | {key: known[x.pk] for key, x in settled.standing.items()}
    return [
        Placement(draft, orders[draft.key], outcome)
        for draft, outcome in zip(drafts, settled.outcomes, strict=True)
    ]


def place_many(
    drafts: Sequence[OrderDraft], *, merchant: Merchant, actor: str, now: datetime, source: str
) -> list[Outcome]:
    """As `place`, for thousands: only what became of each draft is told, no order is handed out."""
    return _settled(drafts, merchant=merchant, actor=actor, now=now, source=source).outcomes


def pack(
    drafts: Sequence[OrderDraft], *, merchant: Merchant, actor: str, now: datetime, source: str
) -> list[bytes] | None:
    """The drafts as `place_packed` writes them, all as new; None where a number stands already or comes twice, which
    is for `place_many` to settle. Needs no transaction, may run in another process; PostgreSQL only.
    """
    _check(drafts, merchant=merchant)
    wanted = sorted(drafts, key=_key)
    if len({draft.key for draft in wanted}) < len(wanted) or _known(wanted):
        return None
    batch = Batch(merchant, actor, source, now, entry=journeys.begin(merchant.pk))
    return writing.encode_all(_prepared(wanted, batch), now=now, actor=actor)


def place_packed(blocks: Sequence[bytes]) -> None:
    """Write what `pack` gave; IntegrityError, possibly at commit, where one of its numbers was taken meanwhile."""
    writing.write_encoded(blocks)
    log.ring_on_commit([kinds.PLACED.name])


def refusal(draft: OrderDraft, *, merchant: Merchant) -> Refused | None:
    """Why this draft cannot become an order: another merchant's goods, no lines, an unknown place; None if it
    can.
    """
    lines = draft.lines
    if draft.channel.merchant_id != merchant.pk or [x for x in lines if x.sku.merchant_id != merchant.pk]:
        return _no(
            draft, "foreign_goods", _("The channel or an SKU belongs to another merchant."), field="channel"
        )
    if not lines:
        return _no(draft, "no_lines", _("The order has no lines."), field="lines")
    if [x for x in lines if x.quantity < 1]:
        return _no(draft, "bad_quantity", _("Every line needs at least one unit."), field="lines")
    return _unknown_place(draft)


def _unknown_place(draft: OrderDraft) -> Refused | None:
    verdict = regions.verdict(draft.country, draft.province, draft.city)
    if verdict == "ok":
        return None
    facts = {"external_id": draft.external_id, "country": draft.country, "province": draft.province}
    if verdict == "unknown_country":
        return Refused(
            verdict, _("The country %(country)s is not known.") % facts, status=400, field="country",
            facts=facts,            remedy=_("Write its two-letter code (ISO 3166-1) or its name."),
        )  # fmt: skip
    return Refused(
        verdict, _("The province %(province)s of country %(country)s is not known.") % facts, status=400,
        remedy=_("Write the official name or code of the province."), field="province", facts=facts,
    )  # fmt: skip


def _no(draft: OrderDraft, code: str, message: object, *, field: str) -> Refused:
    return Refused(
        code, message, remedy=_("Correct the order and send it again."), status=400, field=field,
        facts={"external_id": draft.external_id},
    )  # fmt: skip


# ---- settling who has which number --------------------------------------------------------------


class _Standing(NamedTuple):
    """An order that has its number already."""

    pk: int
    content_hash: str


@dataclass(slots=True)
class _Settled:
    """What became of a batch: who was created, who stood there before, and the outcome of each draft."""

    batch: Batch
    created: dict[Key, Prepared] = field(default_factory=dict)
    standing: dict[Key, _Standing] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


def _check(drafts: Sequence[OrderDraft], *, merchant: Merchant) -> None:
    for draft in drafts:
        if (no := refusal(draft, merchant=merchant)) is not None:
            raise no


def _key(draft: OrderDraft) -> Key:
    return draft.key


def _settled(
    drafts: Sequence[OrderDraft], *, merchant: Merchant, actor: str, now: datetime, source: str
) -> _Settled:
    _check(drafts, merchant=merchant)
    first: dict[Key, OrderDraft] = {}
    for draft in drafts:
        first.setdefault(draft.key, draft)
    # Inserted in one fixed order, so that two batches with the same numbers wait for each other, never in a
    # circle.
    wanted = [first[key] for key in sorted(first)]
    # The writer of a few never fails on a number that is taken, so it needs no point to come back to.
    can_collide = not writing.is_few(len(wanted))
    for rounds_left in reversed(range(_ROUNDS)):
        try:
            with transaction.atomic(savepoint=can_collide):
                batch = Batch(merchant, actor, source, now, entry=journeys.begin(merchant.pk))
                settled = _Settled(batch)
                _create(wanted, settled)
                _judge(drafts, first, settled)
                return settled
        except IntegrityError:  # another request placed one of these numbers a moment ago
            if not (can_collide and rounds_left):
                raise
    raise AssertionError("the last round returns or raises")


def _create(wanted: Sequence[OrderDraft], settled: _Settled) -> None:
    """Write those whose number is free and find those that have theirs already."""
    if writing.is_few(len(wanted)):
        _create_few(wanted, settled)
        return
    settled.standing = _known(wanted)
    fresh = _prepared([draft for draft in wanted if draft.key not in settled.standing], settled.batch)
    if fresh:
        writing.write_all(fresh, now=settled.batch.now, actor=settled.batch.actor)
        log.ring_on_commit([kinds.PLACED.name])
    settled.created = {row.draft.key: row for row in fresh}


def _create_few(wanted: Sequence[OrderDraft], settled: _Settled) -> None:
    """As `_create`, without looking first: nearly always all numbers are free."""
    for _round in range(_ROUNDS):
        if not wanted:
            return
        rows = _prepared(wanted, settled.batch)
        written = writing.insert_new(rows, now=settled.batch.now, actor=settled.batch.actor)
        settled.created |= {row.draft.key: row for row in rows if row.order_id in written}
        if written:
            log.ring_on_commit([kinds.PLACED.name])
        taken = [row.draft for row in rows if row.order_id not in written]
        if taken:
            settled.standing |= _known(taken)
        wanted = [draft for draft in taken if draft.key not in settled.standing]
    raise IntegrityError("numbers were taken and given back again and again")


def _prepared(drafts: Sequence[OrderDraft], batch: Batch) -> list[Prepared]:
    if not drafts:
        return []
    order_ids, line_ids = writing.take_ids(len(drafts), sum(len(draft.lines) for draft in drafts))
    return prepared.prepare(drafts, batch, order_ids=order_ids, line_ids=line_ids)


def _known(drafts: Sequence[OrderDraft]) -> dict[Key, _Standing]:
    by_channel: dict[int, list[str]] = {}
    for draft in drafts:
        by_channel.setdefault(draft.channel.pk, []).append(draft.external_id)
    return {
        (channel_id, number): _Standing(pk, said)
        for channel_id, numbers in by_channel.items()
        for number, pk, said in writing.standing(channel_id, numbers)
    }


def _judge(drafts: Sequence[OrderDraft], first: Mapping[Key, OrderDraft], settled: _Settled) -> None:
    """The outcome of each draft; contents that were refused are told once."""
    refused: list[tuple[int, str]] = []
    for draft in drafts:
        written, standing = settled.created.get(draft.key), settled.standing.get(draft.key)
        if written is not None and first[draft.key] is draft:
            settled.outcomes.append("created")
            continue
        said = written.draft.content_hash if written is not None else standing.content_hash  # type: ignore[union-attr]
        settled.outcomes.append("unchanged" if said == draft.content_hash else "conflict")
        if said != draft.content_hash:
            pk = written.order_id if written is not None else standing.pk  # type: ignore[union-attr]
            refused.append((pk, draft.content_hash))
    batch = settled.batch
    facts = _repeats(refused, merchant_id=batch.merchant.pk, source=batch.source)
    log.record(facts, now=batch.now, actor=batch.actor)


def _repeats(pairs: Sequence[tuple[int, str]], *, merchant_id: int, source: str) -> list[log.Fact]:
    """One fact per order and other content; the same refused content again is not told twice."""
    if not pairs:
        return []
    ids = {pk for pk, _said in pairs}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    told = {
        (stream, payload.get("content_hash"))
        for stream, payload in Event.objects.filter(
            stream__in=[f"order:{pk}" for pk in ids], kind=kinds.REFUSED_REPEAT.name
        ).values_list("stream", "payload")
    }
    facts: list[log.Fact] = []
    for pk, said in pairs:
        stream = f"order:{pk}"
        if (stream, said) not in told:
            told.add((stream, said))
            payload = {"source": source, "content_hash": said}
            facts.append(log.Fact(stream, kinds.REFUSED_REPEAT.name, payload, merchant_id))
    return facts
