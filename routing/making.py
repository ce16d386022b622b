"""Goods that no shelf has but a factory makes: which of an order's SKUs, from which day on, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orderhub.inventory.models import Warehouse, Workshop
from routing.engine.model import Need
from routing.load import Load


@dataclass(frozen=True, slots=True)
class Made:
    """What a factory would make for one order: these SKUs as work of `day`, `left` units at most (None: any
    number), `hours` later than it could pack goods from its shelf."""

    skus: frozenset[int]
    day: date
    left: int | None
    hours: Decimal


@dataclass(frozen=True, slots=True)
class Making:
    """What a factory makes of the SKUs of a batch, units a day over all of them (None: any number)."""

    skus: frozenset[int]
    units_per_day: int | None
    hours: Decimal

    def made(self, needs: Iterable[Need], stock: Mapping[int, int], load: Load) -> Made | None:
        """What it would make of an order: whole lines that its shelf does not cover; None if there are none.

        The day is the first one, from that of the next parcel on, with units left for all of them; failing that
        the one with most left.
        """
        wanted: dict[int, int] = {}
        for need in needs:
            if need.sku_id in self.skus:
                wanted[need.sku_id] = wanted.get(need.sku_id, 0) + need.quantity
        lacking = {sku: units for sku, units in wanted.items() if stock.get(sku, 0) < units}
        if not lacking:
            return None
        first = load.days.index(load.date)
        day = self._day(load, first, sum(lacking.values()))
        left = None if self.units_per_day is None else max(0, self.units_per_day - load.made[day])
        wait = load.waits[day] - load.waits[first]
        return Made(frozenset(lacking), load.days[day], left, self.hours + wait)

    def _day(self, load: Load, first: int, units: int) -> int:
        if self.units_per_day is None:
            return first
        left = {day: self.units_per_day - load.made[day] for day in range(first, len(load.days))}
        fitting = (day for day, room in left.items() if room >= units)
        return next(fitting, max(left, key=lambda day: (left[day], -day)))


def read(warehouses: Sequence[Warehouse], sku_ids: Iterable[int]) -> dict[int, Making]:
    """What the factories among these warehouses (workshops at hand) make of these SKUs; one query if there are any."""
    shops = {shop.pk: shop for one in warehouses if (shop := workshop_of(one)) is not None}
    if not shops:
        return {}
    rows = Workshop.skus.through._default_manager.filter(workshop_id__in=shops, sku_id__in=set(sku_ids))
    skus: dict[int, set[int]] = {}
    for shop_id, sku_id in rows.values_list("workshop_id", "sku_id"):
        skus.setdefault(shop_id, set()).add(sku_id)
    return {
        shops[pk].warehouse_id: Making(frozenset(found), shops[pk].units_per_day, shops[pk].hours)
        for pk, found in skus.items()
    }


def workshop_of(warehouse: Warehouse) -> Workshop | None:
    """The active workshop of a factory; None for all others, and once it is something else."""
    shop: Workshop | None = getattr(warehouse, "workshop", None)
    is_making = shop is not None and shop.is_active and warehouse.kind == Warehouse.Kind.FACTORY
    return shop if is_making else None
