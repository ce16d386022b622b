"""What is proven of conditions without an order: contradictions, and one that covers another; and decision tables."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from rules.engine import (
    MAX_RULES,
    Fact,
    RuleError,
    Table,
    Vocabulary,
    compile_condition,
    compile_rule,
    implies,
    never,
)
from rules.engine import Action as Verb

WORDS = Vocabulary.of(
    [
        Fact("n", "number", "数", "n"), Fact("m", "number", "数二", "m"), Fact("s", "text", "文", "s"),
        Fact("b", "boolean", "是否", "b"), Fact("t", "list[text]", "标签", "t"),
    ],
    [Verb("go", {}, "走", "go")],
)  # fmt: skip


def leaf(fact: str, op: str, value: Any) -> dict[str, Any]:
    return {"fact": fact, "op": op, "value": value}


def both(*parts: Any) -> dict[str, Any]:
    return {"all": list(parts)}


def either(*parts: Any) -> dict[str, Any]:
    return {"any": list(parts)}


@pytest.mark.parametrize(
    "tree",
    [
        both(leaf("n", ">", 5), leaf("n", "<", 5)),
        both(leaf("n", ">", 5), leaf("n", "<=", 5)),
        both(leaf("n", ">=", 5), leaf("n", "<=", 5), leaf("n", "!=", 5)),
        both(leaf("n", "between", [1, 3]), leaf("n", "in", [4, 5])),
        both(leaf("s", "==", "a"), both(leaf("s", "==", "b"))),
        both(leaf("s", "in", ["a", "b"]), leaf("s", "not_in", ["a", "b"])),
        both(leaf("b", "==", True), leaf("b", "==", False)),
        both(leaf("t", "contains", "x"), leaf("t", "not_in", ["x", "y"])),
        both(leaf("n", "is_set", False), leaf("n", ">", 1)),
        both(leaf("n", "<", 1), either(leaf("n", ">", 2), leaf("n", "==", 3))),
        {"not": {"all": []}},
    ],
)
def test_contradictions_are_seen(tree: Any) -> None:
    assert never(tree, WORDS)


@pytest.mark.parametrize(
    "tree",
    [
        {"all": []},
        both(leaf("n", ">=", 5), leaf("n", "<=", 5)),
        both(leaf("n", ">", 5), leaf("m", "<", 5)),
        both(leaf("s", "in", ["a", "b"]), leaf("s", "!=", "a")),
        either(leaf("n", ">", 2), both(leaf("n", "<", 1), leaf("n", ">", 1))),
        both(leaf("t", "contains", "x"), leaf("t", "contains", "y")),
    ],
)
def test_what_can_hold_is_left_alone(tree: Any) -> None:
    assert not never(tree, WORDS)


@pytest.mark.parametrize(
    ("specific", "general", "proven"),
    [
        (leaf("n", ">=", 300), leaf("n", ">=", 200), True),
        (leaf("n", ">=", 300), leaf("n", ">", 300), False),
        (leaf("n", "==", 300), leaf("n", ">=", 300), True),
        (both(leaf("n", ">=", 300), leaf("s", "==", "a")), leaf("s", "in", ["a", "b"]), True),
        (leaf("s", "in", ["a", "b"]), leaf("s", "==", "a"), False),
        (leaf("n", ">", 1), {"all": []}, True),
        ({"all": []}, leaf("n", ">", 1), False),
        (leaf("n", ">", 5), either(leaf("n", ">", 9), leaf("n", ">", 1)), True),
        (leaf("n", ">", 5), leaf("n", "is_set", True), True),
        (leaf("n", ">", 5), leaf("n", "!=", 5), True),
        (leaf("t", "contains", "x"), leaf("t", "in", ["x", "y"]), True),
        ({"not": leaf("n", ">", 5)}, {"not": leaf("n", ">", 5)}, True),
        ({"not": leaf("n", ">", 5)}, leaf("n", "<=", 5), False),
    ],
)
def test_whether_one_covers_the_other(specific: Any, general: Any, *, proven: bool) -> None:
    assert implies(specific, general, WORDS) is proven


def _random_tree(chance: Random, depth: int = 2) -> Any:
    if depth and chance.random() < 0.5:
        parts = [_random_tree(chance, depth - 1) for _ in range(chance.randint(1, 3))]
        return {"all": parts} if chance.random() < 0.6 else {"any": parts}
    if chance.random() < 0.1:
        return {"not": leaf("n", "<", chance.randint(0, 4))}
    fact = chance.choice("nm")
    op = chance.choice(("<", "<=", ">", ">=", "==", "!=", "in", "not_in", "between"))
    value: Any = chance.randint(0, 4)
    if op in {"in", "not_in"}:
        value = [chance.randint(0, 4), chance.randint(0, 4)]
    elif op == "between":
        value = sorted([value, chance.randint(0, 4)])
    return leaf(fact, op, value)


def test_what_is_proven_of_3_000_random_conditions_is_true_of_every_order() -> None:
    chance = Random(5)
    orders = [{"n": n, "m": m} for n in (None, *range(-1, 6)) for m in (None, *range(-1, 6))]
    proven = 0

    for _case in range(3000):
        first, second = _random_tree(chance), _random_tree(chance)
        a, b = compile_condition(first, WORDS).test, compile_condition(second, WORDS).test
        if never(first, WORDS):
            proven += 1
            assert not any(a(order) for order in orders), first
        if implies(first, second, WORDS):
            proven += 1
            assert all(b(order) for order in orders if a(order)), (first, second)

    assert proven > 100


def _rule(rule_id: Any, when: Any = None, **more: Any) -> Any:
    return compile_rule({"id": rule_id, "when": when or {"all": []}, "then": [{"do": "go"}], **more}, WORDS)


def test_a_table_answers_with_the_first_row_that_holds() -> None:
    table = Table.of(
        [
            _rule("b", leaf("n", ">", 1), priority=2),
            _rule("a", leaf("n", ">", 5), priority=1),
            _rule("c", priority=3),
        ]
    )

    assert [getattr(table.first({"n": n}), "id", None) for n in (9, 3, 0)] == ["a", "b", "c"]
    assert [rule.id for rule in table.matching({"n": 9})] == ["a", "b", "c"]
    assert Table.of([_rule("a", leaf("n", ">", 5))]).first({"n": 1}) is None


def test_a_table_refuses_the_same_id_twice_and_too_many_rules() -> None:
    with pytest.raises(RuleError, match="the id is used twice"):
        Table.of([_rule("a"), _rule("a")])
    with pytest.raises(RuleError, match="more than 1000 rules"):
        Table.of([_rule(n) for n in range(MAX_RULES + 1)])
