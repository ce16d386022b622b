"""The draft of a set as one document: read from outside within limits, kept with an optimistic lock."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from rules.engine import MAX_RULES, RuleError, read
from rules.engine.parse import object_of
from rules.models import Rule, RuleSet

_CODE = re.compile(r"[-a-zA-Z0-9_]{1,40}", re.ASCII)
_KEYS = {
    "code", "name", "name_en", "priority", "when", "then", "group", "stop", "valid_from", "valid_to", "is_active",
}  # fmt: skip
#: Field of the model by key of the document, where they differ.
_FIELDS = {"when": "condition", "then": "actions", "stop": "stops"}
_TEXTS = {"name": 120, "name_en": 120, "group": 40}
_HIGHEST = 2**31 - 1


class StaleDraft(Exception):
    """Somebody else changed the draft since it was opened; nothing was written."""


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who kept the draft last, and when; nobody where a program did."""

    by: str
    by_id: int | None
    at: datetime


def documents(ruleset: RuleSet) -> list[dict[str, Any]]:
    """All rules of the draft, switched off ones too, in the order they run; each with the keys of a document."""
    return [_document(rule) for rule in ruleset.rules.order_by("priority", "code")]


def token(ruleset: RuleSet, rules: Sequence[Mapping[str, Any]] | None = None) -> str:
    """What the draft says, as a short text; another after any change."""
    told = json.dumps([ruleset.pk, rules if rules is not None else documents(ruleset)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def last_change(ruleset: RuleSet) -> LastChange | None:
    """The newest entry of the history of its rules."""
    newest = (
        Rule.history.filter(ruleset_id=ruleset.pk)
        .select_related("history_user")
        .order_by("-history_date", "-history_id")
        .first()
    )
    if newest is None:
        return None
    who = newest.history_user
    return LastChange(who.get_username() if who else "", who.pk if who else None, newest.history_date)


def given(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Rules from outside, each a JSON text; RuleError, its path begun with the rule's code, where one has no shape.

    Whether a rule compiles is not asked: a draft may be half done, publishing refuses it.
    """
    rules: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        if number >= MAX_RULES:
            raise RuleError("rules", "size", zh=f"规则超过 {MAX_RULES} 条", en=f"more than {MAX_RULES} rules")
        rules.append(_read(text, number))
    codes = [rule["code"] for rule in rules]
    for code in codes:
        if codes.count(code) > 1:
            raise RuleError(f"{code}.code", "twice", zh="编号重复", en="is used twice")
    return rules


def content(rules: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The rules that are on, as a version would say them."""
    on = sorted(
        (rule for rule in rules if rule["is_active"]), key=lambda rule: (rule["priority"], rule["code"])
    )
    return {"rules": [body(rule) for rule in on]}


def body(rule: Mapping[str, Any]) -> dict[str, Any]:
    """One rule as versions keep it."""
    said = {key: rule[key] for key in _KEYS - {"code", "is_active"}}
    return {**said, "id": rule["code"], "when": rule["when"] or {"all": []}}


def of_version(version_content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules of a version as documents of a draft."""
    return [
        {**{key: rule.get(key, "") for key in _KEYS}, "code": rule["id"], "is_active": True}
        for rule in version_content["rules"]
    ]


@transaction.atomic
def keep(ruleset: RuleSet, rules: Sequence[Mapping[str, Any]], known: str) -> str:
    """Make these rules the draft; the new token.

    Raises StaleDraft where the draft no longer has the token `known`. Rules that did not change are not written, so
    the history tells what each save changed.
    """
    RuleSet.objects.select_for_update().get(pk=ruleset.pk)
    rows = {rule.code: rule for rule in ruleset.rules.all()}
    if token(ruleset) != known:
        raise StaleDraft
    wanted = {rule["code"]: rule for rule in rules}
    for code, row in rows.items():
        if code not in wanted:
            row.delete()
    for code, rule in wanted.items():
        row = rows.get(code) or Rule(ruleset=ruleset, code=code)
        if code not in rows or _document(row) != _plain(rule):
            _fill(row, rule)
            row.save()
    return token(ruleset)


def _fill(row: Rule, rule: Mapping[str, Any]) -> None:
    for key in _KEYS - {"code", "valid_from", "valid_to"}:
        setattr(row, _FIELDS.get(key, key), rule[key])
    row.valid_from, row.valid_to = _moment(rule["valid_from"]), _moment(rule["valid_to"])


def _document(rule: Rule) -> dict[str, Any]:
    found = {key: getattr(rule, _FIELDS.get(key, key)) for key in _KEYS}
    return _plain({**found, "when": rule.condition or {"all": []}})


def _plain(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Moments as one text, so that equal documents are equal values."""
    return {**rule, **{key: _text(rule[key]) for key in ("valid_from", "valid_to")}}


def _text(moment: str | datetime | None) -> str | None:
    found = _moment(moment) if isinstance(moment, str) else moment
    return found.astimezone(UTC).isoformat() if found is not None else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _read(text: str, number: int) -> dict[str, Any]:
    place = f"rules[{number}]"
    rule = object_of(read(text), place, _KEYS, required=_KEYS)
    code = rule["code"]
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise RuleError(
            f"{place}.code", "code", zh="编号只用字母、数字、- 和 _，最多 40 个",
            en="is up to 40 letters, digits, - and _",
        )  # fmt: skip
    _look(rule, code)
    return _plain(rule)


def _look(rule: Mapping[str, Any], code: str) -> None:
    """Shape only, as the columns need it."""
    for key, longest in _TEXTS.items():
        if not isinstance(rule[key], str) or len(rule[key]) > longest:
            raise RuleError(
                f"{code}.{key}", "length", zh=f"最多 {longest} 个字", en=f"has at most {longest} signs"
            )
    if not rule["name"].strip():
        raise RuleError(f"{code}.name", "empty", zh="请起个名字", en="needs a name")
    priority = rule["priority"]
    if isinstance(priority, bool) or not isinstance(priority, int) or abs(priority) > _HIGHEST:
        raise RuleError(f"{code}.priority", "type", zh="必须是整数", en="must be a whole number")
    if not isinstance(rule["stop"], bool) or not isinstance(rule["is_active"], bool):
        raise RuleError(f"{code}.stop", "type", zh="必须是是或否", en="must be yes or no")
    if not isinstance(rule["when"], dict) or not isinstance(rule["then"], list):
        raise RuleError(
            f"{code}.when", "shape", zh="条件或动作的形式不对", en="condition or actions have a wrong form"
        )
    for key in ("valid_from", "valid_to"):
        _look_at_moment(rule[key], f"{code}.{key}")


def _look_at_moment(value: Any, path: str) -> None:
    if value is None:
        return
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RuleError(path, "type", zh="不是有效的时间", en="is not a valid time")
