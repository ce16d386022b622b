"""kill -9 of an import on PostgreSQL, once the process that writes, once the one that reads: each order comes in once."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults import hub

pytestmark = [pytest.mark.fault, pytest.mark.services, pytest.mark.slow]
ORDERS, CHUNK = 6000, 100
#: Every 500th order names an unknown article; one stands already as it is in the file, one with other content.
UNKNOWN, ACCEPTED = ORDERS // 500, ORDERS - ORDERS // 500 - 2
DJANGO = "import django; django.setup(); "
RUN = (
    DJANGO
    + f"""
import sys
from orderhub.connectors import imports, orderfiles
from orderhub.events import leases
orderfiles.CHUNK_ORDERS = {CHUNK}
with leases.kept("t" * 32):  # as beside every batch of a worker
    imports.run(int(sys.argv[1]))
"""
)
UPLOAD = (
    DJANGO
    + """
import sys
from orderhub.connectors import imports
from orderhub.inventory.models import Stock
from orderhub.kernel import clock
from tests.connectors import import_cast as make

def upload(sheet):
    return imports.upload(
        [("many.csv", sheet.data())], merchant=make.merchant(), kind="orders", actor="t", now=clock.now(), user=None
    ).pk

make.merchant()
Stock.objects.all().delete()
few = make.many(2, first=3001)
few.put(3, "quantity", "7")
imports.run(upload(few))
many = make.many(int(sys.argv[1]))
for number in range(500, int(sys.argv[1]) + 1, 500):
    many.put(number + 1, "sku", "SKU-unknown")
print(upload(many))
"""
)

RIVAL = """
import subprocess, sys
place_packed = orderfiles.orders.place_packed

def after_a_rival(blocks):
    orderfiles.orders.place_packed = place_packed
    subprocess.run([sys.executable, "-c", OTHER], check=True)
    place_packed(blocks)

orderfiles.orders.place_packed = after_a_rival
OTHER = '''
import django; django.setup()
from orderhub.connectors import imports
from orderhub.kernel import clock
from tests.connectors import import_cast as make
sheet = make.many(1, first=7)
imports.run(imports.upload(
    [("one.csv", sheet.data())], merchant=make.merchant(), kind="orders", actor="t", now=clock.now(), user=None
).pk)
'''
"""


@dataclass(slots=True)
class Import:
    """A file of 6,000 orders, uploaded into a database of its own, and the process that imports it."""

    env: dict[str, str]
    batch: int
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query; `%(batch)s` is the import."""
        with psycopg.connect(self.env["DATABASE_URL"]) as link:
            return link.execute(query.encode(), {"batch": self.batch}).fetchall()

    def start(self, script: str = RUN) -> int:
        """Start a worker's run of it; the process's id."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-c", script, str(self.batch)]
            self.running = subprocess.Popen(command, env=self.env, cwd=hub.ROOT, stdout=out, stderr=out)
        return self.running.pid

    def finish(self) -> int:
        """Wait for the end of the process; its exit code."""
        assert self.running is not None
        return self.running.wait(timeout=120)

    def done(self) -> int:
        """How many orders of the file are worked off."""
        return int(self.ask("SELECT done FROM connectors_importbatch WHERE id = %(batch)s")[0][0])

    def child(self) -> int:
        """The process that reads the file."""
        assert self.running is not None
        return int(children(self.running.pid)[0])

    def until_under_way(self, beyond: int) -> None:
        """Wait until some chunks more are written."""
        assert self.running is not None
        hub.until(lambda: self.done() > beyond, seconds=60, what="some orders in", every=0.02)
        assert self.running.poll() is None, self.log.read_text()
        assert self.done() < ORDERS - 5 * CHUNK


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], int]]:
    """The environment of a hub with the import uploaded but not begun, and its number; to be copied."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        pytest.skip("needs DATABASE_URL")
    folder = tmp_path_factory.mktemp("hub")
    with database(server) as address:
        env = hub.environment(
            DATABASE_URL=address, HUB_DATA_DIR=folder, HUB_DEBUG="1", HUB_LOG_LEVEL="WARNING", PYTHONPATH=hub.ROOT
        )  # fmt: skip
        run(hub.manage("migrate", "--verbosity", "0"), env)
        yield env, int(run([sys.executable, "-c", UPLOAD, str(ORDERS)], env).splitlines()[-1])


@pytest.fixture
def importing(uploaded: tuple[dict[str, str], int], tmp_path: Path) -> Iterator[Import]:
    """The import on a copy of that database."""
    env, batch = uploaded
    with database(env["DATABASE_URL"], template=env["DATABASE_URL"].rpartition("/")[2]) as address:
        found = Import({**env, "DATABASE_URL": address}, batch, tmp_path / "import.log")
        yield found
        if found.running is not None and found.running.poll() is None:
            found.running.kill()
            found.running.wait()


@contextmanager
def database(beside: str, *, template: str = "template1") -> Iterator[str]:
    """The address of a new database on the server of another one."""
    name, server = f"fault_{secrets.token_hex(4)}", beside.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, cwd=hub.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def assert_all_in_once(importing: Import) -> None:
    """Orders, their parts, their events and the file's errors: each there, none twice."""
    ask = importing.ask
    assert ask(
        "SELECT status, done, accepted_orders, unchanged_orders, refused_rows FROM connectors_importbatch "
        "WHERE id = %(batch)s"
    ) == [("done", ORDERS, ACCEPTED, 1, UNKNOWN + 1)]
    kinds = "SELECT kind, count(*), count(DISTINCT row) FROM connectors_refusedrow WHERE batch_id = %(batch)s GROUP BY 1"
    assert sorted(ask(kinds)) == [("order_changed", 1, 1), ("unknown_sku", UNKNOWN, UNKNOWN)]
    stand = ACCEPTED + 2
    assert ask("SELECT count(*), count(DISTINCT external_id) FROM orders_order") == [(stand, stand)]
    for table in ("orders_person", "orders_orderline", "orders_original"):
        assert ask(f"SELECT count(*) FROM {table}") == [(stand,)]
    placed = "SELECT count(*), count(DISTINCT stream) FROM events_event WHERE kind = 'order.placed'"
    assert ask(placed) == [(stand, stand)]
    owed = "SELECT count(*) FROM events_delivery d JOIN events_event e ON e.id = d.event_id WHERE e.kind = 'order.placed'"
    assert ask(owed)[0][0] % stand == 0
    finished = (
        "SELECT payload->'accepted' FROM events_event WHERE kind = 'import.finished' "
        "AND payload->'import' = to_jsonb(%(batch)s::int)"
    )
    assert ask(finished) == [(ACCEPTED,)]
    code, said = hub.invariants(importing.env)
    assert code == 0, said


def test_killing_the_writer_twice_ends_its_reader_and_the_next_run_goes_on(importing: Import) -> None:
    for beyond in (200, 2500):
        writer = importing.start()
        importing.until_under_way(beyond)
        reader = importing.child()
        os.kill(writer, signal.SIGKILL)
        importing.finish()
        hub.until(lambda reader=reader: not is_alive(reader), seconds=10, what="the reader ends by itself")
        assert importing.done() % CHUNK == 0

    importing.start()

    assert importing.finish() == 0, importing.log.read_text()
    assert_all_in_once(importing)


def test_killing_the_reader_makes_the_writer_read_by_itself(importing: Import) -> None:
    importing.start()
    importing.until_under_way(200)

    os.kill(importing.child(), signal.SIGKILL)

    assert importing.finish() == 0, importing.log.read_text()
    assert "goes on in line: Lost()" in importing.log.read_text()
    assert_all_in_once(importing)


def test_a_number_taken_between_the_look_and_the_writing_is_found_out(importing: Import) -> None:
    """Somebody places an order of a chunk that the reader has found all new."""
    importing.start(RUN.replace("with leases", RIVAL + "with leases"))

    assert importing.finish() == 0, importing.log.read_text()
    assert "goes on in line: IntegrityError" in importing.log.read_text()
    query = "SELECT accepted_orders, unchanged_orders FROM connectors_importbatch WHERE id = %(batch)s"
    assert importing.ask(query) == [(ACCEPTED - 1, 2)]
    stand = "SELECT count(*), count(DISTINCT external_id) FROM orders_order"
    assert importing.ask(stand) == [(ACCEPTED + 2, ACCEPTED + 2)]
