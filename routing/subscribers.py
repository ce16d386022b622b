"""What routing does by the clock: orders that lost a race are tried again, levers and prices kept current."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orderhub.events.models import Delivery
from orderhub.events.registry import every, on
from orderhub.kernel import clock
from orderhub.orders import services as orders
from orderhub.orders.models import Order
from orderhub.orders.models.order import StepState
from routing import mending
from routing.pricing import demand as demand  # registers the projection of demand
from routing.pricing import jobs as price_jobs  # noqa: F401  (registers the books made by hand)
from routing.pricing import levers
from routing.pricing import services as pricing
from routing.reports import jobs as report_jobs  # noqa: F401  (registers the making and mailing of reports)
from routing.returns import rates as returns
from routing.twin import jobs as jobs  # registers the jobs of what-ifs
from routing.waves import services as waves

RETRY_SECONDS = 300
WAVE_SECONDS = 10.0
LEVER_SECONDS = 30
PRICE_SECONDS = 60
RETURN_SECONDS = 6 * 3600
BATCH = 200


@every(RETRY_SECONDS, name="routing.retry", queue="route")
def retry_lost_races(now: datetime | None = None) -> int:
    """Send orders back to routing that wait for stock although their last decision found some.

    Somebody else took it three times in a row between deciding and reserving; no receipt would wake them up.
    """
    lost = Order.objects.filter(
        step_state=StepState.WAITING,
        waiting_for=orders.STOCK,
        decisions__superseded_at__isnull=True,
        decisions__status="routed",
    ).order_by("placed_at", "pk")
    ids = list(lost.values_list("pk", flat=True)[:BATCH])
    orders.reroute(ids, reason="stock_taken", actor="system", now=now or clock.now())
    return len(ids)


@on(
    "sku.changed", "rates.changed", "customs.changed", "workshop.changed", "routing.strategy_published",
    name="routing.mended", queue="route", batch=50, ordered=False,
)  # fmt: skip
def retry_mended(deliveries: Sequence[Delivery]) -> None:
    """Try the orders again that may have waited for a weight, a tariff, a border, a factory or a strategy."""
    merchant_ids = {one.merchant_id for one in deliveries if one.merchant_id is not None}
    mending.retry(merchant_ids, now=clock.now(), actor="system")


@every(mending.SWEEP_SECONDS, name="routing.mending", queue="low")
def sweep_mended(now: datetime | None = None) -> int:
    """Try all orders again, in turns, that wait for something other than a receipt."""
    return mending.sweep(now=now or clock.now())


@every(RETURN_SECONDS, name="routing.returns", queue="low")
def count_returns() -> int:
    """Count anew what comes back of what was sent."""
    return returns.count(now=clock.now())


@every(LEVER_SECONDS, name="routing.levers", queue="route")
def end_levers() -> int:
    """End the levers on warehouses whose time is up."""
    return levers.expire(now=clock.now())


@every(WAVE_SECONDS, name="routing.waves", queue="route")
def pick_waves(now: datetime | None = None) -> int:
    """Open, plan and release the pick waves that are due."""
    return waves.tick(now=now or clock.now())


@every(PRICE_SECONDS, name="routing.prices", queue="low")
def refresh_prices() -> int:
    """Make the price books that are due; each merchant says how often."""
    return pricing.refresh_due(now=clock.now())


@on("stock.received", name="routing.receipts", queue="low", batch=200, ordered=False)
def note_receipts(deliveries: Sequence[Delivery]) -> None:
    """Stock came in: the next book comes soon, and what was expected has arrived."""
    received = [
        (
            one.merchant_id,
            str(one.event.payload["warehouse"]),
            # Where the warehouse named the receipt, what was expected is settled to the unit.
            [] if one.event.payload.get("confirmed") else list(one.event.payload["skus"]),
        )
        for one in deliveries
        if one.merchant_id is not None
    ]
    pricing.note_receipts(received, now=clock.now())
