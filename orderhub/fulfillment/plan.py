"""Planning: which warehouse ships which units, as planned fulfillment orders; stock is taken by `reserve`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from orderhub.events import rows as writing
from orderhub.fulfillment import reserve
from orderhub.fulfillment.models import FulfillmentLine, FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.orders import ledger
from orderhub.orders.models import Order, OrderLine
from rules.flow import Context

# The band shown as estimated arrival: planned hours times these, rough p10 and p90 until lanes have a
# history.
EARLIEST, LATEST = Decimal("0.8"), Decimal("1.3")


#: Fulfillment orders planned in this pass by order id, with warehouse and lines.
Planned = dict[int, list[FulfillmentOrder]]
_PLANNED = "fulfillment.planned"


def kept(context: Context) -> Planned:
    """What earlier steps of this pass have planned, for the steps that reserve and release it."""
    found: Planned = context.kept.setdefault(_PLANNED, {})
    return found


@dataclass(frozen=True, slots=True)
class ParcelPlan:
    """One parcel as routing decided it: `pieces` are (order line id, units), `hours` count to the door from
    `starts_at`, when it goes to the warehouse (None: now).

    The order lines in `made` take no stock: the warehouse makes them, as work of the local day `made_on`.
    """

    warehouse_id: int
    rate_card_id: int
    pieces: tuple[tuple[int, int], ...]
    grams: int
    distance_km: Decimal
    hours: Decimal
    freight: Decimal
    kgco2e: Decimal
    capacity_date: date | None = None
    starts_at: datetime | None = None
    made: frozenset[int] = frozenset()
    made_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """All parcels planned now for one locked order."""

    order: Order
    parcels: Sequence[ParcelPlan]


def plan(
    order_plans: Sequence[OrderPlan],
    *,
    lines: Iterable[OrderLine] | None = None,
    now: datetime,
    actor: str,
    is_clear: bool = False,
) -> list[FulfillmentOrder]:
    """Replace what is planned for these locked orders and move their units from open to allocated.

    `lines`: all lines of the orders if the caller has them loaded (they are changed and saved here). A
    plan with several parcels of one warehouse and card makes one fulfillment order each. Raises ValueError
    if a plan wants more units than are open. The caller settles the orders' stages and records the event.
    `is_clear` says that the caller has dropped what was planned before.
    """
    orders = [order_plan.order for order_plan in order_plans]
    held = list(OrderLine.objects.filter(order__in=orders) if lines is None else lines)
    if not is_clear:
        reserve.drop([order.pk for order in orders], lines=held, now=now, actor=actor)
    numbers = _last_numbers(orders)
    rows = [
        _fulfillment(order_plan.order, parcel, number, now=now)
        for order_plan in order_plans
        for number, parcel in enumerate(order_plan.parcels, numbers.get(order_plan.order.pk, 0) + 1)
    ]
    writing.insert(rows)
    parcels = [parcel for order_plan in order_plans for parcel in order_plan.parcels]
    by_id = {line.pk: line for line in held}
    parts = [
        [
            FulfillmentLine(
                fulfillment=row,
                order_line_id=line_id,
                sku_id=by_id[line_id].sku_id,
                quantity=quantity,
                made_on=parcel.made_on if line_id in parcel.made else None,
            )
            for line_id, quantity in parcel.pieces
        ]
        for row, parcel in zip(rows, parcels, strict=True)
    ]
    writing.insert(part for group in parts for part in group)
    for row, group in zip(rows, parts, strict=True):
        vars(row)["_prefetched_objects_cache"] = {"lines": group}
    for parcel in parcels:
        for line_id, quantity in parcel.pieces:
            ledger.move(_to_allocated(by_id[line_id], quantity))
    ledger.save(held)
    return rows


def arrival(*, start: datetime, hours: Decimal) -> tuple[datetime, datetime]:
    """The band an arrival is expected in, for planned hours from `start`."""
    seconds = hours * 3600
    return start + timedelta(seconds=int(seconds * EARLIEST)), start + timedelta(
        seconds=int(seconds * LATEST)
    )


def _to_allocated(line: OrderLine, quantity: int) -> list[ledger.Move]:
    """Units that waited for stock first, then open ones."""
    waited = min(line.backordered, quantity)
    return [
        ledger.Move(line, "backordered", "allocated", waited),
        ledger.Move(line, "open", "allocated", quantity - waited),
    ]


def _fulfillment(order: Order, parcel: ParcelPlan, number: int, *, now: datetime) -> FulfillmentOrder:
    earliest, latest = arrival(start=parcel.starts_at or now, hours=parcel.hours)
    return FulfillmentOrder(
        merchant_id=order.merchant_id,
        order=order,
        warehouse_id=parcel.warehouse_id,
        rate_card_id=parcel.rate_card_id,
        number=f"{order.number}-{number}",
        state=State.PLANNED,
        grams=parcel.grams,
        distance_km=parcel.distance_km,
        planned_hours=parcel.hours,
        freight=parcel.freight,
        estimated_kgco2e=parcel.kgco2e,
        eta_from_at=earliest,
        eta_to_at=latest,
        capacity_date=parcel.capacity_date,
        created_at=now,
        updated_at=now,
    )


def _last_numbers(orders: Sequence[Order]) -> Mapping[int, int]:
    """The highest number given so far per order; numbers of kept rows are never given again."""
    rows = FulfillmentOrder.objects.filter(order__in=orders).values_list("order_id", "number")
    found: dict[int, int] = {}
    for order_id, number in rows:
        found[order_id] = max(found.get(order_id, 0), int(number.rpartition("-")[2]))
    return found
