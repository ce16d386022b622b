"""The hub of one command, its worker killed again and again under load: no order lost, no effect doubled."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from tests.faults import hub
from tests.faults.story import SETTLED, assert_each_once, summary

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ORDERS = 600
KILLS = 5
STOCK = 5000


@dataclass(slots=True)
class Embedded:
    """A running `serve` with its data, and a key for its API."""

    process: hub.Process
    url: str
    key: str
    database: Path

    def worker(self) -> int | None:
        """The process id of the worker child, if there is one just now."""
        assert self.process.running is not None
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if parent == self.process.running.pid and b"worker" in words:
                    return int(folder.name)
        return None

    def ask(self, statement: str) -> int:
        """One number from the database."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as connection:
            return int(connection.execute(statement).fetchone()[0])


@pytest.fixture
def embedded(
    tmp_path: Path, request: pytest.FixtureRequest, place_database: Callable[[Path], None]
) -> Iterator[Embedded]:
    """`manage.py serve` with data and port of its own, seeded, answering; the simulator races unless told."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to find the worker")
    port, data = hub.free_port(), tmp_path / "data"
    env = hub.environment(HUB_DATA_DIR=data, HUB_PORT=port, HUB_SIM_SPEED=getattr(request, "param", 100_000))
    data.mkdir()
    place_database(data / "orderhub.sqlite3")
    process = hub.Process(hub.manage("serve"), env, tmp_path / "serve.log")
    process.start()
    url = f"http://{hub.HERE}:{port}"
    try:
        hub.until(hub.answers(url), seconds=60, what=f"serve answers\n{process.tail()}")
        key = hub.ask(f"seed({STOCK})", env=env)["key"]
        yield Embedded(process, url, key, data / "orderhub.sqlite3")
    finally:
        worker = Embedded(process, url, "", data).worker()
        process.kill()
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        shutil.rmtree(data, ignore_errors=True)


def kill_workers(running: Embedded, *, times: int) -> list[int]:
    """kill -9 the worker child, each time after it has worked a while; the killed process ids."""
    killed: list[int] = []
    while len(killed) < times:
        hub.until(lambda: running.worker() not in (None, *killed), seconds=30, what="a new worker", every=0.1)
        time.sleep(2.5)
        if (worker := running.worker()) is not None and worker not in killed:
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)
    return killed


def test_600_orders_survive_5_kills_of_the_worker(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    clients = hub.Clients(embedded.url, embedded.key)
    killed: list[int] = []
    start = time.monotonic()

    with hub.in_background(lambda: killed.extend(kill_workers(embedded, times=KILLS))):
        clients.send(range(ORDERS))
        sent_after = time.monotonic() - start
    hub.until(
        lambda: embedded.ask(SETTLED.format(orders=ORDERS)) == 1, seconds=120, every=0.5,
        what=f"all delivered\n{embedded.process.tail()}",
    )  # fmt: skip
    settled_after = time.monotonic() - start

    found = hub.ask("tally()", env=embedded.process.env)
    code, report = hub.invariants(embedded.process.env)
    with capsys.disabled():
        print(summary("embedded", found, clients.sent, sent_after=sent_after, settled_after=settled_after))
        print(f"{len(killed)} kills\n{report}")
    assert len(killed) == KILLS
    assert_each_once(found, clients.sent, orders=ORDERS, stock_before=STOCK * 9)
    assert code == 0, report


@pytest.mark.parametrize("embedded", [1], indirect=True)
def test_an_accepted_order_is_with_the_warehouse_within_a_second(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    """p95 < 1 s from the acknowledgment to the release, one order at a time on an idle hub."""
    clients = hub.Clients(embedded.url, embedded.key)
    clients.release_seconds(range(3))

    seconds = sorted(clients.release_seconds(range(100, 130)))

    p95 = seconds[int(len(seconds) * 0.95)]
    with capsys.disabled():
        print(
            f"\nembedded: accepted → released p50 {median(seconds) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
            f"longest {seconds[-1] * 1000:.0f} ms over {len(seconds)} orders"
        )
    assert p95 < 1.0
