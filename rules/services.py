"""Publishing rules and finding what is in force; a published version never changes and counts at once
everywhere.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from rules import flow, queries, vocabulary
from rules.engine import CompiledRule, Outcome, RuleError, compile_rule, evaluate
from rules.models import Rule, RuleSet, RuleVersion

logger = logging.getLogger(__name__)

_CACHED = 500


@dataclass(frozen=True, slots=True)
class TimedRule:
    """A compiled rule and the time it is valid in; `until` itself is excluded."""

    rule: CompiledRule
    since: datetime | None
    until: datetime | None

    def holds_at(self, now: datetime) -> bool:
        """Whether the rule is valid at that moment."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class ActiveSet:
    """A published rule set ready to run: its code, scope and version number."""

    code: str
    scope: str
    number: int
    rules: tuple[TimedRule, ...]

    def run(self, facts: Mapping[str, object], *, now: datetime) -> Outcome:
        """Evaluate the rules valid at `now` over the facts of one subject."""
        return evaluate((timed.rule for timed in self.rules if timed.holds_at(now)), facts)


# Keyed by what the version says, so that a restored or re-seeded database can never meet a stale entry.
_compiled: dict[tuple[str, str], tuple[TimedRule, ...]] = {}


def publish(
    ruleset: RuleSet, actor: AbstractBaseUser | None, note: str = "", *, now: datetime | None = None
) -> RuleVersion:
    """Publish the draft as a new version; the newest one, unchanged, if it says the same already.

    Raises RuleError, whose path starts with the rule's code, if a rule cannot be compiled; nothing is written
    then.
    """
    content = {"rules": [_content(rule) for rule in queries.draft_rules(ruleset)]}
    _compile(ruleset.purpose, content)
    return _append(ruleset, content, actor=actor, note=note, now=now)


def roll_back(
    ruleset: RuleSet,
    number: int,
    actor: AbstractBaseUser | None,
    note: str = "",
    *,
    now: datetime | None = None,
) -> RuleVersion:
    """Publish the content of an older version again, as a new one; raises RuleVersion.DoesNotExist,
    RuleError.
    """
    content = ruleset.versions.get(number=number).content
    _compile(ruleset.purpose, content)
    return _append(ruleset, content, actor=actor, note=note, now=now)


def draft(ruleset: RuleSet) -> ActiveSet:
    """The unpublished rules, compiled for a dry run (version number 0); raises RuleError."""
    content = {"rules": [_content(rule) for rule in queries.draft_rules(ruleset)]}
    return ActiveSet(ruleset.code, ruleset.scope, 0, _compile(ruleset.purpose, content))


def in_force(purpose: str, scope: str = "") -> tuple[ActiveSet, ...]:
    """The published sets of a purpose that count for a scope, general ones first; one query."""
    return in_force_many(purpose, [scope])[scope]


def in_force_many(purpose: str, scopes: Collection[str]) -> dict[str, tuple[ActiveSet, ...]]:
    """As `in_force`, for several scopes with the same one query."""
    sets = [
        ActiveSet(
            version.ruleset.code, version.ruleset.scope, version.number, _cached(purpose, version.content)
        )
        for version in queries.newest_versions(purpose, scopes)
    ]
    return {scope: tuple(found for found in sets if found.scope in {"", scope}) for scope in scopes}


def flows(scopes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The active flow of each scope that has one; one query. A flow with unknown or no steps is left out and
    logged.
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in queries.active_flows(scopes):
        steps = tuple(row.steps)
        if not steps or flow.unknown(steps):
            logger.error(
                "flow %s of %s is not used: unknown steps %s", row.code, row.scope, flow.unknown(steps)
            )
            continue
        found[row.scope] = steps
    return found


@transaction.atomic
def _append(
    ruleset: RuleSet,
    content: dict[str, Any],
    *,
    actor: AbstractBaseUser | None,
    note: str,
    now: datetime | None,
) -> RuleVersion:
    locked = RuleSet.objects.select_for_update().get(pk=ruleset.pk)
    newest = queries.history(locked).first()
    if newest is not None and newest.content == content:
        return newest
    return RuleVersion.objects.create(
        ruleset=locked, number=newest.number + 1 if newest else 1, content=content,
        published_at=now or timezone.now(),
        published_by_id=actor.pk if actor is not None else None, note=note,
    )  # fmt: skip


def _content(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code, "name": rule.name, "name_en": rule.name_en, "priority": rule.priority,
        "when": rule.condition or {"all": []}, "then": rule.actions, "stop": rule.stops, "group": rule.group,
        "valid_from": _text(rule.valid_from), "valid_to": _text(rule.valid_to),
    }  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _cached(purpose: str, content: dict[str, Any]) -> tuple[TimedRule, ...]:
    key = purpose, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if key not in _compiled:
        if len(_compiled) >= _CACHED:
            _compiled.clear()
        _compiled[key] = _compile(purpose, content)
    return _compiled[key]


def _compile(purpose: str, content: Mapping[str, Any]) -> tuple[TimedRule, ...]:
    words = vocabulary.words(purpose)
    timed: list[TimedRule] = []
    for body in content["rules"]:
        plain = {key: body[key] for key in ("id", "name", "priority", "when", "then", "stop", "group")}
        try:
            rule = compile_rule(plain, words)
            vocabulary.check(purpose, rule)
        except RuleError as fault:
            raise RuleError(f"{body['id']}.{fault.path}", fault.code, zh=fault.zh, en=fault.en) from fault
        timed.append(TimedRule(rule, _moment(body["valid_from"]), _moment(body["valid_to"])))
    return tuple(timed)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
