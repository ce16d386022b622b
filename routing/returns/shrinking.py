"""Return rates that little evidence does not move far: beta-binomial, each level pulled to the one above. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

MILLIONTH = Decimal("0.000001")
#: How many units of the level above count beside one's own: what a level says alone needs more units than these.
MERCHANT_UNITS, CATEGORY_UNITS, SKU_UNITS = 50, 100, 30


@dataclass(frozen=True, slots=True)
class Count:
    """Units sent and, of these, returned."""

    sent: int = 0
    returned: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.sent + other.sent, self.returned + other.returned)

    def toward(self, share: Decimal, units: int) -> Decimal:
        """The mean of the beta posterior whose prior has seen so many units at this share."""
        return ((self.returned + share * units) / (self.sent + units)).quantize(MILLIONTH)


@dataclass(frozen=True, slots=True)
class Shares:
    """Counts and smoothed shares of one merchant: whole, by category, by SKU id."""

    whole: tuple[Count, Decimal]
    categories: Mapping[str, tuple[Count, Decimal]]
    skus: Mapping[int, tuple[Count, Decimal]]


def shrink(counts: Mapping[tuple[str, int], Count]) -> Shares | None:
    """The shares from counts by (category, SKU id); None where nothing ever came back.

    The merchant's own share is pulled to zero. SKUs without a category (an empty one) answer to the merchant.
    """
    whole = sum(counts.values(), Count())
    if not whole.returned:
        return None
    share = whole.toward(Decimal(0), MERCHANT_UNITS)
    sums: dict[str, Count] = {}
    for (category, _sku), count in counts.items():
        if category:
            sums[category] = sums.get(category, Count()) + count
    categories = {name: (count, count.toward(share, CATEGORY_UNITS)) for name, count in sums.items()}
    skus = {
        sku: (count, count.toward(categories[category][1] if category else share, SKU_UNITS))
        for (category, sku), count in counts.items()
    }
    return Shares((whole, share), categories, skus)
