"""Imports that had to stop half-way: what came in stays, and the rest goes on once the cause is gone."""

from __future__ import annotations

import errno
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils.translation import gettext, override

from orderhub.access.models import ApiKey
from orderhub.connectors import facts
from orderhub.connectors.models import ImportBatch
from orderhub.events import log
from orderhub.events.log import Fact

DISK_FULL = "disk_full"
KEY_REVOKED = "key_revoked"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_SQLITE_FULL = 13


class Paused(Exception):
    """Raised between two chunks: the import may not go on for now."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def check_key(batch: ImportBatch) -> None:
    """Raises Paused if the key the files came with was revoked meanwhile; one query for imports by API."""
    if batch.uploaded_key_id is not None and ApiKey.objects.filter(
        pk=batch.uploaded_key_id, revoked_at__isnull=False
    ).exists():  # fmt: skip
        raise Paused(KEY_REVOKED)


def cause_of(fault: BaseException) -> str:
    """Why this fault pauses an import; empty if it is a fault like any other."""
    if isinstance(fault, Paused):
        return fault.kind
    if isinstance(fault, OSError) and fault.errno in _NO_SPACE:
        return DISK_FULL
    if isinstance(fault, DatabaseError):
        beneath = fault.__cause__
        is_full = getattr(beneath, "sqlstate", "") == "53100"
        is_full = is_full or getattr(beneath, "sqlite_errorcode", 0) & 0xFF == _SQLITE_FULL
        return DISK_FULL if is_full or "disk is full" in str(fault) else ""
    return ""


def pause(batch: ImportBatch, kind: str) -> None:
    """Note why it stands still. On a disk without any room this fails, and the import is tried again later."""
    ImportBatch.objects.filter(pk=batch.pk, status__in=ImportBatch.OPEN).update(
        status=ImportBatch.Status.PAUSED, failure_kind=kind, failure_facts={}
    )


def resume(batch: ImportBatch, *, now: datetime, actor: str) -> None:
    """Queue the rest of a locked, paused import."""
    batch.status, batch.failure_kind = ImportBatch.Status.QUEUED, ""
    batch.save(update_fields=["status", "failure_kind", "uploaded_key"])
    payload = {"import": batch.pk, "actor": actor}
    fact = Fact(batch.stream, facts.IMPORT_QUEUED.name, payload, batch.merchant_id)
    log.record([fact], now=now, actor=actor)


def resume_by_hand(batch: ImportBatch, *, now: datetime, actor: str) -> None:
    """As `resume`; whoever presses the button vouches for the files instead of the key they came with."""
    batch.uploaded_key = None
    resume(batch, now=now, actor=actor)


def resume_all(*, now: datetime) -> int:
    """Go on with every import that a full disk stopped; how many. Where there is still no room they pause again."""
    stopped = ImportBatch.objects.filter(status=ImportBatch.Status.PAUSED, failure_kind=DISK_FULL)
    with transaction.atomic():
        batches = list(stopped.select_for_update(no_key=True).order_by("pk"))
        for batch in batches:
            resume(batch, now=now, actor="system")
    return len(batches)


def words(kind: str, *, language: str) -> dict[str, str]:
    """What happened and what is to be done, for the page and the API."""
    with override(language):
        if kind == KEY_REVOKED:
            return {
                "kind": kind,
                "title": gettext("Paused: the key was revoked"),
                "reason": gettext("The API key these files came with was revoked while they were read."),
                "remedy": gettext("What came in stays. Press Resume to go on with the rest."),
            }
        return {
            "kind": kind,
            "title": gettext("Paused: the disk is full"),
            "reason": gettext("Our disk has no room left for more orders."),
            "remedy": gettext(
                "What came in stays. The import goes on by itself, about a minute after there is room again."
            ),
        }
