"""Finding a key without asking the database each time; what changes here is known at once, elsewhere within a second."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Q

from orderhub.access.models import ApiKey

#: How long a process believes what it read of a key: the longest a revoked key may still work.
BELIEVED_SECONDS = 1.0
USED_EVERY = timedelta(minutes=1)
_MOST = 4096

_read: dict[str, tuple[float, ApiKey | None]] = {}
_lock = threading.Lock()


def digest(key: str) -> str:
    """What is stored of a key; keys are long and random, so one SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def find(key_digest: str, *, now: datetime) -> ApiKey | None:
    """The key with its merchant, at most a second old; None where there is none."""
    at = monotonic()
    known = _read.get(key_digest)
    if known is not None and 0 <= at - known[0] < BELIEVED_SECONDS:
        return known[1]
    row = ApiKey.objects.select_related("merchant").filter(digest=key_digest).first()
    with _lock:
        if len(_read) >= _MOST:
            _read.clear()
        _read[key_digest] = (at, row)
    if row is not None and counts(row, now=now):
        _note_use(row, now=now)
    return row


def counts(row: ApiKey, *, now: datetime) -> bool:
    """Whether the key opens anything: neither revoked nor expired, and its merchant is active."""
    return not (
        row.revoked_at or not row.merchant.is_active or (row.expires_at is not None and row.expires_at <= now)
    )


def forget() -> None:
    """Believe nothing any more: after a change of keys in this process."""
    with _lock:
        _read.clear()


def _note_use(row: ApiKey, *, now: datetime) -> None:
    """Write `last_used_at` at most once a minute, whatever the number of processes."""
    due = now - USED_EVERY
    if row.last_used_at is not None and row.last_used_at > due:
        return
    ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=due), pk=row.pk).update(last_used_at=now)
    row.last_used_at = now
