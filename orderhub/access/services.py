"""Keys and repeated requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from orderhub.access import answers, keys
from orderhub.access.keys import digest
from orderhub.access.models import ApiKey, IdempotencyKey, Merchant
from orderhub.access.scopes import validate
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

#: How long a rotated key still works beside its successor.
GRACE = timedelta(days=7)


def issue_key(
    merchant: Merchant,
    *,
    name: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    key: str = "",
) -> tuple[ApiKey, str]:
    """Make a key (or store the given one) and return it with its clear text, which is shown only this once."""
    validate(scopes or [])
    clear = key or f"ohk_{secrets.token_urlsafe(32)}"
    row, _created = ApiKey.objects.update_or_create(
        digest=digest(clear),
        defaults={
            "merchant": merchant, "name": name, "prefix": clear[:8], "scopes": scopes or [], "expires_at": expires_at,
            "revoked_at": None,
        },
    )  # fmt: skip
    keys.forget()
    return row, clear


def rotate_key(old: ApiKey, *, now: datetime, grace: timedelta = GRACE) -> tuple[ApiKey, str]:
    """Issue a successor with the same rights and a whole new term; the old key works for `grace` more.

    Raises Refused("key_rotated") for a key that has a successor already, and "key_not_valid" for a dead one.
    """
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().select_related("merchant").get(pk=old.pk)
        if row.replaced_by_id is not None:
            raise Refused(
                "key_rotated", _("This key has a successor already."),
                remedy=_("Use the successor, or have a new key issued in the admin."),
            )  # fmt: skip
        if not keys.counts(row, now=now):
            raise Refused(
                "key_not_valid", _("This key is revoked or has expired."), remedy=_("Issue a new key in the admin.")
            )  # fmt: skip
        term = row.expires_at - row.created_at if row.expires_at else None
        successor, clear = issue_key(
            row.merchant, name=row.name, scopes=row.scopes, expires_at=now + term if term else None
        )
        ApiKey.objects.filter(pk=successor.pk).update(rate_per_second=row.rate_per_second)
        ends = min(row.expires_at or now + grace, now + grace)
        ApiKey.objects.filter(pk=row.pk).update(expires_at=ends, replaced_by=successor)
    keys.forget()
    return successor, clear


def revoke_keys(rows: QuerySet[ApiKey], *, now: datetime) -> int:
    """Make keys useless: here at once, in other processes within a second."""
    count = rows.filter(revoked_at=None).update(revoked_at=now)
    keys.forget()
    return count


def once(
    merchant: Merchant, *, key: str, request: object, work: Callable[[], tuple[int, dict[str, Any]]]
) -> tuple[int, dict[str, Any], bool]:
    """Do `work` once per key: (status, response, replayed).

    The key's row commits together with the work, so of many requests at once exactly one does it.
    Raises Refused("idempotency_key_reused") when the key was used with another request.
    """
    if not key:
        with transaction.atomic():
            status, response = work()
            return status, answers.in_order(response), False
    answers.check(key)
    body_hash = canonical.digest(request)
    answer = answers.earlier(merchant, key=key, body_hash=body_hash)
    if answer:
        return *answer, True
    try:
        with transaction.atomic():
            row = IdempotencyKey.objects.create(
                merchant=merchant, key=key, body_hash=body_hash, status=0, response={}
            )
            status, response = work()
            kept = answers.in_order(response)
            IdempotencyKey.objects.filter(pk=row.pk).update(status=status, response=kept)
            return status, kept, False
    except IntegrityError:
        answer = answers.earlier(merchant, key=key, body_hash=body_hash)
        if answer is None:
            raise
        return *answer, True
