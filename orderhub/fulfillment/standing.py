"""Where orders stand when somebody wants something of them: their lines, and what warehouses have of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orderhub.fulfillment import reserve
from orderhub.fulfillment.actions import Facts, facts_of
from orderhub.fulfillment.handlers import AT_WORK
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.orders import holding, ledger
from orderhub.orders.models import Order, OrderLine

_AT_WAREHOUSES = AT_WORK | {State.CANCEL_REQUESTED}


@dataclass(frozen=True, slots=True)
class Stand:
    """A locked order with its lines and the fulfillment orders that warehouses have."""

    order: Order
    lines: Sequence[OrderLine]
    works: Sequence[FulfillmentOrder]

    @property
    def numbers(self) -> list[str]:
        """Of the fulfillment orders that warehouses have."""
        return [row.number for row in self.works]

    @property
    def has_shipped(self) -> bool:
        """Whether a unit has left."""
        return any(line.shipped for line in self.lines)

    @property
    def is_movable(self) -> bool:
        """Whether units are left that no warehouse has been given."""
        return any(line.open or line.backordered or line.allocated for line in self.lines)


def load(order_ids: Collection[int]) -> dict[int, Stand]:
    """Lock these orders in id order, in a transaction; those that exist. Three queries."""
    rows = Order.objects.select_for_update(of=("self",), no_key=True).select_related(
        "channel", "person__sealed"
    )
    orders = list(rows.filter(pk__in=set(order_ids)).order_by("pk"))
    lines = holding.lines_of(orders)
    works: dict[int, list[FulfillmentOrder]] = {order.pk: [] for order in orders}
    for row in FulfillmentOrder.objects.filter(order__in=orders, state__in=_AT_WAREHOUSES).order_by("pk"):
        works[row.order_id].append(row)
    return {order.pk: Stand(order, lines[order.pk], works[order.pk]) for order in orders}


def facts(stands: Iterable[Stand]) -> dict[int, Facts]:
    """What decides the verbs of these orders; one query."""
    found = list(stands)
    holds = holding.active([stand.order.pk for stand in found])
    return {
        stand.order.pk: facts_of(
            stand.order,
            lines=stand.lines,
            holds=[hold for hold in holds if hold.order_id == stand.order.pk],
            works=stand.works,
        )
        for stand in found
    }


def unplan(stands: Iterable[Stand], *, now: datetime, actor: str) -> None:
    """Take back what is planned or reserved: stock is free and the units are open again."""
    found = list(stands)
    lines = [line for stand in found for line in stand.lines]
    reserve.drop([stand.order.pk for stand in found], lines=lines, now=now, actor=actor)
    ledger.save(lines)
