"""Reading stock."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import ExpressionWrapper, F, IntegerField, QuerySet, Sum
from django.db.models.functions import Greatest

from orderhub.inventory.models import Stock


def available() -> QuerySet[Stock]:
    """Stock rows of warehouses that take orders, each with `available` = on_hand − reserved − safety, at
    least 0.
    """
    units = ExpressionWrapper(F("on_hand") - F("reserved") - F("safety"), output_field=IntegerField())
    return Stock.objects.filter(warehouse__is_active=True, warehouse__is_frozen=False).annotate(
        available=Greatest(units, 0)
    )


def promisable(sku_ids: Collection[int]) -> dict[int, int]:
    """Units that can still be promised over all warehouses, by SKU; those without any are missing."""
    rows = available().filter(sku_id__in=set(sku_ids)).values("sku_id").annotate(units=Sum("available"))
    return {row["sku_id"]: row["units"] for row in rows if row["units"]}


def shelf(merchant_id: int | None = None) -> QuerySet[Stock]:
    """Stock with SKU and warehouse at hand, for lists; of one merchant or of all."""
    rows = available().select_related("sku", "warehouse")
    return rows if merchant_id is None else rows.filter(merchant_id=merchant_id)
