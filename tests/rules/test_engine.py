"""The rule language: what it accepts, what it answers, what it refuses and how it reads aloud."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from rules.engine import (
    MAX_NODES,
    Action,
    Fact,
    RuleError,
    Trace,
    Vocabulary,
    compile_condition,
    compile_rule,
    evaluate,
    sentence,
)

WORDS = Vocabulary.of(
    [
        Fact("order.total", "money", "订单金额", "order total", unit="¥"),
        Fact("order.lines", "integer", "行数", "line count"),
        Fact("order.grams", "number", "重量", "weight", unit="g"),
        Fact("order.channel", "text", "渠道", "channel", choices=("shop", "app")),
        Fact("order.note", "text", "备注", "note"),
        Fact("buyer.new", "boolean", "新客户", "new customer"),
        Fact("order.placed_at", "datetime", "下单时间", "order time"),
        Fact("order.tags", "list[text]", "标签", "tags"),
    ],
    [
        Action("hold", {"reason": "text"}, "挂起", "hold"),
        Action("discount", {"yuan": "money", "why": "text?", "lines": "list[text]?"}, "优惠", "discount"),
        Action("pass", {}, "放行", "let pass"),
    ],
)
BEIJING = timezone(timedelta(hours=8))


def is_true(tree: Any, **facts: object) -> bool:
    return compile_condition(tree, WORDS).test({k.replace("__", "."): v for k, v in facts.items()})


def leaf(fact: str, op: str, value: Any) -> dict[str, Any]:
    return {"fact": fact, "op": op, "value": value}


def rule(rule_id: int, **fields: Any) -> dict[str, Any]:
    return {"id": rule_id, "when": {"all": []}, "then": [{"do": "pass"}], **fields}


def error_of(tree: Any) -> RuleError:
    with pytest.raises(RuleError) as caught:
        compile_condition(tree, WORDS)
    return caught.value


@pytest.mark.parametrize(
    ("fact", "op", "value", "yes", "no"),
    [
        ("order.total", "==", "0.3", Decimal("0.1") + Decimal("0.2"), Decimal("0.31")),
        ("order.total", "!=", 5, Decimal(6), Decimal(5)),
        ("order.total", "<", "300", Decimal("299.99"), Decimal(300)),
        ("order.total", "<=", "300", Decimal(300), Decimal("300.01")),
        ("order.total", ">", "300", 301, 300),
        ("order.total", ">=", "300", 300, 299),
        ("order.total", "between", ["100", "200"], Decimal(200), Decimal("200.01")),
        ("order.lines", "in", [1, "2"], 2, 3),
        ("order.lines", "not_in", [1, 2], 3, 2),
        ("order.channel", "==", "shop", "shop", "app"),
        ("order.note", "contains", "易碎", "小心易碎品", "书"),
        ("order.note", "starts_with", "VIP", "VIP 王", "王 VIP"),
        ("buyer.new", "==", True, True, False),
        ("order.tags", "contains", "gift", ["gift", "x"], ["gifts"]),
        ("order.tags", "in", ["gift", "vip"], ("vip",), ("x",)),
        ("order.tags", "not_in", ["gift", "vip"], ("x",), ("vip",)),
        ("order.note", "is_set", True, "", None),
        ("order.note", "is_set", False, None, "x"),
        (
            "order.placed_at",
            ">",
            "2026-11-01T00:00:00+08:00",
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 10, 31, 15, tzinfo=UTC),
        ),
        (
            "order.placed_at",
            "within",
            {"from": "22:00", "to": "06:00"},
            datetime(2026, 11, 1, 23, tzinfo=BEIJING),
            datetime(2026, 11, 1, 6, tzinfo=BEIJING),
        ),
        (
            "order.placed_at",
            "within",
            {"from": "09:00", "to": "18:00"},
            datetime(2026, 11, 1, 9, tzinfo=BEIJING),
            datetime(2026, 11, 1, 18, tzinfo=BEIJING),
        ),
        (
            "order.placed_at",
            "within",
            {"from": "2026-11-01", "to": "2026-11-12"},
            datetime(2026, 11, 12, 23, 59, tzinfo=BEIJING),
            datetime(2026, 11, 13, tzinfo=BEIJING),
        ),
    ],
)
def test_operators_answer_yes_and_no(fact: str, op: str, value: Any, yes: object, no: object) -> None:
    test = compile_condition(leaf(fact, op, value), WORDS).test

    assert test({fact: yes}) is True
    assert test({fact: no}) is False


def test_all_any_not_combine() -> None:
    tree = {
        "all": [
            leaf("order.total", ">=", 300),
            {"any": [leaf("buyer.new", "==", True), {"not": leaf("order.channel", "==", "shop")}]},
        ]
    }

    assert is_true(tree, order__total=300, buyer__new=True, order__channel="shop")
    assert is_true(tree, order__total=300, buyer__new=False, order__channel="app")
    assert not is_true(tree, order__total=300, buyer__new=False, order__channel="shop")
    assert not is_true(tree, order__total=299, buyer__new=True, order__channel="app")


@pytest.mark.parametrize("op", ["==", "!=", "<", ">="])
def test_missing_fact_makes_comparison_false(op: str) -> None:
    compiled = compile_condition(leaf("order.total", op, "300"), WORDS)

    (failure,) = compiled.why({"order.total": None})

    assert compiled.test({}) is False
    assert (failure.fact, failure.code, failure.actual, failure.expected) == (
        "order.total",
        "missing",
        None,
        Decimal(300),
    )


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("order.total", 1.5),
        ("order.total", True),
        ("order.total", "300"),
        ("order.note", 3),
        ("buyer.new", 1),
        ("order.placed_at", datetime(2026, 1, 1)),
        ("order.placed_at", "2026-01-01"),
        ("order.tags", "gift"),
    ],
)
def test_fact_of_undeclared_type_never_matches(fact: str, value: object) -> None:
    operand: Any = {
        "order.total": 0,
        "order.note": "x",
        "buyer.new": False,
        "order.tags": "gift",
        "order.placed_at": "2020-01-01T00:00:00Z",
    }[fact]
    compiled = compile_condition(leaf(fact, "contains" if fact == "order.tags" else "!=", operand), WORDS)

    assert compiled.test({fact: value}) is False
    assert compiled.why({fact: value})[0].code == "wrong_type"


@pytest.mark.parametrize(
    ("tree", "path", "code"),
    [
        (leaf("order.totl", ">", 1), "when.fact", "unknown_fact"),
        (leaf("order.note", ">", "a"), "when.op", "unknown_op"),
        (leaf("buyer.new", "in", [True]), "when.op", "unknown_op"),
        (leaf("order.total", ">", 0.1), "when.value", "type"),
        (leaf("order.total", ">", True), "when.value", "type"),
        (leaf("order.total", ">", "1e5"), "when.value", "type"),
        (leaf("order.total", ">", "NaN"), "when.value", "type"),
        (leaf("order.total", ">", "١"), "when.value", "type"),
        (leaf("order.total", ">", 10**30), "when.value", "type"),
        (leaf("order.lines", ">", "1.5"), "when.value", "type"),
        (leaf("order.note", "==", "x" * 501), "when.value", "type"),
        (leaf("order.channel", "==", "fax"), "when.value", "choice"),
        (leaf("order.total", "between", ["2", "1"]), "when.value", "range"),
        (leaf("order.total", "between", ["2"]), "when.value", "range"),
        (leaf("order.placed_at", ">", "2026-01-01T00:00"), "when.value", "type"),
        (leaf("order.placed_at", "within", {"from": "25:00", "to": "26:00"}), "when.value", "window"),
        (
            leaf("order.placed_at", "within", {"from": "2026-02-30", "to": "2026-03-01"}),
            "when.value",
            "window",
        ),
        ({"all": [leaf("order.total", ">", 1), leaf("x", ">", 1)]}, "when.all[1].fact", "unknown_fact"),
        ({"not": {"not": leaf("x", ">", 1)}}, "when.not.not.fact", "unknown_fact"),
        ({"any": []}, "when", "empty"),
        ({"all": {}}, "when.all", "shape"),
        ({"all": [], "any": []}, "when", "shape"),
        ({"fact": "order.total", "op": ">"}, "when", "shape"),
        ({**leaf("order.total", ">", 1), "eval": "x"}, "when", "shape"),
        (leaf(["order.total"], ">", 1), "when.fact", "unknown_fact"),  # type: ignore[arg-type]
        ("__import__('os')", "when", "shape"),
        (None, "when", "shape"),
    ],
)
def test_bad_conditions_are_refused_where_they_are_bad(tree: Any, path: str, code: str) -> None:
    error = error_of(tree)

    assert (error.path, error.code) == (path, code)
    assert error.zh
    assert error.en


def test_depth_twelve_is_allowed_and_thirteen_refused() -> None:
    tree: Any = leaf("order.total", ">", 1)
    for _ in range(11):
        tree = {"not": tree}

    assert is_true(tree, order__total=1)
    assert error_of({"not": tree}).code == "depth"


def test_two_hundred_nodes_are_allowed_and_more_refused() -> None:
    comparisons = [leaf("order.total", ">", 1)] * (MAX_NODES - 1)

    assert is_true({"all": comparisons}, order__total=2)
    assert error_of({"all": [*comparisons, comparisons[0]]}).code == "nodes"
    assert error_of(leaf("order.lines", "in", list(range(MAX_NODES)))).code == "nodes"


def test_300_hostile_trees_are_refused_within_100_ms() -> None:
    deep: Any = leaf("order.total", ">", 1)
    for _ in range(500):
        deep = {"not": deep}
    loop: dict[str, Any] = {}
    loop["not"] = loop
    wide = {"any": [leaf("order.total", ">", 1)] * 100_000}
    started = time.process_time()

    codes = [error_of(tree).code for _ in range(100) for tree in (deep, loop, wide)]

    assert codes == ["depth", "depth", "nodes"] * 100
    assert time.process_time() - started < 0.1


def test_refusal_quotes_at_most_forty_characters_of_a_hostile_word() -> None:
    assert len(error_of(leaf("x" * 100_000, ">", 1)).en) < 80


def test_actions_come_in_priority_then_id_order_with_parsed_parameters() -> None:
    rules = [
        compile_rule(r, WORDS)
        for r in (
            rule(3, priority=1, then=[{"do": "hold", "with": {"reason": "risk"}}]),
            rule(2, priority=5),
            rule(1, priority=5, then=[{"do": "discount", "with": {"yuan": "1.50", "lines": ["a", "b"]}}]),
        )
    ]

    outcome = evaluate(rules, {})

    assert [(a.rule_id, a.do, a.params) for a in outcome.actions] == [
        (3, "hold", {"reason": "risk"}),
        (1, "discount", {"yuan": Decimal("1.50"), "lines": ("a", "b")}),
        (2, "pass", {}),
    ]
    assert outcome.stop is False


def test_stop_skips_later_rules_and_groups_fire_once() -> None:
    rules = [
        compile_rule(r, WORDS)
        for r in (
            rule(1, name="a", group="g"),
            rule(2, name="b", group="g"),
            rule(3, name="c", stop=True),
            rule(4, name="d"),
        )
    ]

    outcome = evaluate(rules, {})

    assert [a.rule_id for a in outcome.actions] == [1, 3]
    assert outcome.stopped_by == 3
    assert outcome.trace == (
        Trace(1, "a", "fired"),
        Trace(2, "b", "excluded"),
        Trace(3, "c", "fired"),
        Trace(4, "d", "skipped"),
    )


def test_trace_names_the_comparison_that_failed_with_its_value() -> None:
    tree = {
        "all": [
            leaf("buyer.new", "==", True),
            {"any": [leaf("order.total", ">", 300), leaf("order.lines", ">", 9)]},
        ]
    }
    compiled = compile_rule(rule(1, when=tree), WORDS)

    (trace,) = evaluate([compiled], {"buyer.new": True, "order.total": Decimal(200)}).trace

    assert trace.status == "not_matched"
    assert [(f.path, f.op, f.expected, f.actual, f.code) for f in trace.failures] == [
        ("when.all[1].any[0]", ">", Decimal(300), Decimal(200), "failed"),
        ("when.all[1].any[1]", ">", Decimal(9), None, "missing"),
    ]


def test_trace_of_a_negation_says_what_held() -> None:
    compiled = compile_condition({"not": leaf("buyer.new", "==", True)}, WORDS)

    assert [(f.path, f.code) for f in compiled.why({"buyer.new": True})] == [("when", "negated")]
    assert compiled.why({"buyer.new": False}) == ()


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (rule(1, then=[{"do": "explode"}]), "then[0].do", "unknown_action"),
        (rule(1, then=[{"do": "hold"}]), "then[0].with", "shape"),
        (rule(1, then=[{"do": "hold", "with": {"reason": 3}}]), "then[0].with.reason", "type"),
        (rule(1, then=[{"do": "hold", "with": {"reason": "x", "y": 1}}]), "then[0].with", "shape"),
        (rule(1, then=[{"do": "discount", "with": {"yuan": 1.5}}]), "then[0].with.yuan", "type"),
        (rule(1, then=[{"do": "pass"}] * 300), "then", "nodes"),
        (rule(1, priority="1"), "priority", "type"),
        (rule(1, stop=1), "rule", "type"),
        (rule(1, script="x"), "rule", "shape"),
        ({**rule(1), "id": None}, "id", "type"),
        ([], "rule", "shape"),
    ],
)
def test_bad_rules_are_refused(body: Any, path: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        compile_rule(body, WORDS)

    assert (caught.value.path, caught.value.code) == (path, code)


def test_sentences_read_in_both_languages() -> None:
    body = rule(
        1,
        when={
            "all": [
                leaf("order.total", ">=", "300"),
                {"any": [leaf("buyer.new", "==", True), leaf("order.channel", "in", ["app"])]},
                {"not": leaf("order.tags", "contains", "vip")},
            ]
        },
        then=[{"do": "hold", "with": {"reason": "risk"}}, {"do": "pass"}],
    )

    assert sentence(body, WORDS, "zh") == (
        "如果订单金额不少于¥300且（新客户为是或渠道属于「app」）且并非（标签包含「vip」），则挂起（reason=risk）、放行"
    )
    assert sentence(body, WORDS, "en") == (
        "If order total is at least ¥300 and (new customer is yes or channel is one of app) and "
        "not (tags contains vip), then hold (reason=risk), let pass"
    )
    assert sentence(leaf("order.grams", "between", [1, 2]), WORDS, "zh") == "重量介于1 克–2 克"
    assert sentence(leaf("order.note", "is_set", False), WORDS, "en") == "note is not set"
    assert sentence({"all": []}, WORDS, "zh") == "任何情况"


def test_sentence_refuses_what_does_not_compile() -> None:
    with pytest.raises(RuleError):
        sentence(leaf("order.note", ">", "x"), WORDS, "zh")


def test_fact_with_unknown_type_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="unknown type float"):
        Fact("x", "float", "甲", "x")


def test_fifty_rules_take_under_a_millisecond() -> None:
    tree = {
        "all": [
            leaf("order.total", ">=", "300"),
            {"any": [leaf("buyer.new", "==", True), leaf("order.lines", ">", 3)]},
        ]
    }
    rules = [compile_rule(rule(i, when=tree), WORDS) for i in range(50)]
    facts = {"order.total": Decimal(350), "buyer.new": False, "order.lines": 2}

    best = min(_seconds(rules, facts) for _ in range(20))

    assert best < 0.001


def _seconds(rules: list[Any], facts: dict[str, object]) -> float:
    started = time.process_time()
    evaluate(rules, facts)
    return time.process_time() - started
