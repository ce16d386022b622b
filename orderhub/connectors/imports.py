"""Merchant files read in chunks, resumable; refused rows are kept with their reason."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, transaction

from orderhub.connectors import facts, listings, orderfiles, pausing
from orderhub.connectors.files import reader
from orderhub.connectors.files.faults import FileRefused
from orderhub.connectors.models import ImportBatch
from orderhub.connectors.uploads import choose, confirm, discard, upload
from orderhub.events import log
from orderhub.events.log import Fact
from orderhub.fields import queries as fields
from orderhub.kernel import clock

__all__ = ["choose", "confirm", "discard", "recognize", "run", "upload"]

logger = logging.getLogger(__name__)
#: A worker is stopped after 240 s; a long import queues its own rest before that.
BUDGET_SECONDS = 120.0


def run(batch_id: int) -> None:
    """Work a confirmed import off from where it stands; safe to run twice, at once or after a crash."""
    batch = ImportBatch.objects.select_related("merchant").get(pk=batch_id)
    if not batch.is_open or batch.confirmed_at is None:
        return
    stop_at = monotonic() + BUDGET_SECONDS
    ImportBatch.objects.filter(pk=batch_id, started_at=None).update(started_at=clock.now())
    ImportBatch.objects.filter(pk=batch_id, status=ImportBatch.Status.QUEUED).update(
        status=ImportBatch.Status.RUNNING
    )
    try:
        recognized = recognize(batch)
        if batch.kind == ImportBatch.Kind.ORDERS:
            if not orderfiles.run(batch, recognized, stop_at=stop_at):
                _queue_rest(batch)
                return
        else:
            listings.run(batch, recognized)
    except FileRefused as refused:
        _fail(batch, refused)
        return
    except (pausing.Paused, OSError, DatabaseError) as fault:
        cause = pausing.cause_of(fault)
        if not cause:
            raise
        logger.warning("import %s paused: %s (%s)", batch_id, cause, fault)
        pausing.pause(batch, cause)
        return
    _finish(batch)


def recognize(batch: ImportBatch) -> reader.Recognized:
    """What the batch's files are; raises FileRefused."""
    files = [(file.name, Path(file.content.path)) for file in batch.files.order_by("position")]
    # Only order files come in dialects; the other kinds have one form each.
    is_orders = batch.kind == ImportBatch.Kind.ORDERS
    found = reader.recognize(
        files,
        dialect=(batch.dialect or None) if is_orders else None,
        kind=batch.kind,
        encoding=batch.chosen_encoding or None,
        limit_bytes=settings.UPLOAD_LIMIT_BYTES,
    )
    return replace(found, fields=_fields(batch))


def _fields(batch: ImportBatch) -> reader.Fields:
    """The custom fields that the merchant's file may fill."""
    book = fields.book(batch.merchant)
    if batch.kind == ImportBatch.Kind.ORDERS:
        return reader.Fields(book.of("order"), book.of("line"))
    return reader.Fields(book.of("sku") if batch.kind == ImportBatch.Kind.SKUS else {})


def _queue_rest(batch: ImportBatch) -> None:
    fact = Fact(
        stream=batch.stream,
        kind=facts.IMPORT_QUEUED.name,
        merchant_id=batch.merchant_id,
        payload={"import": batch.pk},
    )
    with transaction.atomic():
        log.record([fact], now=clock.now(), actor=batch.stream)


def _fail(batch: ImportBatch, refused: FileRefused) -> None:
    facts_shown = {
        name: value if isinstance(value, int | list) else str(value) for name, value in refused.facts.items()
    }
    ImportBatch.objects.filter(pk=batch.pk).update(
        status=ImportBatch.Status.FAILED,
        failure_kind=refused.kind,
        failure_facts=facts_shown,
        finished_at=clock.now(),
    )


def _finish(batch: ImportBatch) -> None:
    now = clock.now()
    with transaction.atomic():
        fresh = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if fresh.status == ImportBatch.Status.DONE:
            return
        fresh.status, fresh.finished_at = ImportBatch.Status.DONE, now
        fresh.save(update_fields=["status", "finished_at"])
        log.record(
            [
                Fact(
                    stream=batch.stream,
                    kind=facts.IMPORT_FINISHED.name,
                    merchant_id=batch.merchant_id,
                    payload={
                        "import": batch.pk,
                        "accepted": fresh.accepted_orders,
                        "unchanged": fresh.unchanged_orders,
                        "refused": fresh.refused_rows,
                    },
                )
            ],
            now=now,
            actor=batch.stream,
        )
