"""The words each purpose may use: apps teach them in their own `vocabulary.py`, rules know no orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

_facts: dict[str, dict[str, Fact]] = {}
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


def words(purpose: str) -> Vocabulary:
    """All words of a purpose; an unknown purpose has none."""
    return Vocabulary(dict(_facts.get(purpose, {})), dict(_actions.get(purpose, {})))


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
