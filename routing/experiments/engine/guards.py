"""Guardrails: when the challenger does harm that money does not show, it is taken back at once.

Each rate is compared between the arms with a normal mixture that may be looked at after every order; a breach of a
warehouse's capacity needs no statistics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

LATE, DROPSHIP, CANCEL, CAPACITY = "late", "dropship", "cancel", "capacity"
GUARDS = (LATE, DROPSHIP, CANCEL, CAPACITY)
#: What the challenger may be worse by (a share of orders) before it counts as harm.
MARGINS: Mapping[str, float] = {LATE: 0.01, DROPSHIP: 0.01, CANCEL: 0.005, CAPACITY: 0.0}
ALPHA = 0.01
LEAST_ORDERS = 50
_TUNED_FOR = 1000.0  # orders at which the mixture is the sharpest


@dataclass(frozen=True, slots=True)
class Counted:
    """Orders of an arm and how many of them had the event."""

    orders: int
    events: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """A guardrail that broke: shares of both arms and the least difference that is sure."""

    guard: str
    champion: float
    challenger: float
    least: float


def harm(
    guard: str, champion: Counted, challenger: Counted, *, margin: float | None = None
) -> Tripped | None:
    """Whether the challenger is surely worse by more than the margin; None if that cannot be said (yet)."""
    limit = MARGINS[guard] if margin is None else margin
    old, new = (one.events / one.orders if one.orders else 0.0 for one in (champion, challenger))
    if guard == CAPACITY:
        return Tripped(guard, old, new, new) if challenger.events else None
    if min(champion.orders, challenger.orders) < LEAST_ORDERS:
        return None
    least = new - old - _radius(champion, challenger)
    return Tripped(guard, old, new, least) if least > limit else None


def _radius(champion: Counted, challenger: Counted) -> float:
    """Half the width of the interval of the difference, valid at any look."""
    # One event and one without are added to each arm: a share of nought is not sure either.
    rates = [(one.events + 1) / (one.orders + 2) for one in (champion, challenger)]
    spread = sum(
        rate * (1 - rate) / one.orders for rate, one in zip(rates, (champion, challenger), strict=True)
    )
    count = 2 / (1 / champion.orders + 1 / challenger.orders)
    width = 1 + count / _TUNED_FOR
    return math.sqrt(spread * width / (width - 1) * (math.log(width) - 2 * math.log(ALPHA)))
