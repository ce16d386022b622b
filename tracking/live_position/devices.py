"""Who may tell positions: keys of devices, of which only hashes are kept, and which devices a key speaks for."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from orderhub.kernel.secrets import token_hash
from tracking.live_position.models import Device, DevicePlace

#: Both keys are valid so long after a rotation, unless somebody says otherwise.
OVERLAP = timedelta(days=7)


@transaction.atomic
def rotate_key(device: Device, *, now: datetime, overlap: timedelta = OVERLAP) -> str:
    """Give the device a new key and return it, this once; the one before stays valid for `overlap`."""
    row = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    key = secrets.token_urlsafe(24)
    row.previous_hash = row.key_hash if overlap else ""
    row.previous_until = now + overlap if row.previous_hash else None
    row.key_hash, row.key_set_at = token_hash(key), now
    row.save(update_fields=["previous_hash", "previous_until", "key_hash", "key_set_at"])
    DevicePlace.objects.get_or_create(device=row)
    return key


def find(key: str, *, now: datetime) -> Device | None:
    """The active device of an active merchant whose key this is, or was until lately."""
    digest = token_hash(key)
    valid = Q(key_hash=digest) | Q(previous_hash=digest, previous_until__gt=now)
    rows = Device.objects.filter(valid, is_active=True, merchant__is_active=True).select_related("merchant")
    return rows.first() if key else None
