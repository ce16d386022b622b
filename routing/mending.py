"""Orders that wait for something other than a receipt: taken up again when it is put right, or when a day begins.

Whoever puts something right tells the log; here every such order is decided again without writing anything, and
only those that would get a plan go back to routing. So trying often costs time, but makes no noise on an order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from orderhub.inventory.models import Warehouse
from orderhub.orders import services as orders
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import StepState
from routing import services
from routing.models import Decision

BATCH = 200
#: Orders looked at in one go; the others have their turn in the next sweeps.
MOST = 2000
SWEEP_SECONDS = 900
REASON = "mended"


def retry(merchant_ids: Collection[int], *, now: datetime, actor: str) -> int:
    """Try the orders of these merchants again, the oldest first; how many went back to routing."""
    rows = _waiting().filter(merchant_id__in=set(merchant_ids)).order_by("received_at", "pk")
    return _try(list(rows.values_list("pk", flat=True)[:MOST]), now=now, actor=actor)


def sweep(*, now: datetime) -> int:
    """Try all such orders again, as far as one sweep goes; the next one begins where this one ended.

    Nobody is told of what the calendar changes: bans that end, a day with room again, a cancelled order that gives
    its place in a factory back.
    """
    rows = _waiting().order_by("pk")
    total = rows.count()
    if not total:
        return 0
    turns = -(-total // MOST)
    start = int(now.timestamp()) // SWEEP_SECONDS % turns * MOST
    return _try(list(rows.values_list("pk", flat=True)[start : start + MOST]), now=now, actor="system")


def _waiting() -> QuerySet[Order]:
    """Orders that wait at routing, and not only for stock to be received."""
    mendable = Decision.objects.filter(order=OuterRef("pk"), superseded_at__isnull=True, is_mendable=True)
    made = OrderLine.objects.filter(
        Q(open__gt=0) | Q(backordered__gt=0),
        order=OuterRef("pk"),
        sku__workshops__is_active=True,
        sku__workshops__warehouse__kind=Warehouse.Kind.FACTORY,
    )
    return Order.objects.filter(
        Exists(mendable) | Exists(made), step_state=StepState.WAITING, waiting_for=orders.STOCK
    )


def _try(order_ids: Sequence[int], *, now: datetime, actor: str) -> int:
    done = 0
    for start in range(0, len(order_ids), BATCH):
        held = Order.objects.filter(pk__in=order_ids[start : start + BATCH], waiting_for=orders.STOCK)
        able = services.sendable(list(held.select_related("merchant", "channel", "person")), now=now)
        done += orders.resume([order.pk for order in able], reason=REASON, actor=actor, now=now)
    return done
