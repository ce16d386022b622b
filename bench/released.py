"""From sending an order to its release: what one order waits for when the hub is not busy, and at a steady rate.

    python bench/released.py [--orders 1000] [--rate 10] [--workers 2]

Web, workers and clock run as processes on PostgreSQL and Redis (as in `peak.py`), orders come over HTTP at a
fixed rate from here. An order's time runs from the moment its request was due until the database tells that its
release is committed (a trigger of this bench's own database that notifies: looking again and again would take from
the hub the processor it is measured with); so the request, the routing and the reservation are all in it. `accepted_p99_ms`
is the request alone, `queue_p99_ms` what lies between the answer and the release: `begun` until the pass that releases it
begins, `pass` until that is committed. The last line is one JSON object of milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import httpx
import psycopg

from bench import house
from bench.peak import Warehouse, hub_of, prepare

NOTIFYING = """
CREATE FUNCTION bench_released() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('released', NEW.id::text); RETURN NULL; END $$;
CREATE TRIGGER bench_released AFTER UPDATE OF stage ON orders_order
    FOR EACH ROW WHEN (NEW.stage = 'released') EXECUTE FUNCTION bench_released()"""
CLIENTS = 8
WARM_UP = 40
QUEUES = (
    "intake,route",
    "outbox,carbon,import,low",
)  # as docs/operations.md advises: routing waits for nothing
PATIENCE = 60.0


class Watch:
    """When each order was due, answered and seen released, in seconds of one clock."""

    def __init__(self) -> None:
        self.due: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.released: dict[int, float] = {}
        self.hears, self.is_over = threading.Event(), threading.Event()

    def listen(self) -> None:
        """Hear of every release, until told to stop."""
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(NOTIFYING)
            connection.execute("LISTEN released")
            self.hears.set()
            while not self.is_over.is_set():
                for told in connection.notifies(timeout=0.5):
                    self.released.setdefault(int(told.payload), time.monotonic())


def send(url: str, key: str, *, rate: float, count: int, watch: Watch) -> None:
    """Send the orders at the rate, each with a key of its own."""
    from tests.faults import hub

    client = httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Api-Key {key}"})

    def one(number: int, due: float) -> None:
        order = hub.body(number)
        answer = client.post("/api/v1/orders/", json=order, headers={"Idempotency-Key": order["external_id"]})
        answer.raise_for_status()
        pk = answer.json()["id"]
        watch.due[pk] = due
        watch.answered[pk] = time.monotonic()

    start = time.monotonic()
    with client, ThreadPoolExecutor(CLIENTS) as pool:
        jobs = []
        for number in range(count):
            due = start + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            jobs.append(pool.submit(one, number, due))
        for job in jobs:
            job.result()


def wait(watch: Watch, count: int) -> None:
    """Until all are released."""
    until = time.monotonic() + PATIENCE
    while len(watch.released) < count and time.monotonic() < until:
        time.sleep(0.05)
    watch.is_over.set()
    if len(watch.released) < count:
        raise SystemExit(f"{count - len(watch.released)} orders were not released in {PATIENCE:.0f} s")


def passes_of(orders: list[int]) -> dict[int, float]:
    """When the pass that released each order began, in seconds of the clock of `Watch`."""
    from orderhub.fulfillment.models import FulfillmentOrder

    rows = FulfillmentOrder.objects.filter(order__in=orders, released_at__isnull=False)
    ahead = time.time() - time.monotonic()
    return {pk: at.timestamp() - ahead for pk, at in rows.values_list("order_id", "released_at")}


def quantile_ms(seconds: list[float], share: float) -> float:
    """Milliseconds that this share of all does not exceed."""
    return round(sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000, 1)


def main() -> None:
    """Start the hub, send, watch."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10, help="Orders a second.")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    house.services()
    from tests.faults import hub

    warehouse = Warehouse(hub.free_port())
    warehouse.listen()
    key, watch = prepare(warehouse.port), Watch()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-released-")))
        url, _processes = stack.enter_context(hub_of(asked.workers, folder, queues=QUEUES))
        threading.Thread(target=watch.listen, daemon=True).start()
        watch.hears.wait()
        send(url, key, rate=asked.rate, count=asked.orders + WARM_UP, watch=watch)
        wait(watch, asked.orders + WARM_UP)
    counted = sorted(watch.due, key=watch.due.__getitem__)[WARM_UP:]
    begun = passes_of(counted)
    whole = [watch.released[pk] - watch.due[pk] for pk in counted]
    house.end_with(
        orders=len(counted), rate=asked.rate, released_p50_ms=quantile_ms(whole, 0.5),
        released_p99_ms=quantile_ms(whole, 0.99),
        accepted_p99_ms=quantile_ms([watch.answered[pk] - watch.due[pk] for pk in counted], 0.99),
        queue_p99_ms=quantile_ms([watch.released[pk] - watch.answered[pk] for pk in counted], 0.99),
        accepted_p50_ms=quantile_ms([watch.answered[pk] - watch.due[pk] for pk in counted], 0.5),
        begun_p50_ms=quantile_ms([begun[pk] - watch.answered[pk] for pk in counted], 0.5),
        begun_p99_ms=quantile_ms([begun[pk] - watch.answered[pk] for pk in counted], 0.99),
        pass_p50_ms=quantile_ms([watch.released[pk] - begun[pk] for pk in counted], 0.5),
        pass_p99_ms=quantile_ms([watch.released[pk] - begun[pk] for pk in counted], 0.99),
    )  # fmt: skip


if __name__ == "__main__":
    main()
