"""The plans of the hot queries at a realistic size, on PostgreSQL: the tables of docs/query-plans.md.

    python bench/plans.py [--orders 50000] [--write]

Fills a hub of its own, runs what the hub runs and catches its statements, then asks PostgreSQL for their plans with
EXPLAIN (ANALYZE, BUFFERS). Ends with one JSON line; exit code 1 if one of them must read a big table
from end to end.
`--write` renews docs/query-plans.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

PAGE = house.ROOT / "docs" / "query-plans.md"
#: Smaller tables are read whole by right.
BIG_ROWS = 5000
SCAN = re.compile(r"Seq Scan on (\w+)")
CHUNK = 5000


@dataclass(slots=True)
class Hot:
    """One thing the hub does often: its statements and the plan of each."""

    name: str
    statements: list[str]
    plans: list[str]
    milliseconds: float
    blocks: int
    indexes: list[str]
    scans: list[str]


def fill(orders: int, *, walked: int = 1000) -> Any:
    """A shop with so many orders, `walked` of which have gone their way; statistics are fresh."""
    from django.db import connection
    from django.utils.module_loading import import_string

    from bench import pipeline
    from orderhub.access.models import Merchant
    from orderhub.celery import QUEUES
    from orderhub.events import relay
    from orderhub.events.models import Delivery
    from orderhub.kernel import clock

    shop = Merchant.objects.create(code="plans", name="Plans")
    for part in pipeline.PARTS:
        import_string(part)(shop, now=clock.now())
    for first in range(walked, orders, CHUNK):
        pipeline.place(shop, min(CHUNK, orders - first), first=first)
    # History: nearly all deliveries of a hub are done.
    Delivery.objects.update(state=Delivery.State.DONE, attempts=1, finished_at=clock.now())
    pipeline.place(shop, walked)
    for queue in QUEUES:
        relay.run_queue(queue, budget_seconds=10)
    pipeline.place(shop, 200, first=orders)
    with connection.cursor() as cursor:
        # As autovacuum does; inside a test's transaction it cannot.
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")
    return shop


def hot_queries(shop: Any) -> dict[str, Callable[[], object]]:
    """What the hub does all day, by name; each may send several statements."""
    from django.test import RequestFactory

    from orderhub.access.models import User
    from orderhub.connectors import panels as inbox_panels
    from orderhub.events import leases, queries, registry, relay, tail
    from orderhub.events.models import Delivery, Event, StreamHead
    from orderhub.fulfillment import today
    from orderhub.inventory.models import Stock
    from orderhub.orders.models import Order
    from routing import panels
    from routing.pricing import bans, books, levers

    order = Order.objects.filter(merchant=shop).order_by("-pk")[250]
    known = [row.external_id for row in Order.objects.filter(merchant=shop).order_by("pk")[:50]]
    advance = registry.subscribers["orders.advance"]
    timeline = registry.projections["tracking.timeline"]
    middle = Event.objects.order_by("pk")[Event.objects.count() // 2].pk
    now = leases.db_now()
    request = RequestFactory().get("/admin/")
    request.user = User(username="bench", is_staff=True, is_superuser=True)
    skus = set(order.lines.values_list("sku_id", flat=True))
    houses = set(Stock.objects.filter(merchant=shop).values_list("warehouse_id", flat=True))
    return {
        "placing: is the number known?": lambda: list(
            Order.objects.filter(channel=order.channel, external_id__in=known).values_list("pk", "content_hash")
        ),
        "placing: the heads of streams": lambda: list(StreamHead.objects.filter(stream__in=[order.stream])),
        "worker: what is due?": lambda: relay.due_queues(),
        "worker: claim a batch": lambda: relay.claim(advance, limit=200, now=now),
        "sweep: lost leases": lambda: list(
            Delivery.objects.filter(state="leased", lease_until__lt=now).order_by("pk")[:1000]
        ),
        "projection: the end of the log": tail.horizon,
        "projection: the next batch": lambda: tail._read(
            timeline, tail.Place(0, middle), tail.horizon() or tail.Place(0, 0)
        ),
        "order: by its id": lambda: Order.objects.get(pk=order.pk, merchant=shop),
        "order: its lines": lambda: list(order.lines.all()),
        "order: its events": lambda: list(Event.objects.filter(stream=order.stream).order_by("seq")),
        "list: newest orders, next page": lambda: list(
            Order.objects.filter(merchant=shop, pk__lt=order.pk).order_by("-pk")[:51]
        ),
        "list: orders of a stage": lambda: list(
            Order.objects.filter(stage="backordered").order_by("pk")[:50]
        ),
        "list: an order by the channel's number": lambda: list(
            Order.objects.filter(merchant=shop, external_id="P0000777")
        ),
        "routing: prices, bans and levers": lambda: [
            books.in_force({shop.pk}, skus, now=now),
            bans.in_force({shop.pk}, skus, now=now),
            levers.held(houses, now=now),
        ],
        "today: the last day": lambda: [made.last_day(request, now) for made in (today, panels)],
        "today: what could not be read": lambda: inbox_panels.quarantined(request, now),
        "tracking page": lambda: _tracking(order),
        "ready: backlog by subscriber": lambda: queries.backlog(now=now),
        "ready: signs of life": lambda: queries.workers(now=now),
    }  # fmt: skip


def _tracking(order: Any) -> object:
    from django.test import Client

    from orderhub.orders import sharing

    answer = Client(headers={"Host": "localhost"}).get(f"/api/v1/tracking/{sharing.token(order)}/")
    assert answer.status_code == 200, answer.status_code
    return answer


def explained(name: str, run: Callable[[], object], *, only_if_needed: bool = False) -> Hot:
    """Run it, and explain each statement it sent that reads; `only_if_needed`: whole tables are read only where no
    index would do, however small they are.
    """
    from django.db import connection, transaction

    sent: list[tuple[str, Any]] = []

    def catch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("SELECT", "WITH")) and not many:
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(catch):
            run()
        transaction.set_rollback(True)
    plans, milliseconds, blocks = [], 0.0, 0
    for sql, params in sent:
        with transaction.atomic(), connection.cursor() as cursor:
            if only_if_needed:
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
            lines = [row[0] for row in cursor.fetchall()]
            transaction.set_rollback(True)
        plans.append("\n".join(lines))
        milliseconds += float(next(line for line in lines if line.startswith("Execution Time")).split()[2])
        # The first line of buffers is that of the whole plan.
        first = next((line for line in lines if "Buffers: shared" in line), "")
        blocks += sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", first))
    text = "\n".join(plans)
    indexes = sorted({
        re.sub(r"_p\d{6}|_early|_default", "", found)
        for found in re.findall(r"Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)", text)
    })  # fmt: skip
    return Hot(name, [sql for sql, _ in sent], plans, milliseconds, blocks, indexes, SCAN.findall(text))


def big_tables() -> dict[str, int]:
    """Rows of the tables that are big, by PostgreSQL's own count."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r' AND reltuples >= %s ORDER BY 1",
            [BIG_ROWS],
        )
        return dict(cursor.fetchall())


def page(found: list[Hot], tables: dict[str, int], orders: int) -> str:
    """The document."""
    lines = [
        "# Plans of the hot queries", "",
        f"Written by `python bench/plans.py --write` from a hub with {orders:,} orders on PostgreSQL. Every hot query",
        "can reach its rows in big tables through an index, `tests/observe/test_plans.py` sees to it; where PostgreSQL",
        "prefers to read a table of this size from end to end, no index is named.", "",
        f"Big tables: {', '.join(f'{name} {rows:,}' for name, rows in tables.items())}.", "",
        "| what | statements | ms | blocks of 8 kB | indexes |", "|---|---:|---:|---:|---|",
    ]  # fmt: skip
    lines += [
        f"| {hot.name} | {len(hot.plans)} | {hot.milliseconds:.2f} | {hot.blocks} | "
        f"{', '.join(f'`{index}`' for index in hot.indexes[:8])}{' …' if len(hot.indexes) > 8 else ''} |"
        for hot in found
    ]
    lines += [
        "", "## The plans", "",
        "The longest statement of each; on a partitioned table one index of each partition is asked.", "",
    ]  # fmt: skip
    for hot in found:
        if hot.plans:
            plan = max(hot.plans, key=lambda text: float(re.findall(r"Execution Time: ([\d.]+)", text)[0]))
            short = "\n".join(line[:160] for line in plan.splitlines()[:24])
            lines += [f"### {hot.name}", "", "```text", short, "```", ""]
    return "\n".join(lines)


def main() -> int:
    """Fill, explain, judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    house.services()
    shop = fill(wanted.orders)
    found = [explained(name, run) for name, run in hot_queries(shop).items()]
    tables = big_tables()
    # A scan that PostgreSQL gives up when told that it is dear was its choice for a table of this size.
    bad = {}
    for hot in found:
        if set(hot.scans) & tables.keys():
            again = explained(hot.name, hot_queries(shop)[hot.name], only_if_needed=True)
            if left := sorted(set(again.scans) & tables.keys()):
                bad[hot.name] = left
    for hot in found:
        print(f"{hot.name:42} {hot.milliseconds:9.2f} ms {hot.blocks:8} blocks  {', '.join(hot.indexes[:6])}")
    if wanted.write:
        PAGE.write_text(page(found, tables, wanted.orders), "utf-8")
    house.end_with(orders=wanted.orders, queries=len(found), scanning=bad)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
