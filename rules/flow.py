"""Steps by name: apps register what they own. A flow is a tuple of names, or a graph drawn of them (`rules.flows`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from rules.flows.graph import Node


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a step says of one subject: go on, wait here for something named, or stop for good."""

    kind: Literal["next", "wait", "stop", "again"]
    waiting_for: str = ""
    #: Of "next" in a drawn flow: by which exit, and what was decided on, for the trace.
    exit: str = ""
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)


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
    #: Where subjects that walk a drawn flow stand, by subject key; the node holds what the step was given there.
    places: dict[int, Node] = field(default_factory=dict, compare=False)


#: A step takes a batch of subjects and answers per subject key; it must cost a constant number of queries.
StepFunction = Callable[[Sequence[Any], Context], Mapping[int, Verdict]]


Group = Literal["check", "step", "decide", "wait", "act"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value a parameter may have, in both languages."""

    value: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Param:
    """What a step is told at a node: text, integer, time (HH:MM) or a choice; of `choices`, or of those that `among`
    answers for a scope (`merchant:<id>`), as strategies or connections differ by merchant.
    """

    name: str
    kind: Literal["text", "integer", "time", "choice"]
    zh: str
    en: str
    choices: tuple[Choice, ...] = ()
    among: Callable[[str], Sequence[Choice]] | None = None
    required: bool = True
    low: int = 0
    high: int = 0
    unit: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Step:
    """A registered step: its name (`noun.verb`), the function, its label in both languages, and what a drawn flow must
    obey: `required` on every way; `after` and `before` which others; `once` on any way; whether it `pauses`, so that
    a loop through it does not spin; its `group` in the palette and its icon of the sprite. `check` says what is wrong
    with all a node of a scope was given, in zh and en, where its parameters one by one are sound.
    """

    name: str
    run: StepFunction
    zh: str
    en: str
    params: tuple[Param, ...] = ()
    group: Group = "step"
    icon: str = "gear"
    required: bool = False
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    once: bool = False
    pauses: bool = False
    check: Callable[[Mapping[str, Any], str], tuple[str, str] | None] | None = None


_steps: dict[str, Step] = {}


def step(name: str, *, zh: str, en: str, **told: Any) -> Callable[[StepFunction], StepFunction]:
    """Register a step under its name, `told` are further fields of `Step`; raises ValueError if the name is taken."""

    def register(function: StepFunction) -> StepFunction:
        if name in _steps and _steps[name].run is not function:
            raise ValueError(f"step {name} is registered twice")
        _steps[name] = Step(name, function, zh, en, **told)
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
