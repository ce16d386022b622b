"""Orders that replace units of another one: made for its receiver, linked to it, with their own way to the door."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orderhub.events import log
from orderhub.inventory.models import Sku
from orderhub.kernel import canonical
from orderhub.kernel.money import shares
from orderhub.orders import crediting, holding, journeys, kinds, sharing
from orderhub.orders.models import FollowUp, Order, OrderLine
from orderhub.orders.parting import MARK

_LETTER = {FollowUp.Sort.EXCHANGE: "X", FollowUp.Sort.RESEND: "R"}
#: Of what the channel sent along, what still holds for goods that it did not sell.
_KEPT = ("ext_no", "buyer_id", "id_number", "importer", "terms")


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of an article at a price; `line_total` is their sum."""

    sku: Sku
    quantity: int
    unit_price: Decimal
    line_total: Decimal
    name: str = ""


def make(order: Order, goods: Sequence[Goods], follow_up: FollowUp, *, now: datetime, actor: str) -> FollowUp:
    """Place the new order of a filled-in follow-up; both are saved. The caller has the first order locked.

    What the old goods were worth is taken off the new ones; where that leaves something to pay, the new order waits
    for the payment like any other. Screening, routing and release are its own.
    """
    price = sum((one.line_total for one in goods), Decimal(0))
    free = follow_up.pays in (FollowUp.Pays.WAIVED, FollowUp.Pays.NOBODY)
    off = price if free else min(price, follow_up.credit)
    new = _order_like(order, follow_up.sort, now=now)
    new.goods_total, new.discount_total, new.total = price, off, price - off
    new.payment = Order.Payment.UNPAID if new.total else Order.Payment.PAID
    new.paid_at = None if new.total else now
    new.save(force_insert=True)
    taken_off = shares(off, [one.line_total for one in goods])
    OrderLine.objects.bulk_create([
        OrderLine(
            order=new, position=position, sku=one.sku, name=one.name or one.sku.name, unit_price=one.unit_price,
            line_total=one.line_total, discount=discount, ordered=one.quantity, open=one.quantity,
        )
        for position, (one, discount) in enumerate(zip(goods, taken_off, strict=True), 1)
    ])  # fmt: skip
    follow_up.order, follow_up.new_order, follow_up.price = order, new, price
    follow_up.save(force_insert=True)
    _replace(order, follow_up, +1)
    if follow_up.sort == FollowUp.Sort.EXCHANGE:
        _credit(order, follow_up, now=now)
    log.record(_facts(order, new, goods, follow_up), now=now, actor=actor)
    return follow_up


def end(follow_up: FollowUp, *, now: datetime, actor: str) -> None:
    """The new order was cancelled: its units may be replaced again, and their credit is taken back. The caller has
    the first order locked; ended ones stay ended.
    """
    if follow_up.ended_at is not None:
        return
    follow_up.ended_at = now
    follow_up.save(update_fields=["ended_at"])
    order = follow_up.order
    _replace(order, follow_up, -1)
    crediting.void(cause(follow_up), now=now)
    new = follow_up.new_order
    payload = {
        "follow_up": follow_up.pk, "order": new.number, "order_id": new.pk, "lines": _told(order, follow_up),
        "stage": order.stage,
    }  # fmt: skip
    fact = log.Fact(order.stream, kinds.FOLLOW_UP_ENDED.name, payload, order.merchant_id)
    log.record([fact], now=now, actor=actor)


def cause(follow_up: FollowUp) -> str:
    """What its credits are called by."""
    return f"follow_up:{follow_up.pk}"


def units_of(follow_up: FollowUp) -> dict[int, int]:
    """The units it replaces, by line id."""
    return {int(pk): units for pk, units in follow_up.units.items()}


def worth(lines: Sequence[OrderLine], units: Mapping[int, int]) -> Decimal:
    """What was paid for these units, before credits given already are looked at."""
    found = [crediting.paid_for(line, units[line.pk]) for line in lines if units.get(line.pk)]
    return sum(found, Decimal(0))


def _order_like(order: Order, sort: str, *, now: datetime) -> Order:
    letter = _LETTER[FollowUp.Sort(sort)]
    count = FollowUp.objects.filter(order=order, sort=sort).count() + 1
    tail = f"{MARK}{letter}{count}"
    entry = journeys.begin(order.merchant_id)
    new = Order(
        **{
            field.attname: getattr(order, field.attname)
            for field in Order._meta.concrete_fields
            if not field.primary_key and field.attname != "stage"
        }
    )
    new.public_id, new.share_nonce = uuid.uuid4(), 0
    new.external_id = f"{order.external_id[: 100 - len(tail)]}{tail}"
    sharing.stamp(new)
    new.content_hash = canonical.digest([sort, order.content_hash, new.external_id])
    new.source, new.placed_at, new.received_at, new.updated_at = f"{sort}:{order.pk}", now, now, now
    kept = {name: order.extra[name] for name in _KEPT if name in order.extra}
    new.extra = {"ext_no": order.external_id, **kept}
    new.custom, new.rule_versions, new.tags, new.flow_marks = {}, {}, [], []
    new.split_from, new.merged_into, new.only_at, new.promised_at = None, None, None, None
    new.step, new.flow_version_id, new.flow_node = entry
    new.step_state, new.waiting_for, new.attempts, new.version = "ready", "", 0, 1
    new.money_fixed = True
    return new


def _credit(order: Order, follow_up: FollowUp, *, now: datetime) -> None:
    lines = holding.lines_of([order])[order.pk]
    amounts = crediting.credit(lines, units_of(follow_up), cause=cause(follow_up), now=now)
    credit = sum(amounts.values(), Decimal(0))
    if credit != follow_up.credit:  # a cent more or less than the units alone would be, so that all add up
        follow_up.credit = credit
        follow_up.save(update_fields=["credit"])


def _replace(order: Order, follow_up: FollowUp, sign: int) -> None:
    units = units_of(follow_up)
    lines = list(OrderLine.objects.filter(pk__in=units).order_by("pk"))
    for line in lines:
        line.replaced += sign * units[line.pk]
    OrderLine.objects.bulk_update(lines, ["replaced"])


def _told(order: Order, follow_up: FollowUp) -> list[dict[str, int]]:
    units = units_of(follow_up)
    positions = OrderLine.objects.filter(pk__in=units).order_by("position").values_list("pk", "position")
    return [{"position": position, "units": units[pk]} for pk, position in positions]


def _facts(order: Order, new: Order, goods: Sequence[Goods], follow_up: FollowUp) -> list[log.Fact]:
    here = {
        "follow_up": follow_up.pk, "order": new.number, "order_id": new.pk, "lines": _told(order, follow_up),
        "reason": follow_up.reason, "detail": follow_up.detail, "stage": order.stage,
    }  # fmt: skip
    kind = kinds.RESENT
    if follow_up.sort == FollowUp.Sort.EXCHANGE:
        kind = kinds.EXCHANGED
        here |= {
            "goods": [{"sku": one.sku.code, "units": one.quantity} for one in goods], "price": follow_up.price,
            "credit": follow_up.credit, "pays": follow_up.pays, "currency": follow_up.currency,
            "return_expected": follow_up.return_expected,
        }  # fmt: skip
    else:
        here |= {"claim_against": follow_up.claim_against, "claim_parcel": follow_up.claim_parcel}
    there = {
        "from": order.number, "from_id": order.pk, "sort": follow_up.sort, "external_id": new.external_id,
        "channel": order.channel.code, "total": new.total, "currency": new.currency, "lines": len(goods),
        "paid": new.payment == Order.Payment.PAID, "reason": follow_up.reason, "stage": new.stage,
    }  # fmt: skip
    return [
        log.Fact(order.stream, kind.name, here, order.merchant_id),
        log.Fact(new.stream, kinds.FOLLOW_UP_PLACED.name, there, new.merchant_id),
    ]
