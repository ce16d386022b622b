"""The price of a parcel in whole 1/10^digits yuan, once in plain integers and once for all subsets at a time.

Rates enter 10^4 (carbon per gram 10^8) finer than the unit of account and each term is rounded half up once
per parcel, so the terms of a plan sum exactly to its total and both ways of pricing agree to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.engine.curves import Steps
from routing.engine.duty import Duties
from routing.engine.model import Need
from routing.engine.pieces import Item

Ints = NDArray[np.int64]
Keys = NDArray[Any]  # int64, or whole numbers of any size where ordered criteria need them
FINE, FINER = 10**4, 10**8
NO_LIMIT = 2**62
# A key orders plans by cost, then parcels, then the sum of node ranks: cost · 2^20 + parcels · 2^16 + ranks.
PARCEL, COST, MAX_RANK = 2**16, 2**20, 5000
# Two infeasible keys still add up within 64 bits, and no plan of 15 parcels reaches half of one.
INFEASIBLE = 2**61
UNREACHED = INFEASIBLE // 2
NOTHING: Mapping[int, int] = {}
MAX_COST = UNREACHED // COST // 16


class Rate(NamedTuple):
    """One lane of one source in scaled integers; grams are whole, ``dim`` 0 means no volumetric weight."""

    source: int
    lane: int
    first_grams: int
    first_fee: int
    step_grams: int
    step_fee: int
    time: int
    carbon_gram: int
    carbon_parcel: int
    max_grams: int
    parcel_grams: int
    dim: int
    handling_parcel: int
    handling_line: int
    capacity: int
    split: int
    bonus: int
    making: int  # 1: this is the lane after the node has made the goods
    # What ordered criteria look at; zero without any.
    kg_gram: int
    kg_parcel: int
    km: int
    hours: int
    away: int


class Terms(NamedTuple):
    """The terms of one parcel in whole units of account; ``split`` is charged for every parcel of a plan."""

    freight: int
    handling: int
    time: int
    carbon: int
    stock_price: int
    capacity_price: int
    split: int
    forward_bonus: int
    return_risk: int
    duty: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """What one unit of each criterion weighs in a key, so that no sum of later ones outweighs it."""

    parcels: int
    forward: int
    kgco2e: int
    distance: int
    money: int
    infeasible: int  # above every sum of keys

    def weigh(self, rate: Rate, *, grams: int, units: int, money: int) -> int:
        """The key of a parcel, without its ties: grams with packaging, units inside, its terms in money."""
        return (
            self.parcels
            + self.forward * rate.away * units
            + self.kgco2e * milligrams(rate, grams)
            + self.distance * rate.km
            + self.money * money
        )


def milligrams(rate: Rate, grams: int) -> int:
    """CO2e of a parcel of so many grams with packaging, in mg."""
    return (grams * rate.kg_gram + rate.kg_parcel + 500) // 1000


@dataclass(frozen=True, slots=True)
class Tariff:
    """Everything priced for one order: rates by source, and what the units of each need cost at each source.

    ``stock_price`` is yuan per unit, or with ``by_line`` per whole line (where no two items share a stock).
    Curves that items share stand in ``stock_curves`` by source and sku (their ``stock_price`` is 0), those of
    parcels in ``slot_curves`` by source (the rates have the price of the first parcel).
    """

    rows: tuple[tuple[int, ...], ...]  # the fields of each rate, as in Rate
    table: Ints  # the same as columns, shape [field, rate]
    starts: tuple[int, ...]
    stock_price: tuple[tuple[int, ...], ...]
    by_line: bool
    time_share: int  # number of lines the hours are shared over, 0: every parcel counts in full
    stock_curves: Mapping[tuple[int, int], Steps]
    slot_curves: Mapping[int, Steps]
    return_risk: tuple[tuple[int, ...], ...]  # yuan per line by source and need; empty: none
    most: int  # no parcel of this order costs more units of account, either way
    ladder: Ladder | None  # how ordered criteria make one key; None: money alone
    duties: Duties | None = None  # None: nothing crosses a border

    @property
    def infeasible(self) -> int:
        """A key above all others."""
        return INFEASIBLE if self.ladder is None else self.ladder.infeasible

    @property
    def money(self) -> int:
        """What a unit of account weighs in a plan's cost."""
        return 1 if self.ladder is None else self.ladder.money

    def of_source(self, source: int) -> tuple[Rate, ...]:
        """The rates of one source, in lane order."""
        return tuple(map(Rate._make, self.rows[self.starts[source] : self.starts[source + 1]]))

    @property
    def rates(self) -> tuple[Rate, ...]:
        """All rates, by source and lane; made when asked for, since most decisions look at few of them."""
        return tuple(map(Rate._make, self.rows))


def parcel_terms(
    rate: Rate,
    *,
    goods_grams: int,
    cm3: int,
    lines: int,
    stock: int,
    time_share: int,
    risk: int = 0,
    duty: int = 0,
) -> Terms:
    """Price one parcel; ``stock``, ``risk`` and ``duty`` are the scaled stock price, return risk and duty of its
    units.
    """
    grams = goods_grams + rate.parcel_grams
    billed = max(grams, -(-cm3 * 1000 // rate.dim)) if rate.dim else grams
    steps = max(0, -((rate.first_grams - billed) // rate.step_grams))
    hours, share = (rate.time * lines, FINE * time_share) if time_share else (rate.time, FINE)
    return Terms(
        (rate.first_fee + steps * rate.step_fee + FINE // 2) // FINE,
        (rate.handling_parcel + rate.handling_line * lines + FINE // 2) // FINE,
        (2 * hours + share) // (2 * share),
        (grams * rate.carbon_gram + rate.carbon_parcel + FINER // 2) // FINER,
        (stock + FINE // 2) // FINE,
        rate.capacity,
        rate.split,
        -rate.bonus,
        (risk + FINE // 2) // FINE,
        (duty + FINE // 2) // FINE,
    )


def stock_cost(
    prices: Tariff,
    source: int,
    items: Sequence[Item],
    needs: Sequence[Need],
    bits: int,
    taken: Mapping[int, int] = NOTHING,
) -> int:
    """Scaled stock price of the units of some items, after ``taken`` units by sku of the same plan."""
    row = prices.stock_price[source]
    cost = 0
    units: dict[int, int] = {}
    for i, item in enumerate(items):
        if bits >> i & 1:
            for part in item.parts:
                cost += row[part.need] * (1 if prices.by_line else part.quantity)
                sku = needs[part.need].sku_id
                units[sku] = units.get(sku, 0) + part.quantity
    if prices.stock_curves:
        for sku, quantity in units.items():
            curve = prices.stock_curves.get((source, sku))
            if curve is not None:
                cost += curve.cost(quantity, taken.get(sku, 0))
    return cost


def duty_cost(prices: Tariff, source: int, items: Sequence[Item], bits: int) -> int:
    """Scaled duty and taxes of one parcel with these items."""
    return 0 if prices.duties is None else prices.duties.cost(source, items, bits)


def risk_cost(prices: Tariff, source: int, items: Sequence[Item], needs: Sequence[Need], bits: int) -> int:
    """Scaled return risk of some items; a piece of a line bears its share of the units."""
    if not prices.return_risk:
        return 0
    row = prices.return_risk[source]
    return sum(
        row[part.need] * part.quantity // needs[part.need].quantity
        for i, item in enumerate(items)
        if bits >> i & 1
        for part in item.parts
    )
