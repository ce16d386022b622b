"""Where the orders of a pass stand on their drawings, and what the log is told of the way they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderhub.events import log
from orderhub.orders import kinds, lifecycle
from orderhub.orders.journeys import Walk
from orderhub.orders.models import Order
from rules.flow import Context, Verdict


class Trail:
    """Of the orders of one pass those on drawings; costs nothing where there are none.

    An entry of a way is `{"node", "exit", "told"}`: the node that was left, by which exit, and what was decided on.
    """

    def __init__(self, orders: Sequence[Order], walks: Mapping[int, Walk], context: Context) -> None:
        self._context = context
        self._walks = walks
        self._orders = [order for order in orders if order.flow_version_id is not None]
        self._ways: dict[int, list[dict[str, Any]]] = {}
        self._waits: dict[int, str] = {}
        for order in self._orders:
            self.settle(order)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of orders that are to be saved besides their step."""
        return lifecycle.FLOW_FIELDS if self._orders else ()

    def settle(self, order: Order) -> None:
        """Put an order that was sent to a step at the node of that step."""
        node = self._walks[order.pk].node_of(order)
        if node is not None:
            order.flow_node = node.id
            self._context.places[order.pk] = node

    def leave(self, order: Order, verdict: Verdict, *, to: str) -> None:
        """The order goes on from its node to another; at the end of the way it keeps the last one."""
        if order.flow_version_id is None:
            return
        entry: dict[str, Any] = {"node": order.flow_node}
        if verdict.exit:
            entry["exit"] = verdict.exit
        if verdict.told:
            entry["told"] = dict(verdict.told)
        self._ways.setdefault(order.pk, []).append(entry)
        drawn = self._walks[order.pk].drawn
        if to and drawn is not None:
            order.flow_node = to
            self._context.places[order.pk] = drawn.graph.nodes[to]

    def stay(self, order: Order, verdict: Verdict) -> None:
        """The order waits at its node."""
        if order.flow_version_id is not None:
            self._waits[order.pk] = verdict.waiting_for

    def record(self) -> None:
        """One event for every order that went anywhere or came to wait; no statement where there is none."""
        facts = [
            log.Fact(
                order.stream, kinds.FLOW_MOVED.name,
                {
                    "flow_version": order.flow_version_id, "way": self._ways.get(order.pk, []),
                    "at": order.flow_node if order.step else "", "waits": self._waits.get(order.pk, ""),
                },
                order.merchant_id,
            )
            for order in self._orders
            if order.pk in self._ways or order.pk in self._waits
        ]  # fmt: skip
        log.record(facts, now=self._context.now, actor=self._context.actor)
