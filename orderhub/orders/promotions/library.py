"""The shelf of ready-made promotions: data a person copies into a rule set's draft and then changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.models import Sku
from orderhub.orders.models import Channel
from orderhub.orders.promotions import carts
from rules import vocabulary
from rules.engine import compile_rule, sentence
from rules.library.shelves import Copy, Entry, Shelf, Slot, Target, Words
from rules.models import Rule, RuleSet

_DATA = Path(__file__).resolve().parent / "data" / "library.json"
_MOST_CHOICES = 200


@cache
def starters() -> tuple[dict[str, Any], ...]:
    """The ready-made promotions as they stand in the file."""
    return tuple(json.loads(_DATA.read_text("utf-8")))


def entries() -> list[Entry]:
    """Each promotion with its sentence in both languages and its worked cart in words."""
    return [_entry(row) for row in starters()]


def body(row: Mapping[str, Any], filled: Mapping[str, str]) -> dict[str, Any]:
    """The rule a starter describes, with the slots filled in; a slot without a value keeps its placeholder."""
    rule = _filled(row["rule"], filled)
    return {"id": row["code"], "name": row["name"], **rule}


def targets(user: Any) -> list[Target]:
    """The promotion sets this person may write to."""
    sets = RuleSet.objects.filter(purpose=carts.PURPOSE, is_active=True)
    merchant_id = getattr(user, "merchant_id", None)
    if merchant_id is not None:
        sets = sets.filter(scope=f"merchant:{merchant_id}")
    return [Target(str(row.pk), f"{row.name} · {row.code}") for row in sets.order_by("scope", "code")]


def choices(user: Any, kind: str) -> list[str]:
    """What may stand in a slot of that kind: codes of SKUs or channels, categories; the first 200."""
    merchant_id = getattr(user, "merchant_id", None)
    own = {} if merchant_id is None else {"merchant": merchant_id}
    if kind == "channel":
        return sorted(Channel.objects.filter(**own).values_list("code", flat=True)[:_MOST_CHOICES])
    skus = Sku.objects.filter(is_active=True, **own)
    name = "category" if kind == "category" else "code"
    return sorted(
        skus.exclude(**{name: ""}).order_by().values_list(name, flat=True).distinct()[:_MOST_CHOICES]
    )


@transaction.atomic
def copy(asked: Copy) -> str:
    """Make a rule of the set's draft; the address of the set's page. Raises ValidationError where the set is not theirs,
    RuleError where what was filled in makes no rule.
    """
    if asked.target not in {target.value for target in targets(asked.user)}:
        raise ValidationError(_("This rule set is not yours to change."))
    ruleset = RuleSet.objects.select_for_update().get(pk=asked.target)
    row = next(x for x in starters() if x["code"] == asked.entry.code)
    rule = body(row, asked.filled)
    vocabulary.check(carts.PURPOSE, compile_rule(rule, vocabulary.words(carts.PURPOSE)))
    Rule.objects.create(
        ruleset=ruleset, code=_free_code(ruleset, row["code"]), name=row["name"], name_en=row["name_en"],
        priority=rule["priority"], condition=rule["when"], actions=rule["then"], group=rule["group"], stops=rule["stop"],
    )  # fmt: skip
    return reverse("admin:rules_ruleset_change", args=(ruleset.pk,))


def _free_code(ruleset: RuleSet, code: str) -> str:
    taken = set(ruleset.rules.filter(code__startswith=code).values_list("code", flat=True))
    return next(
        name for n in range(1, len(taken) + 2) if (name := f"{code}-{n}" if n > 1 else code) not in taken
    )


def _entry(row: Mapping[str, Any]) -> Entry:
    words = vocabulary.words(carts.PURPOSE)
    rule = body(row, {})
    return Entry(
        row["code"], Words(row["name"], row["name_en"]),
        Words(sentence(rule, words, "zh"), sentence(rule, words, "en")), Words(row["about"], row["about_en"]),
        tuple(row["tags"]), _example(row["example"]),
        tuple(Slot(x["key"], Words(x["name"], x["name_en"]), x["choices"]) for x in row["slots"]),
    )  # fmt: skip


def _example(worked: Mapping[str, Any]) -> Words:
    """The worked cart in words, e.g. ``SKU-A × 3 at 120.00: 50.00 off``."""
    lines = [
        (sku, units, price, off)
        for (sku, units, price, *_c), off in zip(worked["lines"], worked["off"], strict=True)
    ]
    zh = "；".join(f"{sku} × {units}，单价 {price}，优惠 {off}" for sku, units, price, off in lines)
    en = "; ".join(f"{sku} × {units} at {price}: {off} off" for sku, units, price, off in lines)
    for gift in worked.get("gifts", ()):
        zh, en = f"{zh}；送 {gift}", f"{en}; {gift} comes along"
    if worked.get("free_shipping"):
        zh, en = f"{zh}；包邮", f"{en}; free shipping"
    return Words(zh, en)


def _filled(value: Any, filled: Mapping[str, str]) -> Any:
    """The same with each text that is a slot's key replaced by what was filled in."""
    if isinstance(value, str):
        return filled.get(value, value)
    if isinstance(value, Mapping):
        return {name: _filled(inner, filled) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_filled(inner, filled) for inner in value]
    return value


SHELF = Shelf(
    code="promotions", name=_("Promotions"), icon="cart", sees="rules.view_ruleset", copies="rules.add_rule",
    target_label=_("rule set"), entries=entries, targets=targets, copy=copy, choices=choices, position=10,
)  # fmt: skip
