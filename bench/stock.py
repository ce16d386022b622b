"""Sixteen buyers on one stock row: SELECT FOR UPDATE as Django people write it, one statement, and a hot row.

    python bench/stock.py [--seconds 4] [--rounds 3]

Two processes of eight threads each, as two web processes would be; all with synchronous commits, as in production.
The baseline reads the row under its lock, checks, saves it and writes the movement. "One statement" is what the
hub does for every order; "hot" is a cart's reservation of a flagged row, which writes two rows more than the others
and is served together with its neighbors. Each way also sells out a small stock: nobody may get a unit too many.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import house

house.services()

from django.db import connection, connections, transaction  # noqa: E402  (after Django is set up)

from orderhub.access.models import Merchant  # noqa: E402
from orderhub.inventory import heat, reservations, services  # noqa: E402
from orderhub.inventory.choosing import Want  # noqa: E402
from orderhub.inventory.models import Movement, Reservation, ReservationLine, Sku, Stock, Warehouse  # noqa: E402
from orderhub.inventory.reservations import Asked  # noqa: E402
from orderhub.inventory.services import Take  # noqa: E402
from orderhub.kernel import clock  # noqa: E402
from orderhub.kernel.errors import Refused  # noqa: E402

PROCESSES, THREADS = 2, 8
SPREAD = 200
PLENTY, FEW = 10_000_000, 300
#: One try to get a unit for a buyer's key of a stock row: whether it was got.
Buy = Callable[[Stock, str], bool]


def with_for_update(row: Stock, key: str) -> bool:
    """Lock, check, save."""
    with transaction.atomic():
        locked = Stock.objects.select_for_update().get(pk=row.pk)
        if locked.on_hand - locked.reserved - locked.safety < 1:
            return False
        locked.reserved += 1
        locked.save(update_fields=["reserved", "updated_at"])
        Movement.objects.create(
            stock=locked, kind="reserve", reserved_change=1, reference=f"order:{key}", actor="bench",
            moved_at=clock.now(),
        )  # fmt: skip
    return True


def with_one_statement(row: Stock, key: str) -> bool:
    """What the hub does."""
    wanted = [Take(key, row.warehouse_id, row.sku_id, 1)]
    return not services.take(wanted, reference="order", actor="bench", now=clock.now())


def as_cart(row: Stock, key: str) -> bool:
    """A reservation as the API makes it; together with others where the row is hot."""
    now = clock.now()
    wants = (Want(row.sku, 1, row.warehouse_id),)
    try:
        reservations.reserve(Asked(row.merchant, wants, now + timedelta(minutes=15), "bench", now))
    except Refused:
        return False
    return True


def client(buy: Buy, rows: list[Stock], name: int, end: float, counts: list[int]) -> None:
    """Buy until the end, or until the stock is gone."""
    bought = tries = 0
    while time.time() < end:
        if buy(rows[(name * 7919 + tries) % len(rows)], f"{name}-{tries}"):
            bought += 1
        elif len(rows) == 1:
            break
        tries += 1
    counts.append(bought)
    connections.close_all()


def process(buy: Buy, rows: list[Stock], first: int, start: float, end: float, answers: Any) -> None:
    """Eight clients as threads."""
    counts: list[int] = []
    heat.hot_skus()
    threads = [
        threading.Thread(target=client, args=(buy, rows, first + number, end, counts))
        for number in range(THREADS)
    ]
    time.sleep(max(0.0, start - time.time()))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(sum(counts))


def run(buy: Buy, rows: list[Stock], *, seconds: float) -> int:
    """How many units all clients got in that time."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    start = time.time() + 0.3
    clients = [
        context.Process(target=process, args=(buy, rows, number * THREADS, start, start + seconds, answers))
        for number in range(PROCESSES)
    ]
    for each in clients:
        each.start()
    bought = sum(answers.get(timeout=seconds + 120) for _each in clients)
    for each in clients:
        each.join()
    return bought


def shop() -> list[Stock]:
    """One merchant with SPREAD SKUs in one warehouse."""
    merchant = Merchant.objects.create(code="bench", name="bench")
    warehouse = Warehouse.objects.create(
        merchant=merchant,
        code="W",
        name="W",
        province="上海",
        city="上海",
        latitude="31.2",
        longitude="121.4",
    )
    Sku.objects.bulk_create(Sku(merchant=merchant, code=f"S{n}", name=f"S{n}") for n in range(SPREAD))
    counts = [(warehouse, sku, 1) for sku in Sku.objects.order_by("pk")]
    services.set_counts(counts, actor="bench", now=clock.now())
    return list(Stock.objects.select_related("sku", "warehouse", "merchant").order_by("pk"))


def refill(rows: list[Stock], units: int, *, is_hot: bool) -> None:
    """Start again: nothing reserved, `units` on hand of each."""
    ReservationLine.objects.all().delete()
    Reservation.objects.all().delete()
    Movement.objects.all().delete()
    ids = [row.pk for row in rows]
    Stock.objects.filter(pk__in=ids).update(on_hand=units, reserved=0, is_hot=is_hot)
    heat.forget()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE inventory_stock")
        cursor.execute("VACUUM ANALYZE inventory_movement")


def oversold(row: Stock, bought: int) -> int:
    """Units that were given out twice, or not told by a movement; also a sale that stopped too early."""
    row.refresh_from_db()
    told = Movement.objects.filter(stock=row, kind="reserve").count()
    return abs(bought - FEW) + abs(row.reserved - FEW) + abs(told - FEW)


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = shop()
    ways: dict[str, tuple[Buy, list[Stock], bool]] = {
        "for_update": (with_for_update, rows[:1], False),
        "one_statement": (with_one_statement, rows[:1], False),
        "cart": (as_cart, rows[:1], False),
        "hot_cart": (as_cart, rows[:1], True),
        "spread_for_update": (with_for_update, rows, False),
        "spread": (with_one_statement, rows, False),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    too_many = 0
    for _round in range(options.rounds):
        for name, (buy, on, is_hot) in ways.items():
            refill(rows, PLENTY, is_hot=is_hot)
            rates[name].append(run(buy, on, seconds=options.seconds) / options.seconds)
            if len(on) == 1:
                refill(rows, FEW, is_hot=is_hot)
                too_many += oversold(on[0], run(buy, on, seconds=60))
    per_second = {name: round(statistics.median(found)) for name, found in rates.items()}
    base = statistics.median(rates["for_update"])
    print(f"{PROCESSES * THREADS} clients, reservations per second (median of {options.rounds}):")
    for name, rate in per_second.items():
        print(f"  {name:18} {rate:7,d}  {rate / base:5.1f} x")
    print(f"  units given out twice, lost or untold: {too_many}")
    house.end_with(
        ratio_to_for_update=round(statistics.median(rates["one_statement"]) / base, 2),
        hot_ratio=round(statistics.median(rates["hot_cart"]) / base, 2), oversold=too_many, **per_second,
    )  # fmt: skip


if __name__ == "__main__":
    main()
