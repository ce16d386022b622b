"""Part of the profit goes to projects: once per order, after it arrived, in books of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from carbon.offsets.models import OffsetOrder, OffsetPlan, OffsetProject, Retirement
from carbon.offsets.providers import PROVIDERS
from orderhub.access.models import Merchant
from orderhub.fulfillment.models import FulfillmentOrder
from orderhub.fulfillment.models.fulfillment import State
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order, OrderLine
from orderhub.orders.models.order import Stage

S = OffsetOrder.State
CENT = Decimal("0.01")
BATCH = 200
ARRIVED = (Stage.DELIVERED, Stage.COMPLETED)
ACTOR = "system"


def tick(*, now: datetime) -> int:
    """Give what is due: purchases of orders that arrived, then orders at the providers; how much was done."""
    done = 0
    for plan in OffsetPlan.objects.filter(is_active=True, project__is_active=True).select_related("project"):
        done += sum(_give(plan, order, now=now) for order in _due(plan))
    for row in (
        OffsetOrder.objects.filter(state=S.WANTED).exclude(project__provider="manual").order_by("pk")[:BATCH]
    ):
        done += place(row.pk, now=now)
    return done


def buy(
    merchant: Merchant,
    project: OffsetProject,
    amount: Decimal,
    *,
    key: str,
    now: datetime,
    order: Order | None = None,
    profit: Decimal | None = None,
) -> OffsetOrder:
    """Note a purchase for an amount of money; the same key gets the purchase that is there already."""  # fmt: skip
    quote = PROVIDERS[project.provider].quote(
        amount=amount, currency=project.currency, price_per_kg=project.price_per_kg
    )
    row, _made = OffsetOrder.objects.get_or_create(
        idempotency_key=key,
        defaults={
            "merchant": merchant, "project": project, "order": order, "profit": profit, "amount": quote.amount,
            "currency": quote.currency, "kg": quote.kg, "created_at": now, "updated_at": now,
        },
    )  # fmt: skip
    return row


def place(pk: int, *, now: datetime) -> int:
    """Order a noted purchase at its provider and keep its retirement; a repeated call changes nothing."""
    with transaction.atomic():
        row = OffsetOrder.objects.select_for_update().select_related("project", "merchant").get(pk=pk)
        if row.state != S.WANTED:
            return 0
        provider = PROVIDERS[row.project.provider]
        placed = provider.order(key=row.idempotency_key, kg=row.kg, project=row.project.code)
        row.state, row.reference, row.updated_at = S.ORDERED, placed.reference, now
        if placed.is_retired:
            today = now.astimezone(ZoneInfo(row.merchant.time_zone)).date()
            told = provider.certificate(reference=placed.reference, kg=row.kg, today=today)
            if told is not None:
                retire(
                    row, registry=told.registry, serials=told.serials, vintage=told.vintage, kg=told.kg,
                    retired_on=told.retired_on, certificate=told.address, beneficiary=row.merchant.name,
                    actor=ACTOR, now=now,
                )  # fmt: skip
                row.state = S.FULFILLED
        row.save(update_fields=["state", "reference", "updated_at"])
        return 1


def retire(row: OffsetOrder, *, actor: str, now: datetime, **told: object) -> Retirement:
    """Record a retirement; raises Refused for serials recorded before, or for more than was bought."""
    done = row.retirements.aggregate(kg=Sum("kg"))["kg"] or Decimal(0)
    made = Retirement(purchase=row, recorded_by=actor[:80], recorded_at=now, **told)
    if done + made.kg > row.kg:
        raise Refused("retired_too_much", _("More would be retired than was bought."), field="kg")
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise Refused(
            "retired_before", _("These serial numbers are recorded already."), field="serials"
        ) from None
    return made


def profit_of(order: Order) -> Decimal | None:
    """What is left of an order's total after goods and freight; None where a cost is unknown or in another currency."""
    cost = Decimal(0)
    lines = OrderLine.objects.filter(order=order).select_related("sku__cost")
    for line in lines:
        row = getattr(line.sku, "cost", None)
        if row is None or row.currency != order.currency:
            return None
        cost += row.cost * line.shipped
    sent = FulfillmentOrder.objects.filter(order=order, state__in=(State.SHIPPED, State.DELIVERED))
    for freight, currency in sent.values_list("freight", F("rate_card__currency")):
        if currency != order.currency:
            return None
        cost += freight
    return (order.total - cost).quantize(CENT)


def _due(plan: OffsetPlan) -> Sequence[Order]:
    """Orders that arrived and for which nothing was decided yet."""
    rows = Order.objects.filter(
        merchant_id=plan.merchant_id, stage__in=ARRIVED, placed_at__gte=plan.since, payment=Order.Payment.PAID
    )
    known = OffsetOrder.objects.filter(merchant_id=plan.merchant_id, order__isnull=False).values("order")
    return list(rows.exclude(pk__in=known).select_related("merchant").order_by("pk")[:BATCH])


def _give(plan: OffsetPlan, order: Order, *, now: datetime) -> int:
    """The purchase of one order, or the reason why there is none."""
    profit = profit_of(order)
    amount, reason = Decimal(0), ""
    if profit is None:
        reason = "cost_unknown"
    elif order.currency != plan.project.currency:
        reason = "other_currency"
    elif profit <= 0:
        reason = "no_profit"
    else:
        amount = (profit * plan.profit_percent / 100).quantize(CENT, ROUND_DOWN)
        reason = "" if amount else "less_than_a_cent"
    row = buy(
        order.merchant, plan.project, amount, key=f"order:{order.pk}", now=now, order=order, profit=profit
    )
    if reason:
        row.state, row.reason = S.LEFT_OUT, reason
        row.save(update_fields=["state", "reason"])
    return 1
