"""Part of a wave as an integer program: some orders choose among plans, all others keep theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.engine.wave.columns import Pool
from routing.engine.wave.shape import Floats, Ints, Shape
from routing.engine.wave.state import SMALL


@dataclass(slots=True)
class Piece:
    """The program: plan j (column) belongs to local order ``order[j]``, costs ``cost[j]`` and uses local rows.

    ``left`` is what a row offers without end value; segment i offers ``size[i]`` more of row ``of[i]`` at ``worth[i]``.
    ``now`` are the plans used at present, one per local order; ``pool`` are the plans' places in the pool.
    """

    orders: int
    pool: Ints
    order: Ints
    cost: Floats
    start: Ints
    row: Ints
    amount: Floats
    left: Floats
    of: Ints
    size: Floats
    worth: Floats
    now: Ints


def places(pool: Pool, nodes: Ints, orders: int) -> Ints:
    """Where in the pool the given plan of each order is, -1 where it is not there."""
    found = np.full(orders, -1)
    same = np.flatnonzero((pool.nodes == nodes[pool.order]).all(axis=1))
    found[pool.order[same]] = same
    return found


def piece(shape: Shape, pool: Pool, keep: np.ndarray, place: Ints, used: Floats, chosen: Ints) -> Piece:
    """The program of the orders ``chosen`` over the pool's plans where ``keep`` [p] is true, and their present ones.

    ``place`` says where each order's plan is in the pool, ``used`` what these plans use of each row.
    """
    local = np.full(len(shape.ids), -1)
    local[chosen] = np.arange(len(chosen))
    wanted = keep & (local[pool.order] >= 0)
    wanted[place[chosen]] = True
    columns = np.flatnonzero(wanted)
    counts = pool.start[columns + 1] - pool.start[columns]
    start = np.concatenate([[0], np.cumsum(counts)])
    entries = np.repeat(pool.start[columns] - start[:-1], counts) + np.arange(start[-1])
    rows, row = np.unique(pool.row[entries], return_inverse=True)
    mine = place[chosen]
    mine_counts = pool.start[mine + 1] - pool.start[mine]
    mine_entries = np.repeat(pool.start[mine], mine_counts) + _within(mine_counts)
    others = used - np.bincount(
        pool.row[mine_entries], weights=pool.amount[mine_entries], minlength=shape.rows.count
    )
    left, of, size, worth = _offers(shape, rows, others)
    at = np.full(len(pool), -1)
    at[columns] = np.arange(len(columns))
    return Piece(
        len(chosen), columns, local[pool.order[columns]], pool.cost[columns], start, row, pool.amount[entries],
        left, of, size, worth, at[mine],
    )  # fmt: skip


def _within(counts: Ints) -> Ints:
    ends: Ints = np.cumsum(counts)
    return np.asarray(np.arange(int(counts.sum())) - np.repeat(ends - counts, counts))


def _offers(shape: Shape, rows: Ints, used: Floats) -> tuple[Floats, Ints, Floats, Floats]:
    """What the rows still offer beyond the use of the others: free amounts, then segments with their worth."""
    every = shape.rows
    sums = np.cumsum(every.size) - every.size
    before = sums - sums[np.searchsorted(every.of, np.arange(every.count))][every.of]
    still = np.clip(before + every.size - used[every.of], 0.0, every.size)
    free = np.bincount(every.of, weights=still * (every.worth == 0.0), minlength=every.count)
    number = np.full(every.count, -1)
    number[rows] = np.arange(len(rows))
    costly = np.flatnonzero((every.worth != 0.0) & (still > SMALL) & (number[every.of] >= 0))
    return free[rows], number[every.of[costly]], still[costly], every.worth[costly]


def worth_of(program: Piece, chosen: Ints) -> float:
    """Cost of a choice of columns, end values included; inf if a row is overused."""
    use = np.zeros(len(program.left))
    for column in chosen:
        entries = slice(program.start[column], program.start[column + 1])
        use[program.row[entries]] += program.amount[entries]
    over = use - program.left
    total = float(program.cost[chosen].sum())
    for i in np.lexsort((program.worth, program.of)):
        much = min(max(over[program.of[i]], 0.0), program.size[i])
        over[program.of[i]] -= much
        total += much * program.worth[i]
    return total if (over <= SMALL).all() else np.inf
