"""Money as Decimal with two places, and shares that add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    """The amount rounded half-even to 0.01 of its currency."""
    return value.quantize(CENT, rounding=ROUND_HALF_EVEN)


def shares(amount: Decimal, weights: Sequence[Decimal], *, quantum: Decimal = CENT) -> list[Decimal]:
    """Split `amount` by `weights` with the largest remainder; the parts add up to `amount` exactly.

    Ties go to the earlier part. All-zero weights share equally. Raises ValueError for negative weights.
    """
    if not weights:
        raise ValueError("nothing to share between")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    total = sum(weights, Decimal(0))
    parts = list(weights) if total else [Decimal(1)] * len(weights)
    total = total or Decimal(len(weights))
    units = int((amount / quantum).to_integral_value(rounding=ROUND_HALF_EVEN))
    sign, units = (-1, -units) if units < 0 else (1, units)
    ideal = [units * part / total for part in parts]
    given = [int(part) for part in ideal]
    order = sorted(range(len(parts)), key=lambda i: (-(ideal[i] - given[i]), i))
    for i in order[: units - sum(given)]:
        given[i] += 1
    return [sign * quantum * part for part in given]
