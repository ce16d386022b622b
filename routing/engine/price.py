"""The price of a parcel in whole 1/10^digits yuan, once in plain integers and once for all subsets at a time.

Rates enter 10^4 (carbon per gram 10^8) finer than the unit of account and each term is rounded half up once
per parcel, so the terms of a plan sum exactly to its total and both ways of pricing agree to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.engine.model import Need, Node, Request, Strategy
from routing.engine.pieces import Item
from routing.engine.screen import Source

Ints = NDArray[np.int64]
FINE, FINER = 10**4, 10**8
NO_LIMIT = 2**62
# A key orders plans by cost, then parcels, then the sum of node ranks: cost · 2^20 + parcels · 2^16 + ranks.
PARCEL, COST, MAX_RANK = 2**16, 2**20, 5000
# Two infeasible keys still add up within 64 bits, and no plan of 15 parcels reaches half of one.
INFEASIBLE = 2**61
UNREACHED = INFEASIBLE // 2
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


@dataclass(frozen=True, slots=True)
class Tariff:
    """Everything priced for one order: rates by source, and yuan per unit of each need at each source."""

    rates: tuple[Rate, ...]
    starts: tuple[int, ...]
    unit_price: tuple[tuple[int, ...], ...]
    time_share: int  # number of lines the hours are shared over, 0: every parcel counts in full

    def of_source(self, source: int) -> tuple[Rate, ...]:
        """The rates of one source, in lane order."""
        return self.rates[self.starts[source] : self.starts[source + 1]]


def tariff(request: Request, strategy: Strategy, needs: Sequence[Need], sources: Sequence[Source]) -> Tariff:
    """Scale all prices of an order to integers; ValueError when an amount or weight is beyond reckoning."""
    unit = 10**strategy.digits
    hour = (strategy.yuan_per_hour_remote if request.remote else strategy.yuan_per_hour) * (unit * FINE)
    kilogram = strategy.yuan_per_kgco2e * (unit * FINER)
    rates: list[Rate] = []
    starts = [0]
    for s, source in enumerate(sources):
        rates += _rates(s, source, strategy, hour, kilogram)
        starts.append(len(rates))
    factor = strategy.stock_price_factor * (unit * FINE)
    prices = tuple(
        tuple(_whole(source.node.stock_price.get(need.sku_id, 0) * factor) for need in needs)
        for source in sources
    )
    share = len({need.line_id for need in needs}) if strategy.time_by_line_share else 0
    _check_range(needs, rates, prices)
    return Tariff(tuple(rates), tuple(starts), prices, share)


def _rates(s: int, source: Source, strategy: Strategy, hour: Decimal, kilogram: Decimal) -> list[Rate]:
    node = source.node
    unit = 10**strategy.digits
    fine = unit * FINE
    bonus = _whole(strategy.forward_bonus * unit) if _is_forward(node) else 0
    shared = (
        _whole(node.handling_per_parcel * fine),
        _whole(node.handling_per_line * fine),
        _whole(node.capacity_price * unit),
        _whole(strategy.yuan_per_extra_parcel * unit),
        bonus,
    )
    return [
        Rate(
            s,
            n,
            lane.first_grams,
            _whole(lane.first_fee * fine),
            lane.step_grams,
            _whole(lane.step_fee * fine),
            _whole((lane.hours + node.cutoff_wait_hours) * hour),
            _whole(lane.kgco2e_per_kg * kilogram / 1000),
            _whole(lane.kgco2e_per_parcel * kilogram),
            NO_LIMIT if lane.max_grams is None else lane.max_grams,
            lane.parcel_grams,
            lane.dim_cm3_per_kg or 0,
            *shared,
        )
        for n, lane in enumerate(source.lanes)
    ]


def _is_forward(node: Node) -> bool:
    return node.kind == "forward" and node.serves_region


def _whole(amount: Decimal | int) -> int:
    return round(amount)


def _check_range(needs: Sequence[Need], rates: Sequence[Rate], prices: Sequence[Sequence[int]]) -> None:
    """Refuse what would not fit into 64 bits, rather than route on wrapped-around figures."""
    goods = sum(need.grams_each * need.quantity for need in needs)
    volume = sum(need.cm3_each * need.quantity for need in needs)
    units = sum(need.quantity for need in needs)
    top = units * max((abs(p) for row in prices for p in row), default=0)
    for rate in rates:
        if rate.step_grams <= 0:
            raise ValueError("a tariff step must weigh at least one gram")
        billed = max(goods + rate.parcel_grams, volume * 1000 // rate.dim if rate.dim else 0)
        freight = rate.first_fee + (billed // rate.step_grams + 1) * rate.step_fee
        carbon = (goods + rate.parcel_grams) * rate.carbon_gram + rate.carbon_parcel
        other = (
            abs(rate.handling_parcel)
            + abs(rate.handling_line) * len(needs)
            + abs(rate.time) * 2 * len(needs)
            + (abs(rate.capacity) + abs(rate.split) + abs(rate.bonus)) * FINE
        )
        if abs(carbon) >= NO_LIMIT or top + abs(freight) + other + abs(carbon) // FINE >= MAX_COST * FINE:
            raise ValueError("amounts or weights of this order are beyond what can be priced")


def parcel_terms(rate: Rate, *, goods_grams: int, cm3: int, lines: int, stock: int, time_share: int) -> Terms:
    """Price one parcel; ``stock`` is the scaled stock price of its units."""
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
    )


@lru_cache(maxsize=16)
def members(count: int) -> Ints:
    """Which items each subset holds: 0/1, shape [item, subset]."""
    subsets = np.arange(1 << count, dtype=np.int64)
    return (subsets >> np.arange(count, dtype=np.int64)[:, None]) & 1


def price_subsets(
    prices: Tariff,
    items: Sequence[Item],
    sources: Sequence[Source],
    needs: Sequence[Need],
    *,
    shared_sku: bool,
) -> Ints:
    """Least key of one parcel holding each subset, INFEASIBLE where there is none; shape [source, subset]."""
    inside = members(len(items))
    goods = np.array([item.grams for item in items], dtype=np.int64) @ inside
    lines = lines_of(items, inside)
    rate = np.array(prices.rates, dtype=np.int64).T[:, :, None]
    of = dict(zip(Rate._fields, rate, strict=True))
    grams = goods + of["parcel_grams"]
    billed = grams
    if of["dim"].any():
        cm3 = np.array([item.cm3 for item in items], dtype=np.int64) @ inside
        billed = np.maximum(grams, np.where(of["dim"] > 0, -(-cm3 * 1000 // np.maximum(of["dim"], 1)), 0))
    cost = np.maximum((billed - of["first_grams"] + of["step_grams"] - 1) // of["step_grams"], 0)
    cost *= of["step_fee"]
    cost += of["first_fee"] + FINE // 2
    cost //= FINE
    carbon = grams * of["carbon_gram"]
    carbon += of["carbon_parcel"] + FINER // 2
    carbon //= FINER
    cost += carbon
    if prices.time_share:
        share = FINE * prices.time_share
        cost += (2 * of["time"] * lines + share) // (2 * share)
        cost += of["capacity"] + of["split"] - of["bonus"]
    else:
        cost += of["capacity"] + of["split"] - of["bonus"] + (of["time"] + FINE // 2) // FINE
    if any(r.max_grams < NO_LIMIT for r in prices.rates):
        cost[grams > of["max_grams"]] = INFEASIBLE
    first = list(prices.starts[:-1])
    best = np.minimum.reduceat(cost, first, axis=0)
    best += _source_costs(prices, items, inside, lines)
    ranks = np.minimum(np.arange(len(sources), dtype=np.int64), MAX_RANK)[:, None]
    blocked = _blocked(items, sources, needs, inside, shared_sku=shared_sku)
    return np.where(blocked | (best >= MAX_COST), INFEASIBLE, best * COST + (PARCEL + ranks))


def lines_of(items: Sequence[Item], inside: Ints) -> Ints:
    """Number of different order lines in each subset."""
    holders: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            holders.setdefault(part.need, []).append(i)
    if all(len(rows) == 1 for rows in holders.values()):
        return np.array([len(item.parts) for item in items], dtype=np.int64) @ inside
    held: Ints = np.array([inside[rows].any(axis=0) for rows in holders.values()]).sum(axis=0, dtype=np.int64)
    return held


def _source_costs(prices: Tariff, items: Sequence[Item], inside: Ints, lines: Ints) -> Ints:
    """Handling and stock price, the same for all lanes of a source; shape [source, subset]."""
    rates = [prices.rates[start] for start in prices.starts[:-1]]
    parcel = np.array([[r.handling_parcel + FINE // 2] for r in rates], dtype=np.int64)
    line = np.array([[r.handling_line] for r in rates], dtype=np.int64)
    cost = (parcel + line * lines) // FINE
    if any(map(any, prices.unit_price)):
        value = np.array(
            [
                [sum(row[p.need] * p.quantity for p in item.parts) for item in items]
                for row in prices.unit_price
            ],
            dtype=np.int64,
        )
        cost += (value @ inside + FINE // 2) // FINE
    return cost


def _blocked(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints, *, shared_sku: bool
) -> NDArray[np.bool_]:
    """Subsets no parcel of a source can hold: an item it cannot send, or its stock drawn on twice."""
    subsets = np.arange(inside.shape[1], dtype=np.int64)
    lacking = np.array(
        [
            [sum(1 << i for i, item in enumerate(items) if not item.sources >> s & 1)]
            for s in range(len(sources))
        ],
        dtype=np.int64,
    )
    blocked: NDArray[np.bool_] = (subsets & lacking) != 0
    blocked[:, 0] = True
    if shared_sku:
        blocked |= over_stock(items, sources, needs, inside)
    return blocked


def over_stock(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints
) -> NDArray[np.bool_]:
    """Subsets that together want more of a sku than a source has; shape [source, subset]."""
    wanted: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            wanted.setdefault(needs[part.need].sku_id, [0] * len(items))[i] += part.quantity
    over = np.zeros((len(sources), inside.shape[1]), dtype=np.bool_)
    for sku, quantities in wanted.items():
        stock = np.array([[source.node.stock.get(sku, 0)] for source in sources], dtype=np.int64)
        over |= np.array(quantities, dtype=np.int64) @ inside > stock
    return over
