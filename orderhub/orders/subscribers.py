"""What makes orders go on: events that may have opened the way, and the clock."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from orderhub.events.models import Delivery
from orderhub.events.registry import Partly, every, on
from orderhub.inventory.models import Sku, Stock
from orderhub.kernel import clock
from orderhub.orders import services
from orderhub.orders.advance import Unfinished, advance


@on(
    "order.placed", "order.paid", "order.hold_released", "order.rerouted", "order.split", "order.split_off",
    "order.merged", "order.rejoined", "order.parted_again", "order.restored", "order.follow_up_placed",
    "order.address_changed", "order.address_change_failed", "fulfillment.rejected",
    "fulfillment.short_picked", "routing.wave_released", "order.flow_switched",
    name="orders.advance", queue="route", batch=250, ordered=False,
)  # fmt: skip
def advance_orders(deliveries: Sequence[Delivery]) -> None:
    """Take the orders of these streams as far as they can go; a faulty order fails its own deliveries only.

    Unordered, because the step pointer, not the event, says what is next.
    """
    orders = {delivery.pk: _order_id(delivery.stream) for delivery in deliveries}
    try:
        advance(set(orders.values()), now=clock.now(), actor="system")
    except Unfinished as stopped:
        raise Partly(
            {pk: stopped.faults[order] for pk, order in orders.items() if order in stopped.faults}
        ) from stopped


@on(
    "stock.received", "reservation.expired", "reservation.freed", name="orders.reopen", queue="route",
    batch=50, ordered=False,
)  # fmt: skip
def reopen_orders(deliveries: Sequence[Delivery]) -> None:
    """Try the orders again that wait for what came in or is free again."""
    wanted: dict[int, set[str]] = {}
    for delivery in deliveries:
        if delivery.merchant_id is not None:
            wanted.setdefault(delivery.merchant_id, set()).update(delivery.event.payload["skus"])
    for merchant_id, codes in wanted.items():
        skus = Sku.objects.filter(merchant_id=merchant_id, code__in=codes).values_list("pk", flat=True)
        services.reopen(list(skus), now=clock.now(), actor="system")


@on("warehouse.changed", name="orders.reopen_for_warehouse", queue="route", batch=50, ordered=False)
def reopen_for_warehouses(deliveries: Sequence[Delivery]) -> None:
    """Try the orders again that wait for what a reopened or changed warehouse holds."""
    wanted: dict[int, set[str]] = {}
    for delivery in deliveries:
        if delivery.merchant_id is not None and delivery.event.payload["takes_orders"]:
            wanted.setdefault(delivery.merchant_id, set()).add(str(delivery.event.payload["warehouse"]))
    for merchant_id, codes in wanted.items():
        held = Stock.objects.filter(
            merchant_id=merchant_id, warehouse__code__in=codes, on_hand__gt=F("reserved")
        )
        services.reopen(list(held.values_list("sku_id", flat=True)), now=clock.now(), actor="system")


@every(5.0, name="orders.expire_holds", queue="route")
def expire_holds() -> int:
    """Release holds whose time is up, merge windows among them."""
    return services.expire_holds(now=clock.now())


def _order_id(stream: str) -> int:
    return int(stream.removeprefix("order:"))
