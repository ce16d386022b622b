"""Running compiled rules over the facts of one subject."""

from __future__ import annotations

from collections.abc import Iterable

from rules.engine.language import CompiledRule, Facts, FiredAction, Outcome, Trace


def evaluate(rules: Iterable[CompiledRule], facts: Facts) -> Outcome:
    """Run rules by priority, then id; a group fires once, a stop ends the run; every rule is traced."""
    actions: list[FiredAction] = []
    trace: list[Trace] = []
    groups: set[str] = set()
    stopped_by: int | str | None = None
    for rule in sorted(rules, key=order_of):
        if stopped_by is not None:
            trace.append(Trace(rule.id, rule.name, "skipped"))
        elif not rule.condition.test(facts):
            trace.append(Trace(rule.id, rule.name, "not_matched", rule.condition.why(facts)))
        elif rule.group and rule.group in groups:
            trace.append(Trace(rule.id, rule.name, "excluded"))
        else:
            groups.add(rule.group)
            actions.extend(rule.actions)
            trace.append(Trace(rule.id, rule.name, "fired"))
            stopped_by = rule.id if rule.stop else None
    return Outcome(tuple(actions), stopped_by, tuple(trace))


def order_of(rule: CompiledRule) -> tuple[int, bool, int, str]:
    """The order in which rules count; integer ids before texts, so that mixed ids still have one order."""
    number, text = (rule.id, "") if isinstance(rule.id, int) else (0, rule.id)
    return rule.priority, isinstance(rule.id, str), number, text
