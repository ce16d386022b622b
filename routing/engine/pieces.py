"""Lines cut into pieces: a line stays whole where one parcel of one node can take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.engine.model import Need, Removal
from routing.engine.screen import Screened, removal


@dataclass(frozen=True, slots=True)
class Part:
    """Some units of one need (by its index)."""

    need: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Item:
    """What the split moves as one: parts with their weight, and the bits of sources able to send it."""

    parts: tuple[Part, ...]
    grams: int
    cm3: int
    sources: int

    @property
    def units(self) -> int:
        """Units over all parts."""
        return sum(part.quantity for part in self.parts)


@dataclass(frozen=True, slots=True)
class Cut:
    """Items to be routed, units no source has (by need index), removals, and whether items share a stock."""

    items: tuple[Item, ...]
    short: tuple[tuple[int, int], ...]
    removed: tuple[Removal, ...]
    shared_sku: bool


def cut(needs: Sequence[Need], screened: Screened) -> Cut:
    """Cut lines that no single source can send whole, by quantity over the fewest sources.

    Sources with the largest sellable stock come first, ties by node id. Lines of one sku draw on one stock:
    they are placed largest first, each in the smallest stock that holds it whole; this also settles, before
    any price, who gets a sku too scarce for all. Lines too heavy for any parcel are cut to the
    heaviest one.
    """
    left: dict[tuple[int, int], int] = {}
    items: list[Item] = []
    short: list[tuple[int, int]] = []
    skus = [need.sku_id for need in needs]
    is_shared = len(set(skus)) < len(skus)
    order = range(len(needs))
    for n in sorted(order, key=lambda n: -needs[n].quantity) if is_shared else order:
        if not is_shared and (whole := _item(n, needs[n], needs[n].quantity, screened)).sources:
            items.append(whole)
            continue
        portions, missing = _portions(needs[n], screened, screened.allowed[n], left)
        items += [_item(n, needs[n], q, screened) for q in portions]
        if missing:
            short.append((n, missing))
    items.sort(key=lambda item: (item.parts[0].need, -item.parts[0].quantity))
    used = [needs[item.parts[0].need].sku_id for item in items]
    return Cut(
        tuple(items),
        tuple(sorted(short)),
        tuple(_removals(needs, screened, items)),
        len(set(used)) < len(used) or screened.shares_making,
    )


def _portions(
    need: Need, screened: Screened, allowed: tuple[int, ...], left: dict[tuple[int, int], int]
) -> tuple[list[int], int]:
    """Quantities of the pieces of one line, and the units missing; takes them from ``left``."""
    sku, sources = need.sku_id, screened.sources
    stock = {s: left.get((s, sku), sources[s].stock.get(sku, 0)) for s in allowed}
    most = {s: sources[s].units_per_parcel(need) for s in allowed}
    whole = [s for s in allowed if stock[s] >= need.quantity <= most[s]]
    if whole:
        best = min(whole, key=lambda s: (stock[s], s))
        left[best, sku] = stock[best] - need.quantity
        return [need.quantity], 0
    portions: list[int] = []
    missing = need.quantity
    for s in sorted(allowed, key=lambda s: (-stock[s], s)):
        slots = sources[s].node.capacity_left
        take = min(stock[s], missing, missing if slots is None else slots * most[s])
        if take > 0 < most[s]:
            portions += [most[s]] * (take // most[s]) + [take % most[s]] * (take % most[s] > 0)
            missing -= take
            left[s, sku] = stock[s] - take
    return portions, missing


def _item(n: int, need: Need, quantity: int, screened: Screened) -> Item:
    sku, bits = need.sku_id, 0
    for s in screened.allowed[n]:
        source = screened.sources[s]
        if source.stock.get(sku, 0) >= quantity and (
            (source.room is None and not source.made) or quantity <= source.units_per_parcel(need)
        ):
            bits |= 1 << s
    return Item((Part(n, quantity),), quantity * (need.grams_each or 0), quantity * need.cm3_each, bits)


def _removals(needs: Sequence[Need], screened: Screened, items: Sequence[Item]) -> list[Removal]:
    """Sources that can send no piece of a line: too little stock, or too heavy for its lanes."""
    able = [0] * len(needs)
    for item in items:
        able[item.parts[0].need] |= item.sources
    removed = []
    allowed = screened.bits
    for n, need in enumerate(needs):
        missing = allowed[n] & ~able[n]
        while missing:
            s = (missing & -missing).bit_length() - 1
            missing &= missing - 1
            source = screened.sources[s]
            short_by = need.quantity - source.stock.get(need.sku_id, 0)
            if short_by > 0:
                removed.append(removal(source.node, need, "out_of_stock", {"short_by": short_by}))
            else:
                heaviest = max(lane.max_grams or 0 for lane in source.lanes)
                removed.append(
                    removal(
                        source.node,
                        need,
                        "too_heavy",
                        {"grams": need.quantity * (need.grams_each or 0), "max_grams": heaviest},
                    )
                )
    return removed
