"""What promotions take off an order, and how it is shared among its lines; pure sums, nothing saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from orderhub.kernel.money import cents, shares
from rules.engine import FiredAction


def discount(goods_total: Decimal, actions: Iterable[FiredAction]) -> Decimal:
    """What the actions take off together: one after the other, each from what is left, never below zero."""
    left = goods_total
    for action in actions:
        value = Decimal(str(action.params["value"]))
        off = cents(left * value / 100) if action.do == "percent_off" else value
        left -= min(left, cents(off))
    return goods_total - left


def allocate(amount: Decimal, line_totals: Sequence[Decimal]) -> list[Decimal]:
    """The discount of each line in proportion to its total; they add up to `amount` exactly, none above its
    line.
    """
    return shares(amount, line_totals)
