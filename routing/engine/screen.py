"""Hard limits: which nodes and lanes may serve which line, and the reason for every refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from routing.engine.model import ZERO, Lane, Need, Node, Removal, Request

Refusal = tuple[str, dict[str, object]]
ANY = 10**9  # more units than any order has


@dataclass(slots=True, eq=False)  # not frozen: that triples the time to make one
class Source:
    """A node that passed the limits of the order, with the lanes that keep the promise, in fixed order.

    ``stock`` counts what can still be made for the skus in ``made``; the lanes from ``making`` on are the same
    services after the time of making, for parcels with such skus.
    """

    node: Node
    lanes: tuple[Lane, ...]
    stock: Mapping[int, int]
    made: frozenset[int]
    making: int
    room: int | None  # grams of goods in the heaviest parcel, None: any number
    room_made: int | None

    def units_per_parcel(self, need: Need) -> int:
        """Most units of a line that fit the heaviest parcel of any lane."""
        room = self.room_made if need.sku_id in self.made else self.room
        grams = need.grams_each
        return need.quantity if room is None or not grams else max(0, room // grams)


@dataclass(frozen=True, slots=True)
class Screened:
    """Usable sources by node id, per need the indexes of sources that may handle it, and the removals."""

    sources: tuple[Source, ...]
    allowed: tuple[tuple[int, ...], ...]
    removed: tuple[Removal, ...]

    @property
    def bits(self) -> list[int]:
        """The allowed sources of each need as bits."""
        return [sum(1 << s for s in able) for able in self.allowed]

    @property
    def shares_making(self) -> bool:
        """Whether several skus of the order draw on what one node can make."""
        return any(len(source.made) > 1 and source.node.make_left is not None for source in self.sources)


def screen(request: Request, needs: Sequence[Need], nodes: Sequence[Node]) -> Screened:
    """Apply every limit but stock and weight, which depend on how lines are cut; nodes come in any order."""
    removed: list[Removal] = []
    sources: list[Source] = []
    wanted: dict[int, int] = {}
    for need in needs:
        wanted[need.sku_id] = wanted.get(need.sku_id, 0) + need.quantity
    for node in sorted(nodes, key=lambda n: n.id):
        found = _usable(request, node, wanted)
        if isinstance(found, Source):
            sources.append(found)
        else:
            removed.append(Removal(node.id, node.code, None, *found, node.name))
    allowed: list[tuple[int, ...]] = []
    for need in needs:
        able = []
        is_weighed = not need.traits and need.grams_each is not None
        for i, source in enumerate(sources):
            plain = is_weighed and not source.made and need.sku_id not in source.node.banned_skus
            refused = None if plain else _refusal(request, need, source)
            if refused is None:
                able.append(i)
            else:
                removed.append(removal(source.node, need, *refused))
        allowed.append(tuple(able))
    return Screened(tuple(sources), tuple(allowed), tuple(removed))


def removal(node: Node, need: Need, code: str, facts: dict[str, object]) -> Removal:
    """A refusal of one line by one node, naming the sku."""
    return Removal(node.id, node.code, need.line_id, code, {"sku_code": need.sku_code, **facts}, node.name)


def _usable(request: Request, node: Node, wanted: Mapping[int, int]) -> Source | Refusal:
    """The node as a source, or the first reason why it cannot serve this order at all."""
    if node.frozen:
        return "frozen", {}
    if node.capacity_left is not None and node.capacity_left <= 0:
        return "no_capacity", {"capacity_left": node.capacity_left}
    if request.country and node.customs is not None and request.country not in node.customs:
        if node.country != request.country:
            return "no_customs_lane", {"country": request.country}
    if not node.lanes:
        return "no_lane", {}
    sound = [lane for lane in node.lanes if _is_sound(lane)]
    if len(sound) > 1:
        sound.sort(key=lambda lane: (lane.carrier, lane.service, lane.zone))
    if not sound:
        return "bad_tariff", {"carrier": min(lane.carrier for lane in node.lanes)}
    made, stock = _made(node, wanted)
    later = [replace(lane, hours=lane.hours + node.make_hours) for lane in sound] if made else []
    lanes, making = _in_time(request, node, sound), _in_time(request, node, later)
    if not lanes:
        return _misses(request, node, sound)
    room, room_made = _room(lanes), _room(making)
    return Source(node, (*lanes, *making), stock, made, len(lanes), room, room_made)


def _room(lanes: Sequence[Lane]) -> int | None:
    most = 0
    for lane in lanes:
        if lane.max_grams is None:
            return None
        most = max(most, lane.max_grams - lane.parcel_grams)
    return most


def _made(node: Node, wanted: Mapping[int, int]) -> tuple[frozenset[int], Mapping[int, int]]:
    """The skus this node would make, and its stock with what it can make of them."""
    if not node.makes:
        return frozenset(), node.stock
    made = frozenset(
        sku for sku, units in wanted.items() if sku in node.makes and node.stock.get(sku, 0) < units
    )
    left = ANY if node.make_left is None else max(0, node.make_left)
    return made, {**node.stock, **dict.fromkeys(made, left)}


def _is_sound(lane: Lane) -> bool:
    """Whether a lane has a whole tariff: a step to charge by, and nothing below zero."""
    return (
        lane.step_grams > 0
        and lane.first_grams >= 0
        and lane.parcel_grams >= 0
        and lane.first_fee >= ZERO
        and lane.step_fee >= ZERO
        and lane.hours >= ZERO
    )


def _in_time(request: Request, node: Node, lanes: list[Lane]) -> list[Lane]:
    if request.promise_hours is None:
        return lanes
    latest = request.promise_hours - node.cutoff_wait_hours
    return [lane for lane in lanes if lane.hours <= latest]


def _misses(request: Request, node: Node, lanes: Sequence[Lane]) -> Refusal:
    fastest = min(lane.hours for lane in lanes) + node.cutoff_wait_hours
    return "misses_promise", {"hours": fastest, "promise_hours": request.promise_hours}


def _refusal(request: Request, need: Need, source: Source) -> Refusal | None:
    """The first reason why a source cannot send a line, but stock and weight."""
    node = source.node
    if need.sku_id in node.banned_skus:
        return "sku_banned", {}
    if not need.traits <= node.accepts:
        return "trait_not_accepted", {"traits": sorted(need.traits - node.accepts)}
    if need.grams_each is None:
        return "no_weight", {}
    if need.sku_id in source.made and source.making == len(source.lanes):
        sound = [lane for lane in node.lanes if _is_sound(lane)]
        return _misses(request, node, [replace(x, hours=x.hours + node.make_hours) for x in sound])
    return None
