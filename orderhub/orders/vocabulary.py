"""The words rules may say about an order, and their values for a batch of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count

from orderhub.fields import queries as fields
from orderhub.fields import vocabulary as field_words
from orderhub.kernel import regions
from orderhub.orders.models import Hold, Order, OrderLine
from rules.engine import Action, CompiledRule, Fact, FiredAction, RuleError
from rules.vocabulary import teach

FACTS = (
    Fact("order.total", "money", "订单金额", "order total", example="299.00"),
    Fact("order.currency", "text", "币种", "currency", example="CNY"),
    Fact("order.country", "text", "国家", "country", example="CN"),
    Fact("order.province", "text", "省份", "province", example="新疆"),
    Fact("order.city", "text", "城市", "city", example="乌鲁木齐市"),
    Fact("order.is_remote", "boolean", "偏远地区", "remote region"),
    Fact("order.payment", "text", "付款状态", "payment", choices=tuple(Order.Payment.values)),
    Fact("order.line_count", "integer", "行数", "lines"),
    Fact("order.unit_count", "integer", "件数", "units"),
    Fact("order.skus", "list[text]", "包含的 SKU", "its SKUs"),
    Fact("order.channel", "text", "渠道", "channel"),
    Fact("order.service", "text", "配送服务", "service", example="standard"),
    Fact("order.green", "boolean", "绿色配送", "green delivery"),
    Fact("order.note", "text", "备注", "note"),
    Fact("order.hour", "integer", "下单时刻", "hour it was placed", unit="h", example=3),
    Fact("order.placed_at", "datetime", "下单时间", "time it was placed"),
    Fact(
        "customer.phone_orders_24h",
        "integer",
        "同电话 24 小时内订单数",
        "orders of this phone in 24 h",
        example=5,
    ),
)
HOLD = Action("hold", {"reason": "text", "detail": "text?"}, "挂起订单", "hold the order")


def check_screening(rule: CompiledRule) -> None:
    """Only reasons that exist, and that no machine releases on its own."""
    for path, action in _actions(rule):
        if action.params["reason"] not in Hold.Reason.values:
            raise RuleError(
                f"{path}.with.reason", "choice", zh="没有这种挂起原因", en="is not a reason for a hold"
            )


def facts_of(
    orders: Sequence[Order], lines: Mapping[int, Sequence[OrderLine]], *, now: datetime
) -> dict[int, dict[str, object]]:
    """The facts of each order by its id; orders come with merchant, channel and receiver, lines with their SKU; one
    query, and one more where the custom fields of a merchant have changed since.
    """
    phones = _orders_by_phone(orders, now=now)
    books = fields.books({order.merchant_id: order.merchant for order in orders}.values())
    return {
        order.pk: _facts(order, lines[order.pk], phones)
        | _custom(order, lines[order.pk], books[order.merchant_id])
        for order in orders
    }


def _custom(order: Order, lines: Sequence[OrderLine], book: fields.Book) -> dict[str, object]:
    """The values of custom fields as facts."""
    if not book:
        return {}
    return field_words.values(
        book, order.custom, [(line.custom, line.sku.custom, line.ordered) for line in lines],
        placed_at=order.placed_at, time_zone=order.channel.time_zone,
    )  # fmt: skip


def _facts(
    order: Order, lines: Sequence[OrderLine], phones: Mapping[tuple[int, str], int]
) -> dict[str, object]:
    placed_at = order.placed_at.astimezone(ZoneInfo(order.channel.time_zone))
    found: dict[str, object] = {
        "order.total": order.total, "order.currency": order.currency, "order.country": order.country,
        "order.province": province_name(order), "order.city": order.city, "order.is_remote": order.is_remote,
        "order.payment": str(order.payment), "order.line_count": len(lines),
        "order.unit_count": sum(line.ordered for line in lines),
        "order.skus": [line.sku.code for line in lines],
        "order.channel": order.channel.code, "order.service": order.service, "order.green": order.green,
        "order.note": order.note, "order.hour": placed_at.hour, "order.placed_at": placed_at,
    }  # fmt: skip
    if order.person.phone:
        found["customer.phone_orders_24h"] = phones.get((order.merchant_id, order.person.phone), 0)
    return found


def province_name(order: Order) -> str:
    """The province in one spelling (short Chinese name where the tables know it), however the channel wrote
    it.
    """
    region = regions.find_province(order.country, order.province)
    return region.zh if region is not None else order.province


def _orders_by_phone(orders: Sequence[Order], *, now: datetime) -> dict[tuple[int, str], int]:
    phones = {order.person.phone for order in orders if order.person.phone}
    if not phones:
        return {}
    rows = (
        Order.objects.filter(
            merchant_id__in={order.merchant_id for order in orders},
            person__phone__in=phones,
            received_at__gt=now - timedelta(hours=24),
        )
        .values_list("merchant_id", "person__phone")
        .annotate(found=Count("pk"))
    )
    return {(merchant_id, phone): found for merchant_id, phone, found in rows}


def _actions(rule: CompiledRule) -> list[tuple[str, FiredAction]]:
    return [(f"then[{position}]", action) for position, action in enumerate(rule.actions)]


teach("screen", facts=FACTS, actions=[HOLD], check=check_screening)
