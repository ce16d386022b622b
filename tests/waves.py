"""What tests of pick waves share: a schedule, three orders whose plans are better made together, and a look at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orderhub.access.models import Merchant
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.kernel import clock
from orderhub.orders.models import Order
from routing.waves.models import WaveSchedule
from tests import cast, make

#: Two in the afternoon in China, four hours after the stories begin.
RELEASE = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def schedule(owner: Merchant | None = None, **fields: Any) -> WaveSchedule:
    """A wave at two in the afternoon, planned five minutes before."""
    values = {"name": "午后波次", "name_en": "Afternoon wave", "times": "14:00", **fields}
    return WaveSchedule.objects.create(merchant=owner or make.merchant(), counts_from=clock.now(), **values)


def three_orders() -> tuple[Order, Order, Order]:
    """Mei in Chengdu, who comes first, gets the only lamp of Guangzhou; Lei in Guangzhou one from far Hangzhou.

    Together it is better the other way round; Fang in Hangzhou has the lamp next door in both cases.
    """
    make.network(units=0)
    make.stock({"CAN": {"LAMP": 1}, "HGH": {"LAMP": 2}})
    placed = []
    for number, buyer in (("mei", cast.MEI), ("lei", cast.LEI), ("fang", cast.FANG)):
        placed += make.place(make.draft(number, to=buyer))
        make.run_until_idle()
    mei, lei, fang = placed
    return mei, lei, fang


def sources(*orders: Order) -> list[str]:
    """Where these orders ship from as planned now, and how far that is."""
    rows = FulfillmentOrder.objects.filter(order__in=orders).exclude(state="cancelled")
    found = {row.order_id: f"{row.warehouse.code} {row.state}" for row in rows.select_related("warehouse")}
    return [found.get(order.pk, "nowhere") for order in orders]


def standing(order: Order) -> tuple[str, str, str, str]:
    """Stage, step, its state and what the order waits for."""
    found = make.fresh(order)
    return found.stage, found.step, found.step_state, found.waiting_for
