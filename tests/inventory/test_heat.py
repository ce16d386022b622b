"""Hot rows are found by measurement, stay hot for a while, and are served together with the same results."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import OperationalError

from orderhub.inventory import heat, services
from orderhub.inventory.gathering import Gathering
from orderhub.inventory.models import Stock
from orderhub.inventory.services import Take
from tests.admin import desk
from tests.orders import builders as make

NOW = make.NOW


def buy(row: Stock, *, times: int, over_seconds: float = 10, at_once: int = 1) -> None:
    """So many takes, evenly up to now; each of so many orders at once."""
    for number in range(times):
        moment = NOW - timedelta(seconds=over_seconds * number / times)
        wanted = [Take(f"{number}.{key}", row.warehouse_id, row.sku_id, 1) for key in range(at_once)]
        services.take(wanted, reference="order", actor="", now=moment)


def flags(row: Stock) -> tuple[bool, int]:
    row.refresh_from_db()
    assert row.is_hot is (row.hot_since is not None)
    return row.is_hot, row.takes_per_second


@pytest.mark.django_db
def test_many_separate_takes_make_a_row_hot_and_quiet_makes_it_normal() -> None:
    row, calm = make.stock(units=9000), make.stock("CUP", units=9000)
    buy(row, times=600), buy(calm, times=90)

    assert heat.measure(now=NOW) == 1

    assert (flags(row), flags(calm), heat.hot_skus()) == ((True, 60), (False, 0), {row.sku_id})
    assert heat.measure(now=NOW + timedelta(seconds=59)) == 0
    assert flags(row) == (True, 0)
    assert heat.measure(now=NOW + timedelta(seconds=60)) == 1
    assert (flags(row), heat.hot_skus()) == ((False, 0), frozenset())


@pytest.mark.django_db
def test_between_the_two_limits_a_flag_stays_as_it_is() -> None:
    hot, normal = make.stock(units=9000), make.stock("CUP", units=9000)
    Stock.objects.filter(pk=hot.pk).update(is_hot=True, hot_since=NOW - timedelta(hours=1))
    buy(hot, times=200), buy(normal, times=200)

    assert heat.measure(now=NOW) == 0

    assert (flags(hot), flags(normal)) == ((True, 20), (False, 0))


@pytest.mark.django_db
def test_the_pipelines_batches_are_no_heat() -> None:
    row = make.stock(units=90_000)
    buy(row, times=20, at_once=100)

    assert heat.measure(now=NOW) == 0

    assert flags(row) == (False, 0)


@pytest.mark.django_db
def test_the_admin_says_why_a_row_is_hot() -> None:
    row = make.stock(units=9)
    Stock.objects.update(is_hot=True, hot_since=NOW, takes_per_second=120)

    page = desk.boss().get(f"/admin/inventory/stock/{row.pk}/change/").content.decode()

    assert "最近测得每秒 120 次单独预占" in page
    assert "热点" in desk.boss().get("/admin/inventory/stock/").content.decode()


# ---- serving together ----------------------------------------------------------------------------


class Counter:
    """Work that waits for a go, and notes who came together."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.go = threading.Event()
        self.started = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.lots.append(sorted(asked))
        self.started.set()
        assert self.go.wait(10)
        if 13 in asked:
            raise ValueError("13")
        if 14 in asked:
            raise OperationalError("gone")
        return [number * 2 for number in asked]


def ask_all(numbers: Sequence[int], *, most: int = 64) -> tuple[Counter, dict[int, object]]:
    """The first one works; the others come meanwhile. Answers or faults by number."""
    work, answers = Counter(), dict[int, object]()
    gathering = Gathering(work, most=most)

    def ask(number: int) -> None:
        try:
            answers[number] = gathering.ask(number)
        except Exception as fault:
            answers[number] = type(fault)

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    threads[0].start()
    assert work.started.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(gathering._waiting) < len(numbers) - 1:
        pass
    work.go.set()
    for thread in threads:
        thread.join(10)
    return work, answers


def test_who_comes_while_others_are_served_is_served_with_the_next_lot() -> None:
    work, answers = ask_all(range(1, 9), most=5)

    assert answers == {number: number * 2 for number in range(1, 9)}
    assert [len(lot) for lot in work.lots] == [1, 5, 2]


def test_one_bad_caller_fails_alone() -> None:
    _work, answers = ask_all([1, 2, 13, 4])

    assert answers == {1: 2, 2: 4, 13: ValueError, 4: 8}


def test_a_lost_database_is_told_to_everybody_at_once() -> None:
    work, answers = ask_all([1, 2, 14, 4])

    assert answers == {1: 2, 2: OperationalError, 14: OperationalError, 4: OperationalError}
    assert len(work.lots) == 2
