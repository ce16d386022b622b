"""Small shops that can be lived through a thousand times: shared stock, receipts, a rule per arm. For other benches.

Orders of one unit each come from towns, are sent from the warehouse that the arm's rule finds cheapest, or by drop-ship.
Stock is filled up at each receipt. The same stream of orders can be lived through under one rule for all, or under one
rule per order as an experiment would do it; so the true effect of a change for everybody is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rule:
    """Stock price a·exp(−cover/b) + c·exp(−network cover/d)/(1 + cover), × factor; 0: exact without foresight.

    ``far`` adds yuan per unit of distance to what the rule believes a parcel costs: a planted mistake.
    """

    a: float = 10.9
    b: float = 1.34
    c: float = 0.73
    d: float = 0.33
    factor: float = 1.0
    far: float = 0.0

    def scaled(self, name: str, by: float) -> Rule:
        """One parameter multiplied."""
        return replace(self, **{name: getattr(self, name) * by})


MYOPIC = Rule(factor=0.0)


@dataclass(frozen=True, slots=True)
class Shop:
    """Costs [warehouse, town], distances, units per day [town, sku], what a receipt fills up to [warehouse, sku]."""

    cost: Floats
    drop: Floats  # [town]
    far: Floats
    rate: Floats
    base: Ints
    area: Ints  # of each town: its nearest warehouse
    cycle_days: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Orders by time: day, town, sku, and the number of the cycle."""

    day: Floats
    town: Ints
    sku: Ints
    cycle: Ints
    cycles: int


@dataclass(frozen=True, slots=True)
class Lived:
    """What each order was sent from and cost; what each warehouse held at the start of each cycle."""

    house: Ints  # the last number is drop-ship
    yuan: Floats
    supply: Ints  # [cycle, warehouse, sku]


def shop(seed: int, *, houses: int = 8, towns: int = 32, skus: int = 12, per_day: float = 130.0) -> Shop:
    """A country drawn by the seed."""
    random = np.random.default_rng([seed, 1])
    place, where = random.random((towns, 2)), random.random((houses, 2))
    far = np.hypot(*(where[:, None] - place[None]).transpose(2, 0, 1))
    cost = 5.0 + 18.0 * far + random.uniform(0, 2.0, houses)[:, None]
    size = random.dirichlet(np.full(towns, 6.0))
    popular = (np.arange(skus) + 3.0) ** -0.9
    rate = per_day * size[:, None] * (popular / popular.sum())[None]
    area = cost.argmin(axis=0)
    drop = random.uniform(22.0, 50.0, towns)
    cycle_days = 3.0
    wanted = np.zeros((houses, skus))
    np.add.at(wanted, area, rate * cycle_days)
    base = np.floor(wanted * random.uniform(0.3, 1.7, wanted.shape) + 0.5).astype(np.int64)
    return Shop(cost, drop, far, rate, base, area, cycle_days)


def stream(one: Shop, cycles: int, seed: int) -> Stream:
    """Poisson orders over so many cycles."""
    random = np.random.default_rng([seed, 2])
    days = cycles * one.cycle_days
    count = int(random.poisson(one.rate.sum() * days))
    day = np.sort(random.random(count) * days)
    cell = random.choice(one.rate.size, count, p=(one.rate / one.rate.sum()).ravel())
    town, sku = np.divmod(cell, one.rate.shape[1])
    return Stream(day, town, sku, np.floor(day / one.cycle_days).astype(np.int64), cycles)


def live(
    one: Shop,
    orders: Stream,
    rules: Sequence[Rule],
    arm: Sequence[int] | None = None,
    forecast: Floats | None = None,
    refused: Sequence[bool] | None = None,
) -> Lived:
    """Route all orders; ``arm`` names the rule of each (None: the first), ``forecast`` [town, sku] is believed.

    A ``refused`` order goes from the second best place: the first would not have it.
    """
    belief = one.rate if forecast is None else forecast
    houses, skus = one.base.shape
    local = np.zeros((houses, skus))
    np.add.at(local, one.area, belief)
    local_rate, network_rate = local.tolist(), belief.sum(axis=0).tolist()
    cost, drop = one.cost.T.tolist(), one.drop.tolist()
    believed = [(one.cost + rule.far * one.far).T.tolist() for rule in rules]
    arms = [0] * len(orders.day) if arm is None else list(arm)
    no = [False] * len(orders.day) if refused is None else list(refused)
    house, yuan = [], []
    supply = np.zeros((orders.cycles, houses, skus), dtype=np.int64)
    stock: list[list[int]] = one.base.tolist()
    cycle = -1
    rows = zip(
        orders.day.tolist(),
        orders.town.tolist(),
        orders.sku.tolist(),
        orders.cycle.tolist(),
        arms,
        no,
        strict=True,
    )
    for day, town, sku, now, which, is_refused in rows:
        while cycle < now:
            cycle += 1
            stock = one.base.tolist()
            supply[cycle] = one.base
        rule = rules[which]
        days = (now + 1) * one.cycle_days - day + 1e-6
        best, chosen = drop[town], houses
        next_best, second = best, houses
        told = believed[which][town]
        network = 0.0
        if rule.factor:
            total = sum(stock[w][sku] for w in range(houses))
            network = rule.c * math.exp(-min(total / (network_rate[sku] * days + 1e-9) / rule.d, 700.0))
        for w in range(houses):
            units = stock[w][sku]
            if units <= 0:
                continue
            price = told[w]
            if rule.factor:
                cover = units / (local_rate[w][sku] * days + 1e-9)
                price += rule.factor * (
                    rule.a * math.exp(-min(cover / rule.b, 700.0)) + network / (1 + cover)
                )
            if price < best:
                next_best, second = best, chosen
                best, chosen = price, w
            elif price < next_best:
                next_best, second = price, w
        if is_refused:
            chosen = second
        if chosen < houses:
            stock[chosen][sku] -= 1
        house.append(chosen)
        yuan.append(cost[town][chosen] if chosen < houses else drop[town])
    return Lived(np.asarray(house), np.asarray(yuan), supply)
