"""Duty and taxes of parcels that cross a border, as the engine adds them up; nothing where no border is crossed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orderhub.fulfillment.rates import Lanes
from orderhub.inventory.models import Warehouse
from orderhub.orders.compliance import levying, shipments
from orderhub.orders.compliance.engine import Levy as Asked
from orderhub.orders.compliance.engine import Unknown
from orderhub.orders.compliance.levying import Levying
from orderhub.orders.models import Order, OrderLine
from routing.engine.model import Levy, Request

#: Notes by why an amount cannot be told.
_UNKNOWN = {"unconfirmed": "duty_unconfirmed", "no_rate": "duty_no_rate", "no_exchange": "duty_no_exchange"}


@dataclass(frozen=True, slots=True)
class Duties:
    """What customs ask of the orders of one batch."""

    levying: Levying | None = None

    def onto(
        self, request: Request, order: Order, lines: Sequence[OrderLine], warehouses: Iterable[Warehouse]
    ) -> tuple[Request, list[str]]:
        """The request with the levies on parcels of these warehouses, and the notes that explain them."""
        if self.levying is None:
            return request, []
        place = shipments.destination(order)
        nodes: dict[str, set[int]] = {}
        for house in warehouses:
            if (start := _home(house)) != place:
                nodes.setdefault(start, set()).add(house.pk)
        found: list[Levy] = []
        notes: dict[str, None] = {}
        for start in sorted(nodes):
            asked, unknown = self.levying.of(order, lines, start)
            found += [_levy(one, frozenset(nodes[start]), lines) for one in asked]
            notes.update(dict.fromkeys([f"duty_by:{one.zh}|{one.en}" for one in asked]))
            notes.update(dict.fromkeys(map(_note, unknown)))
        if not found:
            return request, list(notes)
        by_id = {line.pk: line for line in lines}
        needs = tuple(
            replace(
                need,
                value_each=levying.value_each(by_id[need.line_id]),
                tariff_code=shipments.code_of(by_id[need.line_id].sku),
            )
            for need in request.needs
        )
        return replace(request, needs=needs, levies=tuple(found)), list(notes)


NOTHING = Duties()


def read(
    orders: Sequence[Order],
    sku_ids: Collection[int],
    warehouses: Sequence[Warehouse],
    lanes: Lanes,
    *,
    now: datetime,
) -> Duties:
    """What customs ask of those of the orders that a parcel could reach over a border.

    Three queries, one where no row asks for money, and none where every lane stays within its territory.
    """
    homes: dict[int, set[str]] = {}
    for house in warehouses:
        homes.setdefault(house.merchant_id, set()).add(_home(house))
    crossing = [
        order for order in orders if not homes.get(order.merchant_id, set()) <= {shipments.destination(order)}
    ]
    if not crossing:
        return NOTHING
    home = {house.pk: _home(house) for house in warehouses}
    reached = {
        (place.country, place.province)
        for (warehouse_id, place), options in lanes.items()
        if options and home[warehouse_id] != shipments.territory(place.country, place.province)
    }
    crossing = [order for order in crossing if (order.country, order.province) in reached]
    return Duties(levying.read(crossing, sku_ids, now=now)) if crossing else NOTHING


def _home(house: Warehouse) -> str:
    return shipments.territory(house.country, house.province)


def _levy(asked: Asked, nodes: frozenset[int], lines: Sequence[OrderLine]) -> Levy:
    shares = {line.pk: share for line, share in zip(lines, asked.shares, strict=False) if share}
    return Levy(f"{asked.rule} v{asked.version}", nodes, asked.over, asked.up_to, asked.per_code, shares)


def _note(unknown: Unknown) -> str:
    about = unknown.currency or unknown.rule
    return f"{_UNKNOWN[unknown.code]}:{about}|{about}"
