"""What can be said of conditions without an order: one that can never hold, one that another already covers.

Sound and not complete: a yes is proven, a no may only mean that it could not be shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.engine.compile import parsed_operand
from rules.engine.language import Vocabulary

_DOMAIN_OPS = frozenset({"==", "!=", "in", "not_in", "<", "<=", ">", ">=", "between"})


@dataclass(slots=True)
class _Domain:
    """The values of one fact that are left: an interval, a set of the only ones allowed, and excluded ones."""

    low: tuple[Any, bool] | None = None
    high: tuple[Any, bool] | None = None
    only: frozenset[Any] | None = None
    never: frozenset[Any] = frozenset()

    def narrow(self, op: str, value: Any) -> None:
        """Take a comparison into account."""
        if op == "between":
            self._from(value[0], strict=False)
            self._to(value[1], strict=False)
        elif op in {">", ">="}:
            self._from(value, strict=op == ">")
        elif op in {"<", "<="}:
            self._to(value, strict=op == "<")
        elif op in {"==", "in"}:
            values = frozenset([value]) if op == "==" else value
            self.only = values if self.only is None else self.only & values
        else:
            self.never |= frozenset([value]) if op == "!=" else value

    def _from(self, value: Any, *, strict: bool) -> None:
        if self.low is None or (value, strict) > self.low:
            self.low = value, strict

    def _to(self, value: Any, *, strict: bool) -> None:
        if self.high is None or (value, not strict) < (self.high[0], not self.high[1]):
            self.high = value, strict

    def values(self) -> frozenset[Any] | None:
        """The finitely many values left; None where they cannot be listed."""
        return None if self.only is None else frozenset(value for value in self.only if self.holds(value))

    def holds(self, value: Any) -> bool:
        """Whether a value is left."""
        if value in self.never or (self.only is not None and value not in self.only):
            return False
        if self.low is not None and (value < self.low[0] or (self.low[1] and value == self.low[0])):
            return False
        return self.high is None or value < self.high[0] or (value == self.high[0] and not self.high[1])

    def is_empty(self) -> bool:
        """Whether no value is left."""
        if (values := self.values()) is not None:
            return not values
        if self.low is None or self.high is None:
            return False
        if self.low[0] == self.high[0]:
            return self.low[1] or self.high[1] or self.low[0] in self.never
        return bool(self.low[0] > self.high[0])

    def is_within(self, other: _Domain) -> bool:
        """Whether every value left here is left there too."""
        if (values := self.values()) is not None:
            return all(other.holds(value) for value in values)
        if other.only is not None or not all(not self.holds(value) for value in other.never):
            return False
        above = other.low is None or (self.low is not None and self.low >= other.low)
        below = other.high is None or (
            self.high is not None and (self.high[0], not self.high[1]) <= (other.high[0], not other.high[1])
        )
        return above and below


@dataclass(slots=True)
class _Known:
    """What a conjunction demands: a domain per fact, and parts that are only compared as they stand."""

    domains: dict[str, _Domain] = field(default_factory=dict)
    opaque: set[str] = field(default_factory=set)
    has: dict[str, set[str]] = field(default_factory=dict)
    has_none: dict[str, set[str]] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)
    branches: list[list[Any]] = field(default_factory=list)
    impossible: bool = False


def never(tree: object, vocabulary: Vocabulary) -> bool:
    """Whether a condition that compiles contradicts itself."""
    return _never([tree], vocabulary, depth=1)


def implies(specific: object, general: object, vocabulary: Vocabulary) -> bool:
    """Whether the second condition is proven to hold wherever the first does; both compile."""
    known = _known([specific], vocabulary)
    return all(_covers(known, part, vocabulary) for part in _flat([general]))


def _never(trees: Iterable[Any], vocabulary: Vocabulary, *, depth: int) -> bool:
    parts = list(trees)
    known = _known(parts, vocabulary)
    if known.impossible or known.unset & (known.domains.keys() | known.has.keys()):
        return True
    if any(domain.is_empty() for domain in known.domains.values()):
        return True
    if any(values & known.has_none.get(fact, set()) for fact, values in known.has.items()):
        return True
    return depth > 0 and any(
        all(_never([*parts, branch], vocabulary, depth=depth - 1) for branch in branches)
        for branches in known.branches
    )


def _flat(trees: Iterable[Any]) -> list[Any]:
    """The conjuncts, groups inside groups opened."""
    found: list[Any] = []
    for tree in trees:
        found.extend(_flat(tree["all"]) if "all" in tree else [tree])
    return found


def _known(trees: Iterable[Any], vocabulary: Vocabulary) -> _Known:
    known = _Known()
    for part in _flat(trees):
        known.opaque.add(_text(part))
        if "any" in part:
            known.branches.append(list(part["any"]))
        elif "not" in part:
            known.impossible |= part["not"] == {"all": []}
        else:
            _learn(known, part, vocabulary)
    return known


def _learn(known: _Known, part: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    name, op = part["fact"], part["op"]
    if op == "is_set":
        if not part["value"]:
            known.unset.add(name)
        return
    value = parsed_operand(part, vocabulary)
    if vocabulary.facts[name].type == "list[text]":
        if op == "contains":
            known.has.setdefault(name, set()).add(value)
        elif op == "not_in":
            known.has_none.setdefault(name, set()).update(value)
    elif op in _DOMAIN_OPS:
        known.domains.setdefault(name, _Domain()).narrow(op, value)


def _covers(known: _Known, part: Any, vocabulary: Vocabulary) -> bool:
    if _text(part) in known.opaque:
        return True
    if "any" in part:
        return any(all(_covers(known, inner, vocabulary) for inner in _flat([one])) for one in part["any"])
    if "not" in part:
        return False
    name, op = part["fact"], part["op"]
    if op == "is_set":
        return bool(part["value"]) and (name in known.domains or name in known.has)
    if vocabulary.facts[name].type == "list[text]":
        value = parsed_operand(part, vocabulary)
        return op == "in" and bool(known.has.get(name, set()) & value)
    if name not in known.domains or op not in _DOMAIN_OPS:
        return False
    wanted = _Domain()
    wanted.narrow(op, parsed_operand(part, vocabulary))
    return known.domains[name].is_within(wanted)


def _text(part: Any) -> str:
    return json.dumps(part, sort_keys=True, default=str)
