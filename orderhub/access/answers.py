"""The answers kept under Idempotency-Keys, for calls whose work is worth saving statements.

The work is done first and its answer kept last, in the same transaction: whoever keeps second is rolled back with
all its work and gives the first one's answer. A fresh call so costs one statement, and only a repeat looks back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import IdempotencyKey, Merchant
from orderhub.kernel import canonical, clock
from orderhub.kernel.errors import Refused

LONGEST_KEY = 200
_TABLE = IdempotencyKey._meta.db_table
_KEEP = f"""INSERT INTO {_TABLE} (merchant_id, key, body_hash, status, response, created_at)
    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (merchant_id, key) DO NOTHING"""  # noqa: S608  (our own table's name)


class KeyTaken(Exception):
    """Somebody else's answer stands under this key; everything done here must be rolled back."""


def check(key: str) -> None:
    """Refuse a key that cannot be kept."""
    if len(key) > LONGEST_KEY or "\x00" in key:
        raise Refused(
            "idempotency_key_too_long", _("Idempotency-Key is longer than 200 characters."), status=400
        )


def keep(merchant: Merchant, *, key: str, body_hash: str, status: int, answer: Mapping[str, Any]) -> None:
    """Keep the answer in the caller's transaction; raises KeyTaken when there is one already."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [merchant.pk, key, body_hash, status, canonical.dumps(answer), clock.now()])
        if cursor.rowcount != 1:
            raise KeyTaken


def earlier(merchant: Merchant, *, key: str, body_hash: str) -> tuple[int, dict[str, Any]] | None:
    """(status, answer) kept under that key; raises Refused when it was kept for another request."""
    row = IdempotencyKey.objects.filter(merchant=merchant, key=key).first()
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise Refused(
            "idempotency_key_reused",
            _("This Idempotency-Key was already used with another request."),
            remedy=_("Use a new key for a new request."),
        )
    return row.status, in_order(row.response)


def in_order(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as plain JSON with its names sorted: PostgreSQL gives them back in another order than they came."""
    found: dict[str, Any] = json.loads(canonical.dumps(answer))
    return found
