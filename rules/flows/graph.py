"""A drawn flow as data: nodes that are steps, edges between their exits, and the way from one to the next. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from rules.engine import RuleError

START, END, DECIDE = "flow.start", "flow.end", "flow.decide"
#: The exit of a decision none of whose branches holds.
ELSE = "else"
MAX_NODES, MAX_EDGES, MAX_BRANCHES = 80, 240, 8
MAX_NAME = 60
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")
_FAR = 20_000


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a flow: the step it runs with what it was `given`, its own name if any, and where it is drawn."""

    id: str
    step: str
    given: Mapping[str, Any]
    name: str = ""
    name_en: str = ""
    x: int = 0
    y: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """The way out of a node by one of its exits (empty where it has only one) to another."""

    source: str
    target: str
    exit: str = ""


@dataclass(frozen=True)
class Graph:
    """A drawn flow; it may still be faulty, `rules.flows.checking` says how."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    @cached_property
    def out(self) -> Mapping[str, Mapping[str, str]]:
        """Per node where each of its exits leads to."""
        found: dict[str, dict[str, str]] = {name: {} for name in self.nodes}
        for edge in self.edges:
            found[edge.source].setdefault(edge.exit, edge.target)
        return found

    @cached_property
    def start(self) -> Node | None:
        """Where orders come in."""
        return next((node for node in self.nodes.values() if node.step == START), None)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The rank of every node that can be reached from the start, nearest first."""
        first = [self.start.id] if self.start else []
        return {name: rank for rank, name in enumerate(self.reach(first))}

    def at_step(self, step: str) -> list[Node]:
        """The nodes that run a step, nearest to the start first."""
        return [self.nodes[name] for name in self.order if self.nodes[name].step == step]

    def follow(self, node_id: str, exit_: str = "") -> Node | None:
        """The node behind an exit; None at the end of the flow and where nothing leads on."""
        ways = self.out[node_id]
        target = ways.get(exit_, ways.get(ELSE))
        if target is None or self.nodes[target].step == END:
            return None
        return self.nodes[target]

    @cached_property
    def first(self) -> Node | None:
        """The first node that runs something."""
        return self.follow(self.start.id) if self.start else None

    def reach(self, begin: Iterable[str], *, without: Iterable[str] = ()) -> dict[str, str]:
        """The nodes that can be reached from `begin` (itself among them), each with the one it was reached from;
        ways through nodes of `without` do not count.
        """
        barred = set(without)
        queue = [name for name in begin if name not in barred]
        came = dict.fromkeys(queue, "")
        for name in queue:
            for target in self.out[name].values():
                if target not in came and target not in barred:
                    came[target] = name
                    queue.append(target)
        return came

    def behind(self, node_id: str) -> dict[str, str]:
        """The nodes that come after one, itself only if a way leads back to it."""
        return self.reach(self.out[node_id].values())

    def is_ahead(self, node_id: str, step: str) -> bool:
        """Whether an order at this node may still come to the step, being at it included."""
        return any(self.nodes[name].step == step for name in (node_id, *self.behind(node_id)))

    def nearest(self, step: str, node_id: str) -> Node | None:
        """Where an order at `node_id` is put that is sent to a step: a node before it if there is one, nearest first."""
        found = self.at_step(step)
        before = [node for node in found if node.id == node_id or node_id in self.behind(node.id)]
        ranks = self.order
        return max(before, key=lambda node: ranks[node.id], default=None) or next(iter(found), None)


def read(content: object) -> Graph:
    """The graph that a document draws; RuleError with the exact place where its form is wrong."""
    body = _object(content, "", {"nodes", "edges"})
    nodes: dict[str, Node] = {}
    for position, raw in enumerate(_list(body.get("nodes"), "nodes", MAX_NODES)):
        node = _node(raw, f"nodes[{position}]")
        if node.id in nodes:
            raise RuleError(f"nodes[{position}].id", "twice", zh="编号重复", en="this id stands twice")
        nodes[node.id] = node
    edges = [
        _edge(raw, f"edges[{position}]", nodes)
        for position, raw in enumerate(_list(body.get("edges"), "edges", MAX_EDGES))
    ]
    return Graph(nodes, tuple(edges))


def flat(steps: Sequence[str]) -> dict[str, Any]:
    """A document that draws these steps one after the other, from start to end."""
    names = [START, *steps, END]
    ids = ["start", *(f"s{n}" for n in range(1, len(steps) + 1)), "end"]
    nodes = [
        {"id": node, "step": step, "x": 100 + 184 * (n % 4), "y": 70 + 120 * (n // 4)}
        for n, (node, step) in enumerate(zip(ids, names, strict=True))
    ]
    return {"nodes": nodes, "edges": [{"from": a, "to": b} for a, b in pairwise(ids)]}


def _node(raw: object, path: str) -> Node:
    body = _object(raw, path, {"id", "step", "with", "name", "name_en", "x", "y"})
    given = body.get("with") or {}
    if not isinstance(given, Mapping):
        raise RuleError(f"{path}.with", "shape", zh="必须是对象", en="must be an object")
    name = _word(body.get("id"), f"{path}.id")
    step = body.get("step")
    if not isinstance(step, str) or not step or len(step) > 40:
        raise RuleError(f"{path}.step", "type", zh="缺少步骤名", en="needs the name of a step")
    zh, en = (_text(body.get(key, ""), f"{path}.{key}") for key in ("name", "name_en"))
    x, y = (_pixel(body.get(key, 0), f"{path}.{key}") for key in ("x", "y"))
    return Node(name, step, dict(given), zh, en, x, y)


def _edge(raw: object, path: str, nodes: Mapping[str, Node]) -> Edge:
    body = _object(raw, path, {"from", "to", "exit"})
    for end in ("from", "to"):
        if body.get(end) not in nodes:
            raise RuleError(f"{path}.{end}", "unknown_node", zh="连到不存在的节点", en="names no node")
    exit_ = body.get("exit", "")
    return Edge(body["from"], body["to"], _word(exit_, f"{path}.exit") if exit_ else "")


def _object(value: object, path: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value.keys() <= keys:
        wanted = ", ".join(sorted(keys))
        raise RuleError(path or "flow", "shape", zh=f"只能包含 {wanted}", en=f"an object of {wanted} only")
    return value


def _list(value: object, path: str, most: int) -> list[object]:
    if not isinstance(value, list):
        raise RuleError(path, "shape", zh="必须是一个列表", en="must be a list")
    if len(value) > most:
        raise RuleError(path, "size", zh=f"最多 {most} 个", en=f"{most} at most")
    return value


def _word(value: object, path: str) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise RuleError(
            path,
            "word",
            zh="1 到 24 个小写字母、数字、- 或 _",
            en="1 to 24 lower case letters, digits, - or _",
        )
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise RuleError(
            path, "text", zh=f"最多 {MAX_NAME} 个字", en=f"a text of {MAX_NAME} characters at most"
        )
    return value


def _pixel(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _FAR:
        raise RuleError(path, "pixel", zh="位置不对", en="is no position")
    return value
