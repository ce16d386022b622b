"""Running orders moved to another version of their flow, on purpose: first how many and where each lands, then done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from orderhub.events import log, rows
from orderhub.orders import holding, journeys, kinds, lifecycle
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from rules.flows import publishing
from rules.flows.graph import Node
from rules.flows.publishing import Drawn
from rules.models import FlowVersion

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Landing:
    """So many orders of one version that stand at one node, and the node of the new version they land at."""

    count: int
    version_number: int
    source: Node
    target: Node


def preview(to: FlowVersion) -> list[Landing]:
    """Where the running orders of the flow's other versions would land, the largest group first."""
    found = Order.objects.filter(pk__in=_running(to)).order_by()
    rows_ = found.values_list("flow_version_id", "flow_node", "step")
    counted = Counter(rows_)
    versions = {row.pk: row for row in FlowVersion.objects.filter(flow_id=to.flow_id).only("pk", "number")}
    drawings = publishing.drawn_many({to.pk, *(key[0] for key in counted if key[0])})
    landings: Counter[tuple[int, str, str]] = Counter()
    for (version_id, node_id, step), count in counted.items():
        source = _node(drawings[version_id or 0], node_id, step)
        target = land(drawings[to.pk], source, drawings[version_id or 0])
        if source is not None and target is not None:
            landings[(version_id or 0, source.id, target.id)] += count
    nodes = drawings[to.pk].graph.nodes
    return [
        Landing(
            count, versions[version_id].number, drawings[version_id].graph.nodes[source_id], nodes[target_id]
        )
        for (version_id, source_id, target_id), count in landings.most_common()
    ]


def move(to: FlowVersion, *, now: datetime, actor: str) -> int:
    """Move the running orders to the version, a few hundred at a time; how many were moved."""
    ids = sorted(_running(to))
    size = rows.at_once(_BATCH)
    return sum(_move(ids[at : at + size], to, now=now, actor=actor) for at in range(0, len(ids), size))


def land(drawn: Drawn, source: Node | None, old: Drawn) -> Node | None:
    """Where an order of another version goes on: at the same node, else at its step, else at the next step of the
    built-in journey on its old way, else at the beginning.
    """
    graph = drawn.graph
    if source is None:
        return graph.first
    same = graph.nodes.get(source.id)
    if same is not None and same.step == source.step and same.id in graph.order:
        return same
    ahead = [step for step in journeys.built_in() if old.graph.is_ahead(source.id, step)]
    found = [node for step in (source.step, *ahead) for node in graph.at_step(step)]
    return found[0] if found else graph.first


def _running(to: FlowVersion) -> list[int]:
    others = FlowVersion.objects.filter(flow_id=to.flow_id).exclude(pk=to.pk).values_list("pk", flat=True)
    found = Order.objects.filter(flow_version__in=list(others)).exclude(step_state=StepState.DONE)
    return list(found.values_list("pk", flat=True))


def _node(drawn: Drawn, node_id: str, step: str) -> Node | None:
    return journeys.Walk(drawn=drawn).node_of(Order(flow_node=node_id, step=step))


@transaction.atomic
def _move(order_ids: Sequence[int], to: FlowVersion, *, now: datetime, actor: str) -> int:
    found = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    orders = [x for x in found if x.step_state != StepState.DONE and x.flow_version_id not in (None, to.pk)]
    drawings = publishing.drawn_many({to.pk, *(x.flow_version_id for x in orders if x.flow_version_id)})
    facts = []
    for order in orders:
        source = _node(drawings[order.flow_version_id or 0], order.flow_node, order.step)
        old = drawings[order.flow_version_id or 0]
        target = land(drawings[to.pk], source, old)
        if target is None:
            continue
        told = {
            "from_version": order.flow_version_id, "to_version": to.pk,
            "from_node": source.id if source is not None else "", "to_node": target.id,
        }  # fmt: skip
        order.flow_version_id, order.flow_node = to.pk, target.id
        if order.step != target.step and order.waiting_for != holding.WAITING_FOR:
            # What it waited for at its old step says nothing of the new one.
            lifecycle.send_to([order], target.step)
        order.step = target.step
        facts.append(log.Fact(order.stream, kinds.FLOW_SWITCHED.name, told, order.merchant_id))
    lifecycle.save(orders, ["flow_version", "flow_node", *lifecycle.STEP_FIELDS], now=now)
    log.record(facts, now=now, actor=actor)
    return len(facts)
