"""Points proposed from labeled orders: a logistic regression whose signs are fixed, turned into whole points.

Nothing here changes a policy: a person compares and publishes. The fit is deterministic (full-batch Newton steps with a
ridge, projected onto the allowed signs), so the same orders always give the same proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orderhub.orders.risk.engine.quality import Case

#: Fewer than so many of either truth say nothing.
FEWEST = 20
_RIDGE = 1.0
_STEPS = 200
_STILL = 1e-7


@dataclass(frozen=True, slots=True)
class Proposal:
    """New points by signal beside those in force; `why_not` says why there are none."""

    points: Mapping[str, int]
    orders: int
    bad: int
    why_not: str = ""


def propose(cases: Sequence[Case], now: Mapping[str, int], *, hold_from: int, most: int = 45) -> Proposal:
    """Points so that `hold_from` marks an order as likely bad as good; signs stay as they are in `now`.

    Signals of `now` with 0 points are left alone. A signal that never fired keeps its points.
    """
    bad = sum(case.is_bad for case in cases)
    if min(bad, len(cases) - bad) < FEWEST:
        return Proposal({}, len(cases), bad, "too_few")
    codes = [code for code, points in now.items() if points and any(code in case.fired for case in cases)]
    if not codes:
        return Proposal({}, len(cases), bad, "nothing_fired")
    seen = np.array([[code in case.fired for code in codes] for case in cases], dtype=float)
    truth = np.array([case.is_bad for case in cases], dtype=float)
    signs = np.array([1.0 if now[code] > 0 else -1.0 for code in codes])
    weights, start = _fit(seen, truth, signs)
    if start >= 0:  # most orders are bad: there is no base to rise from
        return Proposal({}, len(cases), bad, "mostly_bad")
    scale = hold_from / -start
    proposed = {
        code: int(np.clip(round(w * scale), -most, most)) for code, w in zip(codes, weights, strict=True)
    }
    return Proposal({code: proposed.get(code, points) for code, points in now.items()}, len(cases), bad)


def _fit(seen: np.ndarray, truth: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of the given signs and the intercept, by projected Newton steps with halving."""
    design = np.hstack([np.ones((len(seen), 1)), seen])
    ridge = np.diag([1e-6, *([_RIDGE] * seen.shape[1])])
    at = np.zeros(design.shape[1])
    loss = _loss(design, truth, ridge, at)
    for _step in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ at, -30, 30)))
        slope = design.T @ (chance - truth) + ridge @ at
        # What would leave the allowed side stays at the border and is left out of the step.
        free = np.concatenate([[True], ~((at[1:] == 0) & (slope[1:] * signs > 0))])
        bend = (design[:, free].T * (chance * (1 - chance))) @ design[:, free] + ridge[np.ix_(free, free)]
        step = np.zeros_like(at)
        step[free] = np.linalg.solve(bend, slope[free])
        size = 1.0
        while size > 1e-6:
            new = at - size * step
            new[1:] = np.where(new[1:] * signs < 0, 0.0, new[1:])
            new_loss = _loss(design, truth, ridge, new)
            if new_loss <= loss:
                break
            size /= 2
        else:
            break
        moved, at, loss = float(np.abs(new - at).max()), new, new_loss
        if moved < _STILL:
            break
    return at[1:], float(at[0])


def _loss(design: np.ndarray, truth: np.ndarray, ridge: np.ndarray, at: np.ndarray) -> float:
    said = np.clip(design @ at, -30, 30)
    return float(np.sum(np.logaddexp(0, said) - truth * said) + 0.5 * at @ ridge @ at)
