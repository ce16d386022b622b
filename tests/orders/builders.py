"""Small builders for order tests: a merchant with one channel, two SKUs, and drafts that differ by number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orderhub.access.models import Merchant
from orderhub.events.models import Event
from orderhub.inventory.models import Sku, Stock, Warehouse
from orderhub.kernel import canonical
from orderhub.orders import services
from orderhub.orders.drafts import LineDraft, OrderDraft
from orderhub.orders.models import Channel, Order, OrderLine

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def merchant(code: str = "acme") -> Merchant:
    found, _made = Merchant.objects.get_or_create(code=code, defaults={"name": code})
    return found


def channel(code: str = "tmall", *, owner: Merchant | None = None, **fields: Any) -> Channel:
    found, _made = Channel.objects.get_or_create(
        merchant=owner or merchant(), code=code, defaults={"name": code, **fields}
    )
    return found


def sku(code: str = "TEA", *, owner: Merchant | None = None) -> Sku:
    found, _made = Sku.objects.get_or_create(merchant=owner or merchant(), code=code, defaults={"name": code})
    return found


def warehouse(code: str = "SH1") -> Warehouse:
    found, _made = Warehouse.objects.get_or_create(
        merchant=merchant(),
        code=code,
        defaults={"name": code, "province": "上海", "city": "上海", "latitude": "31.2", "longitude": "121.4"},
    )
    return found


def stock(code: str = "TEA", *, units: int, at: str = "SH1", **fields: Any) -> Stock:
    return Stock.objects.create(
        merchant=merchant(), warehouse=warehouse(at), sku=sku(code), on_hand=units, **fields
    )


def line(code: str = "TEA", *, quantity: int = 1, price: str = "100.00") -> LineDraft:
    unit = Decimal(price)
    return LineDraft(sku(code), quantity, unit, unit * quantity, code)


def draft(number: str = "T1", *, lines: Sequence[LineDraft] | None = None, **fields: Any) -> OrderDraft:
    values: dict[str, Any] = {
        "external_id": number, "placed_at": NOW, "paid": True, "paid_at": NOW, "currency": "CNY",
        "country": "CN", "province": "浙江省", "city": "杭州市",
        "district": "西湖区", "address": "文三路 1 号",
        "postcode": "310000", "name": "王芳", "phone": "", "email": "",
        "original": {"number": number}, **fields,
    }  # fmt: skip
    values.setdefault("channel", channel())
    held = tuple(lines or (line(),))
    content = {key: value for key, value in values.items() if key not in {"channel", "original"}}
    said = [[x.sku.code, x.quantity, x.line_total] for x in held]
    return OrderDraft(**values, lines=held, content_hash=canonical.digest([content, said]))


def placed(*drafts: OrderDraft, now: datetime = NOW) -> list[Order]:
    placements = services.place(
        drafts or [draft()], merchant=merchant(), actor="api:test", now=now, source="api"
    )
    return [placement.order for placement in placements if placement.order is not None]


def kinds_of(order: Order) -> list[str]:
    return list(Event.objects.filter(stream=order.stream).order_by("seq").values_list("kind", flat=True))


def last_event(order: Order) -> Event:
    return Event.objects.filter(stream=order.stream).order_by("-seq")[0]


def ledger_of(order: Order) -> list[tuple[int, ...]]:
    """Per line: open, backordered, allocated, released, shipped, cancelled."""
    return list(
        OrderLine.objects.filter(order=order)
        .order_by("position")
        .values_list("open", "backordered", "allocated", "released", "shipped", "cancelled")
    )
