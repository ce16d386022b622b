"""Positions that were set apart: counted by device, reason and day, so that a broken device cannot fill the disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from orderhub.access.models import Merchant
from tracking.live_position.filters import Reason
from tracking.live_position.formats import Reading
from tracking.live_position.models import StrayPosition

KEPT_FOR = timedelta(days=30)
#: So many rows a merchant may add a day; beyond, only devices already listed are counted on.
MOST_A_DAY = 1000


@transaction.atomic
def count(stray: Sequence[tuple[Reading, Reason]], *, merchant: Merchant, now: datetime) -> None:
    """Count them on the rows of their device, reason and day; the newest of each stands as the example."""
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading, reason in stray:
        groups.setdefault((reading.device, reason), []).append(reading)
    for (code, why), found in groups.items():
        newest = found[-1]
        example = {
            "at": newest.at, "latitude": newest.lat, "longitude": newest.lng, "heard_at": now,
        }  # fmt: skip
        _add(merchant, code, why, len(found), example, now)


def unreadable(code: str, detail: str, *, merchant: Merchant, now: datetime) -> None:
    """Count a message that could not be read."""
    _add(merchant, code, "unreadable", 1, {"detail": detail[:200], "heard_at": now}, now)


def forget(*, now: datetime) -> int:
    """Drop what is a month old; how many rows."""
    return StrayPosition.objects.filter(day__lt=(now - KEPT_FOR).date()).delete()[0]


def _add(
    merchant: Merchant, code: str, reason: str, number: int, example: dict[str, object], now: datetime
) -> None:
    day = now.astimezone(UTC).date()
    own = StrayPosition.objects.filter(merchant=merchant, day=day)
    rows = own.filter(device_code=code[:64], reason=reason)
    if rows.update(count=F("count") + number, **example):
        return
    if own.count() < MOST_A_DAY:
        row = StrayPosition(merchant=merchant, day=day, device_code=code[:64], reason=reason, **example)
        StrayPosition.objects.bulk_create([row], ignore_conflicts=True)
        rows.update(count=F("count") + number)
