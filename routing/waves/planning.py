"""Planning the orders of a wave together: what is read, what is solved, and which plans should change.

Nothing is written here, and no lock is held: what is proposed is checked again when it is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from orderhub.fulfillment import reserve
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import StepState
from routing import candidates, strategies
from routing.candidates import Held, Offer, Snapshot
from routing.engine import model
from routing.engine.wave.model import UNLIMITED, Solved, Wave, WaveOrder
from routing.engine.wave.solve import solve
from routing.models import StrategyVersion
from routing.waves import costs, waiting, worth
from routing.waves.costs import Blocks, Priced

#: The oldest so many are planned together; the others keep their plans.
MOST_ORDERS = 5000
Ints = NDArray[np.int64]
LEAST_SAVING = 0.005  # ¥ over the whole wave: less than half a cent is rounding


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that waits for the wave, as it was read: whole lines, each in one reserved fulfillment order."""

    order: Order
    lines: Sequence[OrderLine]
    rows: Sequence[FulfillmentOrder]

    @property
    def parcels(self) -> costs.Parcels:
        """Where its lines are now."""
        return tuple(
            (row.warehouse_id, tuple(part.order_line_id for part in row.lines.all())) for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate that could be priced, with its present plan among all others.

    `priced` leaves the stock prices out where what the whole wave leaves on the shelves has a worth instead.
    """

    candidate: Candidate
    version: StrategyVersion
    offer: Offer
    priced: Priced
    present: Blocks

    def told(self) -> Priced:
        """The prices as a decision by itself would tell them, stock prices and all."""
        found = costs.price(
            self.offer.request, self.offer.nodes, strategies.rates(self.version), self.priced.nodes
        )
        return found or self.priced


@dataclass(frozen=True, slots=True)
class Change:
    """A plan that should replace the present one; `days` are the local days of its warehouses.

    `saving` is of this order alone, in yuan; `blocks` is the new plan in the terms of the wave.
    """

    member: Member
    before: model.Plan
    after: model.Plan
    days: Mapping[int, date]
    saving: float
    blocks: Blocks

    @property
    def order(self) -> Order:
        """The order as it was read."""
        return self.member.candidate.order


@dataclass(frozen=True, slots=True)
class Load:
    """Parcels of the planned orders in one warehouse."""

    warehouse: Warehouse
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What planning the wave together came to; money in ¥ over the orders that were planned.

    Costs are all terms of the orders' strategies; goods count with what the shelves lose in worth.
    """

    members: Sequence[Member]
    untouched: int
    changes: Sequence[Change]
    loads: Sequence[Load]
    shelves: worth.Shelves | None
    cost_before: float
    cost_after: float
    lower_bound: float
    seconds: float

    @property
    def orders(self) -> int:
        """How many were planned together."""
        return len(self.members)

    @property
    def gap(self) -> float:
        """How far the plan can be from the best there is, as a share; 0 without a positive bound."""
        return max(0.0, self.cost_after / self.lower_bound - 1) if self.lower_bound > 0 else 0.0

    def saved(self, changes: Sequence[Change]) -> float:
        """¥ saved by only these of the changes."""
        new = {change.order.pk: change.blocks for change in changes}
        plans = [new.get(one.candidate.order.pk, one.present) for one in self.members]
        return self.cost_before - _cost(self.members, plans, self.shelves)


def propose(merchant_id: int, *, releases_at: datetime, max_changes: int | None, seconds: float) -> Proposal:
    """Plan the orders of a merchant that wait for the wave together, within the time given.

    Left as they are: orders that are partly planned or made to order, whose lines are cut, that have too many lines,
    whose strategy ranks instead of adding up, or whose present plan no longer passes the engine's limits. Never
    dearer than the present plans.
    """
    began = perf_counter()
    found = _candidates(merchant_id)
    able = [one for one in found if _is_whole(one)]
    if not able:
        return Proposal((), len(found), (), (), None, 0.0, 0.0, 0.0, perf_counter() - began)
    orders = [one.order for one in able]
    snapshot = candidates.take_snapshot(
        orders,
        [line for one in able for line in one.lines],
        now=releases_at,
        held=_held(able),
        is_making=False,
    )
    sites = snapshot.sites.get(merchant_id, [])
    positions = {site.warehouse.pk: n for n, site in enumerate(sites)}
    versions = strategies.choose(orders, now=releases_at)
    book = snapshot.books.get(merchant_id)
    factor = _factor(versions.values()) if book is not None and book.rows else 0.0
    members = [_member(one, versions[one.order.pk], snapshot, positions, is_bare=factor > 0) for one in able]
    known = [member for member in members if member is not None]
    stuck = [one for one, member in zip(able, members, strict=True) if member is None]
    shelves, capacity = _room(known, stuck, snapshot, positions, merchant_id, factor)
    orders_of = [
        WaveOrder(
            tuple((shelves.column[sku_id], units) for sku_id, units in member.priced.lines),
            member.priced.cost,
            member.present,
        )
        for member in known
    ]
    wave = Wave(orders_of, shelves.stock, capacity, shelves.keep, max_changes)
    solved = solve(wave, seconds=max(1.0, seconds - (perf_counter() - began)))
    return _proposal(found, known, stuck, solved, snapshot, shelves, perf_counter() - began)


def _candidates(merchant_id: int) -> list[Candidate]:
    rows = Order.objects.filter(
        merchant_id=merchant_id,
        step=waiting.STEP,
        step_state=StepState.WAITING,
        waiting_for=waiting.WAITING_FOR,
    ).select_related("merchant", "channel", "person")
    orders = list(rows.order_by("placed_at", "pk")[:MOST_ORDERS])
    lines: dict[int, list[OrderLine]] = {order.pk: [] for order in orders}
    for line in (
        OrderLine.objects.filter(order__in=orders).select_related("sku").order_by("order_id", "position")
    ):
        lines[line.order_id].append(line)
    planned: dict[int, list[FulfillmentOrder]] = {order.pk: [] for order in orders}
    for row in reserve.planned(orders, State.PLANNED, State.RESERVED):
        planned[row.order_id].append(row)
    return [Candidate(order, lines[order.pk], planned[order.pk]) for order in orders]


def _is_whole(one: Candidate) -> bool:
    """Whether all of the order is reserved from stock, each line in one parcel, each parcel in another warehouse."""
    units = {line.pk: line.allocated for line in one.lines if line.ordered - line.cancelled}
    if any(line.ordered - line.cancelled != line.allocated for line in one.lines) or not units:
        return False
    parts = [part for row in one.rows for part in row.lines.all()]
    return (
        all(row.state == State.RESERVED for row in one.rows)
        and len({row.warehouse_id for row in one.rows}) == len(one.rows)
        and len(parts) == len(units)
        and all(units.get(part.order_line_id) == part.quantity == part.reserved for part in parts)
        and all(part.made_on is None for part in parts)
    )


def _held(able: Sequence[Candidate]) -> Held:
    units: dict[tuple[int, int], int] = {}
    slots: dict[tuple[int, date], int] = {}
    for row in (row for one in able for row in one.rows):
        if row.capacity_date is not None:
            key = row.warehouse_id, row.capacity_date
            slots[key] = slots.get(key, 0) + 1
        for part in row.lines.all():
            place = row.warehouse_id, part.sku_id
            units[place] = units.get(place, 0) + part.quantity
    return Held(units, slots)


def _member(
    one: Candidate,
    version: StrategyVersion,
    snapshot: Snapshot,
    positions: Mapping[int, int],
    *,
    is_bare: bool,
) -> Member | None:
    """The order with its prices; None if it cannot be compared, and so keeps its plan."""
    strategy = strategies.rates(version)
    open_lines = [_opened(line) for line in one.lines if line.allocated]
    limit = strategy.max_parcels
    if getattr(strategy, "order", ()) or (limit is not None and limit < len(open_lines)):
        return None
    offer = snapshot.offer(one.order, open_lines)
    nodes = [replace(node, stock_price={}) for node in offer.nodes] if is_bare else offer.nodes
    priced = costs.price(offer.request, nodes, strategy, positions)
    present = priced.blocks(one.parcels) if priced is not None else None
    return None if priced is None or present is None else Member(one, version, offer, priced, present)


def _opened(line: OrderLine) -> OrderLine:
    """A copy of the line as if nothing of it were planned; never saved."""
    found = copy(line)
    found.open, found.backordered, found.allocated = line.allocated, 0, 0
    return found


def _factor(versions: Iterable[StrategyVersion]) -> float:
    """How much the orders' strategies make of stock prices, on average: the shelves are shared."""
    return float(np.mean([float(strategies.rates(version).stock_price_factor) for version in versions]))


def _room(
    members: Sequence[Member],
    stuck: Sequence[Candidate],
    snapshot: Snapshot,
    positions: Mapping[int, int],
    merchant_id: int,
    factor: float,
) -> tuple[worth.Shelves, Ints]:
    """What is free for the orders that can be planned: the shelves with their worth, and parcels by node.

    The units and slots of orders that keep their plans are not free; what is held now always fits, also where
    a limit was lowered meanwhile.
    """
    planned = [member.candidate for member in members]
    sku_ids = sorted({line.sku_id for one in planned for line in one.lines})
    column = {sku_id: n for n, sku_id in enumerate(sku_ids)}
    stock = np.zeros((len(positions), len(sku_ids)), dtype=np.int64)
    capacity = np.zeros(len(positions), dtype=np.int64)
    for site in snapshot.sites.get(merchant_id, []):
        at = positions[site.warehouse.pk]
        capacity[at] = UNLIMITED if site.load.left is None else site.load.left
        for sku_id, units in site.stock.items():
            if sku_id in column:
                stock[at, column[sku_id]] = units
    own, own_parcels = _in_arrays(planned, positions, column, stock.shape)
    theirs, their_parcels = _in_arrays(stuck, positions, column, stock.shape)
    capacity = np.where(capacity >= UNLIMITED, capacity, np.maximum(capacity - their_parcels, own_parcels))
    free = np.maximum(stock - theirs, own)
    book = snapshot.books.get(merchant_id)
    return worth.shelves(free, sku_ids, list(positions), book, factor), capacity


def _in_arrays(
    holders: Sequence[Candidate],
    positions: Mapping[int, int],
    column: Mapping[int, int],
    shape: tuple[int, ...],
) -> tuple[Ints, Ints]:
    """What these orders hold: units by node and SKU, and parcels by node."""
    units, parcels = np.zeros(shape, dtype=np.int64), np.zeros(shape[0], dtype=np.int64)
    for row in (row for one in holders for row in one.rows):
        if row.warehouse_id in positions:
            at = positions[row.warehouse_id]
            parcels[at] += 1
            for part in row.lines.all():
                if part.sku_id in column:
                    units[at, column[part.sku_id]] += part.quantity
    return units, parcels


def _proposal(
    found: Sequence[Candidate],
    members: Sequence[Member],
    stuck: Sequence[Candidate],
    solved: Solved,
    snapshot: Snapshot,
    shelves: worth.Shelves,
    seconds: float,
) -> Proposal:
    plans = [tuple(sorted(plan)) for plan in solved.plans[: len(members)]]
    present = [member.present for member in members]
    before, after = _cost(members, present, shelves), _cost(members, plans, shelves)
    shared = sum(member.priced.per_plan for member in members)
    if before - after < LEAST_SAVING:
        plans, after = present, before
    loads = _loads(members, plans, snapshot)
    return Proposal(
        members=members,
        untouched=len(found) - len(members),
        changes=_changes(members, plans, stuck, snapshot),
        loads=loads,
        shelves=shelves,
        cost_before=before,
        cost_after=after,
        lower_bound=min(solved.lower_bound - shared, after),
        seconds=seconds,
    )


def _cost(members: Sequence[Member], plans: Sequence[Blocks], shelves: worth.Shelves | None) -> float:
    """¥ of these plans with the worth that the shelves lose."""
    pairs = list(zip(members, plans, strict=True))
    lost = shelves.given_up((one.priced.lines, plan) for one, plan in pairs) if shelves is not None else 0.0
    return sum(one.priced.yuan(plan) for one, plan in pairs) + lost


def _changes(
    members: Sequence[Member], plans: Sequence[Blocks], stuck: Sequence[Candidate], snapshot: Snapshot
) -> list[Change]:
    """The plans that differ; days are given out after the parcels that stay have kept theirs."""
    staying = [one.candidate for one, plan in zip(members, plans, strict=True) if plan == one.present]
    for row in (row for one in (*staying, *stuck) for row in one.rows):
        _keep_slot(snapshot, row)
    changes = []
    for member, plan in zip(members, plans, strict=True):
        if plan == member.present:
            continue
        order = member.candidate.order
        told = member.told()
        before, after = told.plan(member.present), told.plan(plan)
        days = {}
        for parcel in after.parcels:
            load = snapshot.site(order, parcel.node_id).load
            days[parcel.node_id] = load.date
            load.take(1)
        changes.append(Change(member, before, after, days, float(before.total - after.total), plan))
    return changes


def _keep_slot(snapshot: Snapshot, row: FulfillmentOrder) -> None:
    sites = snapshot.sites.get(row.merchant_id, [])
    load = next((site.load for site in sites if site.warehouse.pk == row.warehouse_id), None)
    if load is not None and row.capacity_date is not None and row.capacity_date in load.days:
        load.used[load.days.index(row.capacity_date)] += 1


def _loads(members: Sequence[Member], plans: Sequence[Blocks], snapshot: Snapshot) -> list[Load]:
    warehouses = [site.warehouse for sites in snapshot.sites.values() for site in sites]
    before, after = [0] * len(warehouses), [0] * len(warehouses)
    for member, plan in zip(members, plans, strict=True):
        for node, _bits in member.present:
            before[node] += 1
        for node, _bits in plan:
            after[node] += 1
    rows = [Load(*row) for row in zip(warehouses, before, after, strict=True)]
    return [row for row in rows if row.before or row.after]
