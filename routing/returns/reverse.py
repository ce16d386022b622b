"""What it costs when goods come back: the cheapest way from the customer to the warehouse, and its handling."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from orderhub.fulfillment.rates import LaneOption
from orderhub.inventory.models import Warehouse

TEN_THOUSANDTH = Decimal("0.0001")
ZERO = Decimal(0)


def cost(options: Iterable[LaneOption], warehouse: Warehouse, *, grams: int) -> Decimal | None:
    """Yuan for one line of `grams` with packaging by the lanes between the two places, read backwards; None
    without a tariff that can be reckoned with.

    Any service will do: who sends goods back is in no hurry.
    """
    fees = [
        option.freight(grams)
        for option in options
        if option.zone.step_grams > 0 and min(option.zone.first_fee, option.zone.step_fee) >= 0
    ]
    if not fees:
        return None
    return min(fees) + warehouse.handling_per_parcel + warehouse.handling_per_line


def risk(share: Decimal, yuan: Decimal | None) -> Decimal:
    """What returns are expected to cost, to the unit the engine reckons in; 0 where nobody knows the way back."""
    return (share * yuan).quantize(TEN_THOUSANDTH) if yuan is not None else ZERO
