"""Condition trees and rules compiled to closures, with every word, type and size checked on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.engine.closures import conjunction, disjunction, leaf, negation
from rules.engine.language import (
    MAX_DEPTH,
    MAX_NODES,
    OPS,
    Compiled,
    CompiledRule,
    Fact,
    FiredAction,
    RuleError,
    Vocabulary,
)
from rules.engine.parse import object_of, scalar, short, window


def compile_condition(tree: object, vocabulary: Vocabulary) -> Compiled:
    """Check and compile a condition tree; RuleError on any unknown word, wrong type or oversized tree."""
    return _Compiler(vocabulary).root(tree)


def compile_rule(rule: object, vocabulary: Vocabulary) -> CompiledRule:
    """Check and compile one rule; RuleError as for conditions, also for its actions and plain fields."""
    keys = {"id", "name", "priority", "when", "then", "stop", "group"}
    body = object_of(rule, "rule", keys, required={"id", "when", "then"})
    rule_id, name, group = body["id"], body.get("name", ""), body.get("group", "")
    priority, stop = body.get("priority", 0), body.get("stop", False)
    if isinstance(rule_id, bool) or not isinstance(rule_id, (int, str)):
        raise RuleError("id", "type", zh="编号必须是整数或文本", en="must be an integer or a text")
    if isinstance(priority, bool) or not isinstance(priority, int):
        raise RuleError("priority", "type", zh="优先级必须是整数", en="must be an integer")
    if not isinstance(name, str) or not isinstance(group, str) or not isinstance(stop, bool):
        raise RuleError(
            "rule", "type", zh="名称、分组或停止标志的类型不对", en="name, group or stop has a wrong type"
        )
    compiler = _Compiler(vocabulary)
    condition = compiler.root(body["when"])
    then = compiler.array(body["then"], "then")
    actions = tuple(compiler.action(a, f"then[{i}]", rule_id) for i, a in enumerate(then))
    return CompiledRule(rule_id, name, priority, condition, actions, stop, group, frozenset(compiler.facts))


def parsed_operand(comparison: Mapping[str, object], vocabulary: Vocabulary) -> Any:
    """The right side of a comparison that compiles, as the Python value it is compared with."""
    fact, op = vocabulary.facts[str(comparison["fact"])], str(comparison["op"])
    return _Compiler(vocabulary).operand(fact, op, comparison["value"], "when.value")


class _Compiler:
    """One compilation: the vocabulary and the nodes still allowed, list values counted too."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.left = MAX_NODES
        self.facts: set[str] = set()

    def spend(self, nodes: int, path: str) -> None:
        """Take nodes from the budget, before they are walked, so that a huge list costs nothing."""
        self.left -= nodes
        if self.left < 0:
            raise RuleError(
                path, "nodes", zh=f"规则超过 {MAX_NODES} 个节点", en=f"more than {MAX_NODES} nodes"
            )

    def array(self, value: object, path: str) -> list[object]:
        if not isinstance(value, (list, tuple)):
            raise RuleError(path, "shape", zh="必须是一个列表", en="must be a list")
        self.spend(len(value), path)
        return list(value)

    def root(self, tree: object) -> Compiled:
        self.spend(1, "when")
        return self.condition(tree, "when", 1)

    def condition(self, tree: object, path: str, depth: int) -> Compiled:
        if depth > MAX_DEPTH:
            raise RuleError(
                path, "depth", zh=f"嵌套超过 {MAX_DEPTH} 层", en=f"nested deeper than {MAX_DEPTH}"
            )
        if isinstance(tree, Mapping) and "fact" in tree:
            return self.comparison(tree, path)
        if not isinstance(tree, Mapping) or len(tree) != 1 or not tree.keys() <= {"all", "any", "not"}:
            raise RuleError(
                path,
                "shape",
                zh="条件必须是 all、any、not 或一个比较",
                en="a condition is all, any, not or a comparison",
            )
        word, inner = next(iter(tree.items()))
        if word == "not":
            self.spend(1, path)
            return negation(self.condition(inner, f"{path}.not", depth + 1), path)
        parts = [
            self.condition(part, f"{path}.{word}[{i}]", depth + 1)
            for i, part in enumerate(self.array(inner, f"{path}.{word}"))
        ]
        if word == "any" and not parts:
            raise RuleError(path, "empty", zh="any 不能为空", en="any must not be empty")
        return conjunction(parts) if word == "all" else disjunction(parts)

    def comparison(self, tree: Mapping[str, object], path: str) -> Compiled:
        body = object_of(tree, path, {"fact", "op", "value"}, required={"fact", "op", "value"})
        fact = self.vocabulary.facts.get(name) if isinstance(name := body["fact"], str) else None
        if fact is None:
            raise RuleError(
                f"{path}.fact",
                "unknown_fact",
                zh=f"未知的字段 {short(name)}",
                en=f"unknown fact {short(name)}",
            )
        op = body["op"]
        if not isinstance(op, str) or op not in OPS[fact.type]:
            raise RuleError(
                f"{path}.op",
                "unknown_op",
                zh=f"{fact.zh}不支持比较 {short(op)}",
                en=f"{fact.en} does not support {short(op)}",
            )
        value = self.operand(fact, op, body["value"], f"{path}.value")
        self.facts.add(fact.name)
        return leaf(fact, op, value, path)

    def operand(self, fact: Fact, op: str, value: object, path: str) -> Any:
        """The right side of a comparison, parsed for its operator."""
        item = "text" if fact.type == "list[text]" else fact.type
        if op == "is_set":
            return scalar("boolean", value, path)
        if op == "within":
            return window(value, path)
        if op in {"in", "not_in"}:
            values = self.array(value, path)
            return frozenset(scalar(item, v, f"{path}[{i}]", fact.choices) for i, v in enumerate(values))
        if op == "between":
            ends = tuple(scalar(item, v, f"{path}[{i}]") for i, v in enumerate(self.array(value, path)))
            if len(ends) != 2 or ends[0] > ends[1]:
                raise RuleError(
                    path, "range", zh="需要两个值，从小到大", en="needs two values, low then high"
                )
            return ends
        partial = fact.type == "text" and op in {"contains", "starts_with"}
        return scalar(item, value, path, () if partial else fact.choices)

    def action(self, deed: object, path: str, rule_id: int | str) -> FiredAction:
        body = object_of(deed, path, {"do", "with"}, required={"do"})
        action = self.vocabulary.actions.get(name) if isinstance(name := body["do"], str) else None
        if action is None:
            raise RuleError(
                f"{path}.do",
                "unknown_action",
                zh=f"未知的动作 {short(name)}",
                en=f"unknown action {short(name)}",
            )
        needed = {p for p, kind in action.params.items() if not kind.endswith("?")}
        given = object_of(body.get("with", {}), f"{path}.with", set(action.params), required=needed)
        params = {
            p: self.param(action.params[p].rstrip("?"), v, f"{path}.with.{p}") for p, v in given.items()
        }
        return FiredAction(rule_id, action.name, params)

    def param(self, kind: str, value: object, path: str) -> Any:
        if not kind.startswith("list["):
            return scalar(kind, value, path)
        item = kind.removeprefix("list[").removesuffix("]")
        return tuple(scalar(item, v, f"{path}[{i}]") for i, v in enumerate(self.array(value, path)))
