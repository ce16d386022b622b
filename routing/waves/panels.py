"""On the order page: which wave an order waits for, and until when."""

from __future__ import annotations

from django.http import HttpRequest

from orderhub.fulfillment.panels import Drawn, panel
from orderhub.kernel import clock
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing.waves import waiting


@panel("wave", order=15, permission="routing.view_decision")
def wave(order: Order, request: HttpRequest) -> Drawn | None:
    """When the order goes to its warehouses; nothing for orders that wait for no wave."""
    if (order.waiting_for, order.step_state) != (waiting.WAITING_FOR, StepState.WAITING):
        return None
    schedule = waiting.schedules([order.merchant_id]).get(order.merchant_id)
    releases_at = waiting.next_release(schedule, now=clock.now()) if schedule else None
    return Drawn("admin/panels/wave.html", {"releases_at": releases_at})
