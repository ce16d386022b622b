"""Words, errors and results of the rule language; every other module of the engine speaks in these."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

MAX_DEPTH, MAX_NODES, MAX_TEXT, MAX_BYTES, MAX_RULES = 12, 200, 500, 64_000, 1000
SCALAR = frozenset({"==", "!=", "in", "not_in", "is_set"})
ORDERED = frozenset({"<", "<=", ">", ">=", "between"})
OPS: dict[str, frozenset[str]] = {
    "text": SCALAR | {"contains", "starts_with"},
    "number": SCALAR | ORDERED,
    "money": SCALAR | ORDERED,
    "integer": SCALAR | ORDERED,
    "boolean": frozenset({"==", "!=", "is_set"}),
    "datetime": frozenset({"==", "!=", "is_set", "within"}) | ORDERED,
    "list[text]": frozenset({"contains", "in", "not_in", "is_set"}),
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, Decimal),
    "money": (int, Decimal),
    "integer": (int,),
    "boolean": (bool,),
    "datetime": (datetime,),
    "list[text]": (list, tuple, set, frozenset),
}

#: What a parameter of an action, or an item of a list of them, may be.
PLAIN = frozenset(OPS) - {"list[text]"}

Facts = Mapping[str, object]
Test = Callable[[Facts], bool]


class RuleError(ValueError):
    """A rule that cannot be compiled: where (``path``), why (``code``) and a sentence in zh and en."""

    def __init__(self, path: str, code: str, *, zh: str, en: str) -> None:
        super().__init__(f"{path}: {en}")
        self.path, self.code, self.zh, self.en = path, code, zh, en


@dataclass(frozen=True, slots=True)
class Fact:
    """A word for conditions: its type (a key of ``OPS``), labels, unit and, for text, allowed choices."""

    name: str
    type: str
    zh: str
    en: str
    unit: str = ""
    example: object = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.type not in OPS:
            raise ValueError(f"fact {self.name}: unknown type {self.type}")


@dataclass(frozen=True, slots=True)
class Action:
    """A word for consequences: parameter types by name; a type ending in ``?`` may be left out.

    ``labels`` words the parameters (zh, en) and ``say`` the whole deed: ``{name}`` stands for a parameter's value,
    and what is in square brackets is left out where a parameter inside it was not given.
    """

    name: str
    params: Mapping[str, str]
    zh: str
    en: str
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    say: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        for param, kind in self.params.items():
            plain = kind.removesuffix("?")
            if plain.removeprefix("list[").removesuffix("]") not in PLAIN:
                raise ValueError(f"action {self.name}: {param} has the unknown type {kind}")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words one rule set may use, by name."""

    facts: Mapping[str, Fact]
    actions: Mapping[str, Action]

    @classmethod
    def of(cls, facts: Iterable[Fact], actions: Iterable[Action] = ()) -> Vocabulary:
        """Build from plain sequences; the later of two equal names wins."""
        return cls({f.name: f for f in facts}, {a.name: a for a in actions})


@dataclass(frozen=True, slots=True)
class Failure:
    """A comparison that made a condition false; code is failed, missing, wrong_type or negated."""

    path: str
    fact: str
    op: str
    expected: object
    actual: object
    code: str


Why = Callable[[Facts], tuple[Failure, ...]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked condition: ``test`` answers, ``why`` names the comparisons that made it false."""

    test: Test
    why: Why


@dataclass(frozen=True, slots=True)
class FiredAction:
    """An action with parsed parameters (numbers are Decimal or int) and the rule it came from."""

    rule_id: int | str
    do: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A checked rule; lower ``priority`` runs first, then lower id. ``facts`` are those its condition asks for."""

    id: int | str
    name: str
    priority: int
    condition: Compiled
    actions: tuple[FiredAction, ...]
    stop: bool
    group: str
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of one rule: fired, not_matched, excluded (group used up), skipped (after a stop)."""

    rule_id: int | str
    name: str
    status: str
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Actions in the order they apply, the rule that stopped the run if any, and a trace of every rule."""

    actions: tuple[FiredAction, ...]
    stopped_by: int | str | None
    trace: tuple[Trace, ...]

    @property
    def stop(self) -> bool:
        """Whether a fired rule asked to end the run."""
        return self.stopped_by is not None
