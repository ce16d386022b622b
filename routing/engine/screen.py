"""Hard limits: which nodes and lanes may serve which line, and the reason for every refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.engine.model import Lane, Need, Node, Removal, Request


@dataclass(frozen=True, slots=True)
class Source:
    """A node that passed the limits of the order, with the lanes that keep the promise, in fixed order."""

    node: Node
    lanes: tuple[Lane, ...]

    def units_per_parcel(self, need: Need) -> int:
        """Most units of a line that fit the heaviest parcel of any lane."""
        most = 0
        for lane in self.lanes:
            if lane.max_grams is None or not need.grams_each:
                return need.quantity
            most = max(most, (lane.max_grams - lane.parcel_grams) // need.grams_each)
        return most


@dataclass(frozen=True, slots=True)
class Screened:
    """Usable sources by node id, per need the indexes of sources that may handle it, and the removals."""

    sources: tuple[Source, ...]
    allowed: tuple[tuple[int, ...], ...]
    removed: tuple[Removal, ...]


def screen(request: Request, needs: Sequence[Need], nodes: Sequence[Node]) -> Screened:
    """Apply every limit but stock and weight, which depend on how lines are cut; nodes come in any order."""
    removed: list[Removal] = []
    sources: list[Source] = []
    for node in sorted(nodes, key=lambda n: n.id):
        lanes = _in_time(request, node)
        reason = _unusable(request, node, lanes)
        if reason is None:
            sources.append(Source(node, tuple(sorted(lanes, key=lambda x: (x.carrier, x.service, x.zone)))))
        else:
            removed.append(Removal(node.id, node.code, None, *reason, node.name))
    allowed: list[tuple[int, ...]] = []
    for need in needs:
        able = []
        for i, source in enumerate(sources):
            refused = _refusal(need, source.node)
            if refused is None:
                able.append(i)
            else:
                removed.append(removal(source.node, need, *refused))
        allowed.append(tuple(able))
    return Screened(tuple(sources), tuple(allowed), tuple(removed))


def removal(node: Node, need: Need, code: str, facts: dict[str, object]) -> Removal:
    """A refusal of one line by one node, naming the sku."""
    return Removal(node.id, node.code, need.line_id, code, {"sku_code": need.sku_code, **facts}, node.name)


def _in_time(request: Request, node: Node) -> list[Lane]:
    if request.promise_hours is None:
        return list(node.lanes)
    latest = request.promise_hours - node.cutoff_wait_hours
    return [lane for lane in node.lanes if lane.hours <= latest]


def _unusable(request: Request, node: Node, lanes: list[Lane]) -> tuple[str, dict[str, object]] | None:
    """The first reason why a node cannot serve this order at all."""
    if node.frozen:
        return "frozen", {}
    if node.capacity_left is not None and node.capacity_left <= 0:
        return "no_capacity", {"capacity_left": node.capacity_left}
    if not node.lanes:
        return "no_lane", {}
    if not lanes:
        fastest = min(lane.hours for lane in node.lanes) + node.cutoff_wait_hours
        return "misses_promise", {"hours": fastest, "promise_hours": request.promise_hours}
    return None


def _refusal(need: Need, node: Node) -> tuple[str, dict[str, object]] | None:
    if need.sku_id in node.banned_skus:
        return "sku_banned", {}
    if not need.traits <= node.accepts:
        return "trait_not_accepted", {"traits": sorted(need.traits - node.accepts)}
    return None
