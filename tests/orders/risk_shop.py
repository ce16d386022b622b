"""A shop with the risk check on, and orders whose custom fields say what a channel would."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orderhub.orders import services
from orderhub.orders.advance import advance
from orderhub.orders.models import Channel, Hold, Order
from orderhub.orders.risk import policies
from orderhub.orders.risk.models import Assessment, RiskPolicy
from tests import cast, make

NOW = make.NOW
ADDRESS = cast.FANG.address


def shop(mode: str = "live", *, live: bool = True, **settings: Any) -> RiskPolicy:
    """A shop with stock, the check in that mode and a published policy; what passes goes to a warehouse."""
    make.network(units=1000)
    channel = make.channel()
    Channel.objects.filter(pk=channel.pk).update(risk_mode=mode)
    policy = policies.start(make.merchant(), now=NOW, live=live)
    if settings:
        RiskPolicy.objects.filter(pk=policy.pk).update(**settings)
        policy.refresh_from_db()
    policies.publish(policy, None, now=NOW)
    return policy


def draft(
    number: str, *, phone: str = "13800000001", at: datetime = NOW, extra: Any = None, **fields: Any
) -> Any:
    """An order of somebody; `extra` is what the channel knows of them."""
    told = {"phone": phone, "placed_at": at, "paid_at": at, **fields}
    return make.draft(number, extra=extra or {}, **told)


def placed(*drafts: Any, now: datetime = NOW) -> list[Order]:
    """Place orders and take them through screening and pricing."""
    found = services.place(drafts, merchant=make.merchant(), actor="api:test", now=now, source="api")
    orders = [x.order for x in found if x.order is not None]
    screened([order.pk for order in orders], now=now)
    return orders


def screened(ids: list[int], *, now: datetime = NOW) -> None:
    """Take orders as far as they go."""
    advance(ids, now=now, actor="system")


def risk_of(order: Order) -> Assessment:
    """The newest assessment."""
    return Assessment.objects.get(pk=order.pk)


def codes(order: Order) -> set[str]:
    """The signals that fired, those in shadow too."""
    row = risk_of(order)
    return {x["code"] for x in (*row.fired, *row.shadow)}


def held_for(order: Order) -> set[str]:
    """The reasons the order is held for."""
    return set(Hold.objects.filter(order=order, released_at=None).values_list("reason", flat=True))
