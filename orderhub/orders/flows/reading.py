"""An order's way through its flow, read from the log: where it is, and what each decision decided on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orderhub.events.models import Event
from orderhub.orders import journeys, kinds
from orderhub.orders.models import Order
from rules import flow, vocabulary
from rules.engine import RuleError, sentence
from rules.flows import checking
from rules.flows.graph import DECIDE, ELSE, Graph, Node, read
from rules.flows.publishing import PURPOSE
from rules.models import FlowVersion

Json = dict[str, Any]
_YES_NO = {"zh": {"true": "是", "false": "否"}, "en": {"true": "yes", "false": "no"}}
_KINDS = (kinds.FLOW_MOVED.name, kinds.FLOW_SWITCHED.name)


def trace(order: Order, *, language: str) -> Json:
    """The flow an order walks, where it stands, and the nodes it left, oldest first; three queries at most.

    `language` is zh or en. Orders on a flat list of steps have no version and no way, only the steps.
    """
    events = list(Event.objects.filter(stream=order.stream, kind__in=_KINDS).order_by("pk"))
    versions = _versions(order, events)
    version = versions.get(order.flow_version_id or 0)
    if version is None:
        return {"flow": None, "at": _flat_at(order, language), "way": [], "tags": list(order.tags)}
    reader = _Reader(versions, language)
    return {
        "flow": {
            "id": version.flow_id, "code": version.flow.code, "version": version.number,
            "name": version.flow.name if language == "zh" else version.flow.name_en or version.flow.name,
        },
        "at": reader.at(order, version),
        "way": [row for event in events for row in reader.rows(event)],
        "tags": list(order.tags),
    }  # fmt: skip


def branch_words(node: Node, exit_: str, scope: str, language: str) -> tuple[str, str]:
    """What an exit of a decision is called, and its condition as a sentence; "otherwise" has none."""
    zh = language == "zh"
    if exit_ == ELSE:
        return ("其他" if zh else "otherwise"), ""
    try:
        words = vocabulary.words(PURPOSE, scope, retired=True)
        rows = checking.branches(node, words)
        place = next((n for n, x in enumerate(rows) if x.exit == exit_), None)
        if place is None:
            return exit_, ""
        found = rows[place]
        said = sentence(found.when, words, language)
    except RuleError:
        return exit_, ""
    name = (found.name or found.name_en) if zh else (found.name_en or found.name)
    return name or (f"分支 {place + 1}" if zh else f"Branch {place + 1}"), said


def _versions(order: Order, events: Iterable[Event]) -> dict[int, FlowVersion]:
    ids = {order.flow_version_id}
    for event in events:
        ids |= {event.payload.get(name) for name in ("flow_version", "from_version", "to_version")}
    rows = FlowVersion.objects.filter(pk__in=[pk for pk in ids if pk]).select_related("flow")
    return {row.pk: row for row in rows}


def _flat_at(order: Order, language: str) -> Json | None:
    if not order.step:
        return None
    known = order.step in flow.names()
    name = (flow.get(order.step).zh if language == "zh" else flow.get(order.step).en) if known else order.step
    return {"node": "", "step": order.step, "name": name, "waits": order.waiting_for}


class _Reader:
    """Turns events into rows; the drawings are read once."""

    def __init__(self, versions: Mapping[int, FlowVersion], language: str) -> None:
        self._versions = versions
        self._language = language
        self._graphs: dict[int, Graph] = {pk: read(row.content) for pk, row in versions.items()}

    def at(self, order: Order, version: FlowVersion) -> Json | None:
        """Where the order stands; None once it is through."""
        if not order.step:
            return None
        graph = self._graphs[version.pk]
        walked = journeys.walk_of(order).node_of(order)
        node = graph.nodes.get(walked.id) if walked is not None else None
        return None if node is None else {**self._named(node), "waits": order.waiting_for}

    def rows(self, event: Event) -> list[Json]:
        """The nodes that were left, or the change to another version."""
        payload = event.payload
        shared = {"at": event.recorded_at, "by": event.actor}
        if event.kind == kinds.FLOW_SWITCHED.name:
            numbers = [self._number(payload.get(name)) for name in ("from_version", "to_version")]
            text = ("改走 v{1}（原 v{0}）" if self._language == "zh" else "moved from v{0} to v{1}").format(
                *numbers
            )
            graph = self._graphs.get(payload.get("to_version", 0))
            node = graph.nodes.get(str(payload.get("to_node", ""))) if graph else None
            named = self._named(node) if node is not None else {"node": "", "step": "", "name": ""}
            return [{**shared, **named, "exit": "", "exit_name": text, "why": "", "told": []}]
        graph = self._graphs.get(payload.get("flow_version", 0))
        version = self._versions.get(payload.get("flow_version", 0))
        if graph is None or version is None:
            return []
        return [{**shared, **self._row(graph, version, entry)} for entry in payload.get("way", [])]

    def _row(self, graph: Graph, version: FlowVersion, entry: Mapping[str, Any]) -> Json:
        node = graph.nodes.get(str(entry.get("node", "")))
        exit_ = str(entry.get("exit", ""))
        if node is None:
            return {"node": str(entry.get("node", "")), "step": "", "name": "", "exit": exit_, "exit_name": "",
                    "why": "", "told": []}  # fmt: skip
        name, why = ("", "")
        if node.step == DECIDE:
            name, why = branch_words(node, exit_, version.flow.scope, self._language)
        return {**self._named(node), "exit": exit_, "exit_name": name, "why": why,
                "told": told_words(entry.get("told", {}), self._language)}  # fmt: skip

    def _named(self, node: Node) -> Json:
        zh, en = checking.label(node)
        return {"node": node.id, "step": node.step, "name": zh if self._language == "zh" else en}

    def _number(self, version_id: Any) -> str:
        row = self._versions.get(version_id or 0)
        return str(row.number) if row is not None else "–"


def told_words(told: Mapping[str, Any], language: str) -> list[Json]:
    """The facts a decision looked at, with their labels."""
    facts = vocabulary.words(PURPOSE).facts
    rows = []
    for name, value in told.items():
        fact = facts.get(name)
        label = name if fact is None else fact.zh if language == "zh" else fact.en
        shown = (
            _YES_NO[language].get(str(value), str(value))
            if fact is not None and fact.type == "boolean"
            else value
        )
        unit = fact.unit if fact is not None else ""
        rows.append({"fact": name, "name": label, "value": f"{shown} {unit}".strip()})
    return rows
