"""Counting returns by the clock, and the shares a batch of decisions reckons with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from django.db import transaction
from django.db.models import Q, Sum

from orderhub.inventory.models import Sku
from orderhub.orders.models import OrderLine
from routing.returns.models import ReturnRate
from routing.returns.shrinking import Count, Shares, shrink

#: Orders of the last year count, but not the youngest: what will come back of those has not come yet.
WINDOW_DAYS, RIPE_DAYS = 365, 14
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares expected back by SKU id, by (merchant, category), and by (merchant, "")."""

    skus: Mapping[int, Decimal] = field(default_factory=dict)
    levels: Mapping[tuple[int, str], Decimal] = field(default_factory=dict)

    def of(self, sku: Sku) -> Decimal:
        """The share of a SKU; of its category, or of the merchant, where nothing of it was sent yet; else 0."""
        if not self.levels:
            return NOTHING
        found = self.skus.get(sku.pk)
        if found is None:
            found = self.levels.get((sku.merchant_id, sku.category))
        return self.levels.get((sku.merchant_id, ""), NOTHING) if found is None else found


def read(merchant_ids: Collection[int], sku_ids: Collection[int]) -> Rates:
    """The shares of these SKUs and all levels above; one query."""
    rows = ReturnRate.objects.filter(
        Q(sku__isnull=True) | Q(sku_id__in=set(sku_ids)), merchant_id__in=set(merchant_ids)
    )
    known = cast(
        "list[tuple[int, str, int | None, Decimal]]",
        list(rows.values_list("merchant_id", "category", "sku_id", "share")),
    )
    return Rates(
        {sku_id: share for _merchant, _category, sku_id, share in known if sku_id is not None},
        {(merchant_id, category): share for merchant_id, category, sku_id, share in known if sku_id is None},
    )


def count(*, now: datetime) -> int:
    """Count sent and returned units of the window afresh and keep the shares; how many rows were written.

    Running it again changes nothing. A merchant to whom nothing came back has no rows.
    """
    lines = OrderLine.objects.filter(
        order__placed_at__gte=now - timedelta(days=WINDOW_DAYS),
        order__placed_at__lt=now - timedelta(days=RIPE_DAYS),
        shipped__gt=0,
    ).order_by()
    rows = lines.values_list("order__merchant_id", "sku__category", "sku_id").annotate(
        sent=Sum("shipped"), back=Sum("returned")
    )
    counts: dict[int, dict[tuple[str, int], Count]] = {}
    for merchant_id, category, sku_id, sent, back in rows.iterator():
        counts.setdefault(merchant_id, {})[category, sku_id] = Count(sent, back)
    known = set(
        ReturnRate.objects.filter(sku__isnull=True, category="").values_list("merchant_id", flat=True)
    )
    return sum(
        _keep(merchant_id, shrink(counts.get(merchant_id, {})), now=now)
        for merchant_id in sorted(counts.keys() | known)
    )


@transaction.atomic
def _keep(merchant_id: int, shares: Shares | None, *, now: datetime) -> int:
    """Replace a merchant's rows; readers see the old ones or the new ones."""
    held = ReturnRate.objects.filter(merchant_id=merchant_id)
    if shares is None:
        held.delete()
        return 0
    entries = [
        ("", None, *shares.whole),
        *((category, None, *found) for category, found in shares.categories.items()),
        *(("", sku_id, *found) for sku_id, found in shares.skus.items()),
    ]
    rows = [
        ReturnRate(
            merchant_id=merchant_id, category=category, sku_id=sku_id, sent=units.sent,
            returned=units.returned, share=share, counted_at=now,
        )
        for category, sku_id, units, share in entries
    ]  # fmt: skip
    held.delete()
    ReturnRate.objects.bulk_create(rows, batch_size=1000)
    return len(rows)
