"""What every parcel of one order would cost, by the engine that routes it; the plans of a wave in its terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from routing.engine.build import Desk
from routing.engine.model import Node, Plan, Removal, Request, Strategy
from routing.engine.pieces import cut
from routing.engine.price import COST, INFEASIBLE
from routing.engine.screen import screen
from routing.engine.search import EXACT_ITEMS, Problem
from routing.engine.subsets import price_subsets
from routing.engine.tariff import tariff

#: Parcels of one order: (node id, order line ids).
Parcels = tuple[tuple[int, tuple[int, ...]], ...]
Blocks = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Priced:
    """One order with the price in yuan of every parcel: ``cost[subset, node]``, inf where there is none.

    The columns are those of ``nodes`` (position by node id); lines in ``line_ids`` are whole. Every parcel carries
    the charge for an extra parcel; ``per_plan`` is what a plan costs less, since its first parcel is free of it.
    """

    problem: Problem
    line_ids: tuple[int, ...]
    lines: tuple[tuple[int, int], ...]
    cost: NDArray[np.float64]
    per_plan: float
    removed: tuple[Removal, ...]
    nodes: Mapping[int, int]
    digits: int

    def blocks(self, parcels: Parcels) -> Blocks | None:
        """Parcels as (node position, bits of lines), sorted; None if one of them has no price."""
        at = {line_id: n for n, line_id in enumerate(self.line_ids)}
        found = []
        for node_id, line_ids in parcels:
            if node_id not in self.nodes or any(line_id not in at for line_id in line_ids):
                return None
            bits = sum(1 << at[line_id] for line_id in line_ids)
            if not np.isfinite(self.cost[bits, self.nodes[node_id]]):
                return None
            found.append((self.nodes[node_id], bits))
        return tuple(sorted(found))

    def yuan(self, blocks: Blocks) -> float:
        """What a plan costs."""
        return float(sum(self.cost[bits, node] for node, bits in blocks)) - self.per_plan

    def plan(self, blocks: Blocks) -> Plan:
        """A plan term by term, as a decision keeps it."""
        ids = {position: node_id for node_id, position in self.nodes.items()}
        source = {source.node.id: s for s, source in enumerate(self.problem.sources)}
        return Desk(self.problem, self.digits).plan([(source[ids[node]], bits) for node, bits in blocks])


def price(
    request: Request, nodes: Sequence[Node], strategy: Strategy, positions: Mapping[int, int]
) -> Priced | None:
    """Price an order for a wave; None where its lines have to be cut, or are too many to look at every subset.

    `positions` are the columns by node id. Nodes and lanes that would break the order's promise are left out, like
    everything else the engine's hard limits remove.
    """
    needs = tuple(sorted(request.needs, key=lambda need: need.line_id))
    if not 0 < len(needs) <= EXACT_ITEMS:
        return None
    screened = screen(request, needs, nodes)
    pieces = cut(needs, screened)
    if pieces.short or len(pieces.items) != len(needs):
        return None
    prices = tariff(request, strategy, needs, screened.sources)
    problem = Problem(pieces.items, screened.sources, needs, prices, strategy.max_parcels, pieces.shared_sku)
    keys = price_subsets(prices, pieces.items, screened.sources, needs, shared_sku=pieces.shared_sku)
    cost = np.full((keys.shape[1], len(positions)), np.inf)
    yuan = np.where(keys >= INFEASIBLE, np.inf, (keys // COST) / 10.0**strategy.digits)
    for s, source in enumerate(screened.sources):
        cost[:, positions[source.node.id]] = yuan[s]
    return Priced(
        problem=problem,
        line_ids=tuple(need.line_id for need in needs),
        lines=tuple((need.sku_id, need.quantity) for need in needs),
        cost=cost,
        per_plan=float(_whole(strategy)),
        removed=screened.removed + pieces.removed,
        nodes=positions,
        digits=strategy.digits,
    )


def _whole(strategy: Strategy) -> Decimal:
    unit = Decimal(10) ** strategy.digits
    return round(strategy.yuan_per_extra_parcel * unit) / unit
