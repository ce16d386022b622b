"""What a unit is worth where it lies: the readable price of the design, from shipped units as stand-in
forecast."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import exp

from django.db.models import Sum

from orderhub.inventory.models import Movement

# Closed form: a · exp(−cover/b) + c · exp(−net cover/d) / (1 + cover), in yuan per unit.
A, B, C, D = 10.9, 1.34, 0.73, 0.33
WINDOW_DAYS = 30
RECEIPT_DAYS = 14  # assumed time between two receipts, until receipts are forecast
LEAST_SHIPPED = 20  # fewer units of a SKU in the window say nothing about its demand
STEP = Decimal("0.0001")

Prices = dict[int, dict[int, Decimal]]


def prices_of(stock: Mapping[int, Mapping[int, int]], *, now: datetime) -> tuple[Prices, frozenset[int]]:
    """Yuan per unit by warehouse and SKU, and the SKUs that have a price at all; one query.

    Without 20 units shipped in the last 30 days a SKU has no price: the decision says so.
    """
    shipped = _shipped({sku for row in stock.values() for sku in row}, now=now)
    network: dict[int, int] = {}
    for (_, sku), units in shipped.items():
        network[sku] = network.get(sku, 0) + units
    known = frozenset(sku for sku, units in network.items() if units >= LEAST_SHIPPED)
    held = {sku: sum(row.get(sku, 0) for row in stock.values()) for sku in known}
    return {
        warehouse: {
            sku: _price(_cover(units, shipped.get((warehouse, sku), 0)), _cover(held[sku], network[sku]))
            for sku, units in row.items()
            if sku in known
        }
        for warehouse, row in stock.items()
    }, known


def _cover(units: int, shipped: int) -> float | None:
    """Stock over the demand expected until the next receipt; None without demand."""
    return units / (shipped * RECEIPT_DAYS / WINDOW_DAYS) if shipped else None


def _price(cover: float | None, network_cover: float | None) -> Decimal:
    if cover is None or network_cover is None:
        return Decimal(0)  # nobody near this warehouse buys it
    return Decimal(A * exp(-cover / B) + C * exp(-network_cover / D) / (1 + cover)).quantize(STEP)


def _shipped(sku_ids: set[int], *, now: datetime) -> dict[tuple[int, int], int]:
    rows = (
        Movement.objects.filter(
            kind=Movement.Kind.SHIP,
            moved_at__gte=now - timedelta(days=WINDOW_DAYS),
            stock__sku_id__in=sku_ids,
        )
        .values_list("stock__warehouse_id", "stock__sku_id")
        .annotate(units=Sum("on_hand_change"))
    )
    return {(warehouse_id, sku_id): -units for warehouse_id, sku_id, units in rows}
