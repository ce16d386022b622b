"""The rounds of the search: draw, solve, keep, learn, until the time is up or nothing is found for long."""

from __future__ import annotations

import time

from routing.engine.wave.search import Draw, Ground, Standing, solve_orders

_ROUND_SECONDS = 1.0  # at most for one round; rounds are sized to take far less
_PATIENCE = 60  # fruitless rounds in a row after which a small wave is left as it is


def search(ground: Ground, standing: Standing, bound: float, until: float, *, gap: float, seed: int) -> int:
    """Improve the standing plan until the time is up, the gap reached or nothing found for long; returns the rounds."""
    draw, rounds, idle = Draw(ground, seed), 0, 0
    while (left := until - time.monotonic()) > 0.05 and idle < _PATIENCE:
        if standing.cost <= bound + gap * abs(bound) + 1e-6:
            break
        way, chosen = draw.draw(standing)
        if not len(chosen):
            break
        places, effort = solve_orders(ground, standing, chosen, min(left, _ROUND_SECONDS))
        saved = standing.change(ground, chosen, places)
        draw.learn(way, saved, effort)
        rounds += 1
        idle = 0 if saved > 0.0 else idle + 1
    return rounds
