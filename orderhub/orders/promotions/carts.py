"""Orders as promotions see them, and the promotions in force for their merchants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from orderhub.kernel import secrets
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.promotions import words
from orderhub.orders.promotions.engine import apply, build, goods
from orderhub.orders.promotions.engine.model import Cart, Line, Promotion
from orderhub.orders.vocabulary import FACTS
from rules import services as rules
from rules.vocabulary import Drafted

PURPOSE = "price"
_MONEY = frozenset(fact.name for fact in (*FACTS, *words.FACTS) if fact.type == "money")
_KEPT = 200
_LONGEST = 80
_ready: dict[tuple[object, ...], tuple[Promotion, ...]] = {}


def in_force(scopes: Collection[str], *, now: datetime) -> dict[str, tuple[Promotion, ...]]:
    """The promotions of each scope in the order they count; one query, unless some are new to this process.

    A promotion outside its time is among them: the explanation says so.
    """
    found = rules.in_force_many(PURPOSE, scopes, now=now)
    return {scope: of_sets(sets) for scope, sets in found.items()}


def of_sets(sets: Sequence[rules.ActiveSet]) -> tuple[Promotion, ...]:
    """All promotions of these sets in the order they count."""
    key = tuple((one.scope, one.code, one.number, one.digest) for one in sets)
    if key not in _ready:
        if len(_ready) >= _KEPT:
            _ready.clear()
        _ready[key] = apply.ordered(promotion for one in sets for promotion in _of_set(one))
    return _ready[key]


def of_drafted(set_code: str, scope: str, drafted: Iterable[Drafted]) -> tuple[Promotion, ...]:
    """The promotions of a draft (version 0)."""
    return apply.ordered(
        build.promotion(
            one.rule, set_code=set_code, scope=scope, version=0, since=one.since, until=one.until,
            name_en=one.body.get("name_en", ""), money_facts=_MONEY,
        )
        for one in drafted
    )  # fmt: skip


def _of_set(one: rules.ActiveSet) -> list[Promotion]:
    return [
        build.promotion(
            timed.rule, set_code=one.code, scope=one.scope, version=one.number, since=timed.since, until=timed.until,
            name_en=timed.name_en, money_facts=_MONEY,
        )
        for timed in one.rules
    ]  # fmt: skip


def scope_of(order: Order) -> str:
    """Whose rules count for an order."""
    return f"merchant:{order.merchant_id}"


def cart_of(order: Order, lines: Sequence[OrderLine], facts: Mapping[str, object], *, now: datetime) -> Cart:
    """The order's cart, from lines that are no gifts (with SKU) and the facts every rule may use."""
    return Cart(
        [
            Line(
                line.position, line.sku.code, line.sku.category, line.ordered, goods.in_cents(line.line_total)
            )
            for line in lines
        ],
        order.currency,
        {**facts, **_more_facts(order, lines)},
        now,
        customer_key(order),
    )


def customer_key(order: Order) -> str:
    """Who bought, as a key that tells nothing: by the channel's `buyer_id`, else by telephone; empty if neither is
    known. Comes with its receiver.
    """
    clear = _told(order, "buyer_id") or "".join(sign for sign in order.person.phone if sign.isdigit())
    if not clear:
        return ""
    return secrets.derived_token(key=settings.SECRET_KEYS[0], subject=f"buyer:{order.merchant_id}:{clear}")


def coupons_of(order: Order) -> list[str]:
    """The coupon codes the channel said were used: `extra["coupons"]`, a text or a list, capitals not minded."""
    told = order.extra.get("coupons") if isinstance(order.extra, dict) else None
    codes: Sequence[Any] = told if isinstance(told, list) else [told]
    return sorted(
        {code.strip().upper()[:_LONGEST] for code in codes if isinstance(code, str) and code.strip()}
    )


def _more_facts(order: Order, lines: Sequence[OrderLine]) -> dict[str, object]:
    found: dict[str, object] = {
        "order.merchant": order.merchant.code,
        "order.categories": sorted({line.sku.category for line in lines if line.sku.category}),
        "order.coupons": coupons_of(order),
        "customer.is_known": bool(_told(order, "buyer_id") or order.person.phone),
    }
    if level := _told(order, "member_level"):
        found["customer.level"] = level
    return found


def _told(order: Order, name: str) -> str:
    told = order.extra.get(name) if isinstance(order.extra, dict) else None
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    return told.strip()[:_LONGEST] if isinstance(told, str) else ""
