"""Arithmetic on the goods of a cart: which lines are meant, what single units cost, and shares to the cent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from orderhub.orders.promotions.engine.model import Line, Work

Select = Callable[[Sequence[Line]], list[int]]
_WHOLE = Decimal(1)
_HUNDRED = Decimal(100)


class Lot(NamedTuple):
    """Units of one line that cost the same; sorts by price, then line."""

    cents: int
    at: int
    units: int


def in_cents(money: Decimal) -> int:
    """An amount in whole cents; amounts have two decimals at most, which is checked when a rule is published."""
    return int(money * _HUNDRED)


def percent_of(cents: int, percent: Decimal) -> int:
    """That share of an amount, rounded half-even to the cent."""
    return int((cents * percent / _HUNDRED).quantize(_WHOLE, ROUND_HALF_EVEN))


def selection(params: Mapping[str, Any]) -> Select:
    """The places of the lines a deed speaks of: all, or those of some SKUs or categories, less exceptions."""
    skus, categories = frozenset(params.get("skus", ())), frozenset(params.get("categories", ()))
    without = frozenset(params.get("except_skus", ()))
    if not skus and not categories and not without:
        return lambda lines: list(range(len(lines)))
    anything = not skus and not categories

    def chosen(lines: Sequence[Line]) -> list[int]:
        return [
            at
            for at, line in enumerate(lines)
            if (anything or line.sku in skus or line.category in categories) and line.sku not in without
        ]

    return chosen


def shared(cents: int, weights: Sequence[int]) -> list[int]:
    """Cents by weights with the largest remainder, ties to the earlier; no share above its weight while
    `cents` is at most their sum.
    """
    total = sum(weights)
    if not total or not cents:
        return [0] * len(weights)
    given = [cents * weight // total for weight in weights]
    if missing := cents - sum(given):
        rests = sorted(range(len(weights)), key=lambda at: (-(cents * weights[at] % total), at))
        for at in rests[:missing]:
            given[at] += 1
    return given


def spread(cents: int, work: Work, places: Sequence[int]) -> list[int]:
    """Cents off the lines in these places, by what is left of each."""
    off = [0] * len(work.left)
    for at, share in zip(places, shared(cents, [work.left[at] for at in places]), strict=True):
        off[at] = share
    return off


def left_of(work: Work, places: Iterable[int]) -> int:
    """What is left to pay of the lines in these places."""
    return sum(work.left[at] for at in places)


def units_of(work: Work, places: Iterable[int]) -> int:
    """The units in these places."""
    return sum(work.lines[at].units for at in places)


def lots(work: Work, places: Iterable[int]) -> list[Lot]:
    """The units in these places by price: what a line leaves to pay, over its units, odd cents on the first."""
    found: list[Lot] = []
    for at in places:
        units = work.lines[at].units
        price, dearer = divmod(work.left[at], units)
        if dearer:
            found.append(Lot(price + 1, at, dearer))
        found.append(Lot(price, at, units - dearer))
    return found


def cheapest(found: Iterable[Lot], units: int) -> list[Lot]:
    """The cheapest units, earlier lines first."""
    return _taken(sorted(found), units)


def dearest(found: Iterable[Lot], units: int) -> list[Lot]:
    """The dearest units, earlier lines first."""
    return _taken(sorted(found, key=lambda lot: (-lot.cents, lot.at)), units)


def _taken(ordered: Iterable[Lot], units: int) -> list[Lot]:
    taken: list[Lot] = []
    for lot in ordered:
        if units <= 0:
            break
        count = min(units, lot.units)
        taken.append(Lot(lot.cents, lot.at, count))
        units -= count
    return taken
