"""What must always hold between fulfillment orders, stock and the orders' own ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from orderhub.events.invariants import invariant
from orderhub.fulfillment.models import ComponentHold, FulfillmentLine, FulfillmentOrder, ParcelLine
from orderhub.fulfillment.models.fulfillment import State
from orderhub.inventory.models import Reservation, ReservationLine, Stock, WarehouseDay
from orderhub.orders.models import OrderLine

_PLANNED = (State.PLANNED, State.RESERVED)
_AT_WAREHOUSE = (State.RELEASED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.CANCEL_REQUESTED)
_OFF_THE_LOAD = (State.PLANNED, State.REJECTED, State.CANCELLED)


@invariant(
    "I2",
    zh="预占等于履约行、生产工单与购物车预留之和",
    en="Reserved stock is what fulfillment lines, work orders and carts hold",
)
def reserved_is_held() -> Iterable[str]:
    """I2: per warehouse and SKU, in both directions."""
    rows = FulfillmentLine.objects.filter(reserved__gt=0, made_on__isnull=True).values_list(
        "fulfillment__warehouse_id", "sku_id"
    )
    held = Counter({(w, sku): units for w, sku, units in rows.annotate(units=Sum("reserved"))})
    made = ComponentHold.objects.filter(reserved__gt=0)
    for w, sku, units in made.values_list("line__fulfillment__warehouse_id", "sku_id").annotate(
        units=Sum("reserved")
    ):
        held[w, sku] += units
    carts = ReservationLine.objects.filter(reservation__state=Reservation.State.ACTIVE)
    for w, sku, units in carts.values_list("warehouse_id", "sku_id").annotate(units=Sum("quantity")):
        held[w, sku] += units
    stock = Stock.objects.filter(Q(reserved__gt=0)).values_list("warehouse_id", "sku_id", "reserved")
    reserved = {(w, sku): units for w, sku, units in stock}
    for place in sorted(held.keys() | reserved.keys()):
        if held.get(place, 0) != reserved.get(place, 0):
            yield (
                f"warehouse {place[0]}, SKU {place[1]}: {reserved.get(place, 0)} reserved, "
                f"fulfillment lines, work orders and carts hold {held.get(place, 0)}"
            )


@invariant(
    "I2", zh="订单行账与履约行一致", en="The ledger of order lines agrees with their fulfillment lines"
)
def ledger_agrees() -> Iterable[str]:
    """I2: allocated, released and shipped units of every order line are those of its fulfillment lines."""
    planned = _units(Sum("quantity", filter=Q(fulfillment__state__in=_PLANNED)))
    waiting = F("quantity") - F("shipped")
    released = _units(Sum(waiting, filter=Q(fulfillment__state__in=_AT_WAREHOUSE)))
    shipped = _units(Sum("shipped"))
    for line in OrderLine.objects.values_list("pk", "allocated", "released", "shipped").iterator():
        pk, *told = line
        found = [planned.get(pk, 0), released.get(pk, 0), shipped.get(pk, 0)]
        if told != found:
            yield f"order line {pk}: allocated, released, shipped {told}, its fulfillment lines say {found}"


@invariant("I2", zh="签收数量等于已签收包裹内容", en="Delivered units are what delivered parcels held")
def delivered_arrived() -> Iterable[str]:
    """I2: per order line."""
    rows = ParcelLine.objects.filter(parcel__delivered_at__isnull=False)
    found = dict(rows.values_list("fulfillment_line__order_line_id").annotate(units=Sum("quantity")))
    lines = OrderLine.objects.filter(Q(delivered__gt=0) | Q(pk__in=found))
    for pk, delivered in lines.values_list("pk", "delivered").iterator():
        if found.get(pk, 0) != delivered:
            yield f"order line {pk}: {delivered} delivered, its parcels held {found.get(pk, 0)}"


@invariant("I2", zh="仓库日负荷等于当日履约单", en="The load of a warehouse day is its fulfillment orders")
def load_is_planned() -> Iterable[str]:
    """I2: parcels, and units made to order, per warehouse and local day."""
    rows = FulfillmentOrder.objects.filter(capacity_date__isnull=False).exclude(state__in=_OFF_THE_LOAD)
    planned = {
        (w, day): count
        for w, day, count in rows.values_list("warehouse_id", "capacity_date").annotate(n=Count("pk"))
    }
    lines = FulfillmentLine.objects.filter(made_on__isnull=False)
    made = {
        (w, day): units
        for w, day, units in lines.values_list("fulfillment__warehouse_id", "made_on").annotate(
            units=Sum(F("reserved") + F("shipped"))
        )
    }
    for day in WarehouseDay.objects.iterator():
        found = planned.get((day.warehouse_id, day.date), 0)
        if found != day.parcels:
            yield f"warehouse {day.warehouse_id}, {day.date}: load {day.parcels}, fulfillment orders {found}"
        units = made.pop((day.warehouse_id, day.date), 0)
        if units != day.made:
            yield f"warehouse {day.warehouse_id}, {day.date}: {day.made} to be made, lines hold {units}"
    for (warehouse_id, date), units in made.items():
        if units:
            yield f"warehouse {warehouse_id}, {date}: none to be made, lines hold {units}"


def _units(total: Sum) -> dict[int, int]:
    """A sum per order line."""
    rows: QuerySet[FulfillmentLine] = FulfillmentLine.objects.order_by()
    return dict(rows.values_list("order_line_id").annotate(units=Coalesce(total, 0)))
