"""A draft tried on what was ordered in the last day: how many orders it would have changed, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from orderhub.orders import vocabulary
from orderhub.orders.models import Order, OrderLine, Pricing, PromotionCounter, SkuCost
from orderhub.orders.models.order import Stage
from orderhub.orders.promotions import carts, counting, gifts
from orderhub.orders.promotions.engine.apply import apply, ordered
from orderhub.orders.promotions.engine.model import Applied, Cart, Counter, Promotion, Result
from rules import services as rules
from rules.vocabulary import Drafted, Replayed

SPAN = timedelta(hours=24)
EFFECT_SPAN = timedelta(days=7)
MOST_ORDERS = 2000
_AT_ONCE = 500
_LEFT_OUT = (Stage.CANCELLED, Stage.MERGED)
_MOST_SHOWN = 20


class _Tally:
    """What a replay adds up."""

    def __init__(self) -> None:
        self.looked_at = self.changed = self.below_cost = 0
        self.by_currency: dict[str, Decimal] = {}
        #: Orders the draft's own promotions count for, what they take off there, and the most they take off one.
        self.hit = 0
        self.given: dict[str, Decimal] = {}
        self.largest: dict[str, Decimal] = {}
        #: Orders whose price would have been another: how much comes off now, and how much would have.
        self.differing: list[tuple[Order, Decimal, Decimal]] = []


def replay(set_code: str, scope: str, drafted: Sequence[Drafted], now: datetime) -> Replayed:
    """Price the last 24 hours' orders with the draft in place of its set and all other sets as in force; writes nothing.

    At most the newest 2,000; orders split or merged since are left out. Limited promotions start with the uses that
    are left now, gifts with the stock there is now.
    """
    return _told(_tally(set_code, scope, drafted, now, SPAN))


def effect(set_code: str, scope: str, drafted: Sequence[Drafted], now: datetime) -> dict[str, Any]:
    """As `replay`, of the last 7 days and in figures: orders the draft counts for, what it takes off, and the orders
    that would have cost something else, those that change most first; amounts by currency.
    """
    tally = _tally(set_code, scope, drafted, now, EFFECT_SPAN)
    order_of_change = sorted(tally.differing, key=lambda one: (-abs(one[2] - one[1]), one[0].pk))
    return {
        "looked_at": tally.looked_at, "is_cut": tally.looked_at >= MOST_ORDERS, "hit": tally.hit,
        "changed": tally.changed, "below_cost": tally.below_cost, "given": _figures(tally.given),
        "largest": _figures(tally.largest),
        # What customers would have paid less (above zero) or more than they did.
        "more_off": _figures({currency: -amount for currency, amount in tally.by_currency.items()}),
        "orders": [
            {
                "id": order.pk, "number": order.external_id, "currency": order.currency, "was": f"{was:.2f}",
                "would": f"{would:.2f}",
            }
            for order, was, would in order_of_change[:_MOST_SHOWN]
        ],
    }  # fmt: skip


def _figures(amounts: Mapping[str, Decimal]) -> list[dict[str, str]]:
    return [{"currency": currency, "amount": f"{amount:.2f}"} for currency, amount in sorted(amounts.items())]


def _tally(set_code: str, scope: str, drafted: Sequence[Drafted], now: datetime, span: timedelta) -> _Tally:
    merchant = int(scope.removeprefix("merchant:")) if scope else None
    rows = Order.objects.filter(received_at__gt=now - span, received_at__lte=now, money_fixed=False)
    rows = rows.exclude(stage__in=_LEFT_OUT)
    if merchant is not None:
        rows = rows.filter(merchant_id=merchant)
    ids = list(rows.order_by("-received_at", "-pk").values_list("pk", flat=True)[:MOST_ORDERS])
    draft = carts.of_drafted(set_code, scope, drafted)
    tally = _Tally()
    for start in range(0, len(ids), _AT_ONCE):
        _replay(sorted(ids[start : start + _AT_ONCE]), (set_code, scope), draft, tally, now=now)
    return tally


def _replay(
    ids: Sequence[int], replaced: tuple[str, str], draft: Sequence[Promotion], tally: _Tally, *, now: datetime
) -> None:
    orders = list(
        Order.objects.filter(pk__in=ids).select_related("merchant", "channel", "person").order_by("pk")
    )
    known = Pricing.objects.in_bulk(ids)
    lines: dict[int, list[OrderLine]] = {pk: [] for pk in ids}
    for line in (
        OrderLine.objects.filter(order_id__in=ids).select_related("sku").order_by("order_id", "position")
    ):
        lines[line.order_id].append(line)
    facts = vocabulary.facts_of(orders, lines, now=now)
    mine = _promotions({carts.scope_of(order) for order in orders}, replaced, draft, now=now)
    made = {
        order.pk: carts.cart_of(
            order, gifts.without(lines[order.pk], known.get(order.pk)), facts[order.pk], now=now
        )
        for order in orders
    }
    left, shelf = _left(orders, mine, made), _shelf(orders, mine, made)
    costs = _costs(lines)
    for order in orders:
        cart = made[order.pk]
        cart.left = left
        shelf.open_to(order, cart)
        _add(
            tally,
            order,
            cart,
            apply(mine[carts.scope_of(order)], cart, reasons=0),
            known.get(order.pk),
            costs,
        )


def _promotions(
    scopes: set[str], replaced: tuple[str, str], draft: Sequence[Promotion], *, now: datetime
) -> dict[str, tuple[Promotion, ...]]:
    found = rules.in_force_many(carts.PURPOSE, scopes, now=now)
    code, scope = replaced
    return {
        one: ordered([*carts.of_sets([x for x in sets if (x.code, x.scope) != (code, scope)]), *draft])
        for one, sets in found.items()
    }


def _left(
    orders: Sequence[Order], mine: Mapping[str, Sequence[Promotion]], made: Mapping[int, Cart]
) -> dict[Counter, int]:
    limits: dict[Counter, int] = {}
    for order in orders:
        limits.update(counting.wanted(mine[carts.scope_of(order)], made[order.pk]))
    if not limits:
        return {}
    rows = PromotionCounter.objects.filter(promotion__in={key[0] for key in limits})
    used = {(row.promotion, row.customer): row.used for row in rows}
    return {key: limit - used.get(key, 0) for key, limit in limits.items()}


def _shelf(
    orders: Sequence[Order], mine: Mapping[str, Sequence[Promotion]], made: Mapping[int, Cart]
) -> gifts.Shelf:
    wanted: dict[int, set[str]] = {}
    for order in orders:
        codes = gifts.wanted(mine[carts.scope_of(order)], made[order.pk])
        wanted.setdefault(order.merchant_id, set()).update(codes)
    return gifts.shelf(wanted)


def _costs(lines: Mapping[int, Sequence[OrderLine]]) -> dict[tuple[str, str], int]:
    """Cents a unit costs, by SKU code and currency."""
    skus = {line.sku_id for some in lines.values() for line in some}
    rows = SkuCost.objects.filter(sku_id__in=skus).values_list("sku__code", "currency", "cost")
    return {(code, currency): int(cost * 100) for code, currency, cost in rows}


def _add(
    tally: _Tally,
    order: Order,
    cart: Cart,
    result: Result,
    known: Pricing | None,
    costs: Mapping[tuple[str, str], int],
) -> None:
    tally.looked_at += 1
    off = Decimal(result.cents) / 100
    given = sorted((gift.sku, gift.units) for one in result.applied for gift in one.gifts)
    had = sorted((str(gift["sku"]), int(gift["units"])) for gift in known.gifts) if known is not None else []
    if off != order.discount_total or given != had:
        tally.changed += 1
        tally.differing.append((order, order.discount_total, off))
        tally.by_currency[order.currency] = (
            tally.by_currency.get(order.currency, Decimal(0)) + order.discount_total - off
        )
    _add_own(tally, order, [one for one in result.applied if one.promotion.version == 0])
    for line, cents in zip(cart.lines, result.off, strict=True):
        cost = costs.get((line.sku, order.currency))
        tally.below_cost += cost is not None and cents > 0 and line.cents - cents < cost * line.units


def _add_own(tally: _Tally, order: Order, own: Sequence[Applied]) -> None:
    """What the draft itself does: its promotions carry version 0."""
    if not own:
        return
    amount, currency = Decimal(sum(one.cents for one in own)) / 100, order.currency
    tally.hit += 1
    tally.given[currency] = tally.given.get(currency, Decimal(0)) + amount
    tally.largest[currency] = max(tally.largest.get(currency, Decimal(0)), amount)


def _told(tally: _Tally) -> Replayed:
    sums = {currency: cents for currency, cents in sorted(tally.by_currency.items()) if cents}
    figures = ", ".join(f"{_signed(amount)} {currency}" for currency, amount in sums.items())
    zh = f"最近 24 小时的 {tally.looked_at} 个订单中，会改变 {tally.changed} 个"
    en = f"of {tally.looked_at} orders of the last 24 hours, {tally.changed} would have changed"
    if figures:
        zh, en = f"{zh}，金额变化 {figures}", f"{en}, by {figures}"
    if tally.below_cost:
        zh, en = f"{zh}；{tally.below_cost} 行低于成本", f"{en}; {tally.below_cost} lines below cost"
    return Replayed(tally.looked_at, tally.changed, zh, en)


def _signed(amount: Decimal) -> str:
    return f"{'−' if amount < 0 else '+'}{abs(amount):,.2f}"
