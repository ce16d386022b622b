"""Why a mean per order changed between two periods: what was asked for (mix), what a way costs (price), and which
way was taken (stock position). Exact: the three parts add up to the change to the last digit shown.

With w the share of a group of orders (region, weight, lines), s the share of a way (warehouses and rate cards) within
it and c what that way costs there, the mean is C = Σ w·Σ s·c. Written with means of both periods (a bar):
ΔC = Σ Δw·C̄g  +  Σ w̄·Σ s̄·Δc  +  Σ w̄·Σ Δs·c̄, which holds without a rest. A group or way that only one period
knows has there its price for both, so that it counts as mix, or as position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from routing.reports.sums import Cell, Group, Tally, Way

MEASURES = ("cost", "hours", "kgco2e")
PARTS = ("mix", "price", "stock")
STEP = {"cost": Decimal("0.0001"), "hours": Decimal("0.0001"), "kgco2e": Decimal("0.000001")}
MOST_DRIVERS = 5
NONE = Fraction(0)
Json = dict[str, Any]
Cells = Mapping[tuple[Group, Way], Cell]
Drivers = dict[str, dict[tuple[str, ...], Fraction]]


@dataclass(slots=True)
class _Side:
    """One group in one period: its share of all orders, and by way its share of the group and its mean."""

    weight: Fraction
    ways: dict[Way, tuple[Fraction, Fraction]]

    @property
    def mean(self) -> Fraction:
        """Of the group."""
        return sum((share * mean for share, mean in self.ways.values()), NONE)


def explain(now: Tally, before: Tally) -> Json | None:
    """Change and parts of every measure with what drives them; None where a period has no order that was sent."""
    if not now.cells or not before.cells:
        return None
    return {measure: _explained(now.cells, before.cells, measure) for measure in MEASURES}


def _explained(now: Cells, before: Cells, measure: str) -> Json:
    new, old = _sides(now, measure), _sides(before, measure)
    parts = dict.fromkeys(PARTS, NONE)
    drivers: Drivers = {part: {} for part in PARTS}
    for group in sorted(new.keys() | old.keys()):
        for part, who, amount in _of_group(group, new.get(group), old.get(group)):
            parts[part] += amount
            drivers[part][who] = drivers[part].get(who, NONE) + amount
    step = STEP[measure]
    before_mean, now_mean = _round(_mean(before, measure), step), _round(_mean(now, measure), step)
    told = _closing(parts, now_mean - before_mean, step)
    return {
        "before": f"{before_mean:f}", "now": f"{now_mean:f}", "change": f"{now_mean - before_mean:f}",
        "parts": {part: f"{amount:f}" for part, amount in told.items()},
        "drivers": {part: _top(rows, step) for part, rows in drivers.items()},
    }  # fmt: skip


def _of_group(
    group: Group, new: _Side | None, old: _Side | None
) -> list[tuple[str, tuple[str, ...], Fraction]]:
    """The parts of one group, each with whom it is due to."""
    region = group[0]
    if new is None or old is None:
        known = new or old
        assert known is not None
        weight = known.weight if new else -known.weight
        return [("mix", (region,), weight * known.mean)]
    found: list[tuple[str, tuple[str, ...], Fraction]]
    found = [("mix", (region,), (new.weight - old.weight) * (new.mean + old.mean) / 2)]
    weight = (new.weight + old.weight) / 2
    for way in sorted(new.ways.keys() | old.ways.keys()):
        there, here = old.ways.get(way), new.ways.get(way)
        share_old, mean_old = there or (NONE, here[1] if here else NONE)
        share_new, mean_new = here or (NONE, mean_old)
        price = weight * (share_new + share_old) / 2 * (mean_new - mean_old)
        stock = weight * (share_new - share_old) * (mean_new + mean_old) / 2
        if price:
            found.append(("price", (region, *_named(way)), price))
        if stock:
            found.append(("stock", (region, *_named(way)), stock))
    return found


def _named(way: Way) -> tuple[str, ...]:
    return tuple(f"{house}/{card}" for house, card in way)


def _sides(cells: Cells, measure: str) -> dict[Group, _Side]:
    orders: dict[Group, int] = {}
    for (group, _way), cell in cells.items():
        orders[group] = orders.get(group, 0) + cell.orders
    whole = sum(orders.values())
    found = {group: _Side(Fraction(count, whole), {}) for group, count in orders.items()}
    for (group, way), cell in cells.items():
        mean = Fraction(getattr(cell, measure)) / cell.orders
        found[group].ways[way] = (Fraction(cell.orders, orders[group]), mean)
    return found


def _mean(cells: Cells, measure: str) -> Fraction:
    whole = sum(cell.orders for cell in cells.values())
    return Fraction(sum((getattr(cell, measure) for cell in cells.values()), Decimal(0))) / whole


def _round(value: Fraction, step: Decimal) -> Decimal:
    return Decimal(round(value / Fraction(step))) * step


def _closing(parts: Mapping[str, Fraction], change: Decimal, step: Decimal) -> dict[str, Decimal]:
    """Rounded so that they add up to the rounded change: the part with the largest rounding gives way."""
    told = {part: _round(amount, step) for part, amount in parts.items()}
    rest = change - sum(told.values(), Decimal(0))
    while rest:
        one = step if rest > 0 else -step
        part = max(told, key=lambda name: (parts[name] - Fraction(told[name])) * (1 if rest > 0 else -1))
        told[part] += one
        rest -= one
    return told


def _top(rows: Mapping[tuple[str, ...], Fraction], step: Decimal) -> list[Json]:
    """The largest drivers, and what all others together make."""
    ranked = sorted(rows.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [
        {"who": list(who), "amount": f"{_round(amount, step):f}"}
        for who, amount in ranked[:MOST_DRIVERS]
        if _round(amount, step)
    ]
