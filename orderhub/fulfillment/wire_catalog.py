"""Channels and SKUs of merchants, kept in this process for a second: a busy door asks for the same ones all day.

Only what was found is kept, so that a new SKU is known at once; a changed or deactivated one after a second.
"""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

from orderhub.access.models import Merchant
from orderhub.inventory.models import Sku
from orderhub.orders.models import Channel

SECONDS = 1.0
#: More than a busy second asks for; then the shelf is emptied.
_MOST = 20_000

_skus: dict[tuple[int, str], tuple[float, Sku]] = {}
_channels: dict[tuple[int, str], tuple[float, Channel]] = {}


def skus(merchant: Merchant, codes: Collection[str]) -> dict[str, Sku]:
    """The active SKUs of these codes, at most one query; unknown codes are missing."""
    now, found, missing = monotonic(), {}, []
    for code in codes:
        kept = _skus.get((merchant.pk, code))
        if kept is not None and kept[0] > now:
            found[code] = kept[1]
        else:
            missing.append(code)
    if missing:
        if len(_skus) > _MOST:
            _skus.clear()
        for sku in Sku.objects.filter(merchant=merchant, code__in=missing, is_active=True):
            _skus[merchant.pk, sku.code] = now + SECONDS, sku
            found[sku.code] = sku
    return found


def channel(merchant: Merchant, code: str) -> Channel | None:
    """The active channel of that code."""
    now, kept = monotonic(), _channels.get((merchant.pk, code))
    if kept is not None and kept[0] > now:
        return kept[1]
    found = Channel.objects.filter(merchant=merchant, code=code, is_active=True).first()
    if found is not None:
        _channels[merchant.pk, code] = now + SECONDS, found
    return found


def forget() -> None:
    """Ask the database again from now on."""
    _skus.clear()
    _channels.clear()
