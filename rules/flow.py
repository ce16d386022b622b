"""Steps by name: apps register what they own, and a flow is nothing but a tuple of names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a step says of one subject: go on, wait here for something named, or stop for good."""

    kind: Literal["next", "wait", "stop", "again"]
    waiting_for: str = ""


NEXT = Verdict("next")
STOP = Verdict("stop")


def wait(waiting_for: str) -> Verdict:
    """Stay at this step until somebody re-opens it; `waiting_for` names what for (payment, stock, hold …)."""
    return Verdict("wait", waiting_for)


def again(step: str) -> Verdict:
    """Go back to the named step (stock was taken by somebody else between deciding and reserving)."""
    return Verdict("again", step)


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one run shares: the moment, who acts, and rows that one step leaves for the next.

    What is `kept` is only there to spare a query: a run may begin at any step.
    """

    now: datetime
    actor: str
    kept: dict[str, Any] = field(default_factory=dict, compare=False)


#: A step takes a batch of subjects and answers per subject key; it must cost a constant number of queries.
StepFunction = Callable[[Sequence[Any], Context], Mapping[int, Verdict]]


@dataclass(frozen=True, slots=True)
class Step:
    """A registered step: its name (`noun.verb`), the function, and its label in both languages."""

    name: str
    run: StepFunction
    zh: str
    en: str


_steps: dict[str, Step] = {}


def step(name: str, *, zh: str, en: str) -> Callable[[StepFunction], StepFunction]:
    """Register a step under its name; raises ValueError if the name is taken."""

    def register(function: StepFunction) -> StepFunction:
        if name in _steps and _steps[name].run is not function:
            raise ValueError(f"step {name} is registered twice")
        _steps[name] = Step(name, function, zh, en)
        return function

    return register


def get(name: str) -> Step:
    """The step of that name; raises KeyError for an unknown one."""
    return _steps[name]


def names() -> tuple[str, ...]:
    """All registered step names, sorted."""
    return tuple(sorted(_steps))


def unknown(flow: Sequence[str]) -> list[str]:
    """The names of a flow that no app has registered."""
    return [name for name in flow if name not in _steps]


def after(flow: Sequence[str], name: str) -> str:
    """The name following `name` in the flow; empty at its end."""
    position = list(flow).index(name)
    return flow[position + 1] if position + 1 < len(flow) else ""
