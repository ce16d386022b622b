"""From accepted to released and on: what one process does per second, step by step, on PostgreSQL.

    python bench/pipeline.py [--orders 4000] [--profile route|outbox|low|carbon]

A demo shop with plenty of stock gets orders of 1–4 lines; then each queue is worked off in this process. Prints per
step and queue the orders per second of wall time and the CPU milliseconds an order costs here and in PostgreSQL, and
ends with one JSON line. `released_per_cpu_s` counts both processors' work: 1 / (Python + PostgreSQL seconds an order).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

PARTS = (
    "orderhub.inventory.demo.seed", "orderhub.fulfillment.demo.seed", "orderhub.orders.demo.seed",
    "orderhub.connectors.demo.seed", "routing.demo.seed", "carbon.demo.seed",
)  # fmt: skip
LINES = ((1, 2, 3, 4), (50, 28, 15, 7))
CHUNK = 500


def seed(*, units: int = 1_000_000) -> Any:
    """The demo shop (12 warehouses, 120 SKUs, its rules, carriers and simulator) without limits of stock or load."""
    from django.utils.module_loading import import_string

    from orderhub.access.models import Merchant
    from orderhub.inventory import services as inventory
    from orderhub.inventory.models import Stock, Warehouse
    from orderhub.kernel import clock

    merchant, _made = Merchant.objects.get_or_create(code="bench", defaults={"name": "Bench"})
    for part in PARTS:
        import_string(part)(merchant, now=clock.now())
    Warehouse.objects.filter(merchant=merchant).update(capacity_per_day=None)
    held = Stock.objects.filter(merchant=merchant).select_related("warehouse", "sku")
    rows = [(row.warehouse, row.sku, units) for row in held]
    inventory.set_counts(rows, actor="bench", now=clock.now())
    return merchant


def drafts(merchant: Any, count: int, *, first: int = 0) -> list[Any]:
    """Paid orders of 1–4 lines to the demo's cities, the same every time."""
    from orderhub.connectors.demo import PLACES
    from orderhub.inventory.models import Sku
    from orderhub.kernel import canonical, clock
    from orderhub.orders.drafts import LineDraft, OrderDraft
    from orderhub.orders.models import Channel

    chance = random.Random(20261122 + first)
    skus = list(Sku.objects.filter(merchant=merchant).order_by("code"))
    channel = Channel.objects.get(merchant=merchant, code="api")
    now = clock.now()
    found = []
    for number in range(first, first + count):
        province, city, district, _share = chance.choices(PLACES, [place[3] for place in PLACES])[0]
        picked = chance.sample(skus, chance.choices(*LINES)[0])
        lines = tuple(LineDraft(sku, 1, sku.price, sku.price, sku.name) for sku in picked)
        found.append(OrderDraft(
            channel=channel, external_id=f"P{number:07d}", placed_at=now, paid=True, paid_at=now, currency="CNY",
            lines=lines, country="CN", province=province, city=city, district=district, address=f"示例路 {number} 号",
            name=f"顾客{number}", phone=f"100{number:08d}", email="", postcode="",
            service=chance.choices(("standard", "express", "economy"), (75, 15, 10))[0],
            green=chance.random() < 0.38, original={"number": number}, content_hash=canonical.digest(number),
        ))  # fmt: skip
    return found


def place(merchant: Any, count: int, *, first: int = 0) -> None:
    """Place so many orders in chunks, as an import does."""
    from orderhub.kernel import clock
    from orderhub.orders import services as orders

    ready = drafts(merchant, count, first=first)
    for start in range(0, count, CHUNK):
        orders.place(
            ready[start : start + CHUNK], merchant=merchant, actor="bench", now=clock.now(), source="bench"
        )


class Meter:
    """Wall, Python CPU and PostgreSQL CPU seconds by name."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.statements: dict[str, int] = {}
        self._count = 0

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Add what the block costs to `name`."""
        backend = _backend_pid()
        before = self._count
        wall, cpu, database = time.perf_counter(), time.process_time(), house.cpu_seconds(backend)
        yield
        row = self.spent.setdefault(name, [0.0, 0.0, 0.0])
        for n, value in enumerate((
            time.perf_counter() - wall, time.process_time() - cpu, house.cpu_seconds(backend) - database,
        )):  # fmt: skip
            row[n] += value
        self.statements[name] = self.statements.get(name, 0) + self._count - before

    def count(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Django's hook around every statement."""
        self._count += 1
        return execute(sql, params, many, context)

    def print(self, orders: int) -> None:
        """One line a name."""
        for name, (wall, cpu, database) in self.spent.items():
            print(
                f"{name:24} {orders / wall:8.0f} orders/s   Python {cpu / orders * 1000:6.3f} ms"
                f"   PostgreSQL {database / orders * 1000:6.3f} ms an order   {self.statements[name]:5} statements"
            )


def _backend_pid() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--profile", default="", help="A queue whose work is profiled.")
    parser.add_argument("--top", type=int, default=60)
    arguments = parser.parse_args()
    house.services()
    from django.core.management import call_command
    from django.db import connection

    from orderhub.events import relay
    from orderhub.orders.models import Order
    from rules import flow

    meter = Meter()
    merchant = seed()
    place(merchant, 50, first=9_000_000)  # caches, strategies, prepared plans
    for queue in ("route", "outbox", "low", "carbon"):
        relay.run_queue(queue, budget_seconds=600)

    def timed(step: flow.Step) -> flow.Step:
        def run(subjects: Any, context: Any) -> Any:
            with meter.measured(f"  {step.name}"):
                return step.run(subjects, context)

        return replace(step, run=run)

    flow._steps.update({name: timed(flow.get(name)) for name in flow.names()})
    with connection.execute_wrapper(meter.count):
        with meter.measured("place"):
            place(merchant, arguments.orders)
        for queue in ("route", "outbox", "low", "carbon"):
            profile = cProfile.Profile()
            if queue == arguments.profile:
                profile.enable()
            with meter.measured(queue):
                relay.run_queue(queue, budget_seconds=600)
            if queue == arguments.profile:
                profile.disable()
                pstats.Stats(profile).sort_stats("tottime").print_stats(arguments.top)
                pstats.Stats(profile).sort_stats("cumtime").print_stats(arguments.top)
    stages = list(Order.objects.filter(source="bench").values_list("stage", flat=True))
    released = stages.count("released")
    meter.print(arguments.orders)
    call_command("check_invariants")
    wall, cpu, database = meter.spent["route"]
    house.end_with(
        orders=len(stages), released=released, released_per_s=round(released / wall),
        released_per_cpu_s=round(released / (cpu + database)), python_ms=round(cpu / released * 1000, 3),
        postgresql_ms=round(database / released * 1000, 3),
    )  # fmt: skip


if __name__ == "__main__":
    main()
