"""A day in a world where everything goes wrong now and then: in the evening all systems hold what the hub holds.

Two seeds here; `bench/day.py --seed N` lives others.
"""

from __future__ import annotations

import pytest

from orderhub.connectors.models import Difference
from tests.day.books import Books
from tests.day.life import Day
from tests.day.town import town

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_all_systems_agree_in_the_evening_nothing_twice_nothing_lost(seed: int) -> None:
    with town(seed=seed) as place:
        place.build()
        day = Day(place, orders=12, seed=seed, share=0.1)
        day.live(hours=0.7)
        day.come_to_rest()
        day.reconcile()

        open_ones = Difference.objects.filter(state__in=["open", "fetching"])
        left = list(open_ones.values_list("connection__code", "sort", "subject", "ours", "theirs"))
        books = Books(place)
        assert (books.differences(), books.twice(), books.lost(), left) == ([], [], [], [])
        assert day.misbehaved > 5
