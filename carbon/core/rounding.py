"""Ledger rounding: whole quanta go to lines by largest remainder, so parts always add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

# `localcontext(CONTEXT)` keeps results equal whatever context the caller has set.
CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN)
EXACT = Decimal("0.000000000001")


def exact(value: Decimal) -> Decimal:
    """`value` kg at 12 decimals, half-even."""
    return value.quantize(EXACT, ROUND_HALF_EVEN, CONTEXT)


def units(value: Decimal, *, quantum: Decimal) -> int:
    """`value` as a whole number of quanta, half-even."""
    return int(CONTEXT.divide(value, quantum).to_integral_value(ROUND_HALF_EVEN, CONTEXT))


def whole_weights(weights: Sequence[Decimal]) -> list[int]:
    """Decimal weights as integers in the same exact proportion (scaled by one power of ten)."""
    if len(weights) == 1:
        return [1 if weights[0] else 0]
    exponents = [weight.as_tuple().exponent for weight in weights]
    if not all(isinstance(exponent, int) for exponent in exponents):
        raise InvalidOperation("weights must be finite numbers")
    lowest = min((e for e in exponents if isinstance(e, int)), default=0)
    return [int(weight.scaleb(-lowest, CONTEXT)) for weight in weights]


def largest_remainder(total: int, *, weights: Sequence[int]) -> list[int]:
    """Part `total` units by `weights`: floors first, the rest one by one to the largest fractions, ties in
    order.

    The weights must have a positive sum; the parts add up to `total` exactly, also when it is negative.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    missing = total - sum(parts)
    if missing:
        order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
        for i in order[:missing]:
            parts[i] += 1
    return parts
