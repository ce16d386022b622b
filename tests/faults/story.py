"""What must be true of a hub when all its orders have been delivered, whatever was killed meanwhile."""

from __future__ import annotations

import json
from typing import Any

from tests.faults import hub

#: 1 once every order is delivered and nothing is owed.
SETTLED = """
SELECT CASE WHEN (SELECT count(*) FROM orders_order WHERE stage = 'delivered') = {orders}
             AND NOT EXISTS (SELECT 1 FROM events_delivery WHERE state IN ('ready', 'leased'))
             AND NOT EXISTS (SELECT 1 FROM connectors_inboxmessage WHERE state = 'received')
       THEN 1 ELSE 0 END"""

#: The life of every order here: one warehouse, no mishap.
ONCE_EACH = {
    "order.placed": 1, "routing.decided": 1, "fulfillment.reserved": 1, "fulfillment.released": 1,
    "fulfillment.acknowledged": 1, "fulfillment.picking": 1, "fulfillment.packed": 1,
    "fulfillment.shipped": 1, "parcel.scanned": 4, "parcel.delivered": 1,
}  # fmt: skip
MILESTONES = (
    "ORDER_PLACED", "ALLOCATED", "WMS_ACCEPTED", "PICKED", "PACKED", "SHIPPED", "PICKED_UP", "DEPARTED",
    "ARRIVED", "OUT_FOR_DELIVERY", "DELIVERED",
)  # fmt: skip


def summary(
    what: str, found: dict[str, Any], sent: hub.Sent, *, sent_after: float, settled_after: float
) -> str:
    """The figures of a run, for people."""
    orders = len(sent.acknowledged)
    return (
        f"\n{what}: {orders} orders acknowledged in {sent_after:.1f} s ({orders / sent_after:.0f}/s, "
        f"p50 {sent.percentile(0.5) * 1000:.0f} ms, p95 {sent.percentile(0.95) * 1000:.0f} ms, "
        f"{sent.retries} requests repeated), all delivered after {settled_after:.1f} s; {found['retried']} "
        f"deliveries tried again, {found['pushes'] - found['jobs']} pushes repeated"
    )


def assert_each_once(found: dict[str, Any], sent: hub.Sent, *, orders: int, stock_before: int) -> None:
    """No acknowledged order is missing, and every effect of every order happened exactly once."""
    ordered = hub.units(range(orders))
    assert found["orders"] == sorted(sent.acknowledged)
    assert len(set(sent.acknowledged.values())) == len(found["orders"]) == orders
    assert found["stages"] == {"delivered": orders}
    assert found["lives"] == {json.dumps(sorted(ONCE_EACH.items())): orders}
    assert found["fulfillments"] == {"delivered": orders}
    assert (found["parcels"], found["pushed"], found["jobs"]) == (orders, orders, orders)
    assert found["messages"] == {"applied": orders * 9}
    assert list(found["deliveries"]) == ["done"]
    assert (found["behind"], found["parked"]) == ([], 0)
    assert (found["on_hand"], found["reserved"]) == (stock_before - ordered, 0)
    assert (found["units_moved"], found["units_shipped"]) == (ordered, ordered)
    assert found["carbon"] == {"estimate": orders, "actual": 2 * orders}
    assert found["timeline"] == dict.fromkeys(sorted(MILESTONES), orders)
