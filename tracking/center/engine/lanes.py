"""How long things take, as counts in classes of duration: small, mergeable, and good for any quantile; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, floor, log

#: Neighboring classes differ by a tenth, so a quantile errs by at most five percent.
STEP = log(1.1)
#: Hours of the first class.
LEAST = 0.1
#: Fewer samples than these say nothing.
FEWEST = 30

Counts = Mapping[str, int]


def class_of(hours: float) -> int:
    """The class a duration falls into."""
    return 0 if hours <= LEAST else floor(log(hours / LEAST) / STEP) + 1


def hours_of(number: int) -> float:
    """The middle of a class in hours."""
    return LEAST if number <= 0 else LEAST * exp((number - 0.5) * STEP)


def added(counts: Counts, hours: Iterable[float]) -> dict[str, int]:
    """The counts with more durations in them; keys are class numbers as text, for JSON."""
    found = dict(counts)
    for one in hours:
        key = str(class_of(max(0.0, one)))
        found[key] = found.get(key, 0) + 1
    return found


def merged(many: Iterable[Counts]) -> dict[str, int]:
    """All counts together."""
    found: dict[str, int] = {}
    for counts in many:
        for key, count in counts.items():
            found[key] = found.get(key, 0) + count
    return found


def total(counts: Counts) -> int:
    """How many durations were counted."""
    return sum(counts.values())


def quantile(counts: Counts, share: float) -> float | None:
    """The duration in hours that this share of the samples stays below; None with fewer than 30 samples."""
    number = total(counts)
    if number < FEWEST:
        return None
    reach, wanted = 0, share * number
    for key in sorted(counts, key=int):
        reach += counts[key]
        if reach >= wanted:
            return hours_of(int(key))
    return None
