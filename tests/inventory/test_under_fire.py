"""Many at once, on PostgreSQL: nobody gets a unit twice, nobody locks in a circle, nothing is half-written."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from orderhub.events.models import Event
from orderhub.fulfillment import invariants as fulfillment
from orderhub.inventory import heat, invariants, promising, reservations, services
from orderhub.inventory.choosing import Want
from orderhub.inventory.models import Movement, Promisable, Reservation, Stock
from orderhub.inventory.reservations import Asked
from orderhub.inventory.services import Take
from orderhub.kernel.errors import Refused
from tests.orders import builders as make
from tests.orders.test_races import at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
NOW = make.NOW


@pytest.fixture(autouse=True)
def _only_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def counted(units: int, code: str = "TEA", *, at: str = "SH1") -> Stock:
    services.set_counts([(make.warehouse(at), make.sku(code), units)], actor="", now=NOW)
    return Stock.objects.select_related("sku", "merchant").get(sku__code=code, warehouse__code=at)


def follow_all() -> None:
    """Follow to the end; a transaction in any database of the server holds the readable end back."""
    deadline = monotonic() + 30
    while promising.follow() or promising.lags():
        assert monotonic() < deadline
        sleep(0.02)


def violations() -> list[str]:
    follow_all()
    checks = (
        invariants.never_oversold, invariants.movements_add_up, invariants.promised_is_read,
        fulfillment.reserved_is_held,
    )  # fmt: skip
    return [text for check in checks for text in check()]


def cart(row: Stock, units: int = 1, *, fixed: bool = True) -> Asked:
    wants = (Want(row.sku, units, row.warehouse_id if fixed else None),)
    return Asked(row.merchant, wants, NOW + timedelta(minutes=5), "api:shop", NOW)


def got(asked: Asked) -> bool:
    try:
        reservations.reserve(asked)
    except Refused:
        return False
    return True


@transaction.atomic
def _work_and_die(work: Callable[[], Any]) -> None:
    work()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def dies_after(work: Callable[[], Any]) -> None:
    """Do it, and lose the connection before the commit."""
    with pytest.raises(OperationalError):
        _work_and_die(work)


@pytest.mark.parametrize("is_hot", [True, False])
@pytest.mark.parametrize("fixed", [True, False])
def test_200_carts_for_50_units_let_exactly_50_win(is_hot: bool, fixed: bool) -> None:
    row = counted(53)
    Stock.objects.update(safety=3, is_hot=is_hot)
    heat.forget()

    won = at_once([lambda: got(cart(row, fixed=fixed)) for _buyer in range(200)])

    assert Counter(won) == {True: 50, False: 150}
    row.refresh_from_db()
    assert (row.reserved, Reservation.objects.count()) == (50, 50)
    assert Movement.objects.filter(kind="reserve").count() == 50
    promising.rebuild()  # the safety stock was set behind the movements
    assert violations() == []


def test_carts_orders_and_the_clock_on_one_hot_row_never_disagree() -> None:
    row = counted(60)
    Stock.objects.update(is_hot=True)
    heat.forget()

    def buy(key: int) -> Any:
        if key % 10 == 9:
            return reservations.expire(now=NOW + timedelta(minutes=5)) * 0
        return got(cart(row, 1 + key % 3))

    at_once([lambda key=key: buy(key) for key in range(160)])

    assert violations() == []


def test_random_sets_of_rows_from_8_threads_never_lock_in_a_circle() -> None:
    rows = [counted(40, code, at=at) for code in "ABCD" for at in ("N", "S")]

    def work(seed: int) -> int:
        dice, held = random.Random(seed), list[Take]()
        for number in range(25):
            keys = [f"{seed}.{number}.{key}" for key in range(dice.randint(1, 4))]
            wanted = [
                Take(dice.choice(keys), row.warehouse_id, row.sku_id, dice.randint(1, 3))
                for row in dice.sample(rows, k=dice.randint(1, 6))
            ]
            with transaction.atomic():
                refused = services.take(wanted, reference="t", actor="", now=NOW)
            held += [take for take in wanted if take.key not in refused]
            if dice.random() < 0.4:
                dice.shuffle(held)
                done, held = held[:5], held[5:]
                verb = dice.choice([services.free, services.free, services.ship])
                verb(done, reference="t", actor="", now=NOW)
        return sum(take.quantity for take in held)

    held = at_once([lambda seed=seed: work(seed) for seed in range(8)])

    assert sum(Stock.objects.values_list("reserved", flat=True)) == sum(held)
    found = [*invariants.never_oversold(), *invariants.movements_add_up()]
    assert found == []


def test_a_connection_that_dies_between_take_and_commit_leaves_nothing() -> None:
    row = counted(5)

    taken = [Take(1, row.warehouse_id, row.sku_id, 3)]
    at_once([lambda: dies_after(lambda: services.take(taken, reference="t", actor="", now=NOW))])

    row.refresh_from_db()
    assert (row.reserved, Movement.objects.filter(kind="reserve").count()) == (0, 0)
    assert (
        services.take([Take(2, row.warehouse_id, row.sku_id, 5)], reference="t", actor="", now=NOW) == set()
    )


def test_a_hot_lot_whose_connection_dies_keeps_nothing_for_anybody() -> None:
    row = counted(5)

    at_once([lambda: dies_after(lambda: reservations.reserve_all([cart(row), cart(row)]))])

    assert (Reservation.objects.count(), violations()) == (0, [])
    row.refresh_from_db()
    assert row.reserved == 0


def test_expiring_and_freeing_at_once_end_a_reservation_once() -> None:
    row = counted(500)
    kept = [reservations.reserve(cart(row)) for _cart in range(60)]
    late = NOW + timedelta(minutes=5)
    jobs: list[Callable[[], Any]] = [
        lambda pk=x.pk: reservations.free(make.merchant(), pk, actor="api:shop", now=late) for x in kept
    ]
    for place in range(0, 60, 10):
        jobs.insert(place, lambda: reservations.expire(now=late))

    at_once(jobs)
    reservations.expire(now=late)

    row.refresh_from_db()
    assert (row.reserved, Movement.objects.filter(kind="free").count()) == (0, 60)
    assert Event.objects.filter(stream__startswith="reservation:").count() == 60
    assert violations() == []


def test_a_movement_that_commits_late_is_not_missed() -> None:
    early, late = counted(5, "EARLY"), counted(5, "LATE")
    promising.follow()
    taken, go = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                services.take([Take(1, late.warehouse_id, late.sku_id, 3)], reference="t", actor="", now=NOW)
                taken.set()
                assert go.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert taken.wait(20)
    services.take([Take(2, early.warehouse_id, early.sku_id, 2)], reference="t", actor="", now=NOW)
    promising.follow()  # the later number is there, the earlier one is not yet
    go.set()
    thread.join(20)

    follow_all()

    stored = dict(Promisable.objects.values_list("sku__code", "units"))
    assert stored["LATE"] == {str(late.warehouse_id): 2}
    assert stored["EARLY"] == {str(early.warehouse_id): 3}
    assert list(invariants.promised_is_read()) == []


def test_a_read_model_restored_onto_a_younger_server_is_built_again() -> None:
    row = counted(5)
    promising.follow()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_movementcursor SET tx = tx + 1000000000")
    Promisable.objects.update(units={})

    assert promising.follow() == 1

    assert Promisable.objects.get().units == {str(row.warehouse_id): 5}
    assert promising.follow() == 0


def test_a_waiting_buyer_sees_what_the_one_before_it_left() -> None:
    row = counted(5)
    taken, go = threading.Event(), threading.Event()
    outcomes: list[set[Any]] = []

    def first() -> None:
        try:
            with transaction.atomic():
                services.take([Take(1, row.warehouse_id, row.sku_id, 3)], reference="t", actor="", now=NOW)
                taken.set()
                assert go.wait(20)
        finally:
            connections.close_all()

    def second() -> None:
        try:
            outcomes.append(
                services.take([Take(2, row.warehouse_id, row.sku_id, 3)], reference="t", actor="", now=NOW)
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=job) for job in (first, second)]
    threads[0].start()
    assert taken.wait(20)
    threads[1].start()
    waits_until_somebody_is_blocked()
    go.set()
    for thread in threads:
        thread.join(20)

    assert outcomes == [{2}]
    row.refresh_from_db()
    assert row.reserved == 3


def waits_until_somebody_is_blocked() -> None:
    deadline = monotonic() + 15
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.02)
    pytest.fail("nobody waits for a lock")
