"""What goods cost that come back: their way, the work on them, and what was lost of them.

The way is that of the outward lane in reverse, reckoned anew and never as a negative. Goods that cannot be sold again
count by the product footprint of their SKU (custom field `pcf_kg`); without one that part is unknown, not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from carbon.consignments import Contents, lane_inputs
from carbon.defaults import grid_factor, hub_element, last_mile_element, line_haul_element
from carbon.estimate import Element, GoodsElement
from carbon.models import CalculationRun
from carbon.posting import Draft, calculated
from orderhub.events.models import Event
from orderhub.fulfillment.models import FulfillmentOrder, ReturnReceipt, ReturnReceiptLine

FOOTPRINT = "pcf_kg"
UNKNOWN_GOODS = "goods"
STAGE = "return"


def drafts(events: Sequence[Event], known: set[tuple[int, str]], *, now: datetime) -> list[Draft]:
    """The runs of returns that came in with these events; three queries for any number, none without any."""
    wanted = {int(event.payload["return"]): event for event in events if "return" in event.payload}
    if not wanted:
        return []
    receipts = ReturnReceipt.objects.filter(pk__in=wanted, order__isnull=False).select_related(
        "order", "warehouse"
    )
    rows = list(receipts.prefetch_related("lines__sku"))
    sent: dict[int, FulfillmentOrder] = {}
    for row in (
        FulfillmentOrder.objects.filter(
            order__in=[receipt.order_id for receipt in rows], shipped_at__isnull=False
        )
        .select_related("warehouse", "rate_card", "order")
        .order_by("pk")
    ):
        sent[row.order_id] = row
    found = []
    for receipt in rows:
        event, shipped = wanted[receipt.pk], sent.get(receipt.order_id or 0)
        if shipped is not None and (event.pk, f"return:{receipt.pk}") not in known:
            found.append(_draft(receipt, shipped, event, now=now))
    return [draft for draft in found if draft is not None]


def _draft(receipt: ReturnReceipt, sent: FulfillmentOrder, event: Event, *, now: datetime) -> Draft | None:
    lines = [line for line in receipt.lines.all() if line.order_line_id is not None and line.units]
    counts: dict[int, tuple[int, int]] = {}
    for line in lines:
        units = counts.get(line.order_line_id or 0, (0, 0))[0] + line.units
        counts[line.order_line_id or 0] = (units, line.sku.grams)
    if not counts:
        return None
    contents = Contents(tuple((pk, *counts[pk]) for pk in sorted(counts)))
    lost = [line for line in lines if line.condition == ReturnReceiptLine.Condition.DAMAGED]
    unknown = [UNKNOWN_GOODS] if any(_footprint(line) is None for line in lost) else []
    return calculated(
        f"return:{receipt.pk}",
        lambda: [*_way_back(sent, contents), *_lost(lost)],
        contents,
        basis=CalculationRun.Basis.ACTUAL,
        order_id=receipt.order_id or 0,
        merchant_id=receipt.merchant_id,
        event_id=event.pk,
        activity_date=event.occurred_at.date(),
        now=now,
        unknown=unknown,
    )


def _way_back(sent: FulfillmentOrder, contents: Contents) -> list[Element]:
    """Collection, main leg and the work at the warehouse; all of it defaults until somebody tells better."""
    inputs = lane_inputs(sent.order, sent.warehouse, sent.rate_card)
    haul = line_haul_element(mode=inputs["mode"], mass_kg=contents.goods_kg, gcd_km=inputs["distance_km"])
    grid = grid_factor(country=inputs["country"], province=inputs["province"], iso3=inputs["iso3"])
    return [
        replace(last_mile_element(remote=inputs["remote"]), id="collection", stage=STAGE),
        replace(haul, id="way_back", stage=STAGE),
        replace(hub_element(mass_kg=contents.goods_kg, grid=grid), id="rework", stage=STAGE),
    ]


def _lost(lines: Sequence[ReturnReceiptLine]) -> list[Element]:
    found: list[Element] = []
    for line in lines:
        footprint = _footprint(line)
        if footprint is not None:
            found.append(
                GoodsElement(
                    id=f"goods_{line.pk}", lines=(str(line.order_line_id),), pcf_kg_per_item=footprint,
                    items=Decimal(line.units), resale_rate=Decimal(0),
                )
            )  # fmt: skip
    return found


def _footprint(line: ReturnReceiptLine) -> Decimal | None:
    """kg CO2e of one item by its SKU; None where nobody wrote it."""
    try:
        found = Decimal(str(line.sku.custom[FOOTPRINT]))
    except (KeyError, InvalidOperation):
        return None
    return found if found.is_finite() and found >= 0 else None
