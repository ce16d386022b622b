"""The words each purpose may use: apps teach them in their own `vocabulary.py`, rules know no orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rules.engine import Action, CompiledRule, Fact, Vocabulary

#: Looks at a compiled rule beyond types (a percentage above 100); raises RuleError.
Check = Callable[[CompiledRule], None]

_facts: dict[str, dict[str, Fact]] = {}
_actions: dict[str, dict[str, Action]] = {}
_checks: dict[str, dict[str, Check]] = {}


def teach(
    purpose: str, *, facts: Iterable[Fact] = (), actions: Iterable[Action] = (), check: Check | None = None
) -> None:
    """Add words to a purpose; the same word again replaces the older one."""
    _facts.setdefault(purpose, {}).update({fact.name: fact for fact in facts})
    _actions.setdefault(purpose, {}).update({action.name: action for action in actions})
    if check is not None:
        _checks.setdefault(purpose, {})[f"{check.__module__}.{check.__qualname__}"] = check


def words(purpose: str) -> Vocabulary:
    """All words of a purpose; an unknown purpose has none."""
    return Vocabulary(dict(_facts.get(purpose, {})), dict(_actions.get(purpose, {})))


def check(purpose: str, rule: CompiledRule) -> None:
    """Run the purpose's own checks over a rule; raises RuleError."""
    for look in _checks.get(purpose, {}).values():
        look(rule)
