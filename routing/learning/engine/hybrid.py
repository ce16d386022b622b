"""What operators' rules make of a model's figures, and which part of the answer came from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

PIN, FORBID, BIAS, OVERRIDE = "pin", "forbid", "bias", "override"
KINDS = (PIN, FORBID, BIAS, OVERRIDE)
NOT_WINDOW, NOT_KIND, NO_TARGET, NO_AMOUNT = "ends_before_start", "unknown_kind", "no_target", "no_amount"


@dataclass(frozen=True, slots=True)
class HybridRule:
    """One rule: about which choice, where (facts that must all agree; none: everywhere), and from when until when.

    ``yuan``: what a bias adds to the model's figure, or what an override puts in its place.
    """

    name: str
    kind: str
    target: str
    yuan: float | None = None
    scope: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def faults(self) -> list[str]:
        """What is wrong with it, as codes."""
        found = [] if self.kind in KINDS else [NOT_KIND]
        if not self.target:
            found.append(NO_TARGET)
        if self.kind in {BIAS, OVERRIDE} and self.yuan is None:
            found.append(NO_AMOUNT)
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            found.append(NOT_WINDOW)
        return found

    def holds(self, facts: Mapping[str, str], at: datetime) -> bool:
        """Whether it is sound and speaks about this decision at this moment; the end no longer counts."""
        return (
            not self.faults()
            and all(facts.get(name) == value for name, value in self.scope.items())
            and (self.starts_at is None or self.starts_at <= at)
            and (self.ends_at is None or at < self.ends_at)
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One choice: what the model says (None: it says nothing), what counts in the end (None: out), and whose rules."""

    target: str
    model_yuan: float | None
    yuan: float | None
    rules: tuple[str, ...] = ()


def combine(
    told: Mapping[str, float], rules: Sequence[HybridRule], facts: Mapping[str, str], *, at: datetime
) -> tuple[Part, ...]:
    """The choices, the cheapest first and those that are out last; equal ones by name.

    Forbidden is forbidden, also for a pin. A pin puts all others out, unless nothing pinned is left: then it is
    ignored, so that a rule about a carrier that is gone stops nothing. The last override holds; biases add up after it.
    """
    active = [rule for rule in rules if rule.holds(facts, at) and rule.target in told]
    forbidden = {rule.target for rule in active if rule.kind == FORBID}
    pinned = {rule.target for rule in active if rule.kind == PIN} - forbidden
    parts = []
    for target, model in told.items():
        mine = [rule for rule in active if rule.target == target]
        yuan: float = model
        for rule in mine:
            if rule.kind == OVERRIDE and rule.yuan is not None:
                yuan = rule.yuan
        yuan += sum(rule.yuan for rule in mine if rule.kind == BIAS and rule.yuan is not None)
        names = [rule.name for rule in mine]
        is_out = target in forbidden or bool(pinned and target not in pinned)
        if is_out:
            names += [rule.name for rule in active if rule.kind == PIN and target not in pinned | forbidden]
        parts.append(Part(target, model, None if is_out else yuan, tuple(dict.fromkeys(names))))
    return tuple(sorted(parts, key=lambda part: (part.yuan is None, part.yuan or 0.0, part.target)))
