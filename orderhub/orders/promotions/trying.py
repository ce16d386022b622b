"""Trying a cart: what the promotions in force, or a draft, would do to it, line by line; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderhub.inventory.models import Sku
from orderhub.kernel import regions
from orderhub.orders import vocabulary
from orderhub.orders.models import Channel, Order, OrderLine, Person, PromotionCounter
from orderhub.orders.promotions import carts, counting, explaining, gifts, recording
from orderhub.orders.promotions.engine.apply import apply
from orderhub.orders.promotions.engine.model import Cart, Promotion
from rules import services as rules
from rules.models import RuleSet

_MOST_SKIPPED = 500


@dataclass(frozen=True, slots=True)
class TriedLine:
    """Units of a SKU at the price of one."""

    sku: Sku
    units: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Trial:
    """A cart to try: whose and where it is bought; `buyer` stands for a customer whose uses are counted."""

    channel: Channel
    lines: Sequence[TriedLine]
    currency: str = "CNY"
    country: str = "CN"
    province: str = ""
    city: str = ""
    service: str = "standard"
    coupons: Sequence[str] = ()
    member_level: str = ""
    buyer: str = ""
    is_paid: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


def try_cart(
    trial: Trial, *, now: datetime, draft: RuleSet | rules.ActiveSet | None = None
) -> dict[str, Any]:
    """The explanation of the cart's price in words, with every promotion that does not count and why.

    With `draft`, its unpublished rules (or those handed in) take the place of the version in force; raises RuleError
    if they do not compile. Limits stand as they are now, gifts by the stock there is.
    """
    order, lines = _order(trial, now=now)
    facts = vocabulary.facts_of([order], {0: lines}, now=now)[0]
    cart = carts.cart_of(order, lines, facts, now=now)
    promotions = _promotions(order, draft, now=now)
    shelf = gifts.shelf({order.merchant_id: gifts.wanted(promotions, cart)})
    shelf.open_to(order, cart)
    cart.left = _left(promotions, cart)
    return explaining.told(recording.document(cart, apply(promotions, cart), most=_MOST_SKIPPED))


def _promotions(
    order: Order, draft: RuleSet | rules.ActiveSet | None, *, now: datetime
) -> tuple[Promotion, ...]:
    scope = carts.scope_of(order)
    sets = rules.in_force(carts.PURPOSE, scope, now=now)
    if draft is None:
        return carts.of_sets(sets)
    others = [one for one in sets if (one.code, one.scope) != (draft.code, draft.scope)]
    return carts.of_sets([*others, rules.draft(draft) if isinstance(draft, RuleSet) else draft])


def _order(trial: Trial, *, now: datetime) -> tuple[Order, list[OrderLine]]:
    """An order that is never saved."""
    extra = {**trial.extra, "coupons": list(trial.coupons)}
    if trial.member_level:
        extra["member_level"] = trial.member_level
    if trial.buyer:
        extra["buyer_id"] = trial.buyer
    place = regions.locate(trial.country, trial.province, trial.city)
    order = Order(
        pk=0, merchant=trial.channel.merchant, channel=trial.channel, currency=trial.currency, country=trial.country,
        province=trial.province, city=trial.city, is_remote=place.remote if place is not None else False,
        payment=Order.Payment.PAID if trial.is_paid else Order.Payment.UNPAID, service=trial.service, extra=extra,
        placed_at=now, received_at=now, person=Person(),
    )  # fmt: skip
    lines = [
        OrderLine(
            order=order, position=position, sku=line.sku, ordered=line.units, open=line.units, unit_price=line.price,
            line_total=(line.price * line.units).quantize(Decimal("0.01")),
        )
        for position, line in enumerate(trial.lines, 1)
    ]  # fmt: skip
    order.goods_total = order.total = sum((line.line_total for line in lines), Decimal(0))
    return order, lines


def _left(promotions: Sequence[Promotion], cart: Cart) -> dict[tuple[str, str], int]:
    limits = counting.wanted(promotions, cart)
    rows = PromotionCounter.objects.filter(promotion__in={key[0] for key in limits}) if limits else ()
    used = {(row.promotion, row.customer): row.used for row in rows}
    return {key: limit - used.get(key, 0) for key, limit in limits.items()}
