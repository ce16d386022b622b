"""A drawing tried on a real order: which way it would go and why, on what is true of it now. Nothing is run or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderhub.fields import vocabulary as fields
from orderhub.fields.engine import Definition
from orderhub.orders import holding
from orderhub.orders.flows import deciding, facts, setting
from orderhub.orders.models import Order
from rules import vocabulary
from rules.engine import Vocabulary, sentence
from rules.flows.checking import Branch
from rules.flows.graph import DECIDE, Node
from rules.flows.publishing import PURPOSE, Drawn

_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One branch of a decision: what it asks in words (zh, en), and whether it holds; None if it was not asked."""

    exit: str
    zh: str
    en: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Stop:
    """One node of the way: the exit it is left by, the branches of a decision, the values they looked at."""

    node: Node
    exit: str = ""
    asked: tuple[Asked, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """The way of one order, and whether it comes to the end."""

    stops: tuple[Stop, ...]
    is_done: bool


def try_order(drawn: Drawn, order: Order, scope: str, *, now: datetime) -> Tried:
    """Walk the drawing with the order's present facts; tags and fields that nodes set on the way count."""
    lines = {pk: list(rows) for pk, rows in holding.lines_of([order]).items()}
    wanted = {name for group in drawn.branches.values() for name in deciding.asked(group)}
    values = dict(facts.of([order], lines, wanted, now=now)[order.pk])
    words = vocabulary.words(PURPOSE, scope)
    stops: list[Stop] = []
    node = drawn.graph.first
    seen: set[str] = set()
    while node is not None and len(stops) < _MOST_STEPS:
        stop = _stop(node, drawn, values, words)
        stops.append(stop)
        if node.id in seen:
            return Tried(tuple(stops), is_done=False)
        seen.add(node.id)
        _imagine(node, values, order)
        ways = drawn.graph.out[node.id]
        if stop.exit not in ways:
            return Tried(tuple(stops), is_done=False)
        node = drawn.graph.follow(node.id, stop.exit)
    return Tried(tuple(stops), is_done=node is None and drawn.graph.first is not None)


def _stop(node: Node, drawn: Drawn, values: Mapping[str, object], words: Vocabulary) -> Stop:
    if node.step != DECIDE:
        return Stop(node)
    branches = drawn.branches.get(node.id, [])
    decided = deciding.decide_one(branches, values)
    return Stop(node, decided.exit, tuple(_asked(branches, decided.exit, words)), decided.told)


def _asked(branches: list[Branch], taken: str, words: Vocabulary) -> list[Asked]:
    rows: list[Asked] = []
    is_open = True
    for branch in branches:
        holds = branch.exit == taken if is_open else None
        rows.append(
            Asked(branch.exit, sentence(branch.when, words, "zh"), sentence(branch.when, words, "en"), holds)
        )
        is_open = is_open and branch.exit != taken
    return rows


def _imagine(node: Node, values: dict[str, object], order: Order) -> None:
    """What the node would change of what later decisions ask for."""
    if node.step == "flow.tag":
        tags = values.get("order.tags")
        values["order.tags"] = [*(tags if isinstance(tags, list) else []), str(node.given.get("tag", ""))]
    elif node.step == "flow.set_service":
        values["order.service"] = str(node.given.get("service", ""))
    elif node.step == "flow.set_green":
        values["order.green"] = node.given.get("green") == "yes"
    elif node.step == setting.NAME and (found := setting.value_of(node.given, order)):
        _imagine_field(*found, values, order)


def _imagine_field(field: Definition, value: object, values: dict[str, object], order: Order) -> None:
    name = f"order{fields.MARK}{field.code}"
    if value is None:
        values.pop(name, None)
    else:
        zone = order.channel.time_zone
        values[name] = fields.fact_of(field, value, placed_at=order.placed_at, time_zone=zone)
