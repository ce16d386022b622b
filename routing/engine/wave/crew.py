"""A second process for the search: it solves drawn orders beside ours; what it finds is checked again before it counts."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import numpy as np

from routing.engine.wave.search import Draw, Ground, Standing, solve_orders
from routing.engine.wave.shape import Flags, Ints

Task = tuple[str, Ints]
Result = tuple[str, Ints, Ints, float]


class Helper:
    """A forked process that holds the same ground; one batch of drawn orders at a time."""

    def __init__(self, ground: Ground) -> None:
        fork = multiprocessing.get_context("fork")
        self._ours, theirs = fork.Pipe()
        self._process = fork.Process(target=_serve, args=(theirs, self._ours, ground), daemon=True)
        self._process.start()
        theirs.close()
        self.busy = False

    def __enter__(self) -> Helper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        self._process.kill()
        self._process.join()

    def give(self, place: Ints, tasks: list[Task], seconds: float) -> None:
        """Hand over a batch: the plans as they stand and the orders to free, one set after the other."""
        self._ours.send((place, tasks, seconds))
        self.busy = True

    def take(self) -> list[Result] | None:
        """Results as (way, orders, their places, effort) if they are there."""
        if not self.busy or not self._ours.poll():
            return None
        results: list[Result] = self._ours.recv()
        self.busy = False
        return results


def _serve(ours: Connection[Any, Any], other: Connection[Any, Any], ground: Ground) -> None:
    other.close()
    while True:
        try:
            place, tasks, seconds = ours.recv()
        except (EOFError, OSError):
            return
        standing, results = Standing(ground, place), []
        for way, chosen in tasks:
            places, effort = solve_orders(ground, standing, chosen, seconds)
            standing.change(ground, chosen, places)
            results.append((way, chosen, np.asarray(standing.place[chosen]), effort))
        try:
            ours.send(results)
        except OSError:
            return


_ROUND_SECONDS = 3.0  # at most for one round; rounds are sized to take far less
_BATCH = 3  # rounds handed to the second process at a time
_PATIENCE = 60  # fruitless rounds in a row after which a small wave is left as it is


def search(
    ground: Ground, standing: Standing, bound: float, until: float, *, gap: float, seed: int, workers: int
) -> int:
    """Improve the standing plan until the time is up, the gap reached or nothing found for long; returns the rounds."""
    draw, rounds, idle = Draw(ground, seed), 0, 0
    orders = len(ground.shape.ids)
    busy = np.zeros(orders, dtype=bool)
    with contextlib.ExitStack() as stack:
        helper = stack.enter_context(Helper(ground)) if workers > 1 else None
        while (left := until - time.monotonic()) > 0.05 and idle < _PATIENCE:
            if standing.cost <= bound + gap * abs(bound) + 1e-6:
                break
            if helper is not None:
                _collect(helper, ground, standing, draw, busy)
                if not helper.busy and left > 0.5:
                    _hand_over(helper, standing, draw, busy, min(left - 0.2, _ROUND_SECONDS))
            way, chosen = draw.draw(standing, busy)
            if not len(chosen):
                break
            places, effort = solve_orders(ground, standing, chosen, min(left, _ROUND_SECONDS))
            saved = standing.change(ground, chosen, places)
            draw.learn(way, saved, effort)
            rounds += 1
            idle = 0 if saved > 0.0 else idle + 1
        if helper is not None and helper.busy and until - time.monotonic() > 0.05:
            _collect(helper, ground, standing, draw, busy)
    return rounds


def _hand_over(helper: Helper, standing: Standing, draw: Draw, busy: Flags, seconds: float) -> None:
    """Draw a batch for the second process; its orders are not drawn here until it is back."""
    tasks: list[Task] = []
    for _ in range(_BATCH):
        way, chosen = draw.draw(standing, busy)
        if len(chosen):
            busy[chosen] = True
            tasks.append((way, chosen))
    helper.give(standing.place, tasks, seconds)


def _collect(helper: Helper, ground: Ground, standing: Standing, draw: Draw, busy: Flags) -> None:
    """Apply what the second process found and still fits beside what was changed here meanwhile."""
    results = helper.take()
    for way, chosen, places, effort in results or ():
        draw.learn(way, standing.change(ground, chosen, places), effort)
        busy[chosen] = False
