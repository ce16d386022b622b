"""What really happened in a period, in the order it happened: decisions with what they were made from, and
the stock that was received, counted, taken and given back. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from heapq import merge
from typing import Any

from django.db.models import Q

from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Movement
from routing import inputs
from routing.engine.model import Node, Request, Strategy
from routing.models import Decision, StrategyVersion
from routing.replaying import JOINT

#: (warehouse id, SKU id)
Cell = tuple[int, int]
CHUNK = 200
#: Decisions a run looks at; more would not be done before a worker's time is up.
MOST_DECISIONS = 40_000
_ORDER = "order"
_ARRIVALS = frozenset({
    Movement.Kind.RECEIPT, Movement.Kind.COUNT, Movement.Kind.RETURN, Movement.Kind.ADJUST,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoggedParcel:
    """A parcel as it was decided: units by order line, the local day it counts for."""

    warehouse_id: int
    card: str
    date: date | None
    units: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Logged:
    """One decision of the log; `nodes` is empty and `rates` None where its inputs were not kept."""

    pk: int
    order_id: int
    at: datetime
    strategy_id: int
    status: str
    total: Decimal | None
    hours: Decimal | None
    parcels: tuple[LoggedParcel, ...]
    short: Mapping[int, int]
    is_joint: bool
    was_reserved: bool
    request: Request | None
    nodes: tuple[Node, ...]
    rates: Strategy | None

    @property
    def wanted(self) -> dict[int, int]:
        """Units by order line that it was to find a place for."""
        found = dict(self.short)
        for parcel in self.parcels:
            for line_id, units in parcel.units.items():
                found[line_id] = found.get(line_id, 0) + units
        return found


@dataclass(frozen=True, slots=True)
class Moved:
    """Free units of one cell changed; `order_id` where an order gave back or took what it had planned."""

    at: datetime
    cell: Cell
    units: int
    kind: str
    order_id: int | None


_Event = tuple[datetime, int, Logged | Moved]


@dataclass(slots=True)
class Period:
    """The decisions and movements of one merchant between two moments, surveyed once, then read in order."""

    merchant_id: int
    starts_at: datetime
    ends_at: datetime
    decisions: int = 0
    newest: int = 0
    #: Per order the moments it was decided on, and the last moment anything happened to it.
    decided: dict[int, list[datetime]] = field(default_factory=dict)
    last_at: dict[int, datetime] = field(default_factory=dict)
    #: Strategy by version, and how many orders of the period each strategy routed first.
    strategy_of: dict[int, int] = field(default_factory=dict)
    first_routed: dict[int, int] = field(default_factory=dict)
    #: Warehouses that refused an order, and since when its plan with them stood.
    refused: dict[int, list[tuple[datetime, int]]] = field(default_factory=dict)
    _moves: list[Moved] = field(default_factory=list)
    _taken: dict[int, list[datetime]] = field(default_factory=dict)

    def events(self) -> Iterator[Logged | Moved]:
        """Everything in the order it happened; what moved at a moment comes before what was decided then."""
        moves: Iterator[_Event] = ((moved.at, 0, moved) for moved in self._moves)
        made: Iterator[_Event] = ((logged.at, 1, logged) for logged in self._decisions())
        for _at, _rank, event in merge(moves, made, key=lambda row: row[:2]):
            yield event

    def decides_again(self, order_id: int, *, after: datetime) -> bool:
        """Whether the log has a decision on this order at that moment or later."""
        return self.decided[order_id][-1] >= after

    def refusals(self, order_id: int, *, before: datetime) -> set[int]:
        """The warehouses that had refused the order by then."""
        return {warehouse for at, warehouse in self.refused.get(order_id, ()) if at < before}

    def _decisions(self) -> Iterator[Logged]:
        """Keyset pages, so that no reading transaction stays open while the replay works."""
        rows = _rows(self.merchant_id, self.starts_at, self.ends_at).filter(pk__lte=self.newest)
        last: tuple[datetime, int] | None = None
        while True:
            page = rows if last is None else rows.filter(
                Q(decided_at__gt=last[0]) | Q(decided_at=last[0], pk__gt=last[1])
            )  # fmt: skip
            found = list(page.values(*_COLUMNS)[:CHUNK])
            for row in found:
                yield self._logged(row)
            if len(found) < CHUNK:
                return
            last = found[-1]["decided_at"], found[-1]["pk"]

    def _logged(self, row: Mapping[str, Any]) -> Logged:
        kept = inputs.load(row["inputs"]) if row["inputs"] else None
        plan = row["plan"] or {}
        return Logged(
            pk=row["pk"],
            order_id=row["order_id"],
            at=row["decided_at"],
            strategy_id=self.strategy_of[row["strategy_id"]],
            status=row["status"],
            total=row["total"],
            hours=Decimal(plan["hours"]) if plan else None,
            parcels=tuple(map(_parcel, plan.get("parcels", ()))),
            short={short["line_id"]: short["quantity"] for short in row["shortages"]},
            is_joint=row["method"] in JOINT,
            was_reserved=self._was_reserved(row["order_id"], row["decided_at"]),
            request=kept.request if kept else None,
            nodes=kept.nodes if kept else (),
            rates=kept.strategy if kept else None,
        )

    def _was_reserved(self, order_id: int, at: datetime) -> bool:
        """Whether stock was taken for the order after this decision and before the next."""
        following = (later for later in self.decided[order_id] if later > at)
        until = next(following, None)
        return any(
            at <= taken and (until is None or taken < until) for taken in self._taken.get(order_id, ())
        )


_COLUMNS = (
    "pk", "order_id", "strategy_id", "status", "method", "total", "plan", "shortages", "inputs", "decided_at",
)  # fmt: skip


def survey(merchant_id: int, *, starts_at: datetime, ends_at: datetime) -> Period:
    """What the period holds, read lightly; the decisions themselves are read again one page at a time."""
    found = Period(merchant_id, starts_at, ends_at)
    rows = _rows(merchant_id, starts_at, ends_at).values_list("pk", "order_id", "strategy_id", "decided_at")
    versions: set[int] = set()
    first: dict[int, int] = {}
    for pk, order_id, version_id, at in rows[: MOST_DECISIONS + 1].iterator(chunk_size=2000):
        found.decisions += 1
        found.newest = max(found.newest, pk)
        found.decided.setdefault(order_id, []).append(at)
        found.last_at[order_id] = at
        first.setdefault(order_id, version_id)
        versions.add(version_id)
    found.strategy_of = dict(StrategyVersion.objects.filter(pk__in=versions).values_list("pk", "strategy_id"))
    for version_id in first.values():
        strategy_id = found.strategy_of[version_id]
        found.first_routed[strategy_id] = found.first_routed.get(strategy_id, 0) + 1
    if found.decisions <= MOST_DECISIONS:
        _read_moves(found)
        _read_refusals(found)
    return found


def watermark(merchant_id: int, *, starts_at: datetime, ends_at: datetime) -> str:
    """Names the newest decision of the period and the newest movement; the same mark, the same history."""
    newest = (
        _rows(merchant_id, starts_at, ends_at).order_by("-decided_at", "-pk").values_list("pk", flat=True)
    )
    count = _rows(merchant_id, starts_at, ends_at).count()
    moves = Movement.objects.filter(stock__merchant_id=merchant_id).order_by("-pk")
    moved = moves.values_list("pk", flat=True).first()
    return f"{newest.first() or 0}/{count}/{moved or 0}"


def _rows(merchant_id: int, starts_at: datetime, ends_at: datetime) -> Any:
    return Decision.objects.filter(
        merchant_id=merchant_id, decided_at__gte=starts_at, decided_at__lt=ends_at
    ).order_by("decided_at", "pk")


def _parcel(row: Mapping[str, Any]) -> LoggedParcel:
    day = row.get("capacity_date")
    units: dict[int, int] = {}
    for piece in row.get("pieces", ()):
        units[piece["line_id"]] = units.get(piece["line_id"], 0) + piece["quantity"]
    return LoggedParcel(row["warehouse_id"], row["card"], date.fromisoformat(day) if day else None, units)


def _read_moves(period: Period) -> None:
    rows = Movement.objects.filter(
        stock__merchant_id=period.merchant_id, moved_at__gte=period.starts_at
    ).exclude(kind__in=(Movement.Kind.SHIP, Movement.Kind.SAFETY))
    columns = (
        "moved_at", "stock__warehouse_id", "stock__sku_id", "kind", "on_hand_change", "reserved_change",
        "reference",
    )  # fmt: skip
    for at, warehouse, sku, kind, on_hand, reserved, reference in (
        rows.order_by("moved_at", "pk").values_list(*columns).iterator(chunk_size=2000)
    ):
        order_id = _order_of(reference, period.decided)
        if kind == Movement.Kind.RESERVE and order_id is not None:
            period._taken.setdefault(order_id, []).append(at)
        elif at < period.ends_at:
            period._moves.append(Moved(at, (warehouse, sku), on_hand - reserved, kind, order_id))
            if order_id is not None:
                period.last_at[order_id] = max(period.last_at[order_id], at)


def _order_of(reference: str, known: Mapping[int, Any]) -> int | None:
    head, _colon, number = reference.partition(":")
    if head != _ORDER or not number.isdecimal():
        return None
    return int(number) if int(number) in known else None


def _read_refusals(period: Period) -> None:
    for ids in _pages(sorted(period.decided)):
        rows = FulfillmentOrder.objects.filter(order_id__in=ids).filter(
            Q(state=State.REJECTED) | ~Q(refusal="")
        )
        for order_id, at, warehouse in rows.values_list("order_id", "created_at", "warehouse_id"):
            period.refused.setdefault(order_id, []).append((at, warehouse))


def _pages(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def is_arrival(moved: Moved) -> bool:
    """Whether units came to a shelf from outside."""
    return moved.units > 0 and moved.kind in _ARRIVALS
