"""What some units of a line were sold for after discounts, whatever was cancelled or returned before them."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from orderhub.kernel.money import CENT


class Worth(NamedTuple):
    """What units were sold for: at list price, what promotions took off them, and what was paid."""

    total: Decimal
    discount: Decimal

    @property
    def paid(self) -> Decimal:
        """What goes back to the buyer for them."""
        return self.total - self.discount


def worth(total: Decimal, discount: Decimal, *, ordered: int, before: int, units: int) -> Worth:
    """The share of `units` of a line's `ordered` ones, after `before` others were cancelled or returned.

    However a line is taken back, all its pieces add up to the line to the cent, and no piece is below zero.
    Raises ValueError if more would come back than were ordered.
    """
    if units < 0 or before < 0 or before + units > ordered:
        raise ValueError(f"{units} units after {before} of {ordered} cannot come back")
    whole, off = int(total / CENT), int(discount / CENT)
    first, last = (whole * count // ordered for count in (before, before + units))
    # By what the units cost, not by their number: so a piece never has more off than it costs.
    off_first, off_last = (off * cents // whole if whole else 0 for cents in (first, last))
    return Worth((last - first) * CENT, (off_last - off_first) * CENT)
