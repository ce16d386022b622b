"""Which way each order walks: the built-in journey, a merchant's own list of steps, or the drawing it began with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import NamedTuple

from django.utils.module_loading import import_string

from orderhub.events.tables import ask
from orderhub.kernel import clock
from orderhub.orders.models import Order
from rules import services as rules
from rules.flow import Context, after
from rules.flows import publishing
from rules.flows.graph import Node
from rules.flows.publishing import Drawn
from rules.models import Flow as FlowRow

Flow = tuple[str, ...]
#: How long a door may start orders by what it read last; a flow that is published counts within a second.
KEPT_SECONDS = 0.5


class Entry(NamedTuple):
    """Where new orders of a merchant begin: the step and, on a drawn flow, its version and the node."""

    step: str
    version_id: int | None = None
    node: str = ""


_WALKS = "orders.walks"
_entries: dict[int, tuple[float, Entry]] = {}


@dataclass(frozen=True, slots=True)
class Walk:
    """The way of one order: a flat list of steps, or a drawing."""

    flat: Flow = ()
    drawn: Drawn | None = None

    @property
    def first(self) -> tuple[str, str]:
        """The step, and the node if it is drawn, that the way begins with."""
        if self.drawn is None:
            return self.flat[0], ""
        first = self.drawn.graph.first
        return (first.step, first.id) if first is not None else ("", "")

    def node_of(self, order: Order) -> Node | None:
        """Where the order stands in the drawing; None on a flat way.

        An order that was sent to a step by name (routing afresh) is at the node of that step that it has passed.
        """
        if self.drawn is None:
            return None
        graph = self.drawn.graph
        here = graph.nodes.get(order.flow_node)
        if here is not None and here.step == order.step:
            return here
        return (
            graph.nearest(order.step, order.flow_node)
            if here
            else next(iter(graph.at_step(order.step)), None)
        )

    def following(self, order: Order, exit_: str = "") -> tuple[str, str]:
        """The step and node behind the order's; empty at the end."""
        if self.drawn is None:
            return _following(self.flat, order.step), ""
        here = self.node_of(order)
        found = self.drawn.graph.follow(here.id, exit_) if here is not None else self.drawn.graph.first
        return (found.step, found.id) if found is not None else ("", "")

    def has_ahead(self, order: Order, step: str) -> bool:
        """Whether the order stands at the step or may still come to it."""
        if self.drawn is not None:
            here = self.node_of(order)
            return here is not None and self.drawn.graph.is_ahead(here.id, step)
        if step not in self.flat or order.step not in self.flat:
            return False
        return self.flat.index(order.step) <= self.flat.index(step)

    def is_before(self, order: Order, step: str) -> bool:
        """Whether an order on a drawing has still to come to the step, and is not at it."""
        return order.step != step and self.has_ahead(order, step)

    def includes(self, order: Order, step: str) -> bool:
        """Whether the way leads through the step at all; on a drawing from where the order stands."""
        return step in self.flat if self.drawn is None else self.has_ahead(order, step)


@cache
def built_in() -> Flow:
    """The journey of merchants without a flow of their own; the composition root is reached by name only."""
    steps: Flow = tuple(import_string("orderhub.journey.JOURNEY"))
    return steps


def of_merchants(merchant_ids: Iterable[int]) -> dict[int, Flow]:
    """The flat way in force for each merchant, one query; orders on a drawing do not go by it."""
    scopes = {f"merchant:{merchant_id}": merchant_id for merchant_id in merchant_ids}
    found = rules.flows(scopes)
    return {merchant_id: found.get(scope) or built_in() for scope, merchant_id in scopes.items()}


def walks_of(orders: Sequence[Order]) -> dict[int, Walk]:
    """The way of each order by its id; one query where all are on flat ways, one or two where all are on drawings."""
    on_drawings = {order.flow_version_id for order in orders if order.flow_version_id is not None}
    on_lists = {order.merchant_id for order in orders if order.flow_version_id is None}
    flats = of_merchants(on_lists)
    drawings: Mapping[int, Drawn] = publishing.drawn_many(on_drawings) if on_drawings else {}
    lists = {merchant_id: Walk(flat=steps) for merchant_id, steps in flats.items()}
    drawn = {version_id: Walk(drawn=found) for version_id, found in drawings.items()}
    return {
        order.pk: lists[order.merchant_id] if order.flow_version_id is None else drawn[order.flow_version_id]
        for order in orders
    }


def kept(context: Context, orders: Sequence[Order]) -> dict[int, Walk]:
    """The ways of the orders of a pass, found once."""
    known: dict[int, Walk] = context.kept.setdefault(_WALKS, {})
    missing = [order for order in orders if order.pk not in known]
    if missing:
        known.update(walks_of(missing))
    return known


def walk_of(order: Order) -> Walk:
    """The way of one order."""
    return walks_of([order])[order.pk]


def begin(merchant_id: int) -> Entry:
    """Where new orders of a merchant begin; at most one query for one without a flow of its own, kept for half a second
    in this process.
    """
    until, entry = _entries.get(merchant_id, (0.0, Entry("")))
    if until <= monotonic():
        entry = _read_entry(merchant_id)
        _entries[merchant_id] = monotonic() + KEPT_SECONDS, entry
    return entry


def forget() -> None:
    """Ask the database again from now on."""
    _entries.clear()


def _read_entry(merchant_id: int) -> Entry:
    scope = f"merchant:{merchant_id}"
    some = f"SELECT 1 FROM {FlowRow._meta.db_table} WHERE scope IN ('', %s) AND is_active LIMIT 1"  # noqa: S608
    if not ask(some, [scope]):
        return Entry(built_in()[0])
    version = publishing.in_force(scope, now=clock.now())
    if version is not None:
        step, node = Walk(drawn=publishing.drawn_many([version.pk])[version.pk]).first
        if step:
            return Entry(step, version.pk, node)
    # Whether a list can be walked is judged in one place.
    return Entry(of_merchants([merchant_id])[merchant_id][0])


def _following(flow: Flow, step: str) -> str:
    """The step after `step`; empty at the end.

    A step that an operator took out while orders stood at it is left for the first one that comes later by
    the built-in journey, so that those orders go on.
    """
    if step in flow:
        return after(flow, step)
    usual = built_in()
    later = usual[usual.index(step) + 1 :] if step in usual else ()
    return next((name for name in flow if name in later), "")
