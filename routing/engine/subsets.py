"""The price of one parcel for every subset of an order's items and every source, in one go of numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from routing.engine.duty import Duties
from routing.engine.model import Need
from routing.engine.pieces import Item
from routing.engine.price import (
    COST,
    FINE,
    FINER,
    INFEASIBLE,
    MAX_COST,
    MAX_RANK,
    NO_LIMIT,
    PARCEL,
    Ints,
    Keys,
    Rate,
    Tariff,
    risk_cost,
)
from routing.engine.screen import Source

_CHUNK = 1 << 15  # elements of a table worked on at once
_RAGGED = 1 << 9  # with fewer subsets, leaving out those that cannot be costs more than pricing them


@dataclass(frozen=True, slots=True)
class Goods:
    """Grams, cm³, different lines and units of every subset of the items."""

    inside: Ints
    grams: Ints
    cm3: Ints
    lines: Ints
    units: Ints


@lru_cache(maxsize=16)
def members(count: int) -> Ints:
    """Which items each subset holds: 0/1, shape [item, subset]."""
    subsets = np.arange(1 << count, dtype=np.int64)
    return (subsets >> np.arange(count, dtype=np.int64)[:, None]) & 1


def goods_of(items: Sequence[Item]) -> Goods:
    """The measures of every subset of the items."""
    inside = members(len(items))
    table = summed([[i.grams, i.cm3, len(i.parts), i.units] for i in items])
    grams, cm3, lines, units = table
    parts = [part.need for item in items for part in item.parts]
    return Goods(
        inside, grams, cm3, lines if len(set(parts)) == len(parts) else _different(items, inside), units
    )


def summed(rows: Sequence[Sequence[int]]) -> Ints:
    """Sums over every subset of the items of some figures each has; shape [figure, subset]."""
    figures = np.array(rows, dtype=np.int64).T
    table = np.zeros((figures.shape[0], 1 << figures.shape[1]), dtype=np.int64)
    for i in range(figures.shape[1]):
        np.add(table[:, : 1 << i], figures[:, i : i + 1], out=table[:, 1 << i : 2 << i])
    return table


def _different(items: Sequence[Item], inside: Ints) -> Ints:
    """Number of different order lines in each subset, where items are pieces of one line."""
    holders: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            holders.setdefault(part.need, []).append(i)
    held: Ints = np.array([inside[rows].any(axis=0) for rows in holders.values()]).sum(axis=0, dtype=np.int64)
    return held


def price_subsets(
    prices: Tariff,
    items: Sequence[Item],
    sources: Sequence[Source],
    needs: Sequence[Need],
    *,
    shared_sku: bool,
) -> Keys:
    """Least key of one parcel holding each subset, infeasible where there is none; shape [source, subset]."""
    able = [sum(1 << i for i, item in enumerate(items) if item.sources >> s & 1) for s in range(len(sources))]
    sizes = [1 << bits.bit_count() for bits in able]
    pricer = _Pricer(prices, items, sources, needs)
    width = 1 << len(items)
    none = pricer.infeasible
    best = np.full((len(sources), width), none, dtype=object if none > INFEASIBLE else np.int64)
    whole = np.arange(width, dtype=np.intp)
    is_dense = 2 * sum(sizes) > width * len(sources) or width < _RAGGED
    for chunk in _chunks([width] * len(sources) if is_dense else sizes):
        if is_dense:
            best[chunk.start : chunk.stop] = pricer.keys(np.array(chunk)[:, None], whole)
        else:  # most subsets cannot leave from most sources: price the others only
            rows = np.repeat(np.array(chunk), [sizes[s] for s in chunk])
            columns = np.concatenate([submasks(able[s]) for s in chunk])
            best[rows, columns] = pricer.keys(rows, columns)
    if is_dense:
        best[_lacking(able, width - 1)] = none
    best[:, 0] = none
    if shared_sku:
        best[over_stock(items, sources, needs, members(len(items)))] = none
    return best


def _chunks(sizes: Sequence[int]) -> Iterator[range]:
    """Ranges of sources whose tables stay in the processor's cache while they are worked on."""
    start = held = 0
    for at, size in enumerate(sizes):
        if held and held + size > _CHUNK:
            yield range(start, at)
            start, held = at, 0
        held += size
    if sizes:
        yield range(start, len(sizes))


@lru_cache(maxsize=512)
def submasks(bits: int) -> NDArray[np.intp]:
    """All subsets of a set, the empty one too, rising."""
    found = np.zeros(1, dtype=np.intp)
    for i in range(bits.bit_length()):
        if bits >> i & 1:
            found = np.concatenate((found, found | (1 << i)))
    return found


def _lacking(able: Sequence[int], whole: int) -> NDArray[np.bool_]:
    """Subsets with an item that a source cannot send; shape [source, subset]."""
    lacking = np.array([[whole & ~bits] for bits in able], dtype=np.int64)
    found: NDArray[np.bool_] = (np.arange(whole + 1, dtype=np.int64) & lacking) != 0
    return found


class _Pricer:
    """Prices parcels of one order, given as arrays of sources and of subsets that broadcast together."""

    def __init__(
        self, prices: Tariff, items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need]
    ) -> None:
        self.prices, self.goods = prices, goods_of(items)
        self.of: dict[str, Ints] = dict(zip(Rate._fields, prices.table, strict=True))
        of = self.of
        self.starts = np.array(prices.starts, dtype=np.intp)
        self.most_lanes = int(np.diff(self.starts).max(initial=0))
        self.whole_fees = not ((of["first_fee"] % FINE).any() or (of["step_fee"] % FINE).any())
        self.limited = bool((of["max_grams"] < NO_LIMIT).any())
        columns = (of[name].tolist() for name in ("first_grams", "step_grams", "parcel_grams", "dim"))
        grids = list(zip(*columns, strict=True))
        known = {grid: n for n, grid in enumerate(dict.fromkeys(grids))}
        self.grid = np.array([known[grid] for grid in grids], dtype=np.intp)
        self.steps = np.array([_steps(self.goods, *grid) for grid in known], dtype=np.int64)
        self.made = np.array(_made_bits(items, sources, needs), dtype=np.int64)
        self.fixed, self.time = self._fixed()
        self.handling = self._handling()
        self.tables = _source_tables(prices, items, needs, self.goods.inside)
        ladder = prices.ladder
        self.infeasible = INFEASIBLE if ladder is None else ladder.infeasible

    def _fixed(self) -> tuple[Ints, Ints | None]:
        """What a parcel of each lane costs whatever it holds; and the hours by number of lines, if shared."""
        of, share = self.of, FINE * self.prices.time_share
        fixed = of["capacity"] + of["split"] - of["bonus"]
        if not share:
            return fixed + (of["time"] + FINE // 2) // FINE, None
        lines = np.arange(int(self.goods.lines.max()) + 1, dtype=np.int64)
        return fixed, (2 * of["time"][:, None] * lines + share) // (2 * share)

    def _handling(self) -> Ints:
        """Handling of a parcel of each lane by number of lines; shape [rate, lines]."""
        lines = np.arange(int(self.goods.lines.max()) + 1, dtype=np.int64)
        table: Ints = self.of["handling_parcel"][:, None] + self.of["handling_line"][:, None] * lines
        table += FINE // 2
        table //= FINE
        return table

    def keys(self, sources: NDArray[np.intp], subsets: NDArray[np.intp]) -> Keys:
        """The key of the best lane for each of these parcels, infeasible where no lane can take it."""
        first, last = self.starts[sources], self.starts[sources + 1] - 1
        shared = sum((table[sources, subsets] for table in self.tables), np.int64(0))
        best: Keys | None = None
        for lane in range(self.most_lanes):
            rate = np.minimum(first + lane, last)  # a source with fewer lanes repeats its last one
            cost = self._cost(rate, sources, subsets)
            cost += shared
            key = self._key(cost, rate, subsets)
            best = key if best is None else np.minimum(best, key)
        assert best is not None, "every source has a lane"
        ranked = PARCEL + np.minimum(sources, MAX_RANK).astype(np.int64)
        barred = best >= (MAX_COST if self.infeasible == INFEASIBLE else self.infeasible // 2)
        best *= COST
        best += ranked
        best[barred] = self.infeasible
        return best

    def _cost(self, rate: NDArray[np.intp], sources: NDArray[np.intp], subsets: NDArray[np.intp]) -> Ints:
        """Cost in units of account without what all lanes of the source share, INFEASIBLE where barred."""
        of, goods = self.of, self.goods
        lines, grams = goods.lines[subsets], goods.grams[subsets] + of["parcel_grams"][rate]
        cost: Ints = self.steps[self.grid[rate], subsets]
        if self.whole_fees:
            cost *= of["step_fee"][rate] // FINE
            cost += (of["first_fee"] // FINE + self.fixed)[rate]
        else:
            cost *= of["step_fee"][rate]
            cost += (of["first_fee"] + FINE // 2)[rate]
            cost //= FINE
            cost += self.fixed[rate]
        cost += self.handling[rate, lines]
        carbon = grams * of["carbon_gram"][rate]
        carbon += (of["carbon_parcel"] + FINER // 2)[rate]
        carbon //= FINER
        cost += carbon
        if self.time is not None:
            cost += self.time[rate, lines]
        if self.limited:
            np.putmask(cost, grams > of["max_grams"][rate], INFEASIBLE)
        if self.made.any():  # goods that must be made first leave by the lanes after the making only
            barred = ((self.made[sources] & subsets) != 0) & (of["making"][rate] == 0)
            np.putmask(cost, barred, INFEASIBLE)
        return cost

    def _key(self, cost: Ints, rate: NDArray[np.intp], subsets: NDArray[np.intp]) -> Keys:
        """The cost itself, or with ordered criteria their weighted sum; both without the ties."""
        ladder = self.prices.ladder
        if ladder is None:
            return cost
        of, goods = self.of, self.goods
        grams = goods.grams[subsets] + of["parcel_grams"][rate]
        parts: list[tuple[int, Ints]] = [
            (ladder.money, cost),
            (ladder.forward, of["away"][rate] * goods.units[subsets]),
            (ladder.kgco2e, (grams * of["kg_gram"][rate] + of["kg_parcel"][rate] + 500) // 1000),
            (ladder.distance, np.broadcast_to(of["km"][rate], cost.shape)),
        ]
        wide = self.infeasible > INFEASIBLE
        key = np.full(cost.shape, ladder.parcels, dtype=object if wide else np.int64)
        for weight, part in parts:
            if weight:
                key += (part.astype(object) if wide else part) * weight
        key[cost >= MAX_COST] = self.infeasible if wide else MAX_COST
        return key


def _steps(goods: Goods, first_grams: int, step_grams: int, parcel_grams: int, dim: int) -> Ints:
    """Weight steps charged beyond the first, by subset."""
    billed = goods.grams + parcel_grams
    if dim:
        billed = np.maximum(billed, -(-goods.cm3 * 1000 // dim))
    billed += step_grams - 1 - first_grams
    billed //= step_grams
    return np.maximum(billed, 0)


def _made_bits(items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need]) -> list[int]:
    """By source, the items it would have to make."""
    if not any(source.made for source in sources):
        return [0] * len(sources)
    return [
        sum(
            1 << i
            for i, item in enumerate(items)
            if any(needs[p.need].sku_id in source.made for p in item.parts)
        )
        for source in sources
    ]


def _source_tables(prices: Tariff, items: Sequence[Item], needs: Sequence[Need], inside: Ints) -> list[Ints]:
    """Stock price, return risk and duty in units of account, where there are any; each of shape [source, subset]."""
    tables = []
    if prices.stock_curves:
        tables.append(_along_curves(prices, items, needs, inside))
    if any(map(any, prices.stock_price)):
        tables.append(_rounded(summed(_stock_rows(prices, items))))
    if prices.return_risk:
        rows = [
            [risk_cost(prices, s, items, needs, 1 << i) for s in range(len(prices.stock_price))]
            for i in range(len(items))
        ]
        tables.append(_rounded(summed(rows)))
    if prices.duties is not None:
        tables.append(_rounded(_duties(prices.duties, items, inside)))
    return tables


def _duties(duties: Duties, items: Sequence[Item], inside: Ints) -> Ints:
    """Scaled duty and taxes of one parcel with each subset; shape [source, subset]."""
    found = np.zeros((len(duties.charges), inside.shape[1]), dtype=np.int64)
    value, *shares = summed([[*duties.measure(item)] for item in items])
    codes = sum(
        (inside[rows].any(axis=0).astype(np.int64) for rows in duties.holders(items)),
        np.zeros(inside.shape[1], dtype=np.int64),
    )
    for n, charge in enumerate(duties.rules):
        rows = [source for source, mine in enumerate(duties.charges) if n in mine]
        if rows:
            due = (shares[n] + charge.per_code * codes) * ((value > charge.over) & (value <= charge.up_to))
            found[rows] += due
    return found


def _rounded(table: Ints) -> Ints:
    """Scaled amounts rounded to units of account."""
    table += FINE // 2
    table //= FINE
    return table


def _stock_rows(prices: Tariff, items: Sequence[Item]) -> list[list[int]]:
    """Plain stock price of each item at each source."""
    rows = []
    for item in items:
        counts = [(p.need, 1 if prices.by_line else p.quantity) for p in item.parts]
        if len(counts) == 1:
            [(need, count)] = counts
            rows.append([row[need] * count for row in prices.stock_price])
        else:
            rows.append([sum(row[need] * count for need, count in counts) for row in prices.stock_price])
    return rows


def _along_curves(prices: Tariff, items: Sequence[Item], needs: Sequence[Need], inside: Ints) -> Ints:
    """What the units of each subset cost along the curves of each source; shape [source, subset]."""
    wanted = units_by_sku(items, needs)
    single = [[0] * len(prices.stock_price) for _ in items]
    joint: list[tuple[int, Ints, Ints]] = []
    taken = {sku: np.array(row, dtype=np.int64) @ inside for sku, row in wanted.items() if _several(row)}
    for (source, sku), curve in prices.stock_curves.items():
        if sku in taken:
            top = int(taken[sku][-1])
            sums = np.array([curve.cost(units) // FINE for units in range(top + 1)], dtype=np.int64)
            joint.append((source, sums, taken[sku]))
            continue
        for i, units in enumerate(wanted.get(sku, ())):
            if units:
                single[i][source] += curve.cost(units) // FINE
    cost = summed(single)
    for source, sums, units_of in joint:
        cost[source] += sums[units_of]
    return cost


def units_by_sku(items: Sequence[Item], needs: Sequence[Need]) -> dict[int, list[int]]:
    """Units of each sku in each item."""
    wanted: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        for part in item.parts:
            wanted.setdefault(needs[part.need].sku_id, [0] * len(items))[i] += part.quantity
    return wanted


def _several(row: Sequence[int]) -> bool:
    return sum(units > 0 for units in row) > 1


def curve_table(prices: Tariff, source: int, items: Sequence[Item], needs: Sequence[Need]) -> Ints | None:
    """What each subset costs along the curves of skus that several items draw on; None without any."""
    inside = members(len(items))
    cost = None
    for sku, row in units_by_sku(items, needs).items():
        curve = prices.stock_curves.get((source, sku))
        if curve is not None and _several(row):
            units = np.array(row, dtype=np.int64) @ inside
            sums = np.array([curve.cost(n) // FINE for n in range(int(units[-1]) + 1)], dtype=np.int64)
            cost = sums[units] if cost is None else cost + sums[units]
    return cost


def over_stock(
    items: Sequence[Item], sources: Sequence[Source], needs: Sequence[Need], inside: Ints
) -> NDArray[np.bool_]:
    """Subsets that together want more of a sku than a source has or can make; shape [source, subset]."""
    wanted = {sku: np.array(row, dtype=np.int64) @ inside for sku, row in units_by_sku(items, needs).items()}
    over = np.zeros((len(sources), inside.shape[1]), dtype=np.bool_)
    for sku, units in wanted.items():
        stock = np.array([[source.stock.get(sku, 0)] for source in sources], dtype=np.int64)
        over |= units > stock
    for s, source in enumerate(sources):
        left = source.node.make_left
        made = [wanted[sku] for sku in source.made if sku in wanted]
        if made and left is not None:
            over[s] |= np.sum(made, axis=0) > left
    return over
