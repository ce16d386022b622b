"""How long a channel is blind, measured, and how many sales that may hide."""

from __future__ import annotations

import math
from math import ceil, sqrt

from orderhub.inventory.atp.world import Buffer, Seat

HOUR_SECONDS, FEW_SECONDS = 3600.0, 300.0
_DAY_SECONDS = 86_400.0
#: A Poisson process that would have been seen at least once, in 95 of 100 cases, makes three units in that time.
_UNSEEN = 3.0
#: So many standard deviations above the mean of a Poisson count are reckoned with.
_MARGIN = 4.0
#: And so many units on top, for goods that are hardly ever sold.
_LEAST = 1
#: Each smaller sample takes this part of the way down; a larger one is believed at once.
_FORGET = 0.05


def measured(known_seconds: float | None, sample_seconds: float) -> float:
    """The lag to reckon with after one more sample: jumps up at once, comes down slowly. Seconds."""
    sample = max(0.0, sample_seconds)
    if known_seconds is None or sample >= known_seconds:
        return sample
    return known_seconds + (sample - known_seconds) * _FORGET


def worst(known_seconds: float | None, sample_seconds: float, since_seconds: float) -> float:
    """The longest lag to wait for after one more sample, so many seconds after the one before: half is forgotten a day."""
    kept = (known_seconds or 0.0) * math.pow(0.5, max(0.0, since_seconds) / _DAY_SECONDS)
    return max(0.0, sample_seconds, kept)


def speed(hour: int, few: int, seen_seconds: float) -> float:
    """Units a second to reckon with, from units sold in the last hour and in its last five minutes, by a channel that
    shows the SKU for so many seconds. What was hardly watched yet may sell faster than was seen.
    """
    seen = min(max(seen_seconds, 1.0), HOUR_SECONDS)
    return max(hour / seen, few / min(seen, FEW_SECONDS), _UNSEEN / seen)


def hidden(speed_per_second: float, blind_seconds: float) -> int:
    """Units that may have been sold unheard of within the lag: mean, four deviations, and one."""
    mean = max(0.0, speed_per_second * blind_seconds)
    return ceil(mean + _MARGIN * sqrt(mean)) + _LEAST


def buffer(seat: Seat) -> int:
    """Units to keep back from a channel that gets a new quantity now; never more than it could have sold."""
    if seat.terms.buffer == Buffer.STRICT:
        return seat.exposure
    if seat.terms.buffer == Buffer.FIXED:
        return min(seat.exposure, seat.terms.fixed)
    return min(seat.exposure, hidden(seat.speed_per_second, seat.blind_seconds))
