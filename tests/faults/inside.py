"""What runs inside a hub under test, in a process of its own: seeding, and counting what was done."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from django.db.models import Count, QuerySet, Sum

from carbon.models import CalculationRun
from orderhub.access.services import issue_key
from orderhub.connectors.models import InboxMessage, SimulatedJob
from orderhub.events import tail
from orderhub.events.models import Delivery, Event, ParkedEvent
from orderhub.fulfillment.models import FulfillmentOrder, Parcel
from orderhub.inventory.models import Movement, Stock
from orderhub.orders.models import Order, OrderLine
from tests import make
from tracking.models import TimelineEntry

_LOOKS = 120


def seed(units: int) -> dict[str, Any]:
    """A merchant with a network, that many units of every SKU in every warehouse, and a key."""
    house = make.network(units=units)
    _row, key = issue_key(house, name="fault")
    return {"key": key, "merchant": house.pk}


def tally() -> dict[str, Any]:
    """Everything that a lost or doubled effect would show in, once the projections have read to the end."""
    for _look in range(_LOOKS):
        if not tail.behind():
            break
        time.sleep(0.25)
    return {
        "behind": sorted(tail.behind()),
        "orders": sorted(Order.objects.values_list("external_id", flat=True)),
        "stages": _counts(Order.objects.all(), "stage"),
        "lives": _lives(),
        "fulfillments": _counts(FulfillmentOrder.objects.all(), "state"),
        "parcels": Parcel.objects.count(),
        "pushed": Event.objects.filter(kind="fulfillment.released").count(),
        "jobs": SimulatedJob.objects.count(),
        "pushes": SimulatedJob.objects.aggregate(n=Sum("received"))["n"],
        "messages": _counts(InboxMessage.objects.all(), "state"),
        "deliveries": _counts(Delivery.objects.all(), "state"),
        "retried": Delivery.objects.filter(attempts__gt=1).count(),
        "parked": ParkedEvent.objects.count(),
        "on_hand": Stock.objects.aggregate(n=Sum("on_hand"))["n"],
        "reserved": Stock.objects.aggregate(n=Sum("reserved"))["n"],
        "units_moved": -Movement.objects.filter(kind="ship").aggregate(n=Sum("on_hand_change"))["n"],
        "units_shipped": OrderLine.objects.aggregate(n=Sum("shipped"))["n"],
        "carbon": _counts(CalculationRun.objects.all(), "basis"),
        "timeline": _counts(TimelineEntry.objects.all(), "milestone"),
    }


def _lives() -> dict[str, int]:
    """How many orders have had which life: each kind and how often, in the order of kinds."""
    found: dict[str, Counter[str]] = {}
    for stream, kind in Event.objects.filter(stream__startswith="order:").values_list("stream", "kind"):
        found.setdefault(stream, Counter())[kind] += 1
    lives = Counter(json.dumps(sorted(life.items())) for life in found.values())
    return dict(lives.most_common(5))


def _counts(rows: QuerySet[Any], name: str) -> dict[str, int]:
    return dict(rows.values_list(name).annotate(n=Count("pk")).order_by(name))
