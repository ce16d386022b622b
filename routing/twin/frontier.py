"""Neighbors of a draft: what a little more or less for an hour would bring, and the merchant's other strategies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from routing import figures
from routing.engine.model import Strategy
from routing.models import Strategy as StrategyRow
from routing.strategies import in_force, rates_of

#: The price of an hour times these; the draft itself stands between them.
FACTORS = ("0.25", "0.5", "2", "4")
#: What an hour is taken to cost where the draft says nothing, so that there is something to multiply.
LEAST_HOUR = Decimal("0.02")
MOST_OTHERS = 6


@dataclass(frozen=True, slots=True)
class Point:
    """One arm of the chart: current, draft, a neighbor (`factor`) or another strategy (its id)."""

    kind: str
    rates: Strategy
    factor: str = ""
    strategy_id: int | None = None


def points(strategy: StrategyRow, draft: Mapping[str, Any], current: Mapping[str, Any]) -> list[Point]:
    """What the chart shows; figures that stand for an arm already are left out."""
    found = [Point("current", rates_of(current)), Point("draft", rates_of(draft))]
    others = StrategyRow.objects.filter(merchant=strategy.merchant_id, is_active=True).exclude(pk=strategy.pk)
    seen = [figures.complete(draft)]
    for factor in FACTORS if not draft.get("order") else ():
        values = _times(draft, Decimal(factor))
        if values is not None and figures.complete(values) not in seen:
            seen.append(figures.complete(values))
            found.append(Point("neighbor", rates_of(values), factor=factor))
    seen.append(figures.complete(current))
    for row in others.order_by("pk"):
        version = in_force(row)
        if version is not None and figures.complete(version.values) not in seen:
            seen.append(figures.complete(version.values))
            found.append(Point("strategy", rates_of(version.values), strategy_id=row.pk))
        if sum(point.kind == "strategy" for point in found) == MOST_OTHERS:
            break
    return found


def _times(draft: Mapping[str, Any], factor: Decimal) -> dict[str, Any] | None:
    """The draft with both prices of an hour multiplied; None where that leaves what can be kept."""
    values = dict(draft)
    told = figures.complete(draft)
    for name in ("yuan_per_hour", "yuan_per_hour_remote"):
        amount = (Decimal(told[name]) or LEAST_HOUR) * factor
        if amount > figures.MOST:
            return None
        values[name] = figures.plain(amount.quantize(Decimal("0.0001")))
    return values
