"""What promotions do to a cart, one small function per kind; each answers with cents off per line, or why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from orderhub.orders.promotions.engine import goods
from orderhub.orders.promotions.engine.goods import Lot
from orderhub.orders.promotions.engine.model import Deed, Refusal, Work

Params = Mapping[str, Any]
Offs = list[int] | Refusal
_HUNDRED = Decimal(100)
_NO_GOODS = Refusal("no_goods")
_NOTHING_LEFT = Refusal("nothing_left")


def amount_off(params: Params) -> Deed:
    """A fixed amount off the chosen goods, once."""
    choose, cents = goods.selection(params), goods.in_cents(params["value"])

    def deed(work: Work) -> Offs:
        return _spread(work, choose(work.lines), cents)

    return deed


def percent_off(params: Params) -> Deed:
    """A percentage off the chosen goods."""
    choose, percent = goods.selection(params), params["value"]

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        return _spread(work, places, goods.percent_of(goods.left_of(work, places), percent))

    return deed


def threshold_off(params: Params) -> Deed:
    """An amount off once the chosen goods reach a sum (满减), or for each time they do (每满减)."""
    choose, full, off = goods.selection(params), goods.in_cents(params["full"]), goods.in_cents(params["off"])
    times = int(params.get("times", 10**6)) if params.get("repeat", False) else 1

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        if (reached := goods.left_of(work, places)) < full:
            return _below(places, full, reached)
        return _spread(work, places, off * min(times, reached // full))

    return deed


def tiered_off(params: Params) -> Deed:
    """An amount off by the highest sum reached."""
    choose, amounts = goods.selection(params), [goods.in_cents(off) for off in params["off"]]
    steps = [goods.in_cents(full) for full in params["full"]]

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        reached = goods.left_of(work, places)
        tier = _tier(steps, reached)
        return _below(places, steps[0], reached) if tier < 0 else _spread(work, places, amounts[tier])

    return deed


def tiered_percent(params: Params) -> Deed:
    """A percentage off by the highest sum reached."""
    choose, percents = goods.selection(params), params["percent"]
    steps = [goods.in_cents(full) for full in params["full"]]

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        reached = goods.left_of(work, places)
        if (tier := _tier(steps, reached)) < 0:
            return _below(places, steps[0], reached)
        return _spread(work, places, goods.percent_of(reached, percents[tier]))

    return deed


def units_percent(params: Params) -> Deed:
    """A percentage off by the number of units (2 件 9 折, 3 件 8 折)."""
    choose, percents, steps = goods.selection(params), params["percent"], [int(n) for n in params["units"]]

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        count = goods.units_of(work, places)
        if (tier := _tier(steps, count)) < 0:
            return _too_few(places, steps[0], count)
        return _spread(work, places, goods.percent_of(goods.left_of(work, places), percents[tier]))

    return deed


def nth_price(params: Params) -> Deed:
    """Every n-th unit of a SKU, or of all chosen goods, at a share of its price or a fixed one (第二件半价)."""
    choose, nth, times = goods.selection(params), int(params["nth"]), _times(params)
    across, reduced = bool(params.get("across", False)), _reduced(params)

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        pools = [places] if across else _by_sku(work, places)
        taken: list[Lot] = []
        for pool in pools:
            count = goods.units_of(work, pool) // nth
            taken += goods.cheapest(goods.lots(work, pool), min(times, count))
        if not taken:
            return _too_few(places, nth, max((goods.units_of(work, pool) for pool in pools), default=0))
        return _unit_offs(work, taken, reduced)

    return deed


def buy_get(params: Params) -> Deed:
    """For so many units bought, the cheapest further ones free or at a share of their price (买 X 送 Y)."""
    choose, buy, get, times = goods.selection(params), int(params["buy"]), int(params["get"]), _times(params)
    reduced = _reduced({"percent": params.get("percent", Decimal(0))})

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        count = goods.units_of(work, places)
        if not (rounds := min(times, count // (buy + get))):
            return _too_few(places, buy + get, count)
        return _unit_offs(work, goods.cheapest(goods.lots(work, places), rounds * get), reduced)

    return deed


def item_price(params: Params) -> Deed:
    """Each chosen unit at a fixed price where that is less, the dearest first if `times` limits them."""
    choose, times = goods.selection(params), _times(params)
    reduced = _reduced({"price": params["price"]})

    def deed(work: Work) -> Offs:
        places = choose(work.lines)
        if not places:
            return _NO_GOODS
        return _unit_offs(work, goods.dearest(goods.lots(work, places), times), reduced)

    return deed


def bundle_price(params: Params) -> Deed:
    """A set of SKUs (one named twice counts twice) for one price, as often as the cart holds it."""
    price, times, wanted = goods.in_cents(params["price"]), _times(params), _counted(params["skus"])

    def deed(work: Work) -> Offs:
        places = {sku: [at for at, line in enumerate(work.lines) if line.sku == sku] for sku in wanted}
        sets = min(times, *(goods.units_of(work, places[sku]) // n for sku, n in wanted.items()))
        if not sets:
            lacking = [sku for sku, n in wanted.items() if goods.units_of(work, places[sku]) < n]
            return Refusal("incomplete_bundle", {"skus": lacking})
        taken = [
            lot for sku, n in wanted.items() for lot in goods.dearest(goods.lots(work, places[sku]), sets * n)
        ]
        values = [0] * len(work.left)
        for lot in taken:
            values[lot.at] += lot.cents * lot.units
        saved = sum(values) - sets * price
        return goods.shared(saved, values) if saved > 0 else _NOTHING_LEFT

    return deed


#: The kinds that take money off, by the name of their action.
KINDS: Mapping[str, Callable[[Params], Deed]] = {
    "amount_off": amount_off, "percent_off": percent_off, "threshold_off": threshold_off,
    "tiered_off": tiered_off, "tiered_percent": tiered_percent, "units_percent": units_percent,
    "nth_price": nth_price, "buy_get": buy_get, "item_price": item_price, "bundle_price": bundle_price,
}  # fmt: skip


def _spread(work: Work, places: Sequence[int], cents: int) -> Offs:
    if not places:
        return _NO_GOODS
    most = goods.left_of(work, places)
    cents = min(cents, most)
    return goods.spread(cents, work, places) if cents > 0 else _NOTHING_LEFT


def _below(places: Sequence[int], full: int, reached: int) -> Refusal:
    return Refusal("below_threshold", {"needs": full, "has": reached}) if places else _NO_GOODS


def _too_few(places: Sequence[int], needs: int, has: int) -> Refusal:
    return Refusal("too_few_units", {"needs": needs, "has": has}) if places else _NO_GOODS


def _tier(steps: Sequence[int], reached: int) -> int:
    return max((tier for tier, step in enumerate(steps) if reached >= step), default=-1)


def _times(params: Params) -> int:
    return int(params.get("times", 10**6))


def _reduced(params: Params) -> Callable[[int], int]:
    """The price of a unit after the promotion, never above what it was."""
    if "price" in params:
        price = goods.in_cents(params["price"])
        return lambda cents: min(cents, price)
    percent = params["percent"]
    return lambda cents: goods.percent_of(cents, percent)


def _unit_offs(work: Work, taken: Sequence[Lot], reduced: Callable[[int], int]) -> Offs:
    off = [0] * len(work.left)
    for lot in taken:
        off[lot.at] += (lot.cents - reduced(lot.cents)) * lot.units
    return off if any(off) else _NOTHING_LEFT


def _by_sku(work: Work, places: Sequence[int]) -> list[list[int]]:
    pools: dict[str, list[int]] = {}
    for at in places:
        pools.setdefault(work.lines[at].sku, []).append(at)
    return list(pools.values())


def _counted(skus: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for sku in skus:
        found[sku] = found.get(sku, 0) + 1
    return found
