"""The price of a parcel in whole 1/10^digits yuan, once in plain integers and once for all subsets at a time.

Rates enter 10^4 (carbon per gram 10^8) finer than the unit of account and each term is rounded half up once
per parcel, so the terms of a plan sum exactly to its total and both ways of pricing agree to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.engine.curves import Steps, steps
from routing.engine.model import Lane, Need, Node, Request, Strategy
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
NOTHING: Mapping[int, int] = {}
NO_CRITERIA = (0, 0, 0, 0, 0)
MAX_COST = UNREACHED // COST // 16
EXACT_PARCELS = 16  # entries of a parcel price curve that are told apart


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


@dataclass(frozen=True, slots=True)
class Ladder:
    """What one unit of each criterion weighs in a key, so that no sum of later ones outweighs it."""

    parcels: int
    forward: int
    kgco2e: int
    distance: int
    money: int

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
    """Everything priced for one order: rates by source, and yuan per unit of each need at each source.

    Prices that are curves stand in ``stock_curves`` by source and sku (their ``unit_price`` is 0) and in
    ``slot_curves`` by source (the rates have the price of the first parcel).
    """

    rates: tuple[Rate, ...]
    starts: tuple[int, ...]
    unit_price: tuple[tuple[int, ...], ...]
    time_share: int  # number of lines the hours are shared over, 0: every parcel counts in full
    stock_curves: Mapping[tuple[int, int], Steps]
    slot_curves: Mapping[int, Steps]
    return_risk: tuple[tuple[int, ...], ...]  # yuan per line by source and need; empty: none
    ladder: Ladder | None  # how ordered criteria make one key; None: money alone

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
    prices, stock_curves = _stock_prices(strategy, needs, sources)
    slot_curves = {
        s: steps(source.node.capacity_price, strategy.capacity_price_factor * unit, 1, EXACT_PARCELS)
        for s, source in enumerate(sources)
        if isinstance(source.node.capacity_price, tuple)
    }
    share = len({need.line_id for need in needs}) if strategy.time_by_line_share else 0
    risks = _return_risks(strategy, needs, sources)
    _check_range(needs, rates, prices, stock_curves, slot_curves)
    return Tariff(tuple(rates), tuple(starts), prices, share, stock_curves, slot_curves, risks, None)


def _return_risks(
    strategy: Strategy, needs: Sequence[Need], sources: Sequence[Source]
) -> tuple[tuple[int, ...], ...]:
    """Scaled yuan per line by source and need; empty where nothing is known."""
    if not any(source.node.return_risk for source in sources):
        return ()
    fine = 10**strategy.digits * FINE
    rows = tuple(
        tuple(_whole(source.node.return_risk.get(need.line_id, 0) * fine) for need in needs)
        for source in sources
    )
    if max(abs(price) for row in rows for price in row) * len(needs) >= MAX_COST * FINE // 16:
        raise ValueError("a return risk is beyond what can be priced")
    return rows


def _stock_prices(
    strategy: Strategy, needs: Sequence[Need], sources: Sequence[Source]
) -> tuple[tuple[tuple[int, ...], ...], dict[tuple[int, int], Steps]]:
    """Prices per unit by source and need, and the curves."""
    unit = 10**strategy.digits
    fine, whole = strategy.stock_price_factor * (unit * FINE), strategy.stock_price_factor * unit
    wanted: dict[int, int] = {}
    for need in needs:
        wanted[need.sku_id] = wanted.get(need.sku_id, 0) + need.quantity
    curves: dict[tuple[int, int], Steps] = {}
    rows: list[tuple[int, ...]] = []
    nothing = (0,) * len(needs)
    for s, source in enumerate(sources):
        given = source.node.stock_price
        if not given:
            rows.append(nothing)
            continue
        plain: dict[int, int] = {}
        for sku, units in wanted.items():
            price = given.get(sku, 0)
            if isinstance(price, tuple):
                curves[s, sku] = steps(price, whole, FINE, units)
            else:
                plain[sku] = _whole(price * fine)
        rows.append(tuple(plain.get(need.sku_id, 0) for need in needs))
    return tuple(rows), curves


def _rates(s: int, source: Source, strategy: Strategy, hour: Decimal, kilogram: Decimal) -> list[Rate]:
    node = source.node
    unit = 10**strategy.digits
    fine = unit * FINE
    bonus = _whole(strategy.forward_bonus * unit) if _is_forward(node) else 0
    shared = (
        _whole(node.handling_per_parcel * fine),
        _whole(node.handling_per_line * fine),
        _first_slot(node, strategy.capacity_price_factor * unit),
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
            int(n >= source.making),
            *(_criteria(node, lane) if strategy.order else NO_CRITERIA),
        )
        for n, lane in enumerate(source.lanes)
    ]


def _criteria(node: Node, lane: Lane) -> tuple[int, int, int, int, int]:
    """What ordered criteria look at: micrograms of CO2e per gram and parcel, 10 m, hours / 10^4."""
    return (
        _whole(lane.kgco2e_per_kg * 10**6),
        _whole(lane.kgco2e_per_parcel * 10**9),
        _whole(lane.distance_km * 100),
        _whole((lane.hours + node.cutoff_wait_hours) * FINE),
        int(not _is_forward(node)),
    )


def _first_slot(node: Node, unit: Decimal) -> int:
    price = node.capacity_price
    if isinstance(price, tuple):
        return _whole(price[0] * unit) if price else 0
    return _whole(price * unit)


def _is_forward(node: Node) -> bool:
    return node.kind == "forward" and node.serves_region


def _whole(amount: Decimal | int) -> int:
    return round(amount)


def _check_range(
    needs: Sequence[Need],
    rates: Sequence[Rate],
    prices: Sequence[Sequence[int]],
    stock_curves: Mapping[tuple[int, int], Steps],
    slot_curves: Mapping[int, Steps],
) -> None:
    """Refuse what would not fit into 64 bits, rather than route on wrapped-around figures."""
    goods = sum((need.grams_each or 0) * need.quantity for need in needs)
    volume = sum(need.cm3_each * need.quantity for need in needs)
    units = sum(need.quantity for need in needs)
    top = units * max((abs(p) for row in prices for p in row), default=0)
    top += len(needs) * max((curve.reach(units) for curve in stock_curves.values()), default=0)
    top += FINE * max((curve.reach(EXACT_PARCELS) for curve in slot_curves.values()), default=0)
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


def parcel_terms(
    rate: Rate, *, goods_grams: int, cm3: int, lines: int, stock: int, time_share: int, risk: int = 0
) -> Terms:
    """Price one parcel; ``stock`` and ``risk`` are the scaled stock price and return risk of its units."""
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
    unit_price = prices.unit_price[source]
    cost = 0
    units: dict[int, int] = {}
    for i, item in enumerate(items):
        if bits >> i & 1:
            for part in item.parts:
                cost += unit_price[part.need] * part.quantity
                sku = needs[part.need].sku_id
                units[sku] = units.get(sku, 0) + part.quantity
    if prices.stock_curves:
        for sku, quantity in units.items():
            curve = prices.stock_curves.get((source, sku))
            if curve is not None:
                cost += curve.cost(quantity, taken.get(sku, 0))
    return cost


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
