"""Duty and taxes of parcels that cross a border, in scaled integers: each parcel is judged by its own contents.

What is due is not linear: it changes where the value of a parcel passes a limit, and a code counts once a parcel.
So it is priced with the parcel, for every subset of the items, and the split stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from routing.engine.model import ZERO, Levy, Need, Senseless
from routing.engine.pieces import Item

CENTS = 100
#: Above any value of a parcel in cents; what is worth more cannot be reckoned.
NO_END = 2**61
_MOST_VALUE = 2**52


@dataclass(frozen=True, slots=True)
class Charge:
    """A levy in scaled integers: limits in cents of the order's currency, yuan by code."""

    over: int
    up_to: int
    per_code: int


@dataclass(frozen=True, slots=True)
class Duties:
    """The levies on one order; `charges` are the positions of those due on parcels of each source."""

    rules: tuple[Charge, ...]
    charges: tuple[tuple[int, ...], ...]
    cents_each: tuple[Decimal, ...]  # by need
    shares: tuple[tuple[Decimal, ...], ...]  # scaled yuan per cent of value, by need and levy
    codes: tuple[int, ...]  # by need; equal for needs with one tariff code
    most: int  # no parcel owes more
    _known: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def measure(self, item: Item) -> tuple[int, ...]:
        """The item's value in cents, then what each levy asks of that value."""
        parts = [self._part(part.need, part.quantity) for part in item.parts]
        return parts[0] if len(parts) == 1 else tuple(map(sum, zip(*parts, strict=True)))

    def holders(self, items: Sequence[Item]) -> list[list[int]]:
        """By tariff code, the positions of the items it stands on."""
        found: dict[int, list[int]] = {}
        for i, item in enumerate(items):
            for code in {self.codes[part.need] for part in item.parts}:
                found.setdefault(code, []).append(i)
        return list(found.values())

    def cost(self, source: int, items: Sequence[Item], bits: int) -> int:
        """What one parcel of a source with these items owes."""
        charges = self.charges[source]
        if not charges:
            return 0
        inside = [item for i, item in enumerate(items) if bits >> i & 1]
        value, *shares = map(sum, zip(*map(self.measure, inside), strict=True))
        codes = len({self.codes[part.need] for item in inside for part in item.parts})
        owed = 0
        for n in charges:
            rule = self.rules[n]
            if rule.over < value <= rule.up_to:
                owed += shares[n] + rule.per_code * codes
        return owed

    def least(self, source: int, item: Item) -> int:
        """What an item owes whatever else is in its parcel."""
        shares = self.measure(item)[1:]
        return sum(
            shares[n]
            for n in self.charges[source]
            if self.rules[n].over < 0 and self.rules[n].up_to == NO_END
        )

    def _part(self, need: int, quantity: int) -> tuple[int, ...]:
        """Value in cents and shares of so many units of a need; the value is rounded as on a declaration."""
        found = self._known.get((need, quantity))
        if found is None:
            cents = round(self.cents_each[need] * quantity)
            found = cents, *(round(share * cents) for share in self.shares[need])
            self._known[need, quantity] = found
        return found


def duties(levies: Sequence[Levy], needs: Sequence[Need], nodes: Sequence[int], scale: int) -> Duties | None:
    """The levies on parcels of these nodes, yuan times `scale`; None where there is none.

    Senseless for values and amounts below zero or too large to add up.
    """
    due = [levy for levy in levies if not levy.nodes.isdisjoint(nodes)]
    if not due:
        return None
    _check(due, needs)
    rules = tuple(
        Charge(
            -1 if levy.over is None else _cents(levy.over),
            NO_END if levy.up_to is None else _cents(levy.up_to),
            round(levy.yuan_per_code * scale),
        )
        for levy in due
    )
    names = [need.tariff_code or f"?{need.sku_id}" for need in needs]
    at = {name: n for n, name in enumerate(dict.fromkeys(names))}
    shares = tuple(
        tuple(levy.yuan_per_value.get(need.line_id, ZERO) * scale / CENTS for levy in due) for need in needs
    )
    cents = [need.value_each * CENTS for need in needs]
    most = sum(rule.per_code for rule in rules) * len(at) + sum(
        int(each * need.quantity * share) + 1
        for need, each, mine in zip(needs, cents, shares, strict=True)
        for share in mine
    )
    return Duties(
        rules=rules,
        charges=tuple(tuple(n for n, levy in enumerate(due) if node in levy.nodes) for node in nodes),
        cents_each=tuple(cents),
        shares=shares,
        codes=tuple(at[name] for name in names),
        most=most,
    )


def _cents(amount: Decimal) -> int:
    """A limit in whole cents; a value in cents is above it exactly where it is above the amount."""
    return min(int(amount * CENTS // 1), NO_END)


def _check(levies: Sequence[Levy], needs: Sequence[Need]) -> None:
    for need in needs:
        if not (need.value_each.is_finite() and need.value_each >= 0):
            raise Senseless("bad_quantity", "values must not be negative", need=need)
    value = sum(need.value_each * need.quantity for need in needs) * CENTS
    amounts = [amount for levy in levies for amount in (levy.yuan_per_code, *levy.yuan_per_value.values())]
    if value > _MOST_VALUE or any(not amount.is_finite() or amount < 0 for amount in amounts):
        raise Senseless("beyond_range", "values or duties of this order are beyond what can be priced")
