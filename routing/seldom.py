"""What routing looks at and what changes seldom: the networks of merchants and their strategies.

Effective at once all the same: every batch asks whether a row of it was changed, which is one statement instead of
seven and the objects made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from orderhub.access.models import Merchant
from orderhub.events.fingerprints import Seldom, Watched
from orderhub.fulfillment.models import RateCard, RateZone
from orderhub.inventory.models import Warehouse, Workshop
from routing import candidates, strategies
from routing.models import Strategy, StrategyRule, StrategyVersion


@dataclass(frozen=True, slots=True)
class Standing:
    """Active warehouses and rate cards with zones; strategies in force and their rules. Shared: nobody may change it."""

    network: candidates.Network
    shelf: strategies.Shelf


def _read(merchant_ids: tuple[int, ...]) -> Standing:
    return Standing(candidates.read_network(merchant_ids), strategies.shelf_of(merchant_ids))


standing: Seldom[Standing] = Seldom(
    _read,
    Watched(Merchant, "id"),
    Watched(Warehouse),
    Watched(Workshop, "warehouse_id", Warehouse),
    Watched(RateCard),
    Watched(RateZone, "card_id", RateCard),
    Watched(RateCard.warehouses.through, "ratecard_id", RateCard),
    Watched(Strategy),
    Watched(StrategyVersion, "strategy_id", Strategy),
    Watched(Strategy.channels.through, "strategy_id", Strategy),
    Watched(StrategyRule),
)
