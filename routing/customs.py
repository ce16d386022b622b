"""Which borders parcels may cross: rows of an operator; where there is none, wherever a rate card goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orderhub.inventory.models import CustomsLane, Warehouse
from orderhub.orders.models import Order

#: By (merchant id, country of the warehouse): whether the way into each country, or "*", is open.
Rows = Mapping[tuple[int, str], Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Borders:
    """The customs lanes of some merchants."""

    rows: Rows = field(default_factory=dict)

    def of(self, warehouse: Warehouse, country: str) -> frozenset[str] | None:
        """None if parcels of the warehouse may go into the country; else the countries that are open to them."""
        said = self.rows.get((warehouse.merchant_id, warehouse.country))
        if said is None or country == warehouse.country:
            return None
        if said.get(country, said.get(CustomsLane.ANY, True)):
            return None
        return frozenset(to for to, is_open in said.items() if is_open and to != CustomsLane.ANY)


def read(warehouses: Iterable[Warehouse], orders: Iterable[Order]) -> Borders:
    """The lanes of the borders that these orders could cross; one query if there is any border, else none."""
    countries: dict[int, set[str]] = {}
    for order in orders:
        countries.setdefault(order.merchant_id, set()).add(order.country)
    crossing = {
        one.merchant_id for one in warehouses if countries.get(one.merchant_id, set()) - {one.country}
    }
    if not crossing:
        return Borders()
    rows: dict[tuple[int, str], dict[str, bool]] = {}
    lanes = CustomsLane.objects.filter(merchant_id__in=crossing)
    for merchant_id, start, to, is_open in lanes.values_list(
        "merchant_id", "from_country", "to_country", "is_open"
    ):
        rows.setdefault((merchant_id, start), {})[to] = is_open
    return Borders(rows)
