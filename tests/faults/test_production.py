"""The hub as it runs in production, its parts crashed one after the other under load."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.faults import hub, services
from tests.faults.story import SETTLED, assert_each_once, summary

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ORDERS = 1000
STOCK = 5000


@dataclass(slots=True)
class Production:
    """Web, two workers and the clock on PostgreSQL and Redis of their own."""

    url: str
    key: str
    database: services.PostgreSQL
    broker: hub.Process
    web: hub.Process
    workers: Sequence[hub.Process]

    def crash_worker(self, number: int) -> None:
        """kill -9 one worker with its processes, and start another."""
        self.workers[number].kill()
        self.workers[number].start()

    def crash_broker(self) -> None:
        """Take Redis and all that it holds away for three seconds."""
        self.broker.kill()
        time.sleep(3)
        self.broker.start()

    def is_settled(self) -> bool:
        """Whether every order is delivered and nothing is owed."""
        try:
            return self.database.ask(SETTLED.format(orders=ORDERS)) == 1
        except psycopg.OperationalError:
            return False


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Production]:
    """Everything started as the compose file does, seeded, answering."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(services.postgresql())
        broker, redis_url = stack.enter_context(services.redis_server(tmp_path / "redis.log"))
        port = hub.free_port()
        env = hub.environment(
            DATABASE_URL=database.url, REDIS_URL=redis_url, HUB_DATA_DIR=tmp_path / "data", HUB_PORT=port,
            HUB_SECRET_KEY="a-key-for-this-test-only-" * 3, HUB_ALLOWED_HOSTS=hub.HERE, HUB_SSL_REDIRECT=0,
            HUB_SIM_SPEED=100_000,
        )  # fmt: skip
        migrate = hub.Process(hub.manage("migrate"), env, tmp_path / "migrate.log")
        migrate.start()
        assert migrate.running is not None
        assert migrate.running.wait(timeout=300) == 0, migrate.tail()
        key = hub.ask(f"seed({STOCK})", env=env)["key"]
        uvicorn = [sys.executable, "-m", "uvicorn", "orderhub.asgi:application", "--port", str(port)]
        options = ["--host", hub.HERE, "--lifespan", "off", "--log-level", "warning"]
        web = hub.Process([*uvicorn, *options], env, tmp_path / "web.log")
        workers = [hub.Process(hub.manage("worker"), env, tmp_path / f"worker{n}.log") for n in range(2)]
        clock = hub.Process(hub.manage("clock"), env, tmp_path / "clock.log")
        for process in (web, *workers, clock):
            process.start()
            stack.callback(process.kill)
        url = f"http://{hub.HERE}:{port}"
        hub.until(hub.answers(url), seconds=60, what="the web server answers")
        stack.enter_context(keep_running(clock))
        yield Production(url, key, database, broker, web, workers)


@contextlib.contextmanager
def keep_running(process: hub.Process) -> Iterator[None]:
    """Start the process again whenever it ends by itself, as the compose file does."""
    ended = False

    def watch() -> None:
        while not ended:
            if process.running is not None and process.running.poll() is not None:
                process.start()
            time.sleep(0.5)

    with hub.in_background(watch):
        try:
            yield
        finally:
            ended = True


def test_1000_orders_survive_crashes_of_everything(
    production: Production, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workers, broker and database crash; 0 acknowledged orders are missing, 0 effects doubled."""
    clients = hub.Clients(production.url, production.key)
    crashes: list[Callable[[], None]] = [
        lambda: production.crash_worker(0),
        lambda: production.crash_broker(),
        lambda: production.database.crash_and_restart(),
        lambda: production.crash_worker(1),
        lambda: production.database.crash_and_restart(),
        lambda: production.crash_broker(),
        lambda: production.crash_worker(0),
        lambda: production.crash_worker(1),
    ]

    def crash() -> None:
        for number, each in enumerate(crashes, 1):
            share = ORDERS * number // (len(crashes) + 2)
            hub.until(
                lambda at=share: len(clients.sent.acknowledged) >= at,
                seconds=240, what="orders are acknowledged between crashes", every=0.05,
            )  # fmt: skip
            each()

    start = time.monotonic()
    with hub.in_background(crash):
        clients.send(range(ORDERS))
        sent_after = time.monotonic() - start
    hub.until(production.is_settled, seconds=240, every=0.5, what="all delivered")
    settled_after = time.monotonic() - start

    found = hub.ask("tally()", env=production.web.env)
    code, report = hub.invariants(production.web.env)
    with capsys.disabled():
        print(summary("production", found, clients.sent, sent_after=sent_after, settled_after=settled_after))
        print(f"{len(crashes)} crashes\n{report}")
    assert_each_once(found, clients.sent, orders=ORDERS, stock_before=STOCK * 9)
    assert code == 0, report
