"""20,000 random carts × promotions × splits × returns: no cent lost, nothing negative, nothing by chance."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from orderhub.orders.parting import share
from orderhub.orders.promotions.engine import apply
from orderhub.orders.promotions.engine.model import Cart, Promotion, Result
from orderhub.orders.promotions.engine.returning import Worth, worth
from tests.orders.promotion_cases import random_cart, random_promotions

CARTS = 20_000


def copied(given: Cart) -> Cart:
    """The same cart with stock and limits of its own."""
    return Cart(
        given.lines,
        given.currency,
        dict(given.facts),
        given.now,
        given.customer,
        dict(given.stock),
        dict(given.left),
    )


def _check(given: Cart, before: Cart, result: Result) -> None:
    assert sum(result.off) == sum(one.cents for one in result.applied)
    assert all(0 <= off <= line.cents for off, line in zip(result.off, given.lines, strict=True))
    for at, off in enumerate(result.off):
        assert off == sum(one.shares[at] for one in result.applied)
    for one in result.applied:
        assert all(cents >= 0 for cents in one.shares)
        assert one.promotion.cap is None or one.cents <= one.promotion.cap
        assert one.cents or one.gifts or one.promotion.free_shipping
    drawn = Counter(counter for one in result.applied for counter in one.counters)
    assert all(
        before.left.get(counter, 0) - times == given.left[counter] >= 0 for counter, times in drawn.items()
    )
    assert all(units >= 0 for units in given.stock.values())
    groups = [one.promotion.rule.group for one in result.applied if one.promotion.rule.group]
    assert len(groups) == len(set(groups))
    if any(one.promotion.alone for one in result.applied):
        assert len(result.applied) == 1


def _part_and_return(total: Decimal, off: Decimal, ordered: int, chance: Random) -> None:
    """Split a priced line in two, cancel or return both piece by piece: the pieces are the line, to the cent."""
    moving = chance.randint(0, ordered)
    parts = share(total, off, ordered=ordered, moving=moving)
    back: list[Worth] = []
    for part, units in zip(parts, (ordered - moving, moving), strict=True):
        gone = 0
        while gone < units:
            some = chance.randint(1, units - gone)
            back.append(worth(part.total, part.discount, ordered=units, before=gone, units=some))
            gone += some
    assert sum(one.total for one in back) == total
    assert sum(one.discount for one in back) == off
    assert all(one.discount >= 0 and one.paid >= 0 for one in back)


@pytest.mark.parametrize("seed", range(4))
def test_20_000_carts_split_and_returned_lose_no_cent_and_price_the_same_again(seed: int) -> None:
    chance = Random(seed)
    applied = 0

    for case in range(CARTS // 4):
        if case % 5 == 0:
            promotions = random_promotions(chance)
        given = random_cart(chance)
        first, again = copied(given), copied(given)
        result = apply.apply(apply.ordered(promotions), first)
        _check(first, given, result)
        shuffled: list[Promotion] = chance.sample(promotions, len(promotions))
        assert apply.apply(apply.ordered(shuffled), again) == result
        for line, off in zip(given.lines, result.off, strict=True):
            _part_and_return(Decimal(line.cents) / 100, Decimal(off) / 100, line.units, chance)
        applied += len(result.applied)

    assert applied > CARTS // 8


def test_more_than_was_ordered_cannot_come_back() -> None:
    with pytest.raises(ValueError, match="2 units after 2 of 3"):
        worth(Decimal(3), Decimal(1), ordered=3, before=2, units=2)
