"""Ten times the normal rate while the warehouse system is dead: nothing is refused or slowed, all is drained in order.

    python bench/peak.py [--minutes 10] [--rate 50] [--workers 2]

Normal is taken as 5 orders a second (430,000 a day), so the peak is 50. Web, workers and clock run as processes on
PostgreSQL and Redis; the warehouse's port refuses connections until the orders are in, then listens. Every twentieth
order is cancelled after its release, so that its stream owes two messages whose order shows. Latency is counted from
the moment an order was due to be sent, so a stalled server cannot hide behind waiting clients.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

CANCELLED_OF = 20
CLIENTS = 24
UNITS = 100_000_000


class Warehouse:
    """The other side: it keeps what it gets, once it listens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[tuple[int, str, str]] = []

    def listen(self) -> None:
        """Answer from now on."""
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                got.extend((_event(row["key"]), row["reference"], row["operation"]) for row in body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def is_in_order(self) -> bool:
        """Whether the messages of each order came in the order of its events, each of them once."""
        last: dict[str, int] = {}
        for event, reference, _operation in self.got:
            order = reference.rpartition("-")[0]
            if event <= last.get(order, 0):
                return False
            last[order] = event
        return True


def _event(key: str) -> int:
    return int(key.partition("/")[0].removeprefix("event:"))


@contextlib.contextmanager
def hub_of(workers: int, folder: Path, *, queues: Sequence[str] = ("",)) -> Iterator[tuple[str, list[Any]]]:
    """Web, workers and clock; the address and the processes. The workers take these ``queues`` by turns ("": all)."""
    from tests.faults import hub

    port = hub.free_port()
    env = hub.environment(
        DATABASE_URL=os.environ["DATABASE_URL"], REDIS_URL=os.environ["REDIS_URL"], HUB_DATA_DIR=folder,
        HUB_SECRET_KEY=os.environ["HUB_SECRET_KEY"], HUB_ALLOWED_HOSTS=hub.HERE, HUB_SSL_REDIRECT=0,
        HUB_RATE_LIMIT=0, DJANGO_SETTINGS_MODULE="bench.peakapp.settings",
    )  # fmt: skip
    web = [
        sys.executable,
        "-m",
        "uvicorn",
        "orderhub.asgi:application",
        "--host",
        hub.HERE,
        "--port",
        str(port),
    ]
    commands = [
        [
            *web,
            "--lifespan",
            "off",
            "--log-level",
            "warning",
            "--no-access-log",
            "--timeout-keep-alive",
            "75",
        ],
        *[
            hub.manage("worker", "--concurrency", "1", *(("--queues", names) if names else ()))
            for names in islice(cycle(queues), workers)
        ],
        hub.manage("clock"),
    ]
    processes = [hub.Process(words, env, folder / f"{n}.log") for n, words in enumerate(commands)]
    try:
        for process in processes:
            process.start()
        url = f"http://{hub.HERE}:{port}"
        hub.until(hub.answers(url), seconds=90, what="the web server answers")
        yield url, processes
    finally:
        for process in processes:
            process.kill()


def resident_mb(processes: list[Any]) -> float:
    """What the processes and their children hold in memory, together."""
    groups = {process.running.pid for process in processes}
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, ProcessLookupError):
            if os.getpgid(int(status.parent.name)) in groups:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                total += int(fields.get("VmRSS", "0 kB").split()[0]) / 1024
    return total


class Shoppers:
    """Orders at a fixed rate, whatever the server does."""

    def __init__(self, url: str, key: str) -> None:
        import httpx

        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
        self.client = httpx.Client(
            base_url=url, timeout=30, headers={"Authorization": f"Api-Key {key}"}, limits=limits
        )
        self.seconds: list[float] = []
        self.accepted: list[int] = []
        self.refused: list[str] = []

    def shop(self, *, rate: float, count: int, processes: list[Any], first: int = 0) -> list[float]:
        """Send the orders, numbered from the first; the memory of the hub on the way, ten times."""
        memory: list[float] = []
        start = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for number in range(count):
                due = start + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                pool.submit(self._one, first + number, due)
                if number % max(1, count // 10) == 0:
                    memory.append(resident_mb(processes))
        memory.append(resident_mb(processes))
        return memory

    def _one(self, number: int, due: float) -> None:
        from tests.faults import hub

        order = hub.body(number)
        try:
            answer = self.client.post(
                "/api/v1/orders/", json=order, headers={"Idempotency-Key": order["external_id"]}
            )
        except Exception as fault:  # a refusal like any other
            self.refused.append(repr(fault))
            return
        self.seconds.append(time.monotonic() - due)
        if answer.status_code != 201:
            self.refused.append(f"{answer.status_code} {answer.text[:200]}")
        else:
            self.accepted.append(answer.json()["id"])

    def cancel_some(self) -> int:
        """Cancel every twentieth order; how many."""
        chosen = self.accepted[::CANCELLED_OF]
        for order in chosen:
            self.client.post(f"/api/v1/orders/{order}/cancel/", json={"reason": "customer"})
        return len(chosen)

    def p95_ms(self) -> float:
        """Of all orders sent."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1000


def owed() -> int:
    """Messages to the warehouse that are not done."""
    from orderhub.events.models import Delivery

    return Delivery.objects.filter(subscriber="connectors.push").exclude(state="done").count()


def prepare(port: int) -> str:
    """The merchant with its network, whose warehouse is at that port; the key."""
    from orderhub.access.services import issue_key
    from orderhub.connectors.models import Connection
    from tests import make

    merchant = make.network(units=UNITS)
    Connection.objects.filter(merchant=merchant).update(
        kind="peak", config={"url": f"http://127.0.0.1:{port}/messages"}
    )
    return issue_key(merchant, name="peak")[1]


def main() -> None:
    """Peak, outage, recovery."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=50, help="Orders a second.")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    house.services()
    from orderhub.orders.models import Order
    from tests.faults import hub

    warehouse = Warehouse(hub.free_port())
    key = prepare(warehouse.port)
    count = int(arguments.minutes * 60 * arguments.rate)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-peak-")))
        url, processes = stack.enter_context(hub_of(arguments.workers, folder))
        shoppers = Shoppers(url, key)
        memory = shoppers.shop(rate=arguments.rate, count=count, processes=processes)
        behind = Order.objects.exclude(stage="released").count()
        print(f"{len(shoppers.accepted)} of {count} accepted, {behind} not released yet at the end")
        waited = hub.until(
            lambda: not Order.objects.exclude(stage="released").exists(), seconds=600, what="all released"
        )
        cancelled = shoppers.cancel_some()
        backlog = owed()
        print(f"all released {waited:.1f} s later; {cancelled} cancelled; {backlog} messages wait")
        warehouse.listen()
        start = time.monotonic()
        first = hub.until(lambda: bool(warehouse.got), seconds=90, what="the first message arrives")
        drained = hub.until(lambda: owed() == 0, seconds=1200, what="the backlog is drained", every=0.1)
        print(f"first message after {first:.1f} s, drained {time.monotonic() - start:.1f} s after the repair")
        memory.append(resident_mb(processes))
    for text in shoppers.refused[:3]:
        print("refused:", text)
    # The first tenths warm caches up; what grows from then on grows with the orders.
    house.end_with(
        orders=len(shoppers.accepted), rate=arguments.rate, minutes=arguments.minutes,
        refused=len(shoppers.refused), intake_p95_ms=round(shoppers.p95_ms(), 1), backlog=backlog,
        drained_per_s=round(backlog / max(drained, 0.001)),
        in_order=warehouse.is_in_order() and len(warehouse.got) == backlog,
        memory_growth_mb=round(memory[-2] - memory[3], 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
