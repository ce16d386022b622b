"""Pricing a batch of orders by the promotions in force, with a constant number of queries whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import prefetch_related_objects

from orderhub.events import log, rows
from orderhub.orders import carrying, kinds, ledger, lifecycle
from orderhub.orders.models import Order, OrderLine, Pricing
from orderhub.orders.promotions import carts, counting, gifts, recording
from orderhub.orders.promotions.engine.apply import apply
from orderhub.orders.promotions.engine.model import Cart, Promotion, Result
from rules.flow import Context

Facts = Mapping[int, Mapping[str, object]]
#: Finds the facts of orders; what an earlier step of the pass has looked up is not asked again.
FactsOf = Callable[[Sequence[Order], Context], Facts]
_KEPT = ("versions", "explanation", "gifts", "free_shipping", "priced_at")


def price(orders: Sequence[Order], context: Context, facts_of: FactsOf) -> None:
    """Price locked orders: sums, shares of the lines, gifts, uses and the explanation; told to the log only where
    sums or gifts change. One query where nothing is published for their merchants and none had anything off.
    """
    promotions = carts.in_force({carts.scope_of(order) for order in orders}, now=context.now)
    asked = [order for order in orders if promotions[carts.scope_of(order)] or order.discount_total]
    if not asked:
        return
    prefetch_related_objects(
        asked, "merchant", "channel", "person"
    )  # no query where the pass has them at hand
    facts, lines = facts_of(asked, context), carrying.lines_of(asked, context)
    known = Pricing.objects.in_bulk([order.pk for order in asked])
    made = {
        order.pk: carts.cart_of(
            order, gifts.without(lines[order.pk], known.get(order.pk)), facts[order.pk], now=context.now
        )
        for order in asked
    }
    mine = {order.pk: promotions[carts.scope_of(order)] for order in asked}
    shelf = gifts.shelf(_gifts_wanted(asked, mine, made, known))
    counters = counting.lock(_limits(asked, mine, made), [pk for pk in made if pk in known])
    results: dict[int, Result] = {}
    for order in sorted(asked, key=lambda order: order.pk):
        cart = made[order.pk]
        shelf.open_to(order, cart)
        counters.open_to(order, cart)
        results[order.pk] = apply(mine[order.pk], cart, reasons=recording.MOST_SKIPPED)
    counting.count(counters, results)
    told = gifts.settle(asked, results, known, lines, shelf)
    changed = _write_sums(asked, results, known, lines, told, context)
    _remember(asked, made, results, known, told, context)
    log.record(
        [log.Fact(x.stream, kinds.PRICED.name, _said(x, results[x.pk], told[x.pk]), x.merchant_id) for x in changed],
        now=context.now, actor=context.actor,
    )  # fmt: skip


def _gifts_wanted(
    orders: Sequence[Order], mine: Mapping[int, Sequence[Promotion]], made: Mapping[int, Cart],
    known: Mapping[int, Pricing],
) -> dict[int, set[str]]:  # fmt: skip
    found: dict[int, set[str]] = {}
    for order in orders:
        found.setdefault(order.merchant_id, set()).update(gifts.wanted(mine[order.pk], made[order.pk]))
    return found


def _limits(
    orders: Sequence[Order], mine: Mapping[int, Sequence[Promotion]], made: Mapping[int, Cart]
) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for order in orders:
        found.update(counting.wanted(mine[order.pk], made[order.pk]))
    return found


def _write_sums(
    orders: Sequence[Order], results: Mapping[int, Result], known: Mapping[int, Pricing],
    lines: Mapping[int, Sequence[OrderLine]], told: Mapping[int, Sequence[Mapping[str, object]]], context: Context,
) -> list[Order]:  # fmt: skip
    """Put the sums on orders and lines where they differ; the orders whose sums or gifts changed."""
    moved: list[OrderLine] = []
    summed: list[Order] = []
    changed: list[Order] = []
    for order in orders:
        result, pricing = results[order.pk], known.get(order.pk)
        off = _money(result.cents)
        bought = [
            line
            for line in lines[order.pk]
            if line.position not in {gift["position"] for gift in told[order.pk]}
        ]
        for line, cents in zip(bought, result.off, strict=True):
            if line.discount != _money(cents):
                line.discount = _money(cents)
                moved.append(line)
        has_new_gifts = list(told[order.pk]) != (pricing.gifts if pricing is not None else [])
        if off != order.discount_total:
            order.discount_total, order.total = off, order.goods_total - off
            summed.append(order)
        if has_new_gifts or (summed and summed[-1] is order):
            changed.append(order)
    lifecycle.save(summed, ["discount_total", "total"], now=context.now)
    ledger.save(moved, ["discount"])
    return changed


def _remember(
    orders: Sequence[Order], made: Mapping[int, Cart], results: Mapping[int, Result],
    known: Mapping[int, Pricing], told: Mapping[int, Sequence[Mapping[str, object]]], context: Context,
) -> None:  # fmt: skip
    """Keep the explanation and the versions; an order priced as before keeps the moment it was."""
    written: list[Pricing] = []
    noted: list[Order] = []
    for order in orders:
        result = results[order.pk]
        versions = _versions(result)
        row = Pricing(
            order=order, versions=versions, explanation=recording.document(made[order.pk], result),
            gifts=list(told[order.pk]), priced_at=context.now,
            free_shipping=any(one.promotion.free_shipping for one in result.applied),
        )  # fmt: skip
        before = known.get(order.pk)
        if before is None or _values(before) != _values(row):
            written.append(row)
        if {**order.rule_versions, **versions} != order.rule_versions:
            order.rule_versions = {**order.rule_versions, **versions}
            noted.append(order)
    rows.insert(written, update=_KEPT)
    rows.save(noted, ["rule_versions"])


def _versions(result: Result) -> dict[str, int]:
    applied, skipped = ([one.promotion for one in some] for some in (result.applied, result.skipped))
    return {promotion.key.partition("/")[0]: promotion.version for promotion in (*applied, *skipped)}


def _values(row: Pricing) -> tuple[Any, ...]:
    return row.versions, row.explanation, row.gifts, row.free_shipping


def _said(order: Order, result: Result, told: Sequence[Mapping[str, object]]) -> dict[str, object]:
    said: dict[str, object] = {
        "discount": order.discount_total, "total": order.total,
        "rules": [one.promotion.key for one in result.applied], "stage": order.stage,
    }  # fmt: skip
    return {**said, "gifts": [f"{gift['sku']}×{gift['units']}" for gift in told]} if told else said


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2).quantize(Decimal("0.01"))
