"""A file of orders into the pool: read, judged and placed chunk by chunk, each chunk one transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Container, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, TypedDict

from django.conf import settings
from django.db import IntegrityError, transaction

from orderhub.access.models import Merchant
from orderhub.connectors import forked, pausing
from orderhub.connectors.files import reader
from orderhub.connectors.files.faults import Caution, RowError
from orderhub.connectors.files.parsed import ParsedOrder
from orderhub.connectors.models import ImportBatch
from orderhub.connectors.refused import write_refused
from orderhub.inventory.models import Sku
from orderhub.kernel import clock, regions
from orderhub.orders import services as orders
from orderhub.orders.drafts import LineDraft, OrderDraft
from orderhub.orders.models import Channel

logger = logging.getLogger(__name__)
#: Files from this size on are read by a process of their own where that is possible.
ASIDE_BYTES = 256 * 1024
#: So many orders are one transaction. On SQLite everybody else waits while one is written.
CHUNK_ORDERS = 2000 if settings.ON_POSTGRESQL else 500
#: What the order's money columns hold.
MAX_TOTAL = Decimal(10**12)
CHANNEL_NAMES = {
    "generic": ("文件导入", "File import"),
    "shopify": ("Shopify", "Shopify"),
    "taobao": ("淘宝", "Taobao"),
    "amazon": ("亚马逊", "Amazon"),
}


class _Ready(NamedTuple):
    """A chunk that may be written: packed as new orders, or as drafts where that cannot be known beforehand."""

    chunk: reader.Chunk
    drafts: list[OrderDraft]
    packed: list[bytes]
    orders: int


def run(batch: ImportBatch, recognized: reader.Recognized, *, stop_at: float) -> bool:
    """Place the orders that are left; False when time ran out before the last one."""
    _start(batch, recognized)
    skus = _Articles(batch.merchant)
    channel = batch.channel or _channel(batch.merchant, recognized.dialect)
    size = sum(sheet.path.stat().st_size for sheet in recognized.sheets)
    aside = size >= ASIDE_BYTES and forked.is_possible()
    standing: ImportBatch | None = batch
    while standing is not None:
        batch = standing
        chunks = partial(_ready, batch, recognized, channel, skus)
        try:
            with closing(forked.items(partial(chunks, packing=True)) if aside else chunks()) as made:
                standing = _work_off(batch, made, stop_at=stop_at)
        except (forked.Lost, IntegrityError) as fault:
            if not aside:
                raise
            # The child is gone, or somebody took a number between its look and our writing: the chunk again, in line.
            logger.warning("import %s goes on in line: %r", batch.pk, fault)
            aside, standing = False, ImportBatch.objects.select_related("merchant").get(pk=batch.pk)
    return batch.done >= batch.orders_total


def _work_off(batch: ImportBatch, made: Iterator[_Ready], *, stop_at: float) -> ImportBatch | None:
    """Place chunk after chunk until the end or the time is up, and leave the figures in `batch`.

    Gives the batch as it stands instead if another worker has taken a chunk, as happens once a lease is over.
    """
    for ready in made:
        with transaction.atomic():
            fresh = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
            if fresh.resume_row != batch.resume_row:
                return fresh
            pausing.check_key(fresh)
            _place_chunk(batch, ready)
        if monotonic() > stop_at:
            break
    return None


def _chunks(batch: ImportBatch, recognized: reader.Recognized, skus: _Articles) -> Iterator[reader.Chunk]:
    return reader.stream_orders(
        recognized,
        catalog=skus,
        regions=regions.verdict,
        chunk_orders=CHUNK_ORDERS,
        resume_after=batch.resume_row,
        errors_before=batch.refused.count() if batch.resume_row else 0,
    )


def _ready(
    batch: ImportBatch,
    recognized: reader.Recognized,
    channel: Channel,
    skus: _Articles,
    *,
    packing: bool = False,
) -> Generator[_Ready]:
    """Each chunk ready to be written; amounts beyond the books are refused like any other bad price."""
    for chunk in _chunks(batch, recognized, skus):
        fitting = [order for order in chunk.orders if _fits(order)]
        if len(fitting) < len(chunk.orders):
            unfit = [_about(order, "bad_price") for order in chunk.orders if not _fits(order)]
            chunk = replace(chunk, orders=fitting, errors=[*chunk.errors, *unfit])
        drafts = [_draft(order, channel=channel, skus=skus) for order in fitting]
        options = _placing(batch)
        packed = orders.pack(drafts, **options) if packing else None
        if packed is None:
            yield _Ready(chunk, drafts, [], len(drafts))
        else:
            yield _Ready(replace(chunk, orders=[]), [], packed, len(drafts))


def _placing(batch: ImportBatch) -> _Placing:
    return {"merchant": batch.merchant, "actor": batch.stream, "now": clock.now(), "source": batch.stream}


class _Placing(TypedDict):
    """What all orders of a batch have in common."""

    merchant: Merchant
    actor: str
    now: datetime
    source: str


class _Articles:
    """The merchant's active articles by code, as far as the file asked for them."""

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self._found: dict[str, Sku] = {}

    def __call__(self, codes: Collection[str]) -> Container[str]:
        asked = list(codes)
        for start in range(0, len(asked), 900):
            rows = Sku.objects.filter(
                merchant=self._merchant, is_active=True, code__in=asked[start : start + 900]
            )
            self._found.update((sku.code, sku) for sku in rows)
        return self._found.keys() & set(asked)

    def __getitem__(self, code: str) -> Sku:
        return self._found[code]


def _start(batch: ImportBatch, recognized: reader.Recognized) -> None:
    warnings = [_caution(caution) for caution in recognized.warnings]
    batch.dialect, batch.encoding, batch.warnings = recognized.dialect, recognized.encoding, warnings
    batch.save(update_fields=["dialect", "encoding", "warnings"])


def _caution(caution: Caution) -> dict[str, Any]:
    return {"kind": caution.kind, "facts": {name: str(value) for name, value in caution.facts.items()}}


def _place_chunk(batch: ImportBatch, ready: _Ready) -> None:
    """Place one chunk and count it, under the lock of the batch."""
    chunk, refused, created, unchanged = ready.chunk, [*ready.chunk.errors], ready.orders, 0
    if ready.packed:
        orders.place_packed(ready.packed)
    else:
        outcomes = orders.place_many(ready.drafts, **_placing(batch))
        created, unchanged = outcomes.count("created"), outcomes.count("unchanged")
        refused += [
            _about(order, "order_changed")
            for order, outcome in zip(chunk.orders, outcomes, strict=True)
            if outcome == "conflict"
        ]
    batch.rows, batch.orders_total = chunk.rows_total, chunk.orders_total
    batch.done, batch.resume_row = chunk.orders_done, chunk.position
    batch.accepted_orders += created
    batch.unchanged_orders += unchanged
    batch.refused_rows += write_refused(batch, refused) + chunk.unlisted_errors
    batch.save(
        update_fields=[
            "rows", "orders_total", "done", "resume_row", "accepted_orders", "unchanged_orders", "refused_rows",
        ]
    )  # fmt: skip


def _fits(order: ParsedOrder) -> bool:
    return sum(line.line_total for line in order.lines) < MAX_TOTAL


def _draft(order: ParsedOrder, *, channel: Channel, skus: _Articles) -> OrderDraft:
    lines = tuple(
        [
            LineDraft(skus[line.sku], line.quantity, line.unit_price, line.line_total, line.name, line.custom)
            for line in order.lines
        ]
    )
    return OrderDraft(
        channel=channel,
        external_id=order.external_id,
        placed_at=order.placed_at,
        paid=order.paid,
        paid_at=order.paid_at,
        currency=order.currency,
        country=order.country,
        province=order.province,
        city=order.city,
        district=order.district,
        address=order.address,
        postcode=order.postcode,
        name=order.name,
        phone=order.phone,
        email=order.email,
        lines=lines,
        content_hash=order.content_hash,
        service=order.service,
        green=order.green,
        note=order.note,
        custom=order.custom,
        original={"rows": [list(where) for where in order.where]},
    )


def _about(order: ParsedOrder, kind: str) -> RowError:
    file, row = order.where[0]
    return RowError(file=file, row=row, order_no=order.external_id, column="", kind=kind, value="")


def _channel(merchant: Merchant, dialect: str) -> Channel:
    name, name_en = CHANNEL_NAMES.get(dialect, (dialect, dialect))
    channel, _created = Channel.objects.get_or_create(
        merchant=merchant, code=dialect, defaults={"name": name, "name_en": name_en, "kind": "file"}
    )
    return channel
