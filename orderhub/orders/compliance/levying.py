"""Duty and taxes of orders as amounts, for whoever chooses where goods leave from; reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from orderhub.orders.compliance import rulebook, shipments
from orderhub.orders.compliance.engine import LEVYING, Levy, Rulebook, Shipment, Unknown, levies
from orderhub.orders.compliance.models import ComplianceRule, CustomsGoods
from orderhub.orders.models import Order, OrderLine

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Levying:
    """The rows that ask for money, and what a batch of orders needs to be judged by them; read once."""

    book: Rulebook
    known: shipments.Known
    now: datetime

    def of(self, order: Order, lines: Sequence[OrderLine], origin: str) -> tuple[list[Levy], list[Unknown]]:
        """What customs ask of consignments with these lines that come from a territory; no query.

        Shares are by position of the lines. The order's own regime and currency count, as in its checks.
        """
        day = _day(order, self.now)
        place = shipments.destination(order)
        goods = tuple(shipments.goods(line, line.ordered, self.known, day) for line in lines)
        return levies(
            self.book,
            Shipment(
                origin, place, order.currency, goods, day, regime=shipments.regime(order, place),
                is_gift=order.extra.get("is_gift") is True, rates=self.known.rates,
            ),
        )  # fmt: skip


def read(orders: Sequence[Order], sku_ids: Collection[int], *, now: datetime) -> Levying | None:
    """What these orders are judged by: three queries, or one and None where no active row asks for money."""
    rows = ComplianceRule.objects.filter(activated_at__isnull=False, kind__in=LEVYING)
    book = rulebook.compiled(rulebook.row_of(row, now=now) for row in rows)
    if not book.rows or not orders:
        return None
    rates = shipments.rates_on(max(_day(order, now) for order in orders))
    customs = {row.pk: row for row in CustomsGoods.objects.filter(pk__in=sku_ids)}
    return Levying(book, shipments.Known(rates=rates, customs=customs), now)


def value_each(line: OrderLine) -> Decimal:
    """What one unit of a line costs after discounts, in the order's currency: its intrinsic value."""
    return max((line.line_total - line.discount) / line.ordered, _NOTHING) if line.ordered else _NOTHING


def _day(order: Order, now: datetime) -> date:
    """The day whose rules count; of an order that is only asked about there is no shop to go by."""
    return shipments.day_of(order) if order.pk and order.pk > 0 else now.date()
