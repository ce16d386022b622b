"""Going through a period again: every decision of the log is made by the engine for each arm, one at a time,
on the shelves that arm would have found. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from routing.engine.decide import decide
from routing.engine.model import Decision, Need, Node, Request, Strategy
from routing.twin import today
from routing.twin.history import Cell, Logged, LoggedParcel, Moved, Period, is_arrival
from routing.twin.ledger import Arm, Parcel, Routed, Shelves
from routing.twin.slots import Yards
from routing.twin.tally import Fidelity, OrderStory, Tally

#: Told every so many events, so that a run can be shown, cancelled and ended in time.
EVERY = 25
#: Terms of a parcel that are paid, not weighed.
MONEY = ("freight", "handling", "returns", "return_risk", "duty")


@dataclass(slots=True)
class _Order:
    """What all arms know of one order: when it came, what it needs, what it was offered last."""

    first_at: datetime
    needs: dict[int, Need]
    is_remote: bool
    promised_at: datetime | None
    request: Request
    nodes: tuple[Node, ...]
    #: The last decision on it.
    logged: Logged


@dataclass(slots=True)
class Replay:
    """One pass over a period for some arms; `strategy_ids` says whose orders are counted (None: all)."""

    period: Period
    arms: Sequence[Arm]
    yards: Yards
    tally: Tally
    #: The arm that must do what was really done, and where its agreement is counted.
    faithful: Arm | None = None
    fidelity: Fidelity = field(default_factory=Fidelity)
    strategy_ids: frozenset[int] | None = None
    tell: Callable[[int], None] = lambda done: None
    #: Decisions whose inputs were not kept, and those made jointly, which keep their first plan.
    unlogged: int = 0
    joint: int = 0
    _shelves: Shelves = field(default_factory=Shelves)
    _orders: dict[int, _Order] = field(default_factory=dict)
    _scope: set[int] = field(default_factory=set)
    _real: dict[int, Routed] = field(default_factory=dict)
    #: What was decided at this moment but never reserved; it goes back once the moment is over.
    _loose: list[tuple[datetime, int]] = field(default_factory=list)
    #: Orders of the arms that wait for units of a SKU.
    _waiting: dict[int, dict[int, None]] = field(default_factory=dict)

    def run(self) -> None:
        """Go through everything."""
        done = 0
        for event in self.period.events():
            self._tick(event.at)
            if isinstance(event, Moved):
                self._moved(event)
            else:
                self._decided(event)
                done += 1
                if done % EVERY == 0:
                    self.tell(done)
        self._tick(self.period.ends_at + timedelta(days=1))
        for order_id in list(self._orders):
            self._close(order_id)
        self.tell(done)

    # ---- what was decided ----------------------------------------------------------------------

    def _decided(self, logged: Logged) -> None:
        if logged.request is None:
            self.unlogged += 1
            logged = today.offered(logged, self._shelves.units)
            if logged.request is None:
                return
        order = self._open(logged, logged.request)
        self._shelves.see(logged)
        self.yards.look(logged)
        if logged.is_joint:
            self.joint += 1
        else:
            self._decide_all(logged, order)
        self._carry_out(logged, order)
        if not logged.was_reserved:
            self._loose.append((logged.at, logged.order_id))
        self._close_if_over(logged.order_id, logged.at)

    def _open(self, logged: Logged, request: Request) -> _Order:
        order = self._orders.get(logged.order_id)
        if order is None:
            order = self._orders[logged.order_id] = _Order(
                logged.at, {}, request.remote, today.promised(logged, request), request, logged.nodes, logged
            )
            self._real[logged.order_id] = Routed()
            if self.strategy_ids is None or logged.strategy_id in self.strategy_ids:
                self._scope.add(logged.order_id)
            for arm in self.arms:
                arm.orders[logged.order_id] = Routed()
        order.needs |= {need.line_id: need for need in request.needs if need.line_id not in order.needs}
        order.request, order.nodes, order.logged = request, logged.nodes, logged
        return order

    def _decide_all(self, logged: Logged, order: _Order) -> None:
        made: dict[tuple[Strategy, tuple[Need, ...]], Decision] = {}
        for arm in self.arms:
            needs = self._needs(arm, logged, order)
            found = self._decide(arm, logged.order_id, needs, logged, made) if needs else None
            if arm is self.faithful:
                self.fidelity.compare(logged, found)

    def _needs(self, arm: Arm, logged: Logged, order: _Order) -> tuple[Need, ...]:
        """The units an arm must find a place for: what it is short of, and what really was planned afresh."""
        routed, real = arm.orders[logged.order_id], self._real[logged.order_id]
        houses = self._houses(logged)
        found: list[Need] = []
        for line_id, wanted in sorted(logged.wanted.items()):
            need = order.needs.get(line_id)
            if need is None:
                continue
            afresh = wanted - real.short.get(line_id, 0)
            if afresh > 0 and (logged.at > order.first_at or routed.parcels):
                afresh = arm.pull(logged.order_id, line_id, afresh, need.sku_id, houses)
            units = max(0, afresh) + routed.short.pop(line_id, 0)
            if units:
                found.append(need if units == need.quantity else replace(need, quantity=units))
        return tuple(found)

    def _houses(self, logged: Logged) -> set[int] | None:
        """Where the arms must give units up: warehouses that refused the order, if that is why it came back."""
        refused = self.period.refusals(logged.order_id, before=logged.at)
        given_up = {parcel.warehouse_id for parcel in self._real[logged.order_id].parcels} & refused
        known = {node.id for node in logged.nodes}
        return refused if refused and (given_up or refused - known) else None

    def _decide(
        self,
        arm: Arm,
        order_id: int,
        needs: tuple[Need, ...],
        logged: Logged,
        made: dict[tuple[Strategy, tuple[Need, ...]], Decision],
    ) -> Decision:
        order = self._orders[order_id]
        strategy = arm.rates(logged)
        nodes, days = self._seen_by(arm, order, needs, logged.at)
        # Arms with the same figures that see what was really there decide alike: one of them thinks.
        key = (strategy, needs) if nodes is order.nodes else None
        found = made.get(key) if key else None
        if found is None:
            found = _engine(replace(order.request, needs=needs), nodes, strategy)
            if key:
                made[key] = found
        self._plan(arm, order_id, found, logged, days)
        return found

    def _seen_by(
        self, arm: Arm, order: _Order, needs: Sequence[Need], at: datetime
    ) -> tuple[tuple[Node, ...], dict[int, date]]:
        """The nodes as the arm finds them; the very same ones where it has taken nothing else there."""
        nodes, days = [], {}
        for node in order.nodes:
            seen, day = self._node(arm, node, needs, at)
            nodes.append(seen)
            if day is not None:
                days[node.id] = day
        if all(seen is node for seen, node in zip(nodes, order.nodes, strict=True)):
            return order.nodes, days
        return tuple(nodes), days

    def _node(self, arm: Arm, node: Node, needs: Sequence[Need], at: datetime) -> tuple[Node, date | None]:
        units = {
            need.sku_id: max(0, node.stock.get(need.sku_id, 0) - more)
            for need in needs
            if (more := arm.more.get((node.id, need.sku_id)))
        }
        slot = self.yards.slot(arm, node, at, self._shelves)
        if not units and slot.is_as_logged:
            return node, slot.day
        prices = {
            sku_id: self._shelves.price(node, sku_id, left)
            for sku_id, left in units.items()
            if sku_id in node.stock_price
        }
        seen = replace(
            node,
            stock={**node.stock, **units},
            stock_price={**node.stock_price, **prices},
            capacity_left=slot.left,
            capacity_price=slot.price,
            cutoff_wait_hours=slot.wait_hours,
        )
        return seen, slot.day

    def _plan(self, arm: Arm, order_id: int, found: Decision, logged: Logged, days: dict[int, date]) -> None:
        order, routed = self._orders[order_id], arm.orders[order_id]
        sku_of = {line_id: need.sku_id for line_id, need in order.needs.items()}
        kinds = {node.id: node.kind for node in order.nodes}
        for planned in found.plan.parcels if found.plan else ():
            units: dict[int, int] = {}
            for piece in planned.pieces:
                units[piece.line_id] = units.get(piece.line_id, 0) + piece.quantity
            parcel = Parcel(
                warehouse_id=planned.node_id,
                card=planned.carrier,
                date=days.get(planned.node_id),
                units=units,
                arrives_at=logged.at + timedelta(hours=float(planned.hours)),
                money=float(sum((planned.terms.get(term, Decimal(0)) for term in MONEY), Decimal(0))),
                kgco2e=float(planned.kgco2e),
                kind=kinds.get(planned.node_id, ""),
                terms={name: float(yuan) for name, yuan in planned.terms.items()},
            )
            arm.take(parcel, sku_of)
            routed.parcels.append(parcel)
        for short in found.shortages:
            routed.short[short.line_id] = routed.short.get(short.line_id, 0) + short.quantity
            self._waiting.setdefault(sku_of[short.line_id], {})[order_id] = None

    # ---- what really became of it --------------------------------------------------------------

    def _carry_out(self, logged: Logged, order: _Order) -> None:
        """Take what was really planned off the shelves, after what it replaced."""
        real = self._real[logged.order_id]
        for line_id, wanted in logged.wanted.items():
            need = order.needs.get(line_id)
            if need is not None:
                afresh = wanted - real.short.pop(line_id, 0)
                over = real.planned(line_id) + afresh - need.quantity
                self._give_back(real, line_id, over, need.sku_id, None)
        real.short.update(logged.short)
        for row in logged.parcels:
            self._take_real(real, row, order)

    def _take_real(self, real: Routed, row: LoggedParcel, order: _Order) -> None:
        units = {line_id: count for line_id, count in row.units.items() if line_id in order.needs}
        parcel = Parcel(row.warehouse_id, row.card, self.yards.day_of(row), dict(units))
        real.parcels.append(parcel)
        for line_id, count in units.items():
            self._really((row.warehouse_id, order.needs[line_id].sku_id), count)
        self._really_slot(parcel, 1)

    def _really(self, cell: Cell, units: int) -> None:
        """So many units were really taken (given back, below zero): no arm has taken them beyond reality."""
        if cell in self._shelves.units:
            self._shelves.units[cell] -= units
        for arm in self.arms:
            arm.count(cell, -units)

    def _really_slot(self, parcel: Parcel, parcels: int) -> None:
        if parcel.date is not None:
            slot = parcel.warehouse_id, parcel.date
            self._shelves.slots[slot] = self._shelves.slots.get(slot, 0) + parcels
        for arm in self.arms:
            arm.count_slot(parcel.warehouse_id, parcel.date, -parcels)

    def _give_back(
        self, real: Routed, line_id: int, units: int, sku_id: int, warehouse_id: int | None
    ) -> int:
        """Really put up to so many units of a line back; how many there were."""
        left = max(0, units)
        for parcel in list(real.parcels):
            out = min(left, parcel.units.get(line_id, 0))
            if not out or warehouse_id not in (None, parcel.warehouse_id):
                continue
            parcel.units[line_id] -= out
            left -= out
            if parcel.is_held:
                self._really((parcel.warehouse_id, sku_id), -out)
            if not any(parcel.units.values()):
                real.parcels.remove(parcel)
                if parcel.is_held:
                    self._really_slot(parcel, -1)
        return max(0, units) - left

    # ---- what moved ----------------------------------------------------------------------------

    def _moved(self, moved: Moved) -> None:
        order = self._orders.get(moved.order_id) if moved.order_id is not None else None
        if moved.order_id is not None and order is not None and moved.units > 0:
            self._given_back(moved, moved.order_id, order)
        elif moved.cell in self._shelves.units:
            self._shelves.units[moved.cell] += moved.units
        if is_arrival(moved):
            self._arrived(moved)

    def _given_back(self, moved: Moved, order_id: int, order: _Order) -> None:
        """An order gave reserved units back: to be planned afresh, or for good, then in every arm."""
        left, (warehouse_id, sku_id) = moved.units, moved.cell
        is_over = not self.period.decides_again(order_id, after=moved.at)
        for line_id, need in order.needs.items():
            if need.sku_id == sku_id and left:
                out = self._give_back(self._real[order_id], line_id, left, sku_id, warehouse_id)
                left -= out
                if is_over and out:
                    for arm in self.arms:
                        gone = arm.pull(order_id, line_id, out, sku_id, None)
                        _forget_short(arm.orders[order_id], line_id, out - gone)
        if left and moved.cell in self._shelves.units:
            self._shelves.units[moved.cell] += left
        self._close_if_over(order_id, moved.at)

    def _arrived(self, moved: Moved) -> None:
        """Orders that wait in an arm although they really did not are tried again; the log has the others."""
        waiting = self._waiting.get(moved.cell[1], {})
        for order_id in sorted(waiting, key=lambda pk: (self._orders[pk].first_at, pk)):
            if self.period.decides_again(order_id, after=moved.at):
                continue
            for arm in self.arms:
                self._retry(arm, order_id, moved.at)
            if not any(arm.orders[order_id].short for arm in self.arms):
                waiting.pop(order_id, None)
                self._close_if_over(order_id, moved.at)

    def _retry(self, arm: Arm, order_id: int, at: datetime) -> None:
        order, routed = self._orders[order_id], arm.orders[order_id]
        needs = tuple(
            replace(order.needs[line_id], quantity=units) for line_id, units in sorted(routed.short.items())
        )
        fresh = tuple(
            replace(node, stock={n.sku_id: self._shelves.units.get((node.id, n.sku_id), 0) for n in needs})
            for node in order.nodes
        )
        if not needs or any(self._free(arm, fresh, need) < need.quantity for need in needs):
            return
        order.nodes = fresh
        logged = Logged(0, order_id, at, 0, "", None, None, (), {}, False, True, order.request, fresh, None)
        routed.short.clear()
        self._decide(arm, order_id, needs, replace(logged, rates=None), {})

    def _free(self, arm: Arm, nodes: Sequence[Node], need: Need) -> int:
        return sum(
            max(0, node.stock[need.sku_id] - arm.more.get((node.id, need.sku_id), 0))
            for node in nodes
            if not node.frozen
        )

    # ---- ends ----------------------------------------------------------------------------------

    def _tick(self, at: datetime) -> None:
        """What nobody reserved at earlier moments is free again; it stays the plan of its order."""
        while self._loose and self._loose[0][0] < at:
            _at, order_id = self._loose.pop(0)
            order = self._orders.get(order_id)
            if order is None:
                continue
            sku_of = {line_id: need.sku_id for line_id, need in order.needs.items()}
            for arm in self.arms:
                for parcel in arm.orders[order_id].parcels:
                    arm.let_go(parcel, sku_of)
            for parcel in self._real[order_id].parcels:
                if parcel.is_held:
                    for line_id, units in parcel.units.items():
                        self._really((parcel.warehouse_id, sku_of[line_id]), -units)
                    self._really_slot(parcel, -1)
                    parcel.is_held = False
            self._close_if_over(order_id, at)

    def _close_if_over(self, order_id: int, at: datetime) -> None:
        """Count an order nothing more can happen to, and forget it."""
        is_loose = any(pk == order_id for _at, pk in self._loose)
        is_over = self.period.last_at[order_id] <= at and not is_loose
        if is_over and not any(arm.orders[order_id].short for arm in self.arms):
            self._close(order_id)

    def _close(self, order_id: int) -> None:
        order = self._orders.pop(order_id)
        stories = [
            OrderStory(arm.orders.pop(order_id), order.first_at, order.promised_at) for arm in self.arms
        ]
        self._real.pop(order_id)
        if order_id in self._scope:
            self._scope.discard(order_id)
            self.tally.add(order_id, order.first_at, order.is_remote, stories)


def _engine(request: Request, nodes: Sequence[Node], strategy: Strategy) -> Decision:
    """As live: a promise that cannot be kept is dropped rather than the order left."""
    found = decide(request, nodes, strategy)
    if found.status != "routed" and request.promise_hours is not None:
        found = decide(replace(request, promise_hours=None), nodes, strategy)
    return found


def _forget_short(routed: Routed, line_id: int, units: int) -> None:
    left = routed.short.get(line_id, 0) - units
    if left > 0:
        routed.short[line_id] = left
    else:
        routed.short.pop(line_id, None)
