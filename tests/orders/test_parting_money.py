"""I6: whatever is split and put together again, every cent is somewhere, and nowhere twice."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from orderhub.orders.parting import Sum, share

CENTS = st.integers(min_value=0, max_value=10_000_000).map(lambda n: Decimal(n) / 100)
UNITS = st.integers(min_value=1, max_value=10_000)


def _assert_kept(total: Decimal, discount: Decimal, ordered: int, cuts: Iterable[int]) -> None:
    left, parts = Sum(total, discount), []
    units = ordered

    for cut in cuts:
        moving = min(cut, units)
        if moving:
            left, part = share(left.total, left.discount, ordered=units, moving=moving)
            units -= moving
            parts.append(part)

    everything = [left, *parts]
    assert sum(part.total for part in everything) == total
    assert sum(part.discount for part in everything) == discount
    assert all(0 <= part.discount <= part.total for part in everything)
    assert units or not left.total
    assert all(part.total == round(part.total, 2) for part in everything)


@settings(max_examples=300, deadline=None, database=None)
@given(
    total=CENTS, off=st.fractions(min_value=0, max_value=1), ordered=UNITS, cuts=st.lists(UNITS, max_size=6)
)
def test_every_cent_of_a_line_is_kept_over_any_splits(
    total: Decimal, off: Fraction, ordered: int, cuts: list[int]
) -> None:
    _assert_kept(total, Decimal(int(int(total * 100) * off)) / 100, ordered, cuts)


def test_20_000_lines_are_parted_without_a_cent_lost() -> None:
    chance = Random(6)

    for _case in range(20_000):
        cents = chance.randrange(chance.choice((3, 100, 10_000, 100_000_000)))
        ordered = chance.randint(1, chance.choice((3, 30, 10_000)))
        cuts = [chance.randint(1, ordered) for _cut in range(chance.randint(1, 5))]
        _assert_kept(Decimal(cents) / 100, Decimal(chance.randint(0, cents)) / 100, ordered, cuts)
