"""What a factory is told of a work order beside the lines: when it is due, what we plan, and what it takes to make it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from orderhub.fulfillment.models import FulfillmentOrder, WorkOrder

#: What systems are told when planned dates move.
PLAN_FIELDS = ("fulfillment", "planned_before", "planned_finish_at", "eta_from", "eta_to")


def documents(
    works: Sequence[FulfillmentOrder], called: Callable[[str, str], str]
) -> dict[int, dict[str, Any]]:
    """Per fulfillment order that makes something, what its work order adds to the document; two queries for any number."""
    rows = WorkOrder.objects.filter(fulfillment__in=works).prefetch_related(
        "components__sku", "components__line__sku"
    )
    return {row.fulfillment_id: _document(row, called) for row in rows}


def _document(row: WorkOrder, called: Callable[[str, str], str]) -> dict[str, Any]:
    return {
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "planned_start_at": row.planned_start_at.isoformat(), "planned_finish_at": row.planned_finish_at.isoformat(),
        "components": [
            {"sku": called("sku", hold.sku.code), "name": hold.sku.name, "qty": format(hold.needed.normalize(), "f"),
             "unit": hold.unit, "for_sku": called("sku", _made(row, hold.line_id))}
            for hold in sorted(row.components.all(), key=lambda one: one.pk)
        ],
    }  # fmt: skip


def _made(row: WorkOrder, line_id: int) -> str:
    line = next(hold.line for hold in row.components.all() if hold.line_id == line_id)
    return str(line.sku.code)
