"""A merchant's files before they are read: kept, shown as a preview, confirmed or thrown away."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import ApiKey, Merchant, User
from orderhub.connectors import facts, pausing
from orderhub.connectors.models import ImportBatch, ImportFile
from orderhub.events import log
from orderhub.events.log import Fact
from orderhub.kernel.errors import Refused

MAX_FILES = 5
DRAFT_LIFE = timedelta(days=1)
Upload = tuple[str, "bytes | File[bytes]"]


@dataclass(frozen=True, slots=True)
class _Stored:
    """One file on disk: the merchant's name for it, ours, its size and SHA-256."""

    name: str
    path: str
    size_bytes: int
    sha256: str


def upload(
    files: Sequence[Upload],
    *,
    merchant: Merchant,
    kind: str,
    actor: str,
    now: datetime,
    user: User | None,
    key: ApiKey | None = None,
    dialect: str = "",
    language: str = "zh-hans",
    confirmed: bool = True,
) -> ImportBatch:
    """Keep the files and queue their import, or only keep them (`confirmed=False`) until `confirm` is called.

    What is wrong inside the files is told by the batch, not here. Raises Refused when there is no file, too
    many, or one is larger than the upload limit. Previews a day old that nobody confirmed are thrown away.
    """
    _check(files)
    _drop_old_drafts(merchant, now=now)
    stored = [_store(name, content, now=now) for name, content in files]
    try:
        with transaction.atomic():
            batch = ImportBatch.objects.create(
                merchant=merchant,
                kind=kind,
                dialect=dialect,
                language=language,
                uploaded_by=user,
                uploaded_key=key,
                created_at=now,
                confirmed_at=now if confirmed else None,
            )
            ImportFile.objects.bulk_create(
                _row(batch, position, file) for position, file in enumerate(stored)
            )
            if confirmed:
                _queue(batch, now=now, actor=actor)
    except BaseException:
        for file in stored:
            default_storage.delete(file.path)
        raise
    return batch


def confirm(batch_id: int, *, merchant: Merchant, now: datetime, actor: str) -> None:
    """Queue a previewed import, or the rest of a paused one; one queued already stays as it is.

    Raises ImportBatch.DoesNotExist.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch_id, merchant=merchant)
        if batch.confirmed_at is None:
            batch.confirmed_at = now
            batch.save(update_fields=["confirmed_at"])
            _queue(batch, now=now, actor=actor)
        elif batch.status == ImportBatch.Status.PAUSED:
            pausing.resume_by_hand(batch, now=now, actor=actor)


def choose(batch_id: int, *, merchant: Merchant, encoding: str, dialect: str) -> None:
    """Set how a preview is to be read, blank for finding out; a confirmed one is not changed any more."""
    drafts = ImportBatch.objects.filter(pk=batch_id, merchant=merchant, confirmed_at=None)
    drafts.update(chosen_encoding=encoding, dialect=dialect)


def discard(batch_id: int, *, merchant: Merchant) -> bool:
    """Throw a previewed import and its files away; False if there is none that is not confirmed."""
    with transaction.atomic():
        batch = (
            ImportBatch.objects.select_for_update(no_key=True)
            .filter(pk=batch_id, merchant=merchant, confirmed_at=None)
            .first()
        )
        if batch is None:
            return False
        paths = list(batch.files.values_list("content", flat=True))
        batch.delete()
    for path in paths:
        default_storage.delete(path)
    return True


def _queue(batch: ImportBatch, *, now: datetime, actor: str) -> None:
    payload = {"import": batch.pk, "actor": actor}
    fact = Fact(
        stream=batch.stream, kind=facts.IMPORT_QUEUED.name, merchant_id=batch.merchant_id, payload=payload
    )
    log.record([fact], now=now, actor=actor)


def _check(files: Sequence[Upload]) -> None:
    if not files:
        raise Refused(
            "no_file",
            _("No file was sent."),
            remedy=_("Choose a file and upload it again."),
            status=400,
            field="file",
        )
    if len(files) > MAX_FILES:
        raise Refused(
            "too_many_files",
            _("At most five files can be uploaded together."),
            status=400,
            field="file",
            remedy=_("Upload them one by one; the two Taobao files belong together."),
        )
    limit = settings.UPLOAD_LIMIT_BYTES
    for name, content in files:
        if (len(content) if isinstance(content, bytes) else content.size) > limit:
            raise Refused(
                "file_too_large",
                _("%(name)s is larger than %(limit)d MB.") % {"name": name, "limit": limit >> 20},
                remedy=_("Split the file and upload its parts."),
                status=413,
                field="file",
            )


def _store(name: str, content: bytes | File[bytes], *, now: datetime) -> _Stored:
    """Write one file before any transaction is open: a large one takes longer than a lock may be held."""
    file: File[Any] = ContentFile(content) if isinstance(content, bytes) else content
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    path = default_storage.save(f"imports/{now:%Y/%m}/{uuid.uuid4().hex}.bin", file)
    # Only the end of the client's path is kept, and never as the name on disk.
    shown = Path(name.replace("\\", "/")).name.replace("\x00", "")[-200:] or "upload"
    return _Stored(shown, path, int(file.size or 0), digest.hexdigest())


def _row(batch: ImportBatch, position: int, file: _Stored) -> ImportFile:
    return ImportFile(
        batch=batch,
        position=position,
        name=file.name,
        content=file.path,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _drop_old_drafts(merchant: Merchant, *, now: datetime) -> None:
    old = ImportBatch.objects.filter(merchant=merchant, confirmed_at=None, created_at__lt=now - DRAFT_LIFE)
    for batch_id in old.order_by("id").values_list("id", flat=True)[:50]:
        discard(batch_id, merchant=merchant)
