"""Orders released per second by 1, 2 and 4 worker processes, where the processors go, and what more machines would give.

    python bench/scale.py [--orders 2000]

Measured: worker processes work off the same number of placed orders on one PostgreSQL; wall, processor seconds of the
workers and of PostgreSQL, and how often a backend was seen waiting for a lock. Simulated: a closed queueing model fed
with these processor seconds (batches wait for a worker's processor, then for one of the database's), for machines we
do not have. docs/scaling.md says what follows from it.
"""

from __future__ import annotations

import argparse
import heapq
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house, pipeline

WORKERS = (1, 2, 4)
BATCH = 250
#: Scenarios of the model: name, worker processors, database processors, independent databases (shards).
MACHINES = (
    ("1 machine of 2 processors, shared", 1, 1, 1), ("2 + 1 processors", 2, 1, 1), ("4 + 2", 4, 2, 1),
    ("8 + 4", 8, 4, 1), ("16 + 8", 16, 8, 1), ("32 + 8", 32, 8, 1), ("32 + 16", 32, 16, 1),
    ("8 shards of 16 + 8", 128, 64, 8), ("64 shards of 16 + 8", 1024, 512, 64),
)  # fmt: skip


# ---- measured ------------------------------------------------------------------------------------


def work() -> None:
    """One worker: ready, wait for the word, then work until nothing is due; prints its processor seconds."""
    house.services()
    from orderhub.events import relay

    relay.due_queues(["route"])
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.process_time()
    while relay.run_queue("route", budget_seconds=600):
        pass
    print(time.process_time() - started, flush=True)


@dataclass
class Run:
    """What one number of workers did."""

    workers: int
    per_s: float
    python_s: float
    postgresql_s: float
    lock_share: float


class Watch(threading.Thread):
    """Looks at the backends of our database ten times a second: processor seconds, and who waits for a lock."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.first: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.seen = self.locked = 0

    def run(self) -> None:
        import psycopg

        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            own = connection.info.backend_pid
            while not self.done.wait(0.1):
                rows = connection.execute(
                    "SELECT pid, wait_event_type FROM pg_stat_activity WHERE datname = current_database() "
                    "AND backend_type = 'client backend' AND state <> 'idle'"
                ).fetchall()
                for pid, waits_for in rows:
                    if pid != own:
                        self.seen += 1
                        self.locked += waits_for == "Lock"
                        spent = house.cpu_seconds(pid)
                        self.first.setdefault(pid, spent)
                        self.last[pid] = max(spent, self.last.get(pid, 0.0))

    @property
    def postgresql_s(self) -> float:
        """Processor seconds of the backends seen."""
        return sum(self.last[pid] - self.first[pid] for pid in self.last)


def measure(workers: int, merchant: Any, orders: int, *, first: int) -> Run:
    """Place the orders, let so many workers release them."""
    from orderhub.orders.models import Order

    pipeline.place(merchant, orders, first=first)
    command = [sys.executable, __file__, "--work"]
    environment = {**os.environ, "PYTHONPATH": str(house.ROOT)}
    running = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _number in range(workers)
    ]
    for process in running:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
    watch = Watch()
    watch.start()
    started = time.perf_counter()
    for process in running:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    spent = [float(process.stdout.readline()) for process in running]  # type: ignore[union-attr]
    wall = time.perf_counter() - started
    watch.done.set()
    watch.join()
    for process in running:
        process.wait()
    left = Order.objects.filter(source="bench").exclude(stage="released").count()
    assert left == 0, f"{left} orders were not released"
    return Run(workers, orders / wall, sum(spent), watch.postgresql_s, watch.locked / max(1, watch.seen))


# ---- simulated -----------------------------------------------------------------------------------


def simulate(
    python_s: float, postgresql_s: float, *, processors: int, database: int, shards: int = 1
) -> float:
    """Orders per second of a closed model: each worker takes a batch, computes, then waits for its database.

    One worker per processor and one more per four, so that a processor works while another batch waits. Service times
    are the measured means, made exponential, since batches differ; no locks, no network. One shard is run and counted
    as often as there are shards.
    """
    import random

    chance = random.Random(1)
    own, servers = max(1, processors // shards), max(1, database // shards)
    workers = own + max(1, own // 4)
    free_at = {"python": [0.0] * own, "database": [0.0] * servers}
    events = [(0.0, n, "python") for n in range(workers)]
    heapq.heapify(events)
    done, batches, now = 0, 4000, 0.0
    while done < batches:
        now, worker, station = heapq.heappop(events)
        mean = (python_s if station == "python" else postgresql_s) * BATCH
        start = max(now, heapq.heappop(free_at[station]))
        end = start + chance.expovariate(1 / mean)
        heapq.heappush(free_at[station], end)
        done += station == "database"
        heapq.heappush(events, (end, worker, "database" if station == "python" else "python"))
    return done * BATCH / now * shards


def main() -> None:
    """Measure, then simulate."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work()
        return
    house.services()
    from orderhub.events import relay

    merchant = pipeline.seed()
    pipeline.place(merchant, 50, first=9_000_000)
    relay.run_queue("route", budget_seconds=600)
    runs = []
    for number, workers in enumerate(WORKERS):
        runs.append(measure(workers, merchant, arguments.orders, first=number * arguments.orders))
        run = runs[-1]
        share = run.postgresql_s / (run.python_s + run.postgresql_s)
        print(
            f"{workers} workers  {run.per_s:6.0f} orders/s   Python {run.python_s / arguments.orders * 1000:5.2f} ms"
            f"   PostgreSQL {run.postgresql_s / arguments.orders * 1000:5.2f} ms an order ({share:.0%})"
            f"   backends waiting for a lock {run.lock_share:.0%}"
        )
    python_s, postgresql_s = runs[0].python_s / arguments.orders, runs[0].postgresql_s / arguments.orders
    print("simulated from the run with one worker:")
    simulated = {}
    for name, processors, database, shards in MACHINES:
        rate = simulate(python_s, postgresql_s, processors=processors, database=database, shards=shards)
        simulated[name] = round(rate)
        print(f"  {name:36} {rate:9.0f} orders/s")
    house.end_with(
        **{f"orders_per_s_{run.workers}": round(run.per_s) for run in runs},
        python_ms=round(python_s * 1000, 2), postgresql_ms=round(postgresql_s * 1000, 2),
        lock_share_4=round(runs[-1].lock_share, 2), simulated=simulated, load=os.getloadavg()[0],
    )  # fmt: skip


if __name__ == "__main__":
    main()
