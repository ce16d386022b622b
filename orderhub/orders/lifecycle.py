"""The one door to an order's stage and step; every function works on instances whose rows the caller has
locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed

from orderhub.events import rows
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import Stage, StepState

#: The step that finds a place to ship from; re-routing sends an order back to it.
ROUTING_STEP = "routing.route"
#: Where an order stands on a drawn flow; written beside STEP_FIELDS for orders that walk one.
FLOW_FIELDS = ("flow_node", "flow_marks", "tags")
STEP_FIELDS = ("step", "step_state", "waiting_for", "attempts")
BEFORE_RELEASE = frozenset({Stage.RECEIVED, Stage.REVIEWING, Stage.ROUTED, Stage.BACKORDERED})
#: Nothing more is done with such an order.
CLOSED = frozenset({Stage.CANCELLED, Stage.MERGED})


def transition(orders: Sequence[Order], to: Stage) -> None:
    """Fire the machine's way to `to` on locked orders; those already there stay. The caller saves and
    records.

    Raises Refused("illegal_transition") before any of them changes if the machine knows no such way.
    """
    moving = [order for order in orders if order.stage != to]
    ways = [getattr(order, f"to_{to.value}") for order in moving]
    for order, way in zip(moving, ways, strict=True):
        if not can_proceed(way):
            raise Refused(
                "illegal_transition",
                _("Order %(number)s is %(stage)s and cannot become %(target)s.")
                % {"number": order.number, "stage": Stage(order.stage).label, "target": to.label},
                facts={"order": order.pk, "stage": order.stage, "target": to.value},
            )
    for way in ways:
        way()


def settle(orders: Iterable[tuple[Order, Sequence[OrderLine]]]) -> list[Order]:
    """Move each locked order to the stage its lines say; the orders that changed. The caller saves and
    records.
    """
    changed: dict[Stage, list[Order]] = {}
    for order, lines in orders:
        target = rollup(order, lines)
        if target != order.stage:
            changed.setdefault(target, []).append(order)
    for target, group in changed.items():
        transition(group, target)
    return [order for group in changed.values() for order in group]


def rollup(order: Order, lines: Sequence[OrderLine]) -> Stage:
    """The stage that the line ledger says, pure; a review and a closed or merged order stay what they are."""
    if order.stage == Stage.MERGED:
        return Stage.MERGED
    found = stage_of(lines)
    if order.stage == Stage.REVIEWING and found in BEFORE_RELEASE:
        return Stage.REVIEWING
    if order.stage == Stage.COMPLETED and found == Stage.DELIVERED:
        return Stage.COMPLETED
    return found


def stage_of(lines: Sequence[OrderLine]) -> Stage:
    """The stage of an order with these lines, holds apart; the farthest thing that happened to its units
    counts.
    """
    active = sum(line.ordered - line.cancelled for line in lines)
    shipped = sum(line.shipped for line in lines)
    delivered = sum(line.delivered for line in lines)
    returned = sum(line.returned for line in lines)
    if active == 0:
        return Stage.CANCELLED
    if returned:
        return Stage.RETURNED if returned == active else Stage.PARTIALLY_RETURNED
    if delivered:
        return Stage.DELIVERED if delivered == active else Stage.PARTIALLY_DELIVERED
    if shipped:
        return Stage.SHIPPED if shipped == active else Stage.PARTIALLY_SHIPPED
    return _before_shipping(lines)


def _before_shipping(lines: Sequence[OrderLine]) -> Stage:
    if any(line.released for line in lines):
        return Stage.RELEASED
    if any(line.allocated for line in lines):
        return Stage.ROUTED
    return Stage.BACKORDERED if any(line.backordered for line in lines) else Stage.RECEIVED


def send_to(orders: Iterable[Order], step: str) -> None:
    """Point locked orders to a step, ready to run. The caller saves STEP_FIELDS and records an event."""
    for order in orders:
        order.step, order.step_state, order.waiting_for = step, StepState.READY, ""


def park(orders: Iterable[Order], waiting_for: str) -> None:
    """Let locked orders wait at their step. The caller saves STEP_FIELDS."""
    for order in orders:
        order.step_state, order.waiting_for = StepState.WAITING, waiting_for


def finish(orders: Iterable[Order]) -> None:
    """End the journey of locked orders. The caller saves STEP_FIELDS."""
    for order in orders:
        order.step, order.step_state, order.waiting_for = "", StepState.DONE, ""


def save(orders: Sequence[Order], fields: Sequence[str], *, now: datetime | None = None) -> None:
    """Write these fields of locked orders, with `version` and `updated_at`; one query."""
    if not orders:
        return
    moment = now or clock.now()
    for order in orders:
        order.version, order.updated_at = order.version + 1, moment
    rows.save(orders, [*fields, "version", "updated_at"])
