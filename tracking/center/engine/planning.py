"""A template's milestones as dates: planned once, expected anew with everything that happens; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.center.engine import working
from tracking.center.engine.working import Hours


@dataclass(frozen=True, slots=True)
class Step:
    """One milestone of a template: how many hours after the one before it, in working time or around the clock."""

    milestone: str
    hours: float
    name_zh: str = ""
    name_en: str = ""
    works: bool = True
    is_optional: bool = False
    shown_to: str = "staff"
    position: int = 0

    @property
    def key(self) -> str:
        """What it is told by: production has several steps of one milestone, each with its name."""
        return f"{self.milestone}:{self.name_zh}" if self.name_zh else self.milestone


@dataclass(frozen=True, slots=True)
class Stop:
    """One milestone of an order's plan; `actual` wins over `expected`, which begins as `planned`."""

    step: Step
    planned: datetime
    expected: datetime
    actual: datetime | None

    @property
    def late(self) -> timedelta:
        """By how much it is, or will be, later than planned; never negative."""
        return max(timedelta(0), (self.actual or self.expected) - self.planned)


def planned(steps: Sequence[Step], begin: datetime, hours: Hours) -> dict[str, datetime]:
    """When each step is to be done, from the moment the order began."""
    found, at = {}, begin
    for step in steps:
        at = _after(at, step, hours)
        found[step.key] = at
    return found


def expected(
    steps: Sequence[Step],
    plan: Mapping[str, datetime],
    actuals: Mapping[str, datetime],
    hours: Hours,
    *,
    begin: datetime,
    now: datetime,
) -> list[Stop]:
    """Every step with its plan, what is expected now, and what happened.

    What is to come starts from the last thing that happened, never earlier than now. A step that was skipped
    (a later one happened) keeps its plan and is expected no more.
    """
    last = max((n for n, step in enumerate(steps) if step.key in actuals), default=-1)
    at = actuals[steps[last].key] if last >= 0 else begin
    stops = []
    for number, step in enumerate(steps):
        actual = actuals.get(step.key)
        if number <= last:
            stops.append(Stop(step, plan[step.key], actual or plan[step.key], actual))
            continue
        at = max(_after(at, step, hours), now) if number == last + 1 else _after(at, step, hours)
        stops.append(Stop(step, plan[step.key], at, None))
    return stops


def _after(at: datetime, step: Step, hours: Hours) -> datetime:
    span = timedelta(hours=step.hours)
    return working.after(at, span, hours) if step.works else at + span
