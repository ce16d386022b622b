"""SKUs that a warehouse must not ship just now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from routing.pricing.models import SkuBan


def in_force(
    merchant_ids: Collection[int], sku_ids: Collection[int], *, now: datetime
) -> dict[int, frozenset[int]]:
    """The banned ones of these SKUs by warehouse, those without any are missing. One query."""
    rows = SkuBan.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=now),
        Q(valid_until__isnull=True) | Q(valid_until__gt=now),
        merchant_id__in=merchant_ids,
        sku_id__in=sku_ids,
    ).values_list("warehouse_id", "sku_id")
    found: dict[int, set[int]] = {}
    for warehouse_id, sku_id in rows:
        found.setdefault(warehouse_id, set()).add(sku_id)
    return {warehouse_id: frozenset(banned) for warehouse_id, banned in found.items()}
