"""Looking at a whole draft before it is published: what can never count, what contradicts, what overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

from rules import vocabulary
from rules.engine import MAX_RULES, CompiledRule, RuleError, Vocabulary, compile_rule, implies, never
from rules.engine.evaluate import order_of
from rules.vocabulary import Drafted, Finding

__all__ = ["Finding", "compiled", "drafted", "findings", "moment", "overlap", "refuse_errors"]

#: Findings about words that were there once; going back to an old version asks for them again.
WORDS_GONE = frozenset({"removed_field", "unknown_fact"})
_PLAIN = ("id", "name", "priority", "when", "then", "stop", "group")


def compiled(purpose: str, content: Mapping[str, Any], scope: str = "") -> list[CompiledRule]:
    """The rules of a version, in the order they stand; RuleError, its path begun with the rule's code."""
    words = vocabulary.words_for(purpose, scope, content)
    if len(content["rules"]) > MAX_RULES:
        raise RuleError("rules", "size", zh=f"规则超过 {MAX_RULES} 条", en=f"more than {MAX_RULES} rules")
    return [_compiled(purpose, body, words) for body in content["rules"]]


def drafted(purpose: str, content: Mapping[str, Any], scope: str = "") -> list[Drafted]:
    """The rules of a draft in the order they run, with what was written; RuleError as `compiled`."""
    rules = zip(content["rules"], compiled(purpose, content, scope), strict=True)
    found = [
        Drafted(body, rule, moment(body["valid_from"]), moment(body["valid_to"])) for body, rule in rules
    ]
    return sorted(found, key=lambda one: order_of(one.rule))


def findings(
    purpose: str, set_code: str, scope: str, content: Mapping[str, Any], *, now: datetime
) -> list[Finding]:
    """Errors first, then warnings; where rules do not compile nothing else is looked at."""
    words = vocabulary.words_for(purpose, scope, content)
    faults = [fault for body in content["rules"] if (fault := _fault(purpose, body, words)) is not None]
    if faults:
        return faults
    rules = drafted(purpose, content, scope)
    found = [
        *_impossible(rules, words), *_hidden(rules, words), *_ties(rules), *_overlaps(rules), *_over(rules, now),
        *vocabulary.review(purpose, set_code, scope, rules, now),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.level != "error")


def refuse_errors(found: Iterable[Finding]) -> None:
    """Raises the first error as RuleError; warnings pass."""
    for one in found:
        if one.level == "error":
            raise RuleError(one.path, one.code, zh=one.zh, en=one.en)


def moment(text: str | None) -> datetime | None:
    """A moment as versions keep it."""
    return datetime.fromisoformat(text) if text else None


def _compiled(purpose: str, body: Mapping[str, Any], words: Vocabulary) -> CompiledRule:
    try:
        rule = compile_rule({key: body[key] for key in _PLAIN}, words)
        vocabulary.check(purpose, rule)
    except RuleError as fault:
        raise RuleError(f"{body['id']}.{fault.path}", fault.code, zh=fault.zh, en=fault.en) from fault
    return rule


def _fault(purpose: str, body: Mapping[str, Any], words: Vocabulary) -> Finding | None:
    try:
        _compiled(purpose, body, words)
    except RuleError as fault:
        return Finding("error", fault.path, fault.code, fault.zh, fault.en)
    return None


def _impossible(rules: Sequence[Drafted], words: Vocabulary) -> Iterator[Finding]:
    for one in rules:
        if never(one.body["when"], words):
            yield Finding(
                "error",
                f"{one.rule.id}.when",
                "never",
                "条件自相矛盾，永远不会成立",
                "contradicts itself and can never hold",
            )
        if one.since is not None and one.until is not None and one.until <= one.since:
            yield Finding(
                "error", f"{one.rule.id}.valid_to", "never", "结束早于开始", "ends before it begins"
            )


def _hidden(rules: Sequence[Drafted], words: Vocabulary) -> Iterator[Finding]:
    """Rules behind one that always comes first where they would count, and ends the run or takes their group."""
    for earlier, later in combinations(rules, 2):
        same_group = bool(earlier.rule.group) and earlier.rule.group == later.rule.group
        if not (earlier.rule.stop or same_group) or not _covers_time(earlier, later):
            continue
        if implies(later.body["when"], earlier.body["when"], words):
            first = earlier.rule.id
            yield Finding(
                "warning", f"{later.rule.id}.when", "unreachable",
                f"凡符合此规则的订单都先符合「{first}」，后者{'同组' if same_group else '会停止后续规则'}",
                f"every order it means is taken by '{first}' first, which "
                + ("is of the same group" if same_group else "stops later rules"),
            )  # fmt: skip


def _ties(rules: Sequence[Drafted]) -> Iterator[Finding]:
    """Two of one group with one priority: which of them counts would hang on their names."""
    for first, second in combinations(rules, 2):
        same = first.rule.group and (first.rule.group, first.rule.priority) == (
            second.rule.group, second.rule.priority,
        )  # fmt: skip
        if same and overlap(first, second):
            yield Finding(
                "error", f"{second.rule.id}.priority", "tie",
                f"与互斥的「{first.rule.id}」优先级相同，请改其一", f"has the priority of '{first.rule.id}', which excludes it",
            )  # fmt: skip


def _overlaps(rules: Sequence[Drafted]) -> Iterator[Finding]:
    """Rules of one group whose limited times run into each other: perhaps the second was to follow the first."""
    for first, second in combinations(rules, 2):
        timed = any(side is not None for one in (first, second) for side in (one.since, one.until))
        if first.rule.group and first.rule.group == second.rule.group and timed and overlap(first, second):
            yield Finding(
                "warning", f"{second.rule.id}.valid_from", "overlap",
                f"与同组的「{first.rule.id}」时间重叠", f"runs at the same time as '{first.rule.id}' of its group",
            )  # fmt: skip


def _over(rules: Sequence[Drafted], now: datetime) -> Iterator[Finding]:
    for one in rules:
        if one.until is not None and one.until <= now:
            yield Finding(
                "warning",
                f"{one.rule.id}.valid_to",
                "expired",
                "已过结束时间，不会生效",
                "is over already: it will not count",
            )


def overlap(first: Drafted, second: Drafted) -> bool:
    """Whether there is a moment at which both count."""
    starts_before_end = first.since is None or second.until is None or first.since < second.until
    return starts_before_end and (second.since is None or first.until is None or second.since < first.until)


def _covers_time(outer: Drafted, inner: Drafted) -> bool:
    begins = outer.since is None or (inner.since is not None and outer.since <= inner.since)
    return begins and (outer.until is None or (inner.until is not None and inner.until <= outer.until))
