"""Publishing rules and finding what is in force; a published version never changes and counts at once
everywhere.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from rules import checking, flow, queries, vocabulary
from rules.checking import Finding
from rules.engine import CompiledRule, Outcome, evaluate
from rules.models import Rule, RuleSet, RuleVersion
from rules.vocabulary import Replayed

logger = logging.getLogger(__name__)

_CACHED = 500


@dataclass(frozen=True, slots=True)
class TimedRule:
    """A compiled rule and the time it is valid in; `until` itself is excluded."""

    rule: CompiledRule
    since: datetime | None
    until: datetime | None
    name_en: str = ""

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
    digest: str = ""

    def run(self, facts: Mapping[str, object], *, now: datetime) -> Outcome:
        """Evaluate the rules valid at `now` over the facts of one subject."""
        return evaluate((timed.rule for timed in self.rules if timed.holds_at(now)), facts)


# Keyed by what the version says, so that a restored or re-seeded database can never meet a stale entry.
_compiled: dict[tuple[str, str], tuple[TimedRule, ...]] = {}


def publish(
    ruleset: RuleSet,
    actor: AbstractBaseUser | None,
    note: str = "",
    *,
    now: datetime | None = None,
    effective_at: datetime | None = None,
) -> RuleVersion:
    """Publish the draft as a new version, at once or from `effective_at`; the newest one, unchanged, if it says the
    same already.

    Raises RuleError, whose path starts with the rule's code, if a rule cannot be compiled or the review of the set
    finds an error; nothing is written then.
    """
    content = draft_content(ruleset)
    checking.refuse_errors(
        checking.findings(ruleset.purpose, ruleset.code, ruleset.scope, content, now=now or timezone.now())
    )
    return _append(ruleset, content, actor=actor, note=note, now=now, effective_at=effective_at)


def check(ruleset: RuleSet, *, now: datetime | None = None) -> list[Finding]:
    """Everything the review has to say of the draft: errors, which publishing refuses, then warnings."""
    content = draft_content(ruleset)
    return checking.findings(ruleset.purpose, ruleset.code, ruleset.scope, content, now=now or timezone.now())


def replay(ruleset: RuleSet, *, now: datetime | None = None) -> Replayed | None:
    """What the draft would have done to what happened lately; None where its purpose knows no replay, RuleError if it
    does not compile.
    """
    look = vocabulary.replay_of(ruleset.purpose)
    if look is None:
        return None
    rules = checking.drafted(ruleset.purpose, draft_content(ruleset), ruleset.scope)
    return look(ruleset.code, ruleset.scope, rules, now or timezone.now())


def version_in_force(ruleset: RuleSet, *, now: datetime | None = None) -> RuleVersion | None:
    """The version of a set that counts at a moment; one query."""
    return queries.come_into_force(ruleset.versions.all(), now=now or timezone.now()).first()


def withdraw(version: RuleVersion, *, now: datetime | None = None) -> bool:
    """Take back a version before its time has come; whether it was taken back. One that was in force stays."""
    moment = now or timezone.now()
    waiting = RuleVersion.objects.filter(pk=version.pk, effective_at__gt=moment, withdrawn_at__isnull=True)
    return bool(waiting.update(withdrawn_at=moment))


def draft_content(ruleset: RuleSet) -> dict[str, Any]:
    """The draft as a version would say it."""
    return {"rules": [_content(rule) for rule in queries.draft_rules(ruleset)]}


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
    checking.refuse_errors(
        one
        for one in checking.findings(
            ruleset.purpose, ruleset.code, ruleset.scope, content, now=now or timezone.now()
        )
        if one.code in checking.WORDS_GONE
    )
    _compile(ruleset.purpose, content, ruleset.scope)
    return _append(ruleset, content, actor=actor, note=note, now=now, effective_at=None)


def draft(ruleset: RuleSet) -> ActiveSet:
    """The unpublished rules, compiled for a dry run (version number 0); raises RuleError."""
    content = draft_content(ruleset)
    return drafted(ruleset, content)


def drafted(ruleset: RuleSet, content: Mapping[str, Any]) -> ActiveSet:
    """Rules that are kept nowhere yet, in place of the draft of their set (version number 0); raises RuleError."""
    rules = _compile(ruleset.purpose, content, ruleset.scope)
    return ActiveSet(ruleset.code, ruleset.scope, 0, rules, _digest(ruleset, content))


def in_force(purpose: str, scope: str = "", *, now: datetime | None = None) -> tuple[ActiveSet, ...]:
    """The published sets of a purpose that count for a scope, general ones first; one query."""
    return in_force_many(purpose, [scope], now=now)[scope]


def in_force_many(
    purpose: str, scopes: Collection[str], *, now: datetime | None = None
) -> dict[str, tuple[ActiveSet, ...]]:
    """As `in_force`, for several scopes with the same one query; another reads the rules this process has not met."""
    versions = list(queries.newest_versions(purpose, scopes, now=now or timezone.now()))
    _meet(purpose, versions)
    sets = [
        ActiveSet(
            version.ruleset.code, version.ruleset.scope, version.number, _compiled[purpose, version.digest],
            version.digest,
        )
        for version in versions
    ]  # fmt: skip
    return {scope: tuple(found for found in sets if found.scope in {"", scope}) for scope in scopes}


def flows(scopes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The active flat flow of each scope that has one; one query. A flow with unknown steps is left out and logged, one
    that is drawn counts by its versions (`rules.flows.publishing`).
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in queries.active_flows(scopes):
        steps = tuple(row.steps)
        if flow.unknown(steps):
            logger.error(
                "flow %s of %s is not used: unknown steps %s", row.code, row.scope, flow.unknown(steps)
            )
        elif steps:
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
    effective_at: datetime | None,
) -> RuleVersion:
    locked = RuleSet.objects.select_for_update().get(pk=ruleset.pk)
    newest = queries.history(locked).first()
    if newest is not None and _says_same(newest, content, effective_at):
        return newest
    version = RuleVersion.objects.create(
        ruleset=locked, number=newest.number + 1 if newest else 1, content=content,
        published_at=now or timezone.now(), digest=_digest(ruleset, content), effective_at=effective_at,
        published_by_id=actor.pk if actor is not None else None, note=note,
    )  # fmt: skip
    _meet(ruleset.purpose, [version])
    return version


def _says_same(newest: RuleVersion, content: dict[str, Any], effective_at: datetime | None) -> bool:
    return newest.content == content and newest.effective_at == effective_at and newest.withdrawn_at is None


def _content(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code, "name": rule.name, "name_en": rule.name_en, "priority": rule.priority,
        "when": rule.condition or {"all": []}, "then": rule.actions, "stop": rule.stops, "group": rule.group,
        "valid_from": _text(rule.valid_from), "valid_to": _text(rule.valid_to),
    }  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _digest(ruleset: RuleSet, content: Mapping[str, Any]) -> str:
    """What the rules say; the types of a merchant's own words are part of it, as they are compared by them."""
    found = vocabulary.words_for(ruleset.purpose, ruleset.scope, content)
    types = vocabulary.scoped_types(ruleset.purpose, content, found)
    said = json.dumps([content, types] if types else content, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _meet(purpose: str, versions: Sequence[RuleVersion]) -> None:
    """Compile the rules this process has not met yet; one query for all of them together."""
    if len(_compiled) >= _CACHED:
        _compiled.clear()
    unknown = [x for x in versions if not x.digest or (purpose, x.digest) not in _compiled]
    loaded = [x for x in unknown if "content" not in x.get_deferred_fields()]
    missing = [x.pk for x in unknown if "content" in x.get_deferred_fields()]
    contents = {x.pk: x.content for x in loaded}
    if missing:
        contents.update(RuleVersion.objects.filter(pk__in=missing).values_list("pk", "content"))
    for version in unknown:
        content = contents[version.pk]
        version.digest = version.digest or _digest(version.ruleset, content)
        if (purpose, version.digest) not in _compiled:
            _compiled[purpose, version.digest] = _compile(purpose, content, version.ruleset.scope)


def _compile(purpose: str, content: Mapping[str, Any], scope: str) -> tuple[TimedRule, ...]:
    return tuple(
        TimedRule(
            rule,
            checking.moment(body["valid_from"]),
            checking.moment(body["valid_to"]),
            body.get("name_en", ""),
        )
        for body, rule in zip(content["rules"], checking.compiled(purpose, content, scope), strict=True)
    )
