"""The closures a condition becomes: one fast answer (``test``) and one reason for a no (``why``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any

from rules.engine.language import COMPARE, KINDS, Compiled, Fact, Facts, Failure, Test


def leaf(fact: Fact, op: str, value: Any, path: str) -> Compiled:
    """A comparison of one fact with a parsed value; facts of an undeclared Python type never match."""
    name, kinds, boolean = fact.name, KINDS[fact.type], fact.type == "boolean"
    test = _is_set(name, value) if op == "is_set" else _comparison(fact, op, value)

    def why(facts: Facts) -> tuple[Failure, ...]:
        if test(facts):
            return ()
        actual = facts.get(name)
        code = "missing" if actual is None else "failed" if _fits(actual, kinds, boolean) else "wrong_type"
        return (Failure(path, name, op, value, actual, code),)

    return Compiled(test, why)


def _is_set(name: str, wanted: bool) -> Test:
    return lambda facts: (facts.get(name) is not None) is wanted


def _comparison(fact: Fact, op: str, value: Any) -> Test:
    """The closure asked for every order: values of exactly the declared types are not looked at twice."""
    name, kinds, holds, boolean = (
        fact.name,
        KINDS[fact.type],
        _relation(fact.type, op, value),
        fact.type == "boolean",
    )
    exact = frozenset(kinds) - {datetime}

    def test(facts: Facts) -> bool:
        actual = facts.get(name)
        return (actual.__class__ in exact or _fits(actual, kinds, boolean)) and holds(actual)

    return test


def conjunction(parts: list[Compiled]) -> Compiled:
    """All of them; the reason for a no is the first part that fails."""
    tests = tuple(part.test for part in parts)

    def test(facts: Facts) -> bool:
        for part_holds in tests:  # noqa: SIM110 - a generator costs more than the comparisons themselves
            if not part_holds(facts):
                return False
        return True

    def why(facts: Facts) -> tuple[Failure, ...]:
        return next((reasons for part in parts if (reasons := part.why(facts))), ())

    return Compiled(tests[0] if len(tests) == 1 else test, why)


def disjunction(parts: list[Compiled]) -> Compiled:
    """Any of them; the reasons for a no are those of every part."""
    tests = tuple(part.test for part in parts)

    def test(facts: Facts) -> bool:
        for part_holds in tests:  # noqa: SIM110 - as above
            if part_holds(facts):
                return True
        return False

    def why(facts: Facts) -> tuple[Failure, ...]:
        reasons = [part.why(facts) for part in parts]
        return () if not all(reasons) else tuple(failure for why_not in reasons for failure in why_not)

    return Compiled(tests[0] if len(tests) == 1 else test, why)


def negation(part: Compiled, path: str) -> Compiled:
    """The opposite; the reason for a no is that the inner condition holds."""

    def test(facts: Facts) -> bool:
        return not part.test(facts)

    def why(facts: Facts) -> tuple[Failure, ...]:
        return (Failure(path, "", "not", False, True, "negated"),) if part.test(facts) else ()

    return Compiled(test, why)


def _fits(actual: object, kinds: tuple[type, ...], boolean: bool) -> bool:
    """Whether a fact has its declared type; a bool is no number, a naive datetime is no moment."""
    if not isinstance(actual, kinds) or isinstance(actual, bool) is not boolean:
        return False
    return not isinstance(actual, datetime) or actual.tzinfo is not None


def _relation(kind: str, op: str, value: Any) -> Callable[[Any], bool]:
    """The test of a present, well-typed value."""
    if op in COMPARE:
        compare = COMPARE[op]
        return lambda actual: compare(actual, value)
    if kind == "list[text]":
        return _membership(op, value)
    return {
        "in": lambda actual: actual in value,
        "not_in": lambda actual: actual not in value,
        "contains": lambda actual: value in actual,
        "starts_with": lambda actual: actual.startswith(value),
        "between": lambda actual: value[0] <= actual <= value[1],
        "within": lambda actual: _within(actual, *value),
        "is_set": lambda actual: True,
    }[op]


def _membership(op: str, value: Any) -> Callable[[Iterable[str]], bool]:
    """Of a list: contains one text, has any of several (in), has none of several (not_in)."""
    if op == "contains":
        return lambda actual: value in actual
    wanted = op == "in"
    return lambda actual: any(v in actual for v in value) is wanted


def _within(moment: datetime, start: time | date, end: time | date) -> bool:
    """Clock hours and days are read in the zone the fact carries."""
    if isinstance(start, time) and isinstance(end, time):
        clock = moment.time()
        return start <= clock < end if start < end else clock >= start or clock < end
    return isinstance(start, date) and isinstance(end, date) and start <= moment.date() <= end
