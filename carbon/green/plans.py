"""The plan that a saving is worked out from: the router's consignments, or, before it has chosen, the nearest warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from carbon.consignments import Contents, contents_of
from orderhub.fulfillment import rates
from orderhub.fulfillment.models import FulfillmentOrder, RateCard
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Warehouse
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import StepState

#: Nothing is with a warehouse yet: it can still wait.
WAITABLE = (State.PLANNED, State.RESERVED)
GONE = (State.CANCELLED, State.REJECTED)
#: As the router promises: a quarter more than the carrier's hours, and six for handling.
MARGIN, HANDLING_HOURS = Decimal("1.25"), Decimal(6)
COLD = ("frozen", "chilled", "cold")


@dataclass(frozen=True, slots=True)
class Consignment:
    """What one warehouse would send; `fulfillment_id` is None where the router has not chosen yet."""

    order: Order
    warehouse: Warehouse
    card: RateCard
    contents: Contents
    traits: frozenset[str]
    latest_at: datetime | None
    fulfillment_id: int | None = None

    @property
    def temperature(self) -> str:
        """The class that goods travel in: the trait of cold goods, else ambient."""
        return next((trait for trait in COLD if trait in self.traits), "ambient")


def of(order: Order, *, now: datetime, still_waits: bool = True) -> list[Consignment]:
    """The consignments of an order; with `still_waits` none where a part is with a warehouse. Two queries to five."""
    if still_waits and order.step_state == StepState.DONE:
        return []
    rows = FulfillmentOrder.objects.filter(order=order).exclude(state__in=GONE)
    loaded = rows.select_related("warehouse", "rate_card").prefetch_related("lines__sku").order_by("pk")
    found = list(loaded)
    if still_waits and any(row.state not in WAITABLE for row in found):
        return []
    return [_planned(order, row) for row in found] or _nearest(order, now=now)


def _planned(order: Order, row: FulfillmentOrder) -> Consignment:
    parts = list(row.lines.all())
    traits = frozenset(trait for part in parts for trait in part.sku.traits)
    return Consignment(
        order, row.warehouse, row.rate_card, contents_of((part, part.quantity) for part in parts), traits,
        row.eta_to_at, row.pk,
    )  # fmt: skip


def _nearest(order: Order, *, now: datetime) -> list[Consignment]:
    """All of the order from the nearest warehouse that a carrier of its service goes from."""
    houses = list(
        Warehouse.objects.filter(merchant_id=order.merchant_id, is_active=True, is_frozen=False)
        .exclude(kind=Warehouse.Kind.STORE)
        .order_by("pk")
    )
    place = rates.Destination(
        order.country, order.province, order.city, order.latitude, order.longitude, order.is_remote
    )
    lanes = rates.lanes(houses, [place], cards=rates.cards_of([order.merchant_id]))
    options = [
        (option.card.service != order.service, option.great_circle_km, option.hours, house.pk, house, option)
        for house in houses
        for option in lanes[house.pk, place]
    ]
    if not options:
        return []
    *_order, house, option = min(options, key=lambda one: one[:4])
    lines = list(OrderLine.objects.filter(order=order).select_related("sku").order_by("position"))
    units = tuple((line.pk, line.open, line.sku.grams) for line in lines if line.open)
    if not units:
        return []
    hours = option.hours * MARGIN + HANDLING_HOURS
    traits = frozenset(trait for line in lines for trait in line.sku.traits)
    return [
        Consignment(order, house, option.card, Contents(units), traits, now + timedelta(hours=float(hours)))
    ]
