"""How stock was taken before one statement did it: plain Python on plain numbers, kept as the model for tests."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from orderhub.inventory.locks import Place
from orderhub.inventory.models import Stock
from orderhub.inventory.services import Take


def free_units() -> dict[Place, int]:
    """What every row has left."""
    return {
        (row.sku_id, row.warehouse_id): row.on_hand - row.reserved - row.safety for row in Stock.objects.all()
    }


def take(requests: Sequence[Take], left: dict[Place, int]) -> set[Hashable]:
    """All or nothing per key in the order keys come; changes `left`, answers the refused keys."""
    groups: dict[Hashable, list[Take]] = {}
    for request in requests:
        groups.setdefault(request.key, []).append(request)
    refused: set[Hashable] = set()
    for key, parts in groups.items():
        asked: dict[Place, int] = {}
        for part in parts:
            asked[part.place] = asked.get(part.place, 0) + part.quantity
        if all(units <= left.get(place, 0) for place, units in asked.items()):
            for place, units in asked.items():
                left[place] -= units
        else:
            refused.add(key)
    return refused
