"""Which warehouses a cart's units come from: those that serve its province first, then the fullest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from orderhub.inventory import queries
from orderhub.inventory.locks import Place
from orderhub.inventory.models import Sku, Warehouse
from orderhub.kernel import regions


@dataclass(frozen=True, slots=True)
class Want:
    """Units of a SKU; from this warehouse, or from the best ones if None."""

    sku: Sku
    quantity: int
    warehouse_id: int | None = None


def serving(merchant_id: int, province: str) -> set[int]:
    """The merchant's warehouses that serve the province first; of China, in any usual writing."""
    if not province:
        return set()
    rows = Warehouse.objects.filter(merchant_id=merchant_id).values_list("pk", "country", "serves_provinces")
    return {pk for pk, country, served in rows if is_served(country, served, province)}


def is_served(country: str, served: Iterable[str], province: str) -> bool:
    """Whether a warehouse that serves these provinces first serves this one."""
    wanted = regions.find_province(country, province)
    return wanted is not None and any(regions.find_province(country, name) == wanted for name in served)


def free_units(wants: Iterable[Want]) -> dict[Place, int]:
    """Free units of the SKUs for which no warehouse is named, in warehouses that take orders."""
    skus = {want.sku.pk for want in wants if want.warehouse_id is None}
    if not skus:
        return {}
    rows = queries.available().filter(sku_id__in=skus, on_hand__gt=F("reserved") + F("safety"))
    found = rows.values_list("sku_id", "warehouse_id", "on_hand", "reserved", "safety")
    return {(sku, house): on_hand - reserved - safety for sku, house, on_hand, reserved, safety in found}


def shares(
    wants: Sequence[Want], left: Mapping[Place, int], near: Collection[int], *, is_exact: bool
) -> dict[Place, int] | None:
    """Units by place for all wants, from as few warehouses per want as possible; None if `left` has too few.

    Unless `left` is exact, a named warehouse that is not in it is believed to have enough.
    """
    found: dict[Place, int] = {}
    for want in wants:
        if want.warehouse_id is None:
            places = sorted(
                (place for place in left if place[0] == want.sku.pk),
                key=lambda place: (
                    left[place] - found.get(place, 0) < want.quantity,
                    place[1] not in near,
                    -left[place],
                    place[1],
                ),
            )
        else:
            places = [(want.sku.pk, want.warehouse_id)]
        missing = want.quantity
        for place in places:
            if place not in left and not is_exact:
                units = missing
            else:
                units = min(missing, left.get(place, 0) - found.get(place, 0))
            if units > 0:
                found[place] = found.get(place, 0) + units
                missing -= units
        if missing:
            return None
    return found
