"""What is wrong with a drawn flow: every finding names its nodes and says why, in both languages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rules import flow
from rules.engine import CompiledRule, RuleError, Vocabulary, compile_rule
from rules.flow import Param, Step
from rules.flows.graph import DECIDE, ELSE, END, MAX_BRANCHES, MAX_NAME, START, Graph, Node

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """An error, which publishing refuses, or a warning; the nodes it is about, the first being the place to go to."""

    level: Literal["error", "warning"]
    code: str
    nodes: tuple[str, ...]
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a decision: its exit, its names, its condition as written and compiled."""

    exit: str
    name: str
    name_en: str
    when: Mapping[str, Any]
    rule: CompiledRule


def branches(node: Node, words: Vocabulary) -> list[Branch]:
    """The branches of a decision in the order they are asked; RuleError if one cannot be compiled."""
    given = node.given.get("branches")
    if not isinstance(given, list) or not given or node.given.keys() != {"branches"}:
        raise RuleError("branches", "shape", zh="至少要有一个分支", en="needs at least one branch")
    if len(given) > MAX_BRANCHES:
        raise RuleError(
            "branches", "size", zh=f"最多 {MAX_BRANCHES} 个分支", en=f"{MAX_BRANCHES} branches at most"
        )
    found = [_branch(raw, f"branches[{position}]", words) for position, raw in enumerate(given)]
    if len({branch.exit for branch in found}) < len(found):
        raise RuleError("branches", "twice", zh="分支编号重复", en="two branches have one exit")
    return found


def findings(graph: Graph, words: Vocabulary, *, scope: str = "") -> list[Finding]:
    """Everything there is to say about a drawing, errors first; empty for a sound one."""
    found = [*_ends(graph), *(x for node in graph.nodes.values() for x in _node(graph, node, words, scope))]
    if graph.start is not None:
        found += [*_ways(graph), *_order(graph), *_circles(graph)]
    return sorted(found, key=lambda x: x.level)


def label(node: Node) -> tuple[str, str]:
    """What a node is called, zh and en."""
    if node.step in {START, END}:
        zh, en = ("订单进入", "Order comes in") if node.step == START else ("完成", "Done")
    elif node.step in flow.names():
        zh, en = flow.get(node.step).zh, flow.get(node.step).en
    else:
        zh = en = node.step
    return node.name or node.name_en or zh, node.name_en or node.name or en


def _branch(raw: object, path: str, words: Vocabulary) -> Branch:
    if (
        not isinstance(raw, Mapping)
        or not raw.keys() <= {"exit", "name", "name_en", "when"}
        or "when" not in raw
    ):
        raise RuleError(
            path, "shape", zh="分支由编号、名称和条件组成", en="a branch is an exit, names and a condition"
        )
    exit_, names = raw.get("exit"), [raw.get("name", ""), raw.get("name_en", "")]
    if not isinstance(exit_, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,23}", exit_) or exit_ == ELSE:
        raise RuleError(f"{path}.exit", "word", zh="分支编号不对", en="is no exit")
    if not all(isinstance(name, str) and len(name) <= MAX_NAME for name in names):
        raise RuleError(
            f"{path}.name", "text", zh=f"名称最多 {MAX_NAME} 个字", en=f"at most {MAX_NAME} characters"
        )
    when = raw["when"]
    if isinstance(when, Mapping) and when.get("all") == []:
        raise RuleError(f"{path}.when", "empty", zh="还没有条件", en="has no condition yet")
    try:
        rule = compile_rule({"id": exit_, "when": when, "then": []}, words)
    except RuleError as fault:
        raise RuleError(f"{path}.{fault.path}", fault.code, zh=fault.zh, en=fault.en) from fault
    return Branch(exit_, str(names[0]), str(names[1]), when, rule)


# ---- one node ------------------------------------------------------------------------------------------


def _node(graph: Graph, node: Node, words: Vocabulary, scope: str) -> Iterator[Finding]:
    zh, en = label(node)
    if node.step not in {START, END, *flow.names()}:
        yield _error(
            "unknown_step", [node.id], f"没有名为 {node.step} 的步骤", f"There is no step {node.step}"
        )
        return
    exits = {""} if node.step != END else set()
    if node.step == DECIDE:
        try:
            exits = {branch.exit for branch in branches(node, words)} | {ELSE}
        except RuleError as fault:
            text = f"「{zh}」的条件有误（{fault.path}）：{fault.zh}"
            yield _error(fault.code, [node.id], text, f"“{en}”: {fault.path} {fault.en}")
            exits = _written_exits(node)
    elif node.step not in {START, END}:
        found = flow.get(node.step)
        faults = list(_given(node, found.params, scope))
        yield from faults
        if found.check and not faults and (wrong := found.check(node.given, scope)):
            yield _error("field", [node.id], f"「{zh}」：{wrong[0]}", f"“{en}”: {wrong[1]}")
    yield from _exits(graph, node, exits)


def _written_exits(node: Node) -> set[str]:
    given = node.given.get("branches")
    rows = given if isinstance(given, list) else []
    return {str(row.get("exit", "")) for row in rows if isinstance(row, Mapping)} | {ELSE}


def _exits(graph: Graph, node: Node, exits: set[str]) -> Iterator[Finding]:
    zh, en = label(node)
    ways = [edge for edge in graph.edges if edge.source == node.id]
    for edge in ways:
        if edge.exit not in exits:
            yield _error(
                "no_such_exit", [node.id], f"「{zh}」没有出口 {edge.exit}", f"“{en}” has no exit {edge.exit}"
            )
    for exit_ in sorted(exits):
        count = sum(edge.exit == exit_ for edge in ways)
        if count > 1:
            yield _error(
                "two_ways", [node.id], f"「{zh}」同一出口连了两条线", f"Two lines leave “{en}” by one exit"
            )
        elif count == 0 and exit_ == ELSE:
            text = f"「{zh}」没有覆盖所有情况：「其他」出口没有连线"
            yield _error(
                "uncovered",
                [node.id],
                text,
                f"“{en}” does not cover everything: its exit “otherwise” is open",
            )
        elif count == 0:
            yield _error("dead_end", [node.id], f"「{zh}」之后走不下去", f"Nothing comes after “{en}”")


def _given(node: Node, params: Sequence[Param], scope: str) -> Iterator[Finding]:
    zh, en = label(node)
    known = {param.name: param for param in params}
    for name in sorted(node.given.keys() - known.keys()):
        yield _error(
            "unknown_field", [node.id], f"「{zh}」不认识字段 {name}", f"“{en}” knows no field {name}"
        )
    for param in params:
        fault = _fault(node.given.get(param.name), param, scope)
        if fault is not None:
            text = f"「{zh}」的{param.zh}：{fault[0]}"
            yield _error("field", [node.id], text, f"“{en}”, {param.en}: {fault[1]}")


def _fault(value: object, param: Param, scope: str) -> tuple[str, str] | None:
    if value in (None, ""):
        return ("必填", "is needed") if param.required else None
    if param.kind == "integer":
        if isinstance(value, bool) or not isinstance(value, int) or not param.low <= value <= param.high:
            return (
                f"填 {param.low} 到 {param.high} 的整数",
                f"a whole number from {param.low} to {param.high}",
            )
        return None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return f"最多 {_LONGEST} 个字", f"a text of {_LONGEST} characters at most"
    if param.kind == "time" and not _CLOCK.fullmatch(value):
        return "写成 20:00 这样的时刻", "a time of day like 20:00"
    if param.kind == "choice":
        choices = param.among(scope) if param.among else param.choices
        if value not in {choice.value for choice in choices}:
            return f"没有「{value}」这个选项", f"there is no “{value}” to choose"
    return None


# ---- the whole -----------------------------------------------------------------------------------------


def _ends(graph: Graph) -> Iterator[Finding]:
    starts = [node.id for node in graph.nodes.values() if node.step == START]
    if len(starts) != 1:
        yield _error(
            "start", starts, "要有且只有一个「订单进入」", "There must be exactly one “Order comes in”"
        )
    if not any(node.step == END for node in graph.nodes.values()):
        yield _error("end", [], "没有「完成」节点", "There is no node “Done”")
    for node in graph.nodes.values():
        if node.step == START and any(edge.target == node.id for edge in graph.edges):
            yield _error(
                "into_start", [node.id], "不能连回「订单进入」", "No line may lead back to the start"
            )


def _ways(graph: Graph) -> Iterator[Finding]:
    ends = [node.id for node in graph.nodes.values() if node.step == END]
    back = Graph(graph.nodes, tuple(type(e)(e.target, e.source, str(n)) for n, e in enumerate(graph.edges)))
    finishing = back.reach(ends)
    for node in graph.nodes.values():
        zh, en = label(node)
        if node.id not in graph.order:
            yield _error("unreachable", [node.id], f"走不到「{zh}」", f"“{en}” cannot be reached")
        elif node.id not in finishing and graph.out[node.id] and node.step != END:
            yield _error(
                "no_way_out", [node.id], f"从「{zh}」走不到完成", f"No way leads from “{en}” to the end"
            )


def _order(graph: Graph) -> Iterator[Finding]:
    start = [graph.start.id] if graph.start else []
    steps = {name: flow.get(name) for name in flow.names()}
    for step in steps.values():
        if step.required:
            yield from _required(graph, step, start)
    for name in graph.order:
        node = graph.nodes[name]
        if node.step in steps:
            yield from _neighbors(graph, node, steps, start)


def _required(graph: Graph, step: Step, start: Sequence[str]) -> Iterator[Finding]:
    """A way from start to end that avoids the step is an error; it is shown."""
    without = [node.id for node in graph.nodes.values() if node.step == step.name]
    came = graph.reach(start, without=without)
    end = next((name for name in came if graph.nodes[name].step == END), None)
    if end is None:
        return
    way = _way(came, end)
    zh, en = (" → ".join(label(graph.nodes[name])[n] for name in way) for n in (0, 1))
    yield _error(
        "missing_step",
        way[-2:],
        f"有一条路不经过「{step.zh}」：{zh}",
        f"One way leaves out “{step.en}”: {en}",
    )


def _neighbors(
    graph: Graph, node: Node, steps: Mapping[str, Step], start: Sequence[str]
) -> Iterator[Finding]:
    zh, en = label(node)
    step = steps[node.step]
    for name in step.after:
        without = [x.id for x in graph.nodes.values() if x.step == name]
        if node.id in graph.reach(start, without=without) and name in steps:
            other = steps[name]
            text = f"「{zh}」之前必须先经过「{other.zh}」"
            yield _error("too_early", [node.id], text, f"“{other.en}” must come before “{en}” on every way")
    behind = graph.behind(node.id)
    for later in step.before:
        if any(node.id in graph.behind(x.id) for x in graph.at_step(later)) and later in steps:
            other = steps[later]
            text = f"「{zh}」必须在「{other.zh}」之前"
            yield _error("too_late", [node.id], text, f"“{en}” must come before “{other.en}”")
    if step.once:
        again = [x for x in behind if graph.nodes[x].step == node.step]
        if again:
            text = f"一条路上只能有一个「{step.zh}」"
            yield _error("twice", [node.id, *again], text, f"“{step.en}” may stand on a way once")


def _circles(graph: Graph) -> Iterator[Finding]:
    """Loops in which nothing waits: an order would run in them without end."""
    pausing = {n.id for n in graph.nodes.values() if n.step in flow.names() and flow.get(n.step).pauses}
    told: set[str] = set()
    for name in graph.order:
        if name in pausing or name in told:
            continue
        came = graph.reach(graph.out[name].values(), without=pausing)
        if name not in came:
            continue
        circle = _circle(graph, name, pausing)
        told.update(circle)
        names = [*circle, circle[0]]
        zh, en = (" → ".join(label(graph.nodes[x])[n] for x in names) for n in (0, 1))
        yield _error("circle", circle, f"没有等待的循环：{zh}", f"A circle without a wait: {en}")


def _circle(graph: Graph, name: str, without: set[str]) -> list[str]:
    """The shortest way from a node back to itself."""
    came: dict[str, str] = {}
    queue = [name]
    for at in queue:
        for target in graph.out[at].values():
            if target == name:
                return _way(came, at, root=name)
            if target not in came and target not in without:
                came[target] = at
                queue.append(target)
    return [name]


def _way(came: Mapping[str, str], end: str, *, root: str = "") -> list[str]:
    way = [end]
    while way[-1] != root and came.get(way[-1]):
        way.append(came[way[-1]])
    return way[::-1]


def _error(code: str, nodes: Sequence[str], zh: str, en: str) -> Finding:
    return Finding("error", code, tuple(nodes), zh, en)
