"""A small network for fulfillment and routing tests: three warehouses, two carriers, and short ways through
the journey."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from orderhub.events.models import Event
from orderhub.fulfillment import services
from orderhub.fulfillment.models import FulfillmentOrder, RateCard, RateZone
from orderhub.fulfillment.updates import Applied, Update, UpdateKind
from orderhub.inventory import services as inventory
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.journey import JOURNEY
from orderhub.orders import lifecycle
from orderhub.orders.advance import advance
from orderhub.orders.models import Order
from rules import flow
from tests.orders import builders as orders

#: Ten in the morning in Shanghai, before every cut-off.
NOW = orders.NOW
PLACES = {
    "SHA": ("上海仓", "Shanghai", "上海市", "上海市", "31.23", "121.47"),
    "CAN": ("广州仓", "Guangzhou", "广东省", "广州市", "23.13", "113.26"),
    "CTU": ("成都仓", "Chengdu", "四川省", "成都市", "30.57", "104.07"),
}


def warehouse(code: str = "SHA", **fields: Any) -> Warehouse:
    zh, en, province, city, latitude, longitude = PLACES[code]
    values = {
        "name": zh,
        "name_en": en,
        "province": province,
        "city": city,
        "latitude": Decimal(latitude),
        "longitude": Decimal(longitude),
        "cutoff_at": "16:00",
        **fields,
    }
    found, _made = Warehouse.objects.get_or_create(merchant=orders.merchant(), code=code, defaults=values)
    return found


def card(code: str = "ground", *, zones: Sequence[dict[str, Any]] | None = None, **fields: Any) -> RateCard:
    """A rate card; its zones cost ¥8 for the first kg and ¥2 for each further one unless said."""
    found = RateCard.objects.create(
        merchant=orders.merchant(),
        code=code,
        carrier=fields.pop("carrier", "SF"),
        name=fields.pop("name", code),
        **fields,
    )
    plain = {"name": "all", "first_fee": Decimal(8), "step_fee": Decimal(2)}
    RateZone.objects.bulk_create(RateZone(card=found, **{**plain, **zone}) for zone in (zones or [{}]))
    return found


def stock(units: int, *, at: str = "SHA", sku: str = "TEA") -> Stock:
    """Counted, so that movements add up."""
    place = warehouse(at), orders.sku(sku)
    inventory.set_counts([(*place, units)], actor="test", now=NOW)
    return Stock.objects.get(warehouse=place[0], sku=place[1])


def network(*, units: int = 100, at: Sequence[str] = ("SHA", "CAN"), skus: Sequence[str] = ("TEA",)) -> None:
    """Warehouses with the same stock of each SKU and one card that goes everywhere."""
    for code in at:
        for sku in skus:
            stock(units, at=code, sku=sku)
    card()


def placed(count: int = 1, *, lines: Sequence[tuple[str, int]] = (("TEA", 2),), **fields: Any) -> list[Order]:
    """Orders from Hangzhou (near Shanghai), paid, ready at their first step."""
    first = Order.objects.count()
    drafts = [
        orders.draft(
            f"F{first + n}", lines=[orders.line(sku, quantity=units) for sku, units in lines], **fields
        )
        for n in range(count)
    ]
    return orders.placed(*drafts)


def walk(found: Sequence[Order], *, now: datetime = NOW) -> list[Order]:
    """Take orders as far as they go; the orders read afresh."""
    advance([order.pk for order in found], now=now, actor="system")
    return fresh(found)


def run_steps(found: Sequence[Order], *, until: str, now: datetime = NOW) -> None:
    """Run the journey's steps one by one and stop after `until`, as a crash between two steps would."""
    for name in JOURNEY:
        with transaction.atomic():
            locked = list(
                Order.objects.filter(pk__in=[order.pk for order in found], step=name).order_by("pk")
            )
            if not locked:
                continue
            verdicts = flow.get(name).run(locked, flow.Context(now, "system"))
            assert {verdict.kind for verdict in verdicts.values()} <= {"next"}
            lifecycle.send_to(locked, flow.after(JOURNEY, name))
            lifecycle.save(locked, lifecycle.STEP_FIELDS, now=now)
        if name == until:
            return


def fresh(found: Sequence[Order]) -> list[Order]:
    return list(Order.objects.filter(pk__in=[order.pk for order in found]).order_by("pk"))


def released(count: int = 1, **fields: Any) -> list[Order]:
    """Orders handed to their warehouses; `network` must stand."""
    return walk(placed(count, **fields))


def row(order: Order) -> FulfillmentOrder:
    """The newest fulfillment order."""
    return FulfillmentOrder.objects.filter(order=order).order_by("-pk")[0]


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def say(kind: UpdateKind, order: Order | FulfillmentOrder, hours: float = 1, **facts: Any) -> Update:
    number = order.number if isinstance(order, FulfillmentOrder) else row(order).number
    return Update(kind=kind, fulfillment_number=number, occurred_at=at(hours), **facts)


def apply(*updates: Update, now: datetime | None = None) -> list[tuple[str, str]]:
    found: list[Applied] = services.apply(updates, now=now or at(100), actor="connection:wms")
    return [(one.status, one.reason) for one in found]


def counts(at: str = "SHA", sku: str = "TEA") -> tuple[int, int]:
    """On hand and reserved."""
    found = Stock.objects.get(warehouse=warehouse(at), sku=Sku.objects.get(code=sku))
    return found.on_hand, found.reserved


def payloads(order: Order, kind: str) -> list[dict[str, Any]]:
    return list(
        Event.objects.filter(stream=order.stream, kind=kind).order_by("seq").values_list("payload", flat=True)
    )


def stages(order: Order) -> list[str]:
    """The stages the log tells, in order."""
    found = Event.objects.filter(stream=order.stream).order_by("seq").values_list("payload", flat=True)
    told = [payload["stage"] for payload in found if "stage" in payload]
    return [stage for n, stage in enumerate(told) if n == 0 or stage != told[n - 1]]
