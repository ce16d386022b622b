"""Planned dates that move: the work order, the arrival that customers read, and the fact that tells everybody of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orderhub.events.log import Fact
from orderhub.fulfillment import production_kinds as kinds
from orderhub.fulfillment.models import WorkOrder
from orderhub.orders.models import Order

#: A plan that moves by less than this is told to nobody: it would only flicker on pages.
LEAST = timedelta(minutes=30)


def zone_of(work: WorkOrder) -> ZoneInfo:
    """Where the factory is."""
    return ZoneInfo(work.fulfillment.warehouse.time_zone)


def move(
    order: Order, work: WorkOrder, finish: datetime, *, reason: str, is_ours: bool = False
) -> list[Fact]:
    """Plan another finish: the arrival moves along; the fact to be told, none where it moves by less than LEAST.

    `is_ours`: we reckoned it; else the factory said so. The caller saves the work order and the fulfillment order.
    """
    before = work.finish_at
    if is_ours:
        work.planned_finish_at = finish
    else:
        work.told_finish_at = finish
    row = work.fulfillment
    if abs(finish - before) < LEAST:
        return []
    if row.eta_from_at is not None and row.eta_to_at is not None:
        row.eta_from_at, row.eta_to_at = (
            row.eta_from_at + (finish - before),
            row.eta_to_at + (finish - before),
        )
    payload: dict[str, object] = {
        "fulfillment": row.number, "warehouse": row.warehouse.code, "planned_before": before.isoformat(),
        "planned_finish_at": finish.isoformat(),
    }  # fmt: skip
    if reason:
        payload["reason"] = reason
    if row.eta_from_at is not None and row.eta_to_at is not None:
        payload |= {"eta_from": row.eta_from_at.isoformat(), "eta_to": row.eta_to_at.isoformat()}
    return [Fact(order.stream, kinds.RESCHEDULED.name, payload, order.merchant_id)]


def shift(work: WorkOrder, finish: datetime, *, is_ours: bool = False) -> None:
    """Reckon with another finish; the arrival moves by as much."""
    span = finish - work.finish_at
    if is_ours:
        work.planned_finish_at = finish
    else:
        work.told_finish_at = finish
    row = work.fulfillment
    if row.eta_from_at is not None and row.eta_to_at is not None:
        row.eta_from_at, row.eta_to_at = row.eta_from_at + span, row.eta_to_at + span
