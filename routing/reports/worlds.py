"""The twin with one thing changed: stock that stood elsewhere, a new warehouse, a lane without one of its cards.

Both arms are routed with the figures each decision was really made with; only the draft arm sees the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orderhub.fulfillment.models.ratecard import RateZone
from routing.engine.model import Lane, Need, Node
from routing.twin.ledger import Arm
from routing.twin.replay import Replay

#: The id of a warehouse that does not exist yet.
NEW = -1
#: How far it stands from the customers it is for.
NEW_KM = Decimal(30)
Stock = dict[int, int]


@dataclass(slots=True)
class Change:
    """What the draft arm finds otherwise. `regions` by order; only orders into `region` see a lane or place changed."""

    kind: str
    regions: Mapping[int, str] = field(default_factory=dict)
    region: str = ""
    #: Units of the new warehouse by SKU.
    stock: Stock = field(default_factory=dict)
    zones: Mapping[str, Sequence[RateZone]] = field(default_factory=dict)
    warehouse_id: int = 0
    card: str = ""
    #: Real hours over planned ones, by card, on the lane looked at.
    slowness: Mapping[str, Decimal] = field(default_factory=dict)

    def nodes(self, arm: Arm, order_id: int, remote: bool, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """The nodes as that arm finds them."""
        if self.kind not in ("forward", "carrier") or self.regions.get(order_id) != self.region:
            return nodes
        if self.kind == "carrier":
            return tuple(self._lanes(arm, node) if node.id == self.warehouse_id else node for node in nodes)
        if arm.name != "draft":
            return nodes
        new = self._new(arm, nodes, remote)
        return (*nodes, new) if new else nodes

    def _lanes(self, arm: Arm, node: Node) -> Node:
        """Hours as they really were in both arms; in the draft without the card."""
        lanes = [
            replace(lane, hours=lane.hours * self.slowness.get(lane.carrier, Decimal(1)))
            for lane in node.lanes
        ]
        kept = [lane for lane in lanes if lane.carrier != self.card]
        return replace(node, lanes=tuple(kept if arm.name == "draft" and kept else lanes))

    def _new(self, arm: Arm, nodes: Sequence[Node], remote: bool) -> Node | None:
        like = next((node for node in nodes if node.lanes and not node.frozen), None)
        if like is None:
            return None
        lanes = tuple(lane for old in like.lanes if (lane := self._near(old, remote)) is not None)
        left = {sku: max(0, units - arm.more.get((NEW, sku), 0)) for sku, units in self.stock.items()}
        return replace(
            like, id=NEW, code="NEW", name="NEW", kind="forward", stock=left, lanes=lanes or like.lanes,
            capacity_left=None, banned_skus=frozenset(), stock_price={}, capacity_price=Decimal(0),
            serves_region=True, makes=frozenset(), make_left=None, return_risk={}, cutoff_wait_hours=Decimal(0),
        )  # fmt: skip

    def _near(self, lane: Lane, remote: bool) -> Lane | None:
        """The lane as it would be from nearby: the zone of its card for so few kilometers."""
        rows = [row for row in self.zones.get(lane.carrier, ()) if not row.countries]
        rows = [row for row in rows if row.max_km is None or row.max_km >= NEW_KM]
        rows = [row for row in rows if row.remote_only == remote] or [
            row for row in rows if not row.remote_only
        ]
        if not rows:
            return None
        zone = min(rows, key=lambda row: (row.max_km is None, row.max_km or 0, row.pk))
        shorter = NEW_KM / lane.distance_km if lane.distance_km > NEW_KM else Decimal(1)
        return replace(
            lane, zone=zone.name, first_grams=zone.first_grams, first_fee=zone.first_fee,
            step_grams=zone.step_grams, step_fee=zone.step_fee,
            hours=zone.base_hours + zone.hours_per_100km * NEW_KM / 100, distance_km=min(NEW_KM, lane.distance_km),
            kgco2e_per_kg=lane.kgco2e_per_kg * shorter,
        )  # fmt: skip


@dataclass(slots=True)
class Changed(Replay):
    """A replay in which the arms see what `change` makes of the nodes."""

    change: Change = field(default_factory=lambda: Change(""))

    def _seen_by(
        self, arm: Arm, order: Any, needs: Sequence[Need], at: datetime
    ) -> tuple[tuple[Node, ...], dict[int, date]]:
        # Without zero-argument super: a dataclass with slots is another class than the one it was written as.
        nodes, days = Replay._seen_by(self, arm, order, needs, at)
        return self.change.nodes(arm, order.request.order_id, order.request.remote, nodes), days
