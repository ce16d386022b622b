"""Policies: made from the starter signals, published as immutable versions, found for a batch with one query."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import OuterRef, Subquery

from orderhub.access.models import Merchant
from orderhub.fields.vocabulary import facts_of_scope
from orderhub.orders.risk.engine import VOCABULARY, Policy, compile_policy
from orderhub.orders.risk.models import RiskPolicy, RiskPolicyVersion, RiskSignal
from rules.engine import Fact, Vocabulary
from rules.vocabulary import named

_DATA = Path(__file__).resolve().parent / "data"
_CACHED = 200
_SETTINGS = (
    "review_minutes", "on_timeout", "on_fault", "fault_amount", "four_eyes_from", "holdout_percent", "holdout_below",
    "promoted_skus", "forwarder_words", "disposable_domains", "safe_flags",
)  # fmt: skip
# Keyed by what the version says, so that a restored database never meets a stale entry.
_compiled: dict[str, Policy] = {}


@dataclass(frozen=True, slots=True)
class InForce:
    """A merchant's published policy and the number of its version."""

    number: int
    policy: Policy


@transaction.atomic
def start(merchant: Merchant, *, now: datetime, live: bool = False) -> RiskPolicy:
    """The merchant's policy, made from the starter signals where there is none; new signals start in shadow."""
    lists = json.loads((_DATA / "lists.json").read_text("utf-8"))
    policy, made = RiskPolicy.objects.get_or_create(
        merchant=merchant,
        defaults={
            "forwarder_words": lists["forwarders"], "disposable_domains": lists["disposable_mail"],
            "safe_flags": lists["platform_safe"],
        },
    )  # fmt: skip
    if made:
        fill(policy, now=now, live=live)
    return policy


def fill(policy: RiskPolicy, *, now: datetime, live: bool = False) -> None:
    """Give a policy without signals the starter ones; they start in shadow."""
    found = [
        signal(policy, row, position=position, now=now) for position, row in enumerate(starter_signals(), 1)
    ]
    for one in found:
        if not live and one.mode != RiskSignal.Mode.OFF:
            one.mode = RiskSignal.Mode.SHADOW.value
    RiskSignal.objects.bulk_create(found)


def signal(policy: RiskPolicy, row: dict[str, Any], *, position: int, now: datetime) -> RiskSignal:
    """A starter signal for this policy's draft, not saved yet, in the mode the row says."""
    return RiskSignal(
        policy=policy, position=position, mode_since=now, code=row["code"], group=row["group"],
        window_hours=row["window_hours"], condition=row["condition"], points=row["points"], holds=row["holds"],
        mode=row["mode"], name=row["zh"], name_en=row["en"], says=row["says_zh"], says_en=row["says_en"],
    )  # fmt: skip


def starter_signals() -> list[dict[str, Any]]:
    """The signals every policy starts from."""
    found: list[dict[str, Any]] = json.loads((_DATA / "signals.json").read_text("utf-8"))
    return found


def content(policy: RiskPolicy) -> dict[str, Any]:
    """The draft as it would be published."""
    settings = {name: _plain(getattr(policy, name)) for name in _SETTINGS}
    rows = policy.signals.order_by("position", "code")
    signals = [
        {
            "code": x.code, "group": x.group, "window_hours": x.window_hours, "condition": x.condition,
            "points": x.points, "holds": x.holds, "mode": x.mode, "zh": x.name, "en": x.name_en or x.name,
            "says_zh": x.says, "says_en": x.says_en or x.says,
        }
        for x in rows
    ]  # fmt: skip
    said = {
        "review_from": policy.review_from, "hold_from": policy.hold_from, "group_cap": policy.group_cap,
        "settings": settings, "signals": signals,
    }  # fmt: skip
    own = custom_facts(policy.merchant_id, [row["condition"] for row in signals])
    return {**said, "facts": own} if own else said


def custom_facts(merchant_id: int, conditions: Iterable[Any]) -> list[dict[str, Any]]:
    """The merchant's custom fields that these conditions name, as a version keeps them; no query where none does."""
    names = {name for tree in conditions for _path, name in named(tree) if name not in VOCABULARY.facts}
    if not names:
        return []
    return [asdict(fact) for fact in facts_of_scope(f"merchant:{merchant_id}") if fact.name in names]


def words(merchant_id: int, condition: Any) -> Vocabulary:
    """The words a condition may be read with: ours, and the merchant's fields if it names any."""
    own = [
        Fact(**{**row, "choices": tuple(row["choices"])}) for row in custom_facts(merchant_id, [condition])
    ]
    return Vocabulary.of([*VOCABULARY.facts.values(), *own]) if own else VOCABULARY


def publish(
    policy: RiskPolicy, actor: AbstractBaseUser | None, note: str = "", *, now: datetime
) -> RiskPolicyVersion:
    """Publish the draft; the newest version, unchanged, if it says the same. RuleError names the faulty signal."""
    said = content(policy)
    compile_policy(said)
    return _append(policy, said, actor=actor, note=note, now=now)


def roll_back(
    policy: RiskPolicy, number: int, actor: AbstractBaseUser | None, *, now: datetime
) -> RiskPolicyVersion:
    """Publish an older version again as a new one, and set the draft to what it says."""
    said = policy.versions.get(number=number).content
    there = custom_facts(policy.merchant_id, [row["condition"] for row in said["signals"]])
    # The fields as they are now: one that was removed since is an unknown word.
    said = {
        **{name: value for name, value in said.items() if name != "facts"},
        **({"facts": there} if there else {}),
    }
    compile_policy(said)
    with transaction.atomic():
        _restore(policy, said, now=now)
        return _append(policy, said, actor=actor, note=f"= {number}", now=now)


def in_force(merchant_ids: Collection[int]) -> dict[int, InForce]:
    """The newest published policy of each merchant that has one; one query."""
    newest = RiskPolicyVersion.objects.filter(policy=OuterRef("policy")).order_by("-number").values("pk")[:1]
    rows = RiskPolicyVersion.objects.filter(policy__merchant__in=merchant_ids, pk=Subquery(newest))
    return {
        row.policy.merchant_id: InForce(row.number, compiled(row.content))
        for row in rows.select_related("policy")
    }


def compiled(said: dict[str, Any]) -> Policy:
    """A published content ready to score with; kept by what it says."""
    key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    if key not in _compiled:
        if len(_compiled) >= _CACHED:
            _compiled.clear()
        _compiled[key] = compile_policy(said)
    return _compiled[key]


def _append(
    policy: RiskPolicy, said: dict[str, Any], *, actor: AbstractBaseUser | None, note: str, now: datetime
) -> RiskPolicyVersion:
    with transaction.atomic():
        RiskPolicy.objects.select_for_update().get(pk=policy.pk)
        newest = policy.versions.order_by("-number").first()
        if newest is not None and newest.content == said:
            return newest
        return RiskPolicyVersion.objects.create(
            policy=policy, number=newest.number + 1 if newest else 1, content=said, published_at=now,
            published_by_id=actor.pk if actor is not None else None, note=note,
        )  # fmt: skip


def _restore(policy: RiskPolicy, said: dict[str, Any], *, now: datetime) -> None:
    for name in ("review_from", "hold_from", "group_cap"):
        setattr(policy, name, said[name])
    for name in _SETTINGS:
        setattr(policy, name, said["settings"][name])
    policy.full_clean(exclude=["merchant"])  # amounts are numbers again
    policy.save()
    kept = [row["code"] for row in said["signals"]]
    policy.signals.exclude(code__in=kept).delete()
    for position, row in enumerate(said["signals"], 1):
        values = {
            "position": position, "name": row["zh"], "name_en": row["en"], "says": row["says_zh"],
            "says_en": row["says_en"], "mode_since": now,
            **{name: row[name] for name in ("group", "window_hours", "condition", "points", "holds", "mode")},
        }  # fmt: skip
        policy.signals.update_or_create(code=row["code"], defaults=values)


def _plain(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, Decimal) else value
