"""What a version of a flow changed against the one before it, in words."""

from __future__ import annotations

from collections.abc import Iterable

from rules.flows import checking
from rules.flows.graph import Graph, Node, read
from rules.models import FlowVersion

_MOST = 6


def told(before: FlowVersion | None, after: FlowVersion, *, zh: bool) -> list[str]:
    """New, gone and changed nodes and how many lines changed, six things at most; nothing for the first version."""
    if before is None:
        return []
    old, new = read(before.content), read(after.content)
    found = [
        *_named("新增" if zh else "new:", (new.nodes[x] for x in new.nodes if x not in old.nodes), zh=zh),
        *_named("去掉" if zh else "gone:", (old.nodes[x] for x in old.nodes if x not in new.nodes), zh=zh),
        *_named("改了" if zh else "changed:", _changed(old, new), zh=zh),
    ]
    lines = len(set(old.edges) ^ set(new.edges))
    if lines:
        found.append(f"{lines} 条连线不同" if zh else f"{lines} lines differ")
    return found[:_MOST]


def _changed(old: Graph, new: Graph) -> list[Node]:
    return [
        node
        for name, node in new.nodes.items()
        if name in old.nodes and _said(node) != _said(old.nodes[name])
    ]


def _said(node: Node) -> tuple[object, ...]:
    return node.step, node.given, node.name, node.name_en


def _named(word: str, nodes: Iterable[Node], *, zh: bool) -> list[str]:
    return [f"{word}「{checking.label(x)[0]}」" if zh else f"{word} “{checking.label(x)[1]}”" for x in nodes]
