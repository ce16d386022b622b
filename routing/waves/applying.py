"""Moving orders to the plans of a wave: what they held is given back and what they get is taken in one transaction.

Changes that may need one another's units or parcel slots are one group and move in one transaction. What was taken
or changed by somebody else meanwhile stays as it is, and the rest of its group only moves if that still saves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from orderhub.fulfillment import reserve
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.inventory import locks
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import StepState
from routing import services
from routing.engine import model
from routing.record import Decided
from routing.waves import waiting
from routing.waves.planning import Change

#: Independent changes are moved this many orders at a time.
BATCH = 100
_MOST_ROUNDS = 6
METHOD = "wave"
NOTE, NOTE_DEARER = "wave", "wave_dearer"

#: Changes that may need one another.
Group = Sequence[Change]
#: Called in the transaction of each batch with the changes that were made and the number that could not be.
Noted = Callable[[Sequence[Change], int], None]


class _Conflict(Exception):
    """Somebody else was quicker with what these orders want."""

    def __init__(self, order_ids: Iterable[int]) -> None:
        super().__init__("taken by somebody else")
        self.order_ids = set(order_ids)


def apply(
    changes: Sequence[Change], *, releases_at: datetime, noted: Noted, now: datetime, actor: str
) -> int:
    """Make the changes that are still possible; how many were made. One transaction for each batch.

    May be stopped at any point and begun again with a new proposal: every order has one whole plan at any time.
    """
    done = 0
    for batch in _batches(changes):
        with transaction.atomic():
            made = _move(batch, releases_at=releases_at, now=now, actor=actor)
            noted(made, sum(map(len, batch)) - len(made))
        done += len(made)
    return done


def _move(batch: Sequence[Group], *, releases_at: datetime, now: datetime, actor: str) -> list[Change]:
    """Move what still stands as it was read; without the orders that lose a race, as often as there are any."""
    orders = {order.pk: order for order in _locked(_all(batch))}
    gone = {
        change.order.pk for change in _all(batch) if not _is_unchanged(change, orders.get(change.order.pk))
    }
    groups = _without(batch, gone)
    _lock_places(_all(groups))
    for _round in range(_MOST_ROUNDS):
        going = _all(groups)
        if not going:
            break
        try:
            with transaction.atomic():
                _exchange(going, orders, releases_at=releases_at, now=now, actor=actor)
            return going
        except _Conflict as lost:
            groups = _without(groups, lost.order_ids)
            orders = {order.pk: order for order in _locked(_all(groups))}  # as before it was tried
    return []


def _all(groups: Sequence[Group]) -> list[Change]:
    return [change for group in groups for change in group]


def _without(groups: Sequence[Group], gone: Collection[int]) -> list[Group]:
    """The groups without these orders; a group that lost one goes on only if the others still save."""
    found: list[Group] = []
    for group in groups:
        left = [change for change in group if change.order.pk not in gone]
        if len(left) == len(group) or sum(change.saving for change in left) > 0:
            found.append(left)
    return found


def _locked(changes: Sequence[Change]) -> list[Order]:
    rows = Order.objects.select_for_update(of=("self",), no_key=True).select_related(
        "merchant", "channel", "person"
    )
    return list(rows.filter(pk__in=[change.order.pk for change in changes]).order_by("pk"))


def _is_unchanged(change: Change, order: Order | None) -> bool:
    """Whether the locked order still waits for the wave as it did when it was read."""
    return (
        order is not None
        and (order.step, order.step_state, order.waiting_for)
        == (waiting.STEP, StepState.WAITING, waiting.WAITING_FOR)
        and order.version == change.order.version
    )


def _lock_places(changes: Sequence[Change]) -> None:
    """Lock all stock rows and then all days that the changes touch, in the order everybody locks them."""
    places, days = set(), set()
    for change in changes:
        sku_of = {line.pk: line.sku_id for line in change.member.candidate.lines}
        for row in change.member.candidate.rows:
            places |= {(part.sku_id, row.warehouse_id) for part in row.lines.all()}
            if row.capacity_date is not None:
                days.add((row.warehouse_id, row.capacity_date))
        for parcel in change.after.parcels:
            places |= {(sku_of[piece.line_id], parcel.node_id) for piece in parcel.pieces}
            days.add((parcel.node_id, change.days[parcel.node_id]))
    if changes:
        locks.stock(places)
        locks.days(days)


def _exchange(
    changes: Sequence[Change],
    orders: Mapping[int, Order],
    *,
    releases_at: datetime,
    now: datetime,
    actor: str,
) -> None:
    """Give back, plan and take; raises _Conflict with the orders that cannot have theirs."""
    ids = [change.order.pk for change in changes]
    lines = _lines(ids)
    dropped = reserve.drop(ids, lines=_flat(lines), now=now, actor=actor)
    _check_rows(changes, dropped)
    decided = [_decided(change, orders[change.order.pk], lines[change.order.pk]) for change in changes]
    versions = {change.order.pk: change.member.version for change in changes}
    releases = dict.fromkeys(ids, releases_at)
    rows = services.keep(decided, versions, lines, releases=releases, now=now, actor=actor)
    warehouses = {change.order.pk: change.member.offer.warehouses for change in changes}
    for row in rows:
        row.warehouse = warehouses[row.order_id][row.warehouse_id]
    refused = reserve.take(list(orders.values()), rows=rows, now=now, actor=actor)
    if refused:
        raise _Conflict(refused)


def _check_rows(changes: Sequence[Change], dropped: Sequence[FulfillmentOrder]) -> None:
    """What was given back is what was read; the version of the order says so, this makes sure."""
    seen: dict[int, set[int]] = {}
    for row in dropped:
        seen.setdefault(row.order_id, set()).add(row.pk)
    other = [
        change.order.pk
        for change in changes
        if seen.get(change.order.pk) != {row.pk for row in change.member.candidate.rows}
    ]
    if other:
        raise _Conflict(other)


def _lines(order_ids: Sequence[int]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = {pk: [] for pk in order_ids}
    rows = OrderLine.objects.filter(order_id__in=order_ids).select_related("sku")
    for line in rows.order_by("order_id", "position"):
        found[line.order_id].append(line)
    return found


def _flat(lines: Mapping[int, Sequence[OrderLine]]) -> list[OrderLine]:
    return [line for group in lines.values() for line in group]


def _decided(change: Change, order: Order, lines: Sequence[OrderLine]) -> Decided:
    """The decision that is kept: the new plan, and the one it replaces as its runner-up."""
    notes = [*change.member.offer.notes, NOTE]
    if change.saving < 0:
        notes.append(NOTE_DEARER)
    decision = model.Decision(
        order_id=order.pk,
        strategy=str(change.member.version.values["code"]),
        status="routed",
        plan=change.after,
        alternatives=(change.before,),
        removed=change.member.priced.removed,
        shortages=(),
        method=METHOD,
        total=change.after.total,
    )
    return Decided(order, lines, change.member.offer, decision, change.days, notes, 0.0)


# ---- which changes need one another --------------------------------------------------------------


@dataclass(slots=True)
class _Groups:
    """Changes joined where one wants what another gives back."""

    parent: list[int]

    def find(self, n: int) -> int:
        """The first change of a group."""
        while self.parent[n] != n:
            self.parent[n] = n = self.parent[self.parent[n]]
        return n

    def join(self, one: int, two: int) -> None:
        """One group of two."""
        one, two = sorted((self.find(one), self.find(two)))
        self.parent[two] = one


def _batches(changes: Sequence[Change]) -> list[list[Group]]:
    """Groups of changes that need one another, whole, in batches; the order is that of the changes."""
    groups = _Groups(list(range(len(changes))))
    first: dict[object, int] = {}
    for n, change in enumerate(changes):
        for key in _touched(change):
            groups.join(first.setdefault(key, n), n)
    together: dict[int, list[Change]] = {}
    for n, change in enumerate(changes):
        together.setdefault(groups.find(n), []).append(change)
    batches: list[list[Group]] = []
    for group in together.values():
        if batches and sum(map(len, batches[-1])) + len(group) <= BATCH:
            batches[-1].append(group)
        else:
            batches.append([group])
    return batches


def _touched(change: Change) -> set[object]:
    """Stock rows and limited days that the change gives back or takes."""
    sku_of = {line.pk: line.sku_id for line in change.member.candidate.lines}
    rows = change.member.candidate.rows
    warehouses = change.member.offer.warehouses
    places: set[object] = {(row.warehouse_id, part.sku_id) for row in rows for part in row.lines.all()}
    places |= {(p.node_id, sku_of[piece.line_id]) for p in change.after.parcels for piece in p.pieces}
    sites = {row.warehouse_id for row in rows} | {parcel.node_id for parcel in change.after.parcels}
    limited = {pk for pk in sites if pk in warehouses and warehouses[pk].capacity_per_day is not None}
    return places | limited
