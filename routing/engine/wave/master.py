"""The integer program of a wave, written out in PuLP: which plan each order gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from routing.engine.wave.linear import THREADS
from routing.engine.wave.piece import Piece, worth_of
from routing.engine.wave.shape import Ints

if TYPE_CHECKING:
    import pulp


def solve_piece(program: Piece, seconds: float, *, gap: float = 0.0) -> tuple[Ints, bool]:
    """The best plans found within the time, never worse than the present ones; True when proven best.

    HiGHS starts from the present plans; its answer is counted again here, because in PuLP "optimal" may also mean
    that time ran out.
    """
    import pulp  # only where a wave is solved: every process of the hub would carry it otherwise

    problem, choose = model(program)
    solver = _started(program.now, msg=False, threads=THREADS, timeLimit=max(seconds, 0.05), gapRel=gap)
    try:
        problem.solve(solver)
    except pulp.PulpSolverError:
        return program.now, False
    shares = np.array([variable.varValue or 0.0 for variable in choose])
    chosen = _picked(program, shares)
    proven = problem.sol_status == pulp.LpSolutionOptimal
    if chosen is None or worth_of(program, chosen) >= worth_of(program, program.now) - 1e-9:
        return program.now, proven
    return chosen, proven


def model(program: Piece) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Minimize what the chosen plans cost and the end values given up; one plan per order; no row overused."""
    import pulp

    problem = pulp.LpProblem("wave", pulp.LpMinimize)
    choose = [problem.add_variable(f"plan_{j}", cat=pulp.LpBinary) for j in range(len(program.cost))]
    give_up = [problem.add_variable(f"unit_{i}", 0.0, float(size)) for i, size in enumerate(program.size)]

    costs = [(choose[j], float(cost)) for j, cost in enumerate(program.cost)]
    worths = [(give_up[i], float(worth)) for i, worth in enumerate(program.worth)]
    problem.setObjective(pulp.LpAffineExpression(costs + worths))

    of_order: list[list[pulp.LpVariable]] = [[] for _ in range(program.orders)]
    for j, order in enumerate(program.order):
        of_order[order].append(choose[j])
    for order, plans in enumerate(of_order):
        problem.addConstraint(pulp.lpSum(plans) == 1, f"one_plan_{order}")

    uses: list[list[tuple[pulp.LpVariable, float]]] = [[] for _ in program.left]
    for j in range(len(program.cost)):
        for entry in range(program.start[j], program.start[j + 1]):
            uses[program.row[entry]].append((choose[j], float(program.amount[entry])))
    for i, row in enumerate(program.of):
        uses[row].append((give_up[i], -1.0))
    for row, terms in enumerate(uses):
        problem.addConstraint(pulp.LpAffineExpression(terms) <= float(program.left[row]), f"limit_{row}")
    return problem, choose


def _started(now: Ints, **settings: object) -> pulp.HiGHS:
    """HiGHS inside PuLP, given the present plans before it runs."""
    import pulp

    class Started(pulp.HiGHS):
        def callSolver(self, lp: pulp.LpProblem) -> None:
            at = [variable.index for variable in lp.variables() if variable.name.startswith("plan_")]
            name = {variable.name: variable.index for variable in lp.variables()}
            chosen = {name[f"plan_{j}"] for j in now}
            values = [1.0 if index in chosen else 0.0 for index in at]
            lp.solverModel.setSolution(len(at), np.array(at, dtype=np.int32), np.array(values))
            lp.solverModel.run()

    return Started(**settings)


def _picked(program: Piece, shares: np.ndarray) -> Ints | None:
    """The column of share 1 of each order, or None if the answer is not whole."""
    chosen = np.flatnonzero(shares > 0.5)
    whole = (
        len(chosen) == program.orders and (np.sort(program.order[chosen]) == np.arange(program.orders)).all()
    )
    return chosen if whole else None
