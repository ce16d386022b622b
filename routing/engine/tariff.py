"""All prices of one order in scaled integers, from the Decimals of its nodes and its strategy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, chain

import numpy as np

from routing.engine.curves import Steps, steps
from routing.engine.duty import duties
from routing.engine.model import Lane, Need, Node, Request, Senseless, Strategy
from routing.engine.price import FINE, FINER, MAX_COST, NO_LIMIT, Ints, Rate, Tariff
from routing.engine.screen import Source

EXACT_PARCELS = 16  # entries of a parcel price curve that are told apart
_NO_CRITERIA = (0, 0, 0, 0, 0)
_BEYOND = "amounts or weights of this order are beyond what can be priced"


def tariff(
    request: Request,
    strategy: Strategy,
    needs: Sequence[Need],
    sources: Sequence[Source],
    *,
    shared: bool = True,
) -> Tariff:
    """Scale all prices of an order to integers; Senseless when an amount or weight is beyond reckoning.

    ``shared``: whether items may draw on one stock, so that curves must be kept as such.
    """
    unit = 10**strategy.digits
    starts = [0, *accumulate(len(source.lanes) for source in sources)]
    rates = list(_all_rates(request, strategy, sources))
    prices, stock_curves = _stock_prices(strategy, needs, sources, shared=shared)
    slot_curves = {
        s: steps(source.node.capacity_price, strategy.capacity_price_factor * unit, 1, EXACT_PARCELS)
        for s, source in enumerate(sources)
        if isinstance(source.node.capacity_price, tuple)
    }
    risks = _return_risks(strategy, needs, sources)
    table = _table(rates)
    units = 1 if not shared else sum(need.quantity for need in needs)
    top = units * _largest(prices) * (len(needs) if not shared else 1)
    top += len(needs) * max((c.reach(units) for c in stock_curves.values()), default=0)
    top += FINE * max((c.reach(EXACT_PARCELS) for c in slot_curves.values()), default=0)
    owed = duties(request.levies, needs, [source.node.id for source in sources], unit * FINE)
    top += 0 if owed is None else owed.most
    most = _check_range(needs, table, top + len(needs) * _largest(risks))
    return Tariff(
        rows=tuple(rates),
        table=table,
        starts=tuple(starts),
        stock_price=prices,
        by_line=not shared,
        time_share=len({need.line_id for need in needs}) if strategy.time_by_line_share else 0,
        stock_curves=stock_curves,
        slot_curves=slot_curves,
        return_risk=risks,
        most=most,
        ladder=None,
        duties=owed,
    )


def _all_rates(request: Request, strategy: Strategy, sources: Sequence[Source]) -> Iterable[tuple[int, ...]]:
    """The fields of `Rate` for all lanes of all sources; fees, handling and hours 10^4 finer than the account."""
    unit, whole = Decimal(10**strategy.digits), round
    fine = unit * FINE
    hour = (strategy.yuan_per_hour_remote if request.remote else strategy.yuan_per_hour) * fine
    parcel_carbon = strategy.yuan_per_kgco2e * (unit * FINER)
    gram_carbon = parcel_carbon / 1000
    slot = strategy.capacity_price_factor * unit
    split, bonus = whole(strategy.yuan_per_extra_parcel * unit), whole(strategy.forward_bonus * unit)
    for s, source in enumerate(sources):
        node = source.node
        wait = node.cutoff_wait_hours
        shared = (
            whole(node.handling_per_parcel * fine),
            whole(node.handling_per_line * fine),
            _first_slot(node, slot),
            split,
            bonus if _is_forward(node) else 0,
        )
        for n, lane in enumerate(source.lanes):
            yield (
                s,
                n,
                lane.first_grams,
                whole(lane.first_fee * fine),
                lane.step_grams,
                whole(lane.step_fee * fine),
                whole((lane.hours + wait) * hour),
                whole(lane.kgco2e_per_kg * gram_carbon),
                whole(lane.kgco2e_per_parcel * parcel_carbon),
                NO_LIMIT if lane.max_grams is None else lane.max_grams,
                lane.parcel_grams,
                lane.dim_cm3_per_kg or 0,
                *shared,
                1 if n >= source.making else 0,
                *(_criteria(node, lane) if strategy.order else _NO_CRITERIA),
            )


def _criteria(node: Node, lane: Lane) -> tuple[int, int, int, int, int]:
    """What ordered criteria look at: micrograms of CO2e per gram and parcel, 10 m, hours / 10^4, not forward."""
    return (
        round(lane.kgco2e_per_kg * 10**6),
        round(lane.kgco2e_per_parcel * 10**9),
        round(lane.distance_km * 100),
        round((lane.hours + node.cutoff_wait_hours) * FINE),
        int(not _is_forward(node)),
    )


def _first_slot(node: Node, unit: Decimal) -> int:
    price = node.capacity_price
    if isinstance(price, tuple):
        return round(price[0] * unit) if price else 0
    return round(price * unit)


def _is_forward(node: Node) -> bool:
    return node.kind == "forward" and node.serves_region


def _return_risks(
    strategy: Strategy, needs: Sequence[Need], sources: Sequence[Source]
) -> tuple[tuple[int, ...], ...]:
    """Scaled yuan per line by source and need; empty where nothing is known."""
    if not any(source.node.return_risk for source in sources):
        return ()
    fine = Decimal(10**strategy.digits * FINE)
    return tuple(
        tuple(round(source.node.return_risk.get(need.line_id, 0) * fine) for need in needs)
        for source in sources
    )


def _stock_prices(
    strategy: Strategy, needs: Sequence[Need], sources: Sequence[Source], *, shared: bool
) -> tuple[tuple[tuple[int, ...], ...], dict[tuple[int, int], Steps]]:
    """Prices by source and need, per unit or per line, and the curves that items share.

    An entry of a curve is rounded to the unit of account, a plain price only with the sum of its parcel.
    """
    whole = strategy.stock_price_factor * 10**strategy.digits
    fine = whole * FINE
    wanted: dict[int, int] = {}
    for need in needs:
        wanted[need.sku_id] = wanted.get(need.sku_id, 0) + need.quantity
    curves: dict[tuple[int, int], Steps] = {}
    rows: list[tuple[int, ...]] = []
    nothing = (0,) * len(needs)
    lines = [(need.sku_id, need.quantity) for need in needs]
    for s, source in enumerate(sources):
        given = source.node.stock_price
        if not given:
            rows.append(nothing)
            continue
        row = []
        stock = source.stock
        for sku, quantity in lines:
            price = given.get(sku)
            if price is None or (not shared and stock.get(sku, 0) < quantity):
                row.append(0)  # no price, or nothing of it leaves from here
            elif not isinstance(price, tuple):
                row.append(round(price * fine) * (1 if shared else quantity))
            elif shared:
                row.append(0)
                if (s, sku) not in curves:
                    curves[s, sku] = steps(price, whole, FINE, wanted[sku])
            else:
                row.append(_along(price, whole, quantity) * FINE)
        rows.append(tuple(row))
    return tuple(rows), curves


def _along(price: tuple[Decimal, ...], factor: Decimal, quantity: int) -> int:
    """The sum of the first entries of a curve, in units of account."""
    if not price:
        return 0
    cost = sum([round(each * factor) for each in price[:quantity]])
    beyond = quantity - len(price)
    return cost + beyond * round(price[-1] * factor) if beyond > 0 else cost


def _table(rates: Sequence[tuple[int, ...]]) -> Ints:
    try:
        flat = np.fromiter(chain.from_iterable(rates), dtype=np.int64, count=len(rates) * len(Rate._fields))
    except OverflowError:
        raise Senseless("beyond_range", _BEYOND) from None
    return flat.reshape(len(rates), len(Rate._fields)).T


def _largest(rows: Sequence[Sequence[int]]) -> int:
    return max((max(max(row), -min(row)) for row in rows if row), default=0)


def _check_range(needs: Sequence[Need], table: Ints, top: int) -> int:
    """The most a parcel can cost; refuse what would not fit into 64 bits, rather than route on wrapped figures.

    In floats, which hold every bound to a part in 10^15; the limit is 16 times below what would wrap.
    """
    goods = float(sum((need.grams_each or 0) * need.quantity for need in needs))
    volume = float(sum(need.cm3_each * need.quantity for need in needs)) * 1000
    of: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = dict(
        zip(Rate._fields, np.abs(table.astype(np.float64)), strict=True)
    )
    grams = goods + of["parcel_grams"]
    billed = np.maximum(grams, np.where(of["dim"] > 0, volume / np.maximum(of["dim"], 1), 0))
    freight = of["first_fee"] + (billed / of["step_grams"] + 2) * of["step_fee"]
    carbon = grams * of["carbon_gram"] + of["carbon_parcel"]
    other = of["handling_parcel"] + of["handling_line"] * len(needs) + of["time"] * 2 * len(needs)
    other += (of["capacity"] + of["split"] + of["bonus"]) * FINE
    most = float((float(top) + freight + other + carbon / FINE).max(initial=0))
    if (carbon >= NO_LIMIT).any() or most >= MAX_COST * FINE:
        raise Senseless("beyond_range", _BEYOND)
    return int(most / FINE) + 16
