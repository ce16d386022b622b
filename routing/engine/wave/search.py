"""Large-neighborhood search: free some orders, solve them exactly beside the fixed rest, keep what is better."""

from __future__ import annotations

import numpy as np

from routing.engine.wave.bound import given_up
from routing.engine.wave.columns import Pool
from routing.engine.wave.linear import quiet
from routing.engine.wave.piece import Piece, piece, worth_of
from routing.engine.wave.shape import Flags, Floats, Ints, Shape
from routing.engine.wave.state import SMALL, limits

_PIECE_GAP = 0.0005
_HARD, _EASY = 0.3, 0.12


def solve_fast(program: Piece, seconds: float, *, gap: float = 0.0) -> tuple[Ints, float]:
    """As `master.solve_piece`, with the same program handed to HiGHS as arrays: no time for names here.

    Returns the columns and the effort, about the seconds on a quiet machine but counted in simplex iterations, so that
    what the search learns from it does not depend on the clock.
    """
    import highspy  # as in `linear`: only where a wave is solved

    model = quiet(seconds)
    model.setOptionValue("mip_rel_gap", gap)
    orders, plans, extra = program.orders, len(program.cost), len(program.worth)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = plans + extra, orders + len(program.left)
    lp.row_lower_ = np.concatenate([np.ones(orders), np.full(len(program.left), -np.inf)])
    lp.row_upper_ = np.concatenate([np.ones(orders), program.left])
    lp.col_cost_ = np.concatenate([program.cost, program.worth])
    lp.col_lower_ = np.zeros(plans + extra)
    lp.col_upper_ = np.concatenate([np.ones(plans), program.size])
    start = program.start + np.arange(plans + 1)
    heads = np.zeros(start[-1], dtype=bool)
    heads[start[:-1]] = True
    index, value = np.empty(start[-1], dtype=np.int64), np.empty(start[-1])
    index[heads], value[heads] = program.order, 1.0
    index[~heads], value[~heads] = program.row + orders, program.amount
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([start, start[-1] + 1 + np.arange(extra)]).astype(np.int32)
    lp.a_matrix_.index_ = np.concatenate([index, program.of + orders]).astype(np.int32)
    lp.a_matrix_.value_ = np.concatenate([value, -np.ones(extra)])
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * plans + [part] * extra
    model.passModel(lp)
    now = np.zeros(plans)
    now[program.now] = 1.0
    model.setSolution(plans, np.arange(plans, dtype=np.int32), now)
    model.run()
    effort = 0.02 + 0.0005 * max(int(model.getInfo().simplex_iteration_count), 0)
    shares = np.array(model.getSolution().col_value[:plans])
    chosen = np.flatnonzero(shares > 0.5)
    if len(chosen) != orders or (program.order[chosen] != np.arange(orders)).any():
        return program.now, effort
    better = worth_of(program, chosen) < worth_of(program, program.now) - 1e-9
    return (chosen if better else program.now), effort


class Ground:
    """What the search stands on: the pool, how far each plan is above its order's cheapest, prices of the rows."""

    def __init__(self, shape: Shape, pool: Pool, above: Floats, keep: Flags, prices: Floats) -> None:
        self.shape, self.pool, self.above, self.keep, self.prices = shape, pool, above, keep, prices
        self.limits = limits(shape)
        wanted = np.repeat(keep, np.diff(pool.start))
        columns = np.repeat(np.arange(len(pool)), np.diff(pool.start))[wanted]
        by_row = np.argsort(pool.row[wanted], kind="stable")
        self._users = columns[by_row]
        self._user_start = np.searchsorted(pool.row[wanted][by_row], np.arange(shape.rows.count + 1))
        self.row_sku = np.full(shape.rows.count + 1, -1)
        for cells in shape.rows.cell:
            self.row_sku[cells] = np.arange(shape.skus)
        self.row_sku = self.row_sku[:-1]
        by_sku = np.argsort(shape.sku, axis=None, kind="stable")
        self._sku_orders = by_sku // shape.sku.shape[1]
        self._sku_start = np.searchsorted(shape.sku.ravel()[by_sku], np.arange(shape.skus + 1))

    def users(self, row: int) -> Ints:
        """Kept plans that use a row."""
        return np.asarray(self._users[self._user_start[row] : self._user_start[row + 1]])

    def buyers(self, sku: int) -> Ints:
        """Orders with a line of a SKU."""
        return np.unique(self._sku_orders[self._sku_start[sku] : self._sku_start[sku + 1]])


class Standing:
    """The plan so far: where each order's plan is in the pool, the use of the rows and the cost."""

    def __init__(self, ground: Ground, place: Ints) -> None:
        self.place = place.copy()
        self.used = np.zeros(ground.shape.rows.count)
        np.add.at(self.used, *_use_of(ground.pool, place))
        self.cost = float(ground.pool.cost[place].sum()) + given_up(ground.shape, self.used)

    def change(self, ground: Ground, chosen: Ints, places: Ints) -> float:
        """Give the orders ``chosen`` other plans if that fits and saves; returns what it saves, 0.0 if not done."""
        used = self.used.copy()
        np.subtract.at(used, *_use_of(ground.pool, self.place[chosen]))
        np.add.at(used, *_use_of(ground.pool, places))
        cost = self.cost + float((ground.pool.cost[places] - ground.pool.cost[self.place[chosen]]).sum())
        cost += given_up(ground.shape, used) - given_up(ground.shape, self.used)
        saved = self.cost - cost
        if saved <= 1e-9 or (used > ground.limits + SMALL).any():
            return 0.0
        self.place[chosen], self.used, self.cost = places, used, cost
        return saved


def _use_of(pool: Pool, columns: Ints) -> tuple[Ints, Floats]:
    counts = pool.start[columns + 1] - pool.start[columns]
    ends = np.cumsum(counts)
    entries = np.repeat(pool.start[columns] - (ends - counts), counts) + np.arange(int(counts.sum()))
    return pool.row[entries], pool.amount[entries]


def solve_orders(ground: Ground, standing: Standing, chosen: Ints, seconds: float) -> tuple[Ints, float]:
    """New places for the chosen orders, all others fixed; the present ones where nothing better is found. Also the effort."""
    program = piece(ground.shape, ground.pool, ground.keep, standing.place, standing.used, chosen)
    found, effort = solve_fast(program, seconds, gap=_PIECE_GAP)
    return program.pool[found], effort


class Draw:
    """Draws orders to free by where the distance to the bound lies; learns which way of drawing saves most for its effort."""

    ways = ("sku", "row", "node")

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.random = np.random.default_rng(seed)
        self.size = dict.fromkeys(self.ways, min(40.0 + 0.036 * len(ground.shape.ids), 400.0))
        self.rate = dict.fromkeys(self.ways, np.inf)

    def draw(self, standing: Standing) -> tuple[str, Ints]:
        """A way of drawing and the orders drawn."""
        rates = np.array([min(self.rate[way], 1e12) for way in self.ways])
        fresh = [way for way in self.ways if np.isinf(self.rate[way])]
        shares = 0.15 + rates / max(rates.sum(), 1e-9)
        way = fresh[0] if fresh else str(self.random.choice(self.ways, p=shares / shares.sum()))
        size = int(self.size[way])
        drawn = {"sku": self._by_sku, "row": self._by_row, "node": self._by_node}[way](standing, size)
        return way, np.sort(drawn)

    def learn(self, way: str, saved: float, effort: float) -> None:
        """Note what a round saved; make the next one larger where it was easy, smaller where it was hard."""
        rate = saved / effort
        self.rate[way] = rate if np.isinf(self.rate[way]) else 0.85 * self.rate[way] + 0.15 * rate
        if effort > _HARD:
            self.size[way] = max(12.0, 0.75 * self.size[way])
        elif effort < _EASY:
            self.size[way] = min(1.06 * self.size[way], float(len(self.ground.shape.ids)))

    def _losses(self, standing: Standing) -> tuple[Floats, Floats]:
        """Of each order its plan's reduced cost, of each row its priced unused stock: they add up to the gap."""
        ground = self.ground
        return ground.above[standing.place], ground.prices * np.maximum(ground.limits - standing.used, 0.0)

    def _weighted(self, weight: Floats) -> Ints:
        """Indexes in random order, the heavy ones likely first."""
        weight = weight + 1e-9 + 0.001 * weight.sum() / max(len(weight), 1)
        return np.argsort(-np.log(self.random.random(len(weight))) / weight, kind="stable")

    def _by_sku(self, standing: Standing, size: int) -> Ints:
        """All orders of SKUs that lose much; of a SKU with many orders those that lose most."""
        ground, shape = self.ground, self.ground.shape
        per_order, per_row = self._losses(standing)
        inside, of_cell = shape.sku >= 0, ground.row_sku >= 0
        weight = np.bincount(ground.row_sku[of_cell], weights=per_row[of_cell], minlength=shape.skus)
        weight += np.bincount(
            shape.sku[inside],
            weights=np.broadcast_to(per_order[:, None], inside.shape)[inside],
            minlength=shape.skus,
        )
        taken = np.zeros(len(ground.shape.ids), dtype=bool)
        chosen: list[int] = []
        for sku in self._weighted(weight):
            fresh = ground.buyers(int(sku))
            fresh = fresh[~taken[fresh]]
            if len(fresh) > size // 2:
                share = per_order[fresh] / (per_order[fresh].mean() + 1e-9)
                fresh = fresh[np.argsort(-self.random.random(len(fresh)) * (1.0 + share))[: size // 2]]
            fresh = fresh[: size - len(chosen)]
            taken[fresh] = True
            chosen += fresh.tolist()
            if len(chosen) >= size:
                break
        return np.array(chosen, dtype=np.int64)

    def _by_row(self, standing: Standing, size: int) -> Ints:
        """The orders that could best use stock that is priced and unused."""
        ground, orders = self.ground, len(self.ground.shape.ids)
        per_order, per_row = self._losses(standing)
        each, noise = max(8, size // 13), float(ground.above.mean()) + 1e-9
        taken = np.zeros(len(ground.shape.ids), dtype=bool)
        chosen: list[int] = []
        for row in self._weighted(per_row):
            columns = ground.users(int(row))
            least = np.full(orders, np.inf)
            np.minimum.at(least, ground.pool.order[columns], ground.above[columns])
            fresh = np.flatnonzero(np.isfinite(least) & ~taken)
            if len(fresh) > each:
                extra = least[fresh] - per_order[fresh] + self.random.exponential(noise, len(fresh))
                fresh = fresh[np.argsort(extra, kind="stable")[:each]]
            fresh = fresh[: size - len(chosen)]
            taken[fresh] = True
            chosen += fresh.tolist()
            if len(chosen) >= size:
                break
        return np.array(chosen, dtype=np.int64)

    def _by_node(self, standing: Standing, size: int) -> Ints:
        """The orders that a few nodes could serve alone, those with much to lose first."""
        ground, shape = self.ground, self.ground.shape
        per_order, _ = self._losses(standing)
        limited = np.flatnonzero(shape.limited_node)
        if not len(limited):
            return self._by_sku(standing, size)
        few = self.random.choice(limited, min(4, len(limited)), replace=False)
        mine = np.append(np.isin(np.arange(shape.nodes), few), False)
        free = np.append(~shape.limited_node, True)
        inside = mine[ground.pool.nodes]
        able = ground.keep & (inside | free[ground.pool.nodes]).all(axis=1) & inside.any(axis=1)
        candidate: Flags = np.asarray(mine[ground.pool.nodes[standing.place]].any(axis=1))
        candidate[ground.pool.order[able]] = True
        rows = np.flatnonzero(candidate)
        luck = self.random.random(len(rows)) * (0.3 + per_order[rows] / (per_order.mean() + 1e-9))
        return rows[np.argsort(-luck, kind="stable")[:size]]
