"""The linear program over the plans of a pool, kept in one HiGHS model so that added plans start from the last basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routing.engine.wave.columns import Pool
from routing.engine.wave.shape import Floats, Ints, Shape

if TYPE_CHECKING:
    import highspy  # loaded only where a wave is solved: every process of the hub would carry the solver otherwise

THREADS = 1
"""The same everywhere: HiGHS must not be asked for another number within one process."""


@dataclass(slots=True)
class Answer:
    """Share of each plan, prices of the rows (>= 0) and value; ``solved`` is False when time ran out."""

    share: Floats
    prices: Floats
    value: float
    solved: bool


def quiet(seconds: float) -> highspy.Highs:
    """A silent HiGHS with the house's settings and a time limit."""
    import highspy

    model: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", THREADS)
    model.setOptionValue("random_seed", 0)
    model.setOptionValue("time_limit", max(seconds, 0.05))
    return model


class Linear:
    """Minimize cost: one plan per order in parts, rows within their segments."""

    def __init__(self, shape: Shape, pool: Pool, *, interior: bool) -> None:
        import highspy

        self._shape, self._orders, self._count = shape, len(shape.ids), 0
        rows = shape.rows
        self._model = quiet(3600.0)
        self._model.setOptionValue("solver", "ipm" if interior else "simplex")
        # Free limits belong to the row itself; only segments that cost something become variables.
        free = rows.worth == 0.0
        upper = np.bincount(rows.of[free], weights=rows.size[free], minlength=rows.count)
        self._costly = np.flatnonzero(~free)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self._costly) + len(pool), self._orders + rows.count
        lp.row_lower_ = np.concatenate([np.ones(self._orders), np.full(rows.count, -np.inf)])
        lp.row_upper_ = np.concatenate([np.ones(self._orders), upper])
        lp.col_cost_ = np.concatenate([rows.worth[self._costly], pool.cost])
        lp.col_lower_ = np.zeros(lp.num_col_)
        lp.col_upper_ = np.concatenate([rows.size[self._costly], np.full(len(pool), np.inf)])
        start, index, value = self._entries(pool)
        many = len(self._costly)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([np.arange(many), start + many]).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([rows.of[self._costly] + self._orders, index]).astype(np.int32)
        lp.a_matrix_.value_ = np.concatenate([-np.ones(many), value])
        self._model.passModel(lp)
        self._count = len(pool)

    def _entries(self, pool: Pool) -> tuple[Ints, Ints, Floats]:
        """Column-wise entries of plans: 1 in the order's row first, then the rows used."""
        count, start = len(pool), pool.start + np.arange(len(pool) + 1)
        index, value = np.empty(start[-1], dtype=np.int64), np.empty(start[-1])
        heads = np.zeros(start[-1], dtype=bool)
        heads[start[:-1]] = True
        index[heads], value[heads] = pool.order[:count], 1.0
        index[~heads], value[~heads] = pool.row + self._orders, pool.amount
        return start, index, value

    def add(self, pool: Pool) -> None:
        """Append the plans of a pool as further columns."""
        if not len(pool):
            return
        start, index, value = self._entries(pool)
        many = len(pool)
        self._model.addCols(
            many, pool.cost, np.zeros(many), np.full(many, np.inf), len(index), start[:-1].astype(np.int32),
            index.astype(np.int32), value,
        )  # fmt: skip
        self._count += many

    def solve(self, seconds: float) -> Answer:
        """Solve, from the last basis if there is one; later calls use simplex."""
        model = self._model
        model.setOptionValue("time_limit", model.getRunTime() + max(seconds, 0.05))
        model.run()
        solution = model.getSolution()
        many, orders = len(self._costly), self._orders
        solved = model.getModelStatus().name == "kOptimal"
        model.setOptionValue("solver", "simplex")
        if len(solution.col_value) != many + self._count:
            return Answer(np.zeros(self._count), np.zeros(self._shape.rows.count), np.inf, False)
        dual = (
            np.array(solution.row_dual)[orders:] if solution.dual_valid else np.zeros(self._shape.rows.count)
        )
        return Answer(
            np.array(solution.col_value)[many:],
            np.maximum(-dual, 0.0),
            float(model.getObjectiveValue()),
            solved,
        )
