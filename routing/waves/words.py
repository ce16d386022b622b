"""A wave as operators read it: figures, load by warehouse, and what became of each order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.urls import reverse

from orderhub.inventory.admin_base import is_chinese
from routing.waves import services
from routing.waves.models import PickWave
from routing.waves.planning import Proposal

STATE_TONES = {"open": "wait", "planned": "go", "released": "ok"}


def of_wave(wave: PickWave) -> dict[str, Any]:
    """What the page of a wave shows."""
    return {
        "orders": wave.orders,
        "untouched": wave.untouched,
        "changed": wave.changed,
        "conflicts": wave.conflicts,
        "released": wave.released,
        "is_planned": wave.planned_at is not None and wave.cost_before is not None,
        "seconds": wave.seconds,
        "error": wave.error,
        **_money(wave.cost_before, wave.cost_after, wave.lower_bound),
        "loads": _loads(wave.loads),
        "changes": _changes(wave.changes),
        "more": max(0, wave.changed - len(wave.changes)),
    }


def of_proposal(found: Proposal) -> dict[str, Any]:
    """The same for a preview."""
    after = {row.warehouse.pk: row.after for row in found.loads}
    loads = [{**row, "after": after[row["warehouse_id"]]} for row in services.loads_json(found)]
    shown = services.changes_json(found.changes)[: services.MOST_CHANGES_SHOWN]
    money = (Decimal(str(x)) for x in (found.cost_before, found.cost_after, found.lower_bound))
    return {
        "orders": found.orders,
        "untouched": found.untouched,
        "changed": len(found.changes),
        "conflicts": 0,
        "released": 0,
        "is_planned": True,
        "seconds": found.seconds,
        "error": "",
        **_money(*money),
        "loads": _loads(loads),
        "changes": _changes(shown),
        "more": len(found.changes) - len(shown),
    }


def _money(before: Decimal | None, after: Decimal | None, bound: Decimal | None) -> dict[str, Any]:
    """¥ before, after and saved; how far above the certified bound the plans are now, in percent."""
    if before is None or after is None:
        return {"before": None, "after": None, "saved": "0.00", "share": None, "gap": None}
    gap = (after / bound - 1) * 100 if bound is not None and bound > 0 else None
    return {
        "before": f"{before:,.2f}",
        "after": f"{after:,.2f}",
        "saved": f"{before - after:,.2f}",
        "share": (before - after) / before * 100 if before > 0 else None,
        "gap": None if gap is None else max(gap, Decimal(0)),
    }


def _loads(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    most = max((max(row["before"], row["after"]) for row in rows), default=0)
    return [
        {
            **row,
            "name": row["name"] if is_chinese() else row["name_en"],
            "most": most,
            "change": _signed(row["after"] - row["before"]),
            "link": reverse("admin:inventory_warehouse_change", args=(row["warehouse_id"],)),
        }
        for row in rows
    ]


def _signed(count: int) -> str:
    return f"{'+' if count > 0 else '−'}{abs(count):,}" if count else "0"


def _changes(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = ("from", "to") if is_chinese() else ("from_en", "to_en")
    return [
        {
            "number": row["number"],
            "link": reverse("admin:orders_order_change", args=(row["order_id"],)),
            "from": " + ".join(row[names[0]]),
            "to": " + ".join(row[names[1]]),
            "saving": Decimal(row["saving"]),
        }
        for row in rows
    ]
