"""How good signals and limits were, against orders whose truth became known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

#: Two-sided 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Case:
    """One order that has its label: which signals fired, what the score was, and whether it was bad."""

    fired: frozenset[str]
    points: int
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % interval (Wilson); all None where nothing was counted."""

    share: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True, slots=True)
class SignalQuality:
    """One signal: how often it fired, how often rightly, and how much of all fraud it saw."""

    code: str
    fired: int
    bad: int
    precision: Interval
    recall: Interval
    false_share: Interval


def wilson(hits: int, of: int) -> Interval:
    """The share of hits with its interval; ValueError for counts that cannot be."""
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of}")
    if of == 0:
        return Interval(None, None, None, 0)
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach), of)


def by_signal(cases: Sequence[Case], codes: Iterable[str]) -> list[SignalQuality]:
    """The quality of each signal by its code, in the order given."""
    bad = sum(case.is_bad for case in cases)
    return [_quality(code, [c for c in cases if code in c.fired], bad, len(cases) - bad) for code in codes]


def of_band(cases: Sequence[Case], limit: int) -> SignalQuality:
    """The quality of stopping every order from `limit` points on."""
    bad = sum(case.is_bad for case in cases)
    stopped = [case for case in cases if case.points >= limit]
    return _quality(f">={limit}", stopped, bad, len(cases) - bad)


def _quality(code: str, fired: Sequence[Case], bad: int, good: int) -> SignalQuality:
    rightly = sum(case.is_bad for case in fired)
    wrongly = len(fired) - rightly
    return SignalQuality(
        code, len(fired), rightly, wilson(rightly, len(fired)), wilson(rightly, bad), wilson(wrongly, good)
    )
