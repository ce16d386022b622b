"""What an order costs after ten thousand orders and after a million: intake, decision, tracking page, periodic jobs.

    python bench/growth.py                            # 10,000 against 1,000,000; needs about 35 GB of disk
    python bench/growth.py --quick                    # 2,000 against 40,000

Two databases with the same shop: one holds the last days, the other a year (bench/history.py makes both). Two
processes, one per database, take turns, so that whatever else the machine does falls on both alike. Measured are
processor seconds of the process and of its PostgreSQL backend per order, medians over the turns, with warm caches:

- intake: an order posted to the API within the process, with an Idempotency-Key;
- decision: the queue `route`: screened, priced, routed, reserved, released in one pass;
- read: the public tracking page through its API.

`--where` also prints the statements whose time grew most. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

YEAR = timedelta(days=365)
SAMPLE = 200
#: Savepoints have names of their own; lists of parameters differ in length.
_NAMED = re.compile(r'"s\d+_x\d+"|(?<=%s), %s')
Figures = dict[str, Any]


# ---- one database's side, a process of its own ---------------------------------------------------


class Side:
    """Measures on the database it is connected to."""

    def __init__(self) -> None:
        from django.db import connection
        from django.test import Client

        from bench import history
        from orderhub.access.models import Merchant
        from orderhub.orders import sharing
        from orderhub.orders.models import Order

        # One backend from first to last, so that its time can be read.
        connection.close()
        connection.settings_dict["CONN_MAX_AGE"] = None
        with connection.cursor() as cursor:  # helpers' time would not be counted
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        self.shop = Merchant.objects.get(code="bench")
        self.history = history
        self.client = Client(headers={"Host": "localhost"})
        self.turn = 0
        self.spent: Counter[str] = Counter()
        newest = Order.objects.filter(pk__lt=history.FIRST_ID, stage="delivered").order_by("-pk")
        self.links = []
        for order in newest[:SAMPLE]:
            sharing.stamp(order)
            order.save(update_fields=["share_hash"])
            self.links.append(f"/api/v1/tracking/{sharing.token(order)}/")
        connection.execute_wrappers.append(self._time)

    def _time(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.spent[_NAMED.sub("", sql)] += time.perf_counter() - began

    @contextmanager
    def _measured(self, found: Figures, name: str, orders: int) -> Iterator[None]:
        self.spent.clear()
        blocks = _blocks()
        backend = _backend()
        wall, cpu, database = time.perf_counter(), time.process_time(), house.cpu_seconds(backend)
        yield
        own, theirs = time.process_time() - cpu, house.cpu_seconds(backend) - database
        if _backend() != backend:
            raise SystemExit(f"The connection to the database was another one after {name}")
        found[name] = {
            "ms": (own + theirs) * 1000 / orders, "postgresql_ms": theirs * 1000 / orders,
            "wall_ms": (time.perf_counter() - wall) * 1000 / orders, "blocks": (_blocks() - blocks) / orders,
            "statements": {sql: seconds * 1000 / orders for sql, seconds in self.spent.most_common(40)},
        }  # fmt: skip

    def measure(self, orders: int) -> Figures:
        """A turn: so many orders come in and are decided on."""
        from orderhub.events import relay

        self.turn += 1
        found: Figures = {}
        with self._measured(found, "intake", orders):
            self.history.post(self.shop, orders, tag=f"turn{self.turn}")
        with self._measured(found, "decision", orders):
            relay.run_queue("route", budget_seconds=600)
        for queue in ("outbox", "low", "carbon"):
            relay.run_queue(queue, budget_seconds=60)
        return found

    def read(self, pages: int) -> Figures:
        """A short turn: so many tracking pages are read."""
        found: Figures = {}
        with self._measured(found, "read", pages):
            for number in range(pages):
                answer = self.client.get(self.links[number % len(self.links)])
                if answer.status_code != 200:
                    raise SystemExit(f"The tracking page answered {answer.status_code}")
        return found

    def jobs(self) -> Figures:
        """Wall milliseconds of each periodic job, with nothing new to do for it, and of what the admin shows first."""
        from orderhub.events import registry

        found = {}
        for name, job in registry.periodics.items():
            job.run()
            began = time.perf_counter()
            job.run()
            found[name] = round((time.perf_counter() - began) * 1000, 1)
        return found

    def pages(self) -> Figures:
        """Wall milliseconds of what people and probes look at."""
        from django.contrib import admin
        from django.test import RequestFactory

        from orderhub.access.models import User
        from orderhub.events import leases, queries, relay
        from orderhub.fulfillment import today
        from orderhub.orders.models import Order

        request = RequestFactory().get("/admin/")
        request.user = User(username="bench", is_staff=True, is_superuser=True)
        orders = admin.site._registry[Order]
        looks: dict[str, Callable[[], Any]] = {
            "today page": lambda: today.dashboard(request, {}),
            "order list": lambda: list(orders.get_changelist_instance(request).result_list),
            "what is due": relay.due_queues,
            "backlog": lambda: queries.backlog(now=leases.db_now()),
        }
        found = {}
        for name, look in looks.items():
            look()
            self.spent.clear()
            began = time.perf_counter()
            look()
            found[name] = round((time.perf_counter() - began) * 1000, 1)
            for sql, seconds in self.spent.most_common(3):
                if seconds > 0.1:
                    print(f"  {name}: {seconds * 1000:.0f} ms {sql[:1500]}", file=sys.stderr)
        return found


def _backend() -> int:
    """The PostgreSQL process that serves us."""
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _blocks() -> int:
    """Blocks of 8 kB that backends of this database have asked for so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def serve() -> None:
    """Measure when told to, one line a question, one line an answer."""
    house.services()
    side = Side()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(side, name)(*arguments)), flush=True)


class Other:
    """The process of one database."""

    def __init__(self, address: str) -> None:
        environment = {
            **os.environ, "DATABASE_URL": address, "HUB_API_RATE": "100000", "PYTHONPATH": str(house.ROOT),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        while (line := self._read()) != "ready":
            print(line)

    def _read(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A measuring process ended early.")
        return str(line.rstrip())

    def ask(self, name: str, *arguments: Any) -> Any:
        """Have it do something and give its answer."""
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()
        while not (line := self._read()).startswith("{"):
            print(line)
        return json.loads(line)

    def end(self) -> None:
        """Let it go."""
        self.process.stdin.close()
        self.process.wait(60)


# ---- both sides ----------------------------------------------------------------------------------


def compared(small: list[Figures], large: list[Figures], name: str) -> tuple[float, float]:
    """Medians of both sides' processor milliseconds."""
    both = [median(turn[name]["ms"] for turn in side) for side in (small, large)]
    blocks = [median(turn[name]["blocks"] for turn in side) for side in (small, large)]
    database = [median(turn[name]["postgresql_ms"] for turn in side) for side in (small, large)]
    print(
        f"{name:9} {both[0]:7.3f} -> {both[1]:7.3f} ms  x {both[1] / both[0]:.2f}   of it PostgreSQL "
        f"{database[0]:.3f} -> {database[1]:.3f} ms   blocks {blocks[0]:.0f} -> {blocks[1]:.0f}", flush=True,
    )  # fmt: skip
    return both[0], both[1]


def print_where(small: list[Figures], large: list[Figures], name: str) -> None:
    """The statements whose wall time an order grew most."""
    sums: dict[str, list[float]] = {}
    for place, side in enumerate((small, large)):
        for turn in side:
            for sql, ms in turn[name]["statements"].items():
                sums.setdefault(sql, [0.0, 0.0])[place] += ms / len(side)
    for sql, (before, after) in sorted(sums.items(), key=lambda row: row[1][0] - row[1][1])[:6]:
        print(f"    {before:8.3f} -> {after:8.3f} ms  {' '.join(sql.split())[:600]}")


def main() -> None:
    """Fill, grow, measure, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--template", type=int, default=400, help="Real orders, which are then cloned.")
    parser.add_argument("--orders", type=int, default=250, help="Orders of a turn.")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--where", action="store_true", help="Print the statements that grew.")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["HUB_ACCESS_LOG"] = "0"
    if options.serve:
        serve()
        return
    if options.quick:
        options.small, options.large, options.template, options.turns = 2_000, 40_000, 200, 3
    house.services()
    from bench import history
    from bench.api import copy_of_database

    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - began:5.0f} s  load {os.getloadavg()[0]:4.1f}  {text}", flush=True)

    clones = options.large // options.template - 1
    made = history.template(options.template, step=YEAR / clones)
    say(f"{options.template} orders went their way; they wrote into {len(made.grown)} tables")
    history.clone(made, options.small // options.template - 1, thin=False)
    history.check(made)
    say(f"{options.small:,} orders")
    with copy_of_database() as address:
        history.clone(made, clones, thin=True)
        counts = history.check(made)
        say(f"{options.large:,} orders since {datetime.now(UTC) - YEAR:%Y-%m-%d}, {history.size_gb():.1f} GB")
        print(", ".join(f"{name} {rows:,}" for name, rows in counts.items()))
        sides = [Other(address), Other(os.environ["DATABASE_URL"])]
        try:
            for side in sides:
                side.ask("measure", 50)
                side.ask("read", 50)
            found = [[side.ask("measure", options.orders) for side in sides] for _ in range(options.turns)]
            # Reading changes nothing, so its turns may be short: what else the machine does meets both sides alike.
            read = [[side.ask("read", 40) for side in sides] for _ in range(options.turns * 6)]
            small, large = [[turn[n] for turn in found] for n in (0, 1)]
            pages_read = [[turn[n] for turn in read] for n in (0, 1)]
            names = ("intake", "decision", "read")
            figures = {}
            for name in names:
                both = pages_read if name == "read" else (small, large)
                figures[name] = compared(both[0], both[1], name)
                if options.where:
                    print_where(both[0], both[1], name)
            jobs = [side.ask("jobs") for side in sides]
            pages = [side.ask("pages") for side in sides]
        finally:
            for side in sides:
                side.end()
    for name, ms in {**jobs[1], **pages[1]}.items():
        print(f"{name:28} {({**jobs[0], **pages[0]})[name]:9.1f} -> {ms:9.1f} ms")
    say("done")
    house.end_with(
        **{f"{name}_growth": round(figures[name][1] / figures[name][0], 3) for name in names},
        **{f"{name}_ms": round(figures[name][1], 3) for name in names},
        orders_before=options.small, orders_after=options.large, jobs_ms=jobs[1], pages_ms=pages[1],
        load_average=round(os.getloadavg()[0], 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
