"""Whether a forecast is fit to make prices of: its error on what was really sold, beyond what chance explains.

Looked at before a forecast is used (against the last cycle) and every day of the cycle it is used in.
"""

from __future__ import annotations

from collections.abc import Sequence

LIMIT = 0.8  # a share of what was sold
LEAST_UNITS = 50
CHANCE = 1.34  # variance of sales over their mean, chance alone


def forecast_error(told: Sequence[float], seen: Sequence[float]) -> float | None:
    """How wrong a forecast was, as a share of what was sold: root of mean squares, chance taken off.

    The level is left aside, as prices learn it. None: too little was sold to tell. ``told`` and ``seen``: units of the
    same articles in the same places over the same time. Raises ValueError where they are not equally many or one is
    negative.
    """
    if len(told) != len(seen) or min(told, default=0) < 0 or min(seen, default=0) < 0:
        raise ValueError("forecast and sales must be the same articles, none below zero")
    sold, expected = float(sum(seen)), float(sum(told))
    if sold < LEAST_UNITS or expected <= 0:
        return None
    scale = sold / expected
    wrong = sum((scale * a - b) ** 2 for a, b in zip(told, seen, strict=True)) - CHANCE * sold
    # Chance makes the squares of sales too large; at least a tenth is left, so that nothing is divided by nought.
    square = sum(b * b for b in seen)
    return float((max(0.0, wrong) / max(square - CHANCE * sold, 0.1 * square)) ** 0.5)


def is_poisoned(told: Sequence[float], seen: Sequence[float], *, limit: float = LIMIT) -> bool:
    """Whether prices made from this forecast must be switched off."""
    error = forecast_error(told, seen)
    return error is not None and error > limit
