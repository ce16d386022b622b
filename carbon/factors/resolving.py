"""Which of several editions' factors is taken, and why the others are not; pure, the same input gives the same choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

#: The order that holds until a person writes another one.
DEFAULT_ORDER = ("valid", "publisher", "region", "year")


@dataclass(frozen=True, slots=True)
class Policy:
    """The order of criteria, what is preferred within them, and the number of its version (0: built in)."""

    number: int = 0
    order: tuple[str, ...] = DEFAULT_ORDER
    publishers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    takes_expired: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """One edition's factor for what is wanted; `status` is that of its set."""

    factor_id: str
    set_code: str
    publisher: str
    version: str
    status: str
    licence: str
    region: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate with its rank (0: out of the question) and the reason in a word."""

    candidate: Candidate
    rank: int
    reason: str


def resolve(candidates: Iterable[Candidate], policy: Policy, *, day: date) -> tuple[Verdict, ...]:
    """All candidates, the chosen one (rank 1) first, those out of the question last; () without any."""
    fit: list[Candidate] = []
    out: list[Verdict] = []
    for one in sorted(candidates, key=lambda one: one.factor_id):
        reason = _refusal(one, policy, day)
        if reason:
            out.append(Verdict(one, 0, reason))
        else:
            fit.append(one)
    marks: Mapping[str, Callable[[Candidate], Any]] = {
        "valid": lambda one: 0 if _is_valid(one, day) else 1,
        "publisher": lambda one: _place(one.publisher, policy.publishers),
        "region": lambda one: _place(one.region, policy.regions),
        "year": lambda one: -(one.valid_from or date.min).toordinal(),
    }
    fit.sort(key=lambda one: (*(marks[name](one) for name in policy.order), one.factor_id))
    chosen = [Verdict(one, n, _why(fit, n, policy, marks)) for n, one in enumerate(fit, start=1)]
    return (*chosen, *out)


def _refusal(one: Candidate, policy: Policy, day: date) -> str:
    if one.status != "active":
        return one.status
    if not one.licence:
        return "no_licence"
    if one.valid_from is not None and one.valid_from > day:
        return "not_yet_valid"
    if not policy.takes_expired and not _is_valid(one, day):
        return "expired"
    return ""


def _why(
    fit: Sequence[Candidate], rank: int, policy: Policy, marks: Mapping[str, Callable[[Candidate], Any]]
) -> str:
    """The first criterion by which this one is set apart from the best, or the best from the second."""
    if len(fit) == 1:
        return "only"
    best, other = fit[0], fit[1] if rank == 1 else fit[rank - 1]
    return next((name for name in policy.order if marks[name](best) != marks[name](other)), "order")


def _is_valid(one: Candidate, day: date) -> bool:
    return (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or day <= one.valid_to)


def _place(name: str, preferred: Sequence[str]) -> int:
    folded = [word.casefold() for word in preferred]
    return folded.index(name.casefold()) if name.casefold() in folded else len(folded)
