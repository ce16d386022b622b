"""A vocabulary as plain values, for whatever draws blocks or forms from it."""

from __future__ import annotations

from typing import Any

from rules.engine.language import OPS, Action, Fact, Vocabulary


def described(vocabulary: Vocabulary) -> dict[str, Any]:
    """All facts and actions by name order: types, comparisons allowed, units, labels in both languages, examples."""
    facts = sorted(vocabulary.facts.values(), key=lambda fact: fact.name)
    actions = sorted(vocabulary.actions.values(), key=lambda action: action.name)
    return {"facts": [_fact(fact) for fact in facts], "actions": [_action(action) for action in actions]}


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name, "type": fact.type, "unit": fact.unit, "zh": fact.zh, "en": fact.en, "example": fact.example,
        "choices": list(fact.choices), "ops": sorted(OPS[fact.type]),
    }  # fmt: skip


def _action(action: Action) -> dict[str, Any]:
    params = []
    for name, kind in action.params.items():
        zh, en = action.labels.get(name, (name, name))
        params.append(
            {"name": name, "type": kind.rstrip("?"), "required": not kind.endswith("?"), "zh": zh, "en": en}
        )
    return {"name": action.name, "zh": action.zh, "en": action.en, "params": params}
