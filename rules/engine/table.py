"""Many rules made ready once and asked often: in order from the start, traced only where somebody reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.engine.evaluate import order_of
from rules.engine.language import MAX_RULES, CompiledRule, Facts, RuleError


@dataclass(frozen=True, slots=True)
class Table:
    """Compiled rules in the order they count."""

    rules: tuple[CompiledRule, ...]

    @classmethod
    def of(cls, rules: Iterable[CompiledRule]) -> Table:
        """By priority, then id; RuleError for more than ``MAX_RULES`` or the same id twice."""
        ordered = tuple(sorted(rules, key=order_of))
        if len(ordered) > MAX_RULES:
            raise RuleError("rules", "size", zh=f"规则超过 {MAX_RULES} 条", en=f"more than {MAX_RULES} rules")
        seen: set[int | str] = set()
        for rule in ordered:
            if rule.id in seen:
                raise RuleError(f"rules.{rule.id}", "twice", zh="编号重复", en="the id is used twice")
            seen.add(rule.id)
        return cls(ordered)

    def first(self, facts: Facts) -> CompiledRule | None:
        """The first rule whose condition holds: a decision table's answer."""
        for rule in self.rules:
            if rule.condition.test(facts):
                return rule
        return None

    def matching(self, facts: Facts) -> list[CompiledRule]:
        """All rules whose condition holds, in order."""
        return [rule for rule in self.rules if rule.condition.test(facts)]
