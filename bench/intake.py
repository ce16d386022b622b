"""A file of 100,000 lines into the pool, against COPY of the very same rows and against django-import-export.

    python bench/intake.py                        # 40,000 orders, 100,000 lines
    python bench/intake.py --orders 4000          # smaller
    python bench/intake.py --released 40000       # how many orders walk on to "released" for the last figure

Limit: the rows our import wrote, copied out and copied back into the emptied tables, indexes and foreign keys in place,
in one transaction. Peers: `peers/import_export.py`, once as its documentation shows it (`ratio_to_import_export`) and once
tuned (`ratio_to_import_export_tuned`), both into the same seven tables, on smaller samples of the same file. Ours: the
import as the worker runs it, from the file on disk to the last commit. Memory: a process of its own reads 250,000
lines; what it and its child hold is looked at from outside and added up, pages they share counted once.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import house
from django.db.models import Count

HEADER = [
    "order_no", "line_no", "placed_at", "paid_at", "currency", "sku", "quantity", "unit_price", "order_total", "recipient",
    "phone", "country", "province", "city", "district", "address", "postcode", "service", "green_delivery", "note",
]  # fmt: skip
PLACES = [
    ("浙江省", "杭州市", "西湖区"), ("广东省", "深圳市", "南山区"), ("四川省", "成都市", "武侯区"),
    ("上海市", "上海市", "浦东新区"), ("北京市", "北京市", "朝阳区"), ("湖北省", "武汉市", "江汉区"),
    ("陕西省", "西安市", "雁塔区"), ("新疆维吾尔自治区", "乌鲁木齐市", "天山区"),
]  # fmt: skip
SKUS = 2000
PATIENCE_SECONDS = 1800
TABLES = [
    "orders_person", "orders_order", "orders_orderline", "orders_original", "events_event", "events_streamhead",
    "events_delivery",
]  # fmt: skip


def make_file(path: Path, *, orders: int, first: int = 0, skus: list[str] | None = None) -> int:
    """Write a generic file with 1 to 4 lines an order, 2.5 on average; returns the number of lines."""
    codes = skus or [f"SKU-{n:05}" for n in range(SKUS)]
    draw = random.Random(17 + first)
    lines = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for number in range(first, first + orders):
            items = [
                (draw.choice(codes), draw.randint(1, 3), draw.randint(500, 30000))
                for _ in range(number % 4 + 1)
            ]
            total = sum(quantity * cents for _sku, quantity, cents in items) / 100
            province, city, district = draw.choice(PLACES)
            phone, second = f"100{draw.randrange(10**8):08}", number % 86400
            at = f"2026-11-11 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            for line, (sku, quantity, cents) in enumerate(items, 1):
                out.writerow([
                    f"B{number:08}", line, at, at, "CNY", sku, quantity, f"{cents / 100:.2f}", f"{total:.2f}",
                    f"收件人{number % 997}", phone, "CN", province, city, district,
                    f"示例路 {number % 500} 号 {number % 30} 室", f"{310000 + number % 900}", "standard", "no", "",
                ])  # fmt: skip
            lines += len(items)
    return lines


def merchant(code: str) -> Any:
    """A merchant with 2,000 SKUs."""
    from orderhub.access.models import Merchant
    from orderhub.inventory.models import Sku

    owner = Merchant.objects.create(code=code, name=code)
    Sku.objects.bulk_create(
        [
            Sku(merchant=owner, code=f"SKU-{n:05}", name=f"商品 {n}", price="10", grams=300)
            for n in range(SKUS)
        ],
        batch_size=500,
    )
    return owner


def take_in(owner: Any, path: Path, *, is_peak: bool = False) -> float:
    """Import the file as the worker does; wall seconds. With `is_peak` the upload, which is another process's work,
    leaves no trace in the peak of memory.
    """
    from orderhub.connectors import imports
    from orderhub.kernel import clock

    batch = imports.upload(
        [(path.name, path.read_bytes())],
        merchant=owner,
        kind="orders",
        actor="bench",
        now=clock.now(),
        user=None,
    )
    if is_peak:
        house.forget_peak()
        print("ready", flush=True)
    start = time.perf_counter()
    imports.run(batch.pk)
    seconds = time.perf_counter() - start
    batch.refresh_from_db()
    assert batch.status == "done", (batch.status, batch.failure_kind)
    assert batch.refused_rows == 0
    assert batch.accepted_orders == batch.orders_total
    return seconds


def copy_same_rows() -> float:
    """COPY what was written out, empty the tables, COPY it in again; wall seconds of the way in."""
    from django.db import connection, transaction

    kept: dict[str, bytes] = {}
    columns: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE "
                "attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''", [table],
            )  # fmt: skip
            columns[table] = cursor.fetchone()[0]
            buffer = io.BytesIO()
            with cursor.copy(f"COPY (SELECT {columns[table]} FROM {table} ORDER BY 1) TO STDOUT") as source:
                for block in source:
                    buffer.write(block)
            kept[table] = buffer.getvalue()
    empty()
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            with cursor.copy(f"COPY {table} ({columns[table]}) FROM STDIN") as sink:
                sink.write(kept[table])
    return time.perf_counter() - start


def empty() -> None:
    """Take every order, event and import out again."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}, connectors_importbatch CASCADE")
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER USER")


def against_peers(owner: Any, path: Path, ours: float, lines: int) -> dict[str, float]:
    """How many times as fast as django-import-export we are; the documented way gets a fifth of the lines."""
    from peers import import_export

    figures = {}
    for name, make, share in (
        ("ratio_to_import_export", import_export.documented, lines // 5),
        ("ratio_to_import_export_tuned", import_export.tuned, lines),
    ):
        empty()
        make_file(path, orders=share * 2 // 5)
        peer = import_export.lines_per_second(make, owner, path)
        print(f"django-import-export, {make.__name__}: {peer:,.0f} lines/s", flush=True)
        figures[name] = round(ours / peer, 1)
    return figures


def peak_of(lines: int) -> float:
    """The most memory that a process of its own and its child hold while they import that many lines, in MB.

    Looked at twenty times a second from outside: all that is resident of the process, and of its child what it does not
    share, since a shared page is there once.
    """
    script = [sys.executable, str(Path(__file__).resolve()), "--only-memory", "--orders", str(lines * 2 // 5)]
    peak, both = 0.0, False
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == "ready"
        while process.poll() is None:
            children = house.children_of(process.pid)
            own = sum(house.memory_mb(pid, "Private_Clean", "Private_Dirty") for pid in children)
            peak, both = max(peak, house.memory_mb(process.pid, "Rss") + own), both or own > 0
            time.sleep(0.05)
        print(f"resident, shared pages counted twice: {process.stdout.read().strip()}", flush=True)
    assert process.returncode == 0
    assert both, "nothing was read by a child"
    return peak


def released_per_second(path: Path, orders: int) -> float:
    """Orders that production workers, two processes, take from the uploaded file to "released" in a second.

    On a machine that is too busy to finish in time, those that got there count, over the whole time.
    """
    import pipeline

    from orderhub.connectors import imports
    from orderhub.inventory.models import Sku
    from orderhub.kernel import clock
    from orderhub.orders.models import Order

    empty()
    owner = pipeline.seed()
    codes = list(Sku.objects.filter(merchant=owner).order_by("code").values_list("code", flat=True))
    make_file(path, orders=orders, skus=codes)
    with workers("import,low", 1), workers("route,outbox", 1):
        start = time.perf_counter()
        imports.upload(
            [(path.name, path.read_bytes())],
            merchant=owner,
            kind="orders",
            actor="bench",
            now=clock.now(),
            user=None,
        )
        ours = Order.objects.filter(merchant=owner)
        while ours.exclude(stage__in=["received", "reviewing", "routed"]).count() < orders:
            if time.perf_counter() - start > PATIENCE_SECONDS:
                print(f"not all released after {PATIENCE_SECONDS} s", flush=True)
                break
            time.sleep(0.5)
        seconds = time.perf_counter() - start
    stages = dict(ours.values_list("stage").annotate(n=Count("id")))
    print(f"{orders:,} orders from upload to {stages} in {seconds:.1f} s", flush=True)
    return stages.get("released", 0) / seconds


@contextlib.contextmanager
def workers(queues: str, processes: int) -> Iterator[None]:
    """Celery workers of these queues, stopped at the end."""
    command = [sys.executable, "-m", "celery", "-A", "orderhub", "worker", "-l", "warning", "-Q", queues]
    command += ["-c", str(processes), "-n", f"bench-{queues.replace(',', '-')}@%h"]
    process = subprocess.Popen(command, cwd=house.ROOT, env=os.environ, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def main() -> None:
    """Print the way there, then the figures."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--orders", type=int, default=40_000)
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--memory-lines", type=int, default=250_000)
    ask.add_argument("--peer-lines", type=int, default=5_000)
    ask.add_argument("--released", type=int, default=None)
    ask.add_argument("--only-memory", action="store_true")
    asked = ask.parse_args()
    house.services()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        lines = make_file(path, orders=asked.orders)
        if asked.only_memory:
            take_in(merchant(f"memory{os.getpid()}"), path, is_peak=True)
            child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            assert child, "nothing was read by a child"
            print(f"worker {house.peak_mb():.0f} MB, child {child:.0f} MB")
            return
        owner = merchant("files")
        ours, copies = [], []
        for turn in range(asked.runs):
            empty()
            ours.append(lines / take_in(owner, path))
            copies.append(lines / copy_same_rows())
            print(f"run {turn + 1}: ours {ours[-1]:,.0f} lines/s, COPY {copies[-1]:,.0f} lines/s", flush=True)
        figures = {
            "lines_per_s": round(statistics.median(ours)),
            "ratio_to_copy": round(statistics.median(a / b for a, b in zip(ours, copies, strict=True)), 3),
        }
        if asked.peer_lines:
            figures |= against_peers(owner, path, figures["lines_per_s"], asked.peer_lines)
        if asked.memory_lines:
            empty()
            figures["peak_mb"] = round(peak_of(asked.memory_lines))
        released = asked.orders if asked.released is None else asked.released
        if released:
            figures["orders_released_per_s"] = round(released_per_second(path, released), 1)
        house.end_with(**figures)


if __name__ == "__main__":
    main()
