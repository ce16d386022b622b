"""The words each purpose may use: apps teach them in their own `vocabulary.py`, rules know no orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rules.engine import Action, CompiledRule, Fact, Vocabulary

#: Looks at a compiled rule beyond types (a percentage above 100); raises RuleError.
Check = Callable[[CompiledRule], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a review says of a draft: an error, which publishing refuses, or a warning; where, why, in two languages."""

    level: Literal["error", "warning"]
    path: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule of a draft: what was written (`body`), compiled, and when it counts (`until` excluded)."""

    body: dict[str, Any]
    rule: CompiledRule
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a draft would have done to what happened: how many were looked at and changed, and the words for it."""

    looked_at: int
    changed: int
    zh: str
    en: str


#: Looks at all rules of a draft together; arguments as of `Replay`.
Review = Callable[[str, str, Sequence[Drafted], datetime], Iterable[Finding]]
#: Tries the content of a draft on what happened lately; arguments: set code, scope, rules, now.
Replay = Callable[[str, str, Sequence[Drafted], datetime], Replayed]

#: The facts that only some scopes know (`merchant:5`, or none for everybody's); those `retired` only if asked for.
ScopedFacts = Callable[[str, str, bool], Iterable[Fact]]

_facts: dict[str, dict[str, Fact]] = {}
_scoped: dict[str, ScopedFacts] = {}
_actions: dict[str, dict[str, Action]] = {}
_checks: dict[str, dict[str, Check]] = {}
_reviews: dict[str, dict[str, Review]] = {}
_replays: dict[str, Replay] = {}


def teach(
    purpose: str, *, facts: Iterable[Fact] = (), actions: Iterable[Action] = (), check: Check | None = None
) -> None:
    """Add words to a purpose; the same word again replaces the older one."""
    _facts.setdefault(purpose, {}).update({fact.name: fact for fact in facts})
    _actions.setdefault(purpose, {}).update({action.name: action for action in actions})
    if check is not None:
        _checks.setdefault(purpose, {})[f"{check.__module__}.{check.__qualname__}"] = check


def teach_scoped(provide: ScopedFacts) -> None:
    """Add facts that differ by scope, such as a merchant's custom fields; asked only where a scope is given."""
    _scoped[f"{provide.__module__}.{provide.__qualname__}"] = provide


def words(purpose: str, scope: str | None = None, *, retired: bool = False) -> Vocabulary:
    """All words of a purpose, with those of a scope if one is given; an unknown purpose has none."""
    facts = dict(_facts.get(purpose, {}))
    if scope is not None:
        for provide in _scoped.values():
            facts.update((fact.name, fact) for fact in provide(purpose, scope, retired))
    return Vocabulary(facts, dict(_actions.get(purpose, {})))


def words_for(purpose: str, scope: str, content: Mapping[str, Any]) -> Vocabulary:
    """The words that these rules were written with: those of their scope, retired ones too, only if they name any.

    So compiling rules without custom fields asks nobody.
    """
    plain = words(purpose)
    known = set(plain.facts)
    if all(name in known for body in content["rules"] for _path, name in named(body.get("when"))):
        return plain
    return words(purpose, scope, retired=True)


def scoped_types(purpose: str, content: Mapping[str, Any], found: Vocabulary) -> dict[str, str]:
    """The types of the scoped facts that these rules name: they are part of what the rules say."""
    plain = _facts.get(purpose, {})
    told = {name for body in content["rules"] for _path, name in named(body.get("when"))} - plain.keys()
    return {name: found.facts[name].type for name in sorted(told) if name in found.facts}


def named(tree: object, path: str = "when") -> Iterator[tuple[str, str]]:
    """The facts a condition names, each with its place; whatever is no condition names none."""
    if isinstance(tree, Mapping):
        if isinstance(tree.get("fact"), str):
            yield f"{path}.fact", tree["fact"]
            return
        for word in ("all", "any", "not"):
            inner = tree.get(word)
            if isinstance(inner, list | tuple):
                for place, part in enumerate(inner):
                    yield from named(part, f"{path}.{word}[{place}]")
            elif inner is not None:
                yield from named(inner, f"{path}.{word}")


def check(purpose: str, rule: CompiledRule) -> None:
    """Run the purpose's own checks over a rule; raises RuleError."""
    for look in _checks.get(purpose, {}).values():
        look(rule)


def teach_review(purpose: str, review: Review, *, replay: Replay | None = None) -> None:
    """Add a review of whole drafts of a purpose, and the way to replay one."""
    _reviews.setdefault(purpose, {})[f"{review.__module__}.{review.__qualname__}"] = review
    if replay is not None:
        _replays[purpose] = replay


def review(purpose: str, set_code: str, scope: str, rules: Sequence[Drafted], now: datetime) -> list[Finding]:
    """What the purpose's own reviews find in the draft of a set."""
    looks = _reviews.get(purpose, {}).values()
    return [finding for look in looks for finding in look(set_code, scope, rules, now)]


def replay_of(purpose: str) -> Replay | None:
    """The purpose's way to replay a draft, if it has one."""
    return _replays.get(purpose)
