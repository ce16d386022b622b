"""Adding up a replay: sums by day and arm over the orders all arms could send whole, loads, and the orders
that change most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import heappush, heappushpop
from typing import Any
from zoneinfo import ZoneInfo

from routing.engine.model import Decision, Strategy
from routing.twin.history import Logged
from routing.twin.ledger import Parcel, Routed

#: What is summed per order; `remote_hours` only over orders to remote regions, `late` over promised ones.
FIGURES = ("money", "value", "hours", "remote_hours", "kgco2e", "split", "parcels", "late", "drop_ship")
DROP_SHIP = frozenset({"dropship", "drop_ship", "supplier"})
MOST_CHANGED = 20
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OrderStory:
    """How one order ended in one arm."""

    routed: Routed
    first_at: datetime
    promised_at: datetime | None

    @property
    def status(self) -> str:
        """Whole, partly, not at all, or nothing left to send."""
        if self.routed.parcels:
            return "partial" if self.routed.short else "routed"
        return "unroutable" if self.routed.short else "cancelled"

    @property
    def hours(self) -> float:
        """Hours from the first decision until the last parcel is at the door."""
        last = max(parcel.arrives_at or self.first_at for parcel in self.routed.parcels)
        return (last - self.first_at).total_seconds() / 3600

    def figures(self, scale: Strategy, *, is_remote: bool) -> list[float]:
        """In the order of FIGURES; `value` is money with hours, carbon and splits at the rates of `scale`."""
        parcels, hours = self.routed.parcels, self.hours
        money = sum(parcel.money for parcel in parcels)
        kgco2e = sum(parcel.kgco2e for parcel in parcels)
        rate = scale.yuan_per_hour_remote if is_remote else scale.yuan_per_hour
        value = money + float(rate) * hours + float(scale.yuan_per_kgco2e) * kgco2e
        value += float(scale.yuan_per_extra_parcel) * (len(parcels) - 1)
        late = self.promised_at is not None and any(
            parcel.arrives_at is not None and parcel.arrives_at > self.promised_at for parcel in parcels
        )
        drops = sum(parcel.kind in DROP_SHIP for parcel in parcels)
        return [
            money, value, hours, hours if is_remote else 0.0, kgco2e, float(len(parcels) > 1),
            float(len(parcels)), float(late), float(drops),
        ]  # fmt: skip


@dataclass(slots=True)
class Day:
    """Sums of one local day: per arm in the order of FIGURES, over `orders` sent whole by all arms."""

    sums: list[list[float]]
    orders: int = 0
    remote: int = 0
    promised: int = 0


@dataclass(slots=True)
class Tally:
    """The sums of a replay; `scale` are the rates all arms are valued with."""

    arms: int
    zone: ZoneInfo
    scale: Strategy
    days: dict[date, Day] = field(default_factory=dict)
    #: Per arm: orders sent whole, partly, not at all, cancelled.
    statuses: list[dict[str, int]] = field(init=False)
    #: Sums of the engine's own terms per arm, over the same orders as the figures.
    terms: list[dict[str, float]] = field(init=False)
    orders: int = 0
    changed: int = 0
    _top: list[tuple[float, int, Json]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.statuses = [{} for _ in range(self.arms)]
        self.terms = [{} for _ in range(self.arms)]

    def add(self, order_id: int, first_at: datetime, is_remote: bool, stories: Sequence[OrderStory]) -> None:
        """Count one order that has come to its end; the first two arms are what is compared."""
        self.orders += 1
        for arm, story in enumerate(stories):
            self.statuses[arm][story.status] = self.statuses[arm].get(story.status, 0) + 1
        is_whole = all(story.status == "routed" for story in stories)
        if is_whole:
            self._sum(first_at, is_remote, stories)
        if len(stories) > 1 and _plan(stories[0]) != _plan(stories[1]):
            self.changed += 1
            self._keep(order_id, is_remote, stories, is_whole=is_whole)

    @property
    def paired(self) -> int:
        """Orders that all arms sent whole: the figures are over these."""
        return sum(day.orders for day in self.days.values())

    @property
    def top(self) -> list[Json]:
        """The orders that change most, the greatest difference first."""
        return [row for _weight, _id, row in sorted(self._top, key=lambda entry: (-entry[0], -entry[1]))]

    def _sum(self, first_at: datetime, is_remote: bool, stories: Sequence[OrderStory]) -> None:
        day = first_at.astimezone(self.zone).date()
        found = self.days.setdefault(day, Day([[0.0] * len(FIGURES) for _ in range(self.arms)]))
        found.orders += 1
        found.remote += is_remote
        found.promised += stories[0].promised_at is not None
        for arm, story in enumerate(stories):
            for n, value in enumerate(story.figures(self.scale, is_remote=is_remote)):
                found.sums[arm][n] += value
            for parcel in story.routed.parcels:
                for term, yuan in parcel.terms.items():
                    self.terms[arm][term] = self.terms[arm].get(term, 0.0) + yuan

    def _keep(self, order_id: int, is_remote: bool, stories: Sequence[OrderStory], *, is_whole: bool) -> None:
        rows = [_side(story, self.scale, is_remote=is_remote) for story in stories[:2]]
        # An order one side cannot send whole has no difference in yuan: it stands above all that have.
        weight = abs(rows[1]["value"] - rows[0]["value"]) if is_whole else 1e6
        entry = (weight, -order_id, {"order": order_id, "current": rows[0], "draft": rows[1]})
        if len(self._top) < MOST_CHANGED:
            heappush(self._top, entry)
        else:
            heappushpop(self._top, entry)


@dataclass(slots=True)
class Fidelity:
    """How far the replay of what was in force agrees with the log."""

    plans: int = 0
    same: int = 0
    logged_yuan: float = 0.0
    replayed_yuan: float = 0.0
    #: Orders whose plan came out otherwise; the first few of them.
    others: list[int] = field(default_factory=list)

    def compare(self, logged: Logged, found: Decision | None) -> None:
        """Count one decision beside what the log says of it."""
        self.plans += 1
        if found is not None and found.plan is not None and logged.total is not None:
            self.logged_yuan += float(logged.total)
            self.replayed_yuan += float(found.plan.total)
        if found is not None and found.status == logged.status and _made(found) == _logged(logged):
            self.same += 1
        elif len(self.others) < MOST_CHANGED:
            self.others.append(logged.order_id)


def _made(found: Decision) -> list[tuple[int, str, tuple[tuple[int, int], ...]]]:
    rows = []
    for parcel in found.plan.parcels if found.plan else ():
        units: dict[int, int] = {}
        for piece in parcel.pieces:
            units[piece.line_id] = units.get(piece.line_id, 0) + piece.quantity
        rows.append((parcel.node_id, parcel.carrier, tuple(sorted(units.items()))))
    return sorted(rows)


def _logged(logged: Logged) -> list[tuple[int, str, tuple[tuple[int, int], ...]]]:
    return sorted((row.warehouse_id, row.card, tuple(sorted(row.units.items()))) for row in logged.parcels)


def _plan(story: OrderStory) -> tuple[Any, ...]:
    rows = [(p.warehouse_id, p.card, _units(p)) for p in story.routed.parcels]
    return tuple(sorted(rows)), tuple(sorted(story.routed.short.items()))


def _units(parcel: Parcel) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((line_id, units) for line_id, units in parcel.units.items() if units))


def _side(story: OrderStory, scale: Strategy, *, is_remote: bool) -> Json:
    houses = [parcel.warehouse_id for parcel in story.routed.parcels]
    found: Json = {
        "status": story.status, "warehouses": houses,
        "cards": [parcel.card for parcel in story.routed.parcels],
        "short": sum(story.routed.short.values()), "value": 0.0,
    }  # fmt: skip
    if houses:
        money, value, hours, _remote, kgco2e, *_rest = story.figures(scale, is_remote=is_remote)
        found |= {
            "money": round(money, 4), "value": round(value, 4), "hours": round(hours, 2),
            "kgco2e": round(kgco2e, 6),
        }  # fmt: skip
    return found
