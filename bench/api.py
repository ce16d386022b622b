"""Creating an order over HTTP: our endpoint, the same SQL through pgbench, and an idiomatic DRF endpoint.

    python bench/api.py [--orders 400] [--rounds 5] [--workers 2]

Each server is the production one (uvicorn, PostgreSQL, Redis) in processes of its own; the load comes from another
process over keep-alive connections. Processor time is that of the server's processes and of their PostgreSQL backends;
for pgbench that of its backend alone. The SQL is recorded from the endpoint at work, values and all, and run by
pgbench on a copy of the database taken just before, statements that the hub keeps prepared being prepared there too.
Orders have three lines. Ours and pgbench take turns; medians over the rounds, `ratio_to_pgbench` of the rounds' ratios;
`p95_ms` at 150 orders a second, `orders_per_s` with 16 clients that wait for each answer.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import house

KEY = "bench-" + "k" * 40
CODES = ("LAMP", "CUP", "QUILT")
RATE, SECONDS = 150, 8


# ---- bodies --------------------------------------------------------------------------------------


def ours(number: str) -> dict[str, Any]:
    """An order for our endpoint."""
    return {
        "external_id": number, "paid": True, "currency": "CNY",
        "destination": {
            "country": "CN", "province": "上海市", "city": "上海市", "district": "浦东新区", "address": "世纪大道 1 号",
            "name": "方女士", "phone": "10000000001", "postcode": "200120",
        },
        "lines": [{"sku": code, "quantity": 1, "unit_price": "29.00"} for code in CODES],
    }  # fmt: skip


def theirs(number: str) -> dict[str, Any]:
    """The same order as the peer's serializers want it."""
    body = ours(number)
    where = body.pop("destination")
    person = {name: where.pop(name) for name in ("name", "phone", "address", "postcode")}
    del body["paid"]
    return {**body, **where, "channel": "api", "person": person}


# ---- the load, a process of its own --------------------------------------------------------------


def load(port: int, form: str, tag: str, count: int, clients: int, rate: float) -> None:
    """Send orders over `clients` connections, as fast as answers come or at `rate` a second; print what was seen."""
    body = {"ours": ours, "theirs": theirs}[form]
    numbers, lock = iter(range(count)), threading.Lock()
    spent: list[float] = []
    bad: list[str] = []
    started = time.perf_counter()

    def client() -> None:
        link = http.client.HTTPConnection("127.0.0.1", port)
        link.connect()
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = started + number / rate if rate else time.perf_counter()
            time.sleep(max(0.0, due - time.perf_counter()))
            name = f"{tag}-{number}"
            headers = {
                "Content-Type": "application/json", "Authorization": f"Api-Key {KEY}", "Idempotency-Key": name,
            }  # fmt: skip
            link.request("POST", "/api/v1/orders/", json.dumps(body(name)).encode(), headers)
            answer = link.getresponse()
            said = answer.read()
            spent.append(time.perf_counter() - due)
            if answer.status != 201:
                bad.append(f"{answer.status} {said[:300]!r}")

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - started
    spent.sort()
    print(json.dumps({
        "per_s": count / wall, "p50_ms": spent[count // 2] * 1000, "p95_ms": spent[int(count * 0.95)] * 1000,
        "bad": bad[:3],
    }))  # fmt: skip


def send(port: int, form: str, tag: str, count: int, *, clients: int = 16, rate: float = 0) -> dict[str, Any]:
    """Run `load` in another process; fails on any answer but 201."""
    arguments = [str(x) for x in (port, form, tag, count, clients, rate)]
    done = subprocess.run(
        [sys.executable, __file__, "--load", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if seen["bad"]:
        raise SystemExit(f"The endpoint refused orders: {seen['bad']}")
    return seen


# ---- servers and their processor time ------------------------------------------------------------


@contextmanager
def served(application: str, workers: int) -> Iterator[tuple[int, Callable[[], float]]]:
    """A server: its port, and what reads the processor seconds of it and its backends so far."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    name = f"bench-{port}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(parts._replace(query=f"application_name={name}"))
    command = [
        sys.executable, "-m", "uvicorn", application, "--port", str(port), "--workers", str(workers),
        "--lifespan", "off", "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "HUB_API_RATE": "100000",
        "PYTHONPATH": str(house.ROOT),
    }
    server = subprocess.Popen(
        command, env=environment, cwd=house.ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: _answers(port), 60)
        yield port, lambda: sum(house.cpu_seconds(pid) for pid in [*family(server.pid), *backends(name)])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def family(pid: int) -> list[int]:
    """The process and all that came from it."""
    found, level = [pid], [pid]
    while level:
        level = [
            int(child)
            for parent in level
            for task in Path(f"/proc/{parent}/task").glob("*")
            for child in (task / "children").read_text().split()
        ]
        found += level
    return found


def backends(name: str) -> list[int]:
    """The PostgreSQL processes that serve the application of that name."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name])
        return [row[0] for row in cursor.fetchall()]


def _answers(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/api/v1/nothing/", headers={"Authorization": f"Api-Key {KEY}"})
        return link.getresponse().status > 0
    except OSError:
        return False


def _until(ready: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit("The server did not start.")
        time.sleep(0.2)


def cpu_of(port: int, cpu: Callable[[], float], form: str, tag: str, count: int) -> float:
    """Processor milliseconds per order of one round."""
    before = cpu()
    send(port, form, tag, count, clients=8)
    return (cpu() - before) * 1000 / count


# ---- the same SQL through pgbench ----------------------------------------------------------------


class Recorder:
    """Notes every statement psycopg sends in this process, as pgbench can send it again."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.prepared: dict[str, str] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what happens in the block."""
        import psycopg

        execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

        def noting_execute(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
            link = cursor.connection
            if not link.autocommit and link.info.transaction_status.name == "IDLE":
                self.lines.append("BEGIN;")
            self.lines.append(self.text(cursor, query, params))
            return execute(cursor, query, params, **options)

        def noting_commit(link: Any) -> None:
            if link.info.transaction_status.name == "INTRANS":
                self.lines.append("COMMIT;")
            commit(link)

        psycopg.Cursor.execute, psycopg.Connection.commit = noting_execute, noting_commit
        try:
            yield
        finally:
            psycopg.Cursor.execute, psycopg.Connection.commit = execute, commit

    def text(self, cursor: Any, query: Any, params: Any) -> str:
        """The statement with its values; EXECUTE where the hub keeps it prepared."""
        import psycopg

        literal = psycopg.ClientCursor(cursor.connection)
        query = query.decode() if isinstance(query, bytes) else query
        if isinstance(cursor, psycopg.ClientCursor):
            return one_line(literal.mogrify(query, params)) + ";"
        name = self.prepared.setdefault(query, f"kept{len(self.prepared)}")
        values = ", ".join(literal.mogrify("%s", [value]) for value in params or [])
        return one_line(f"EXECUTE {name}({values})" if values else f"EXECUTE {name}") + ";"

    def script(self) -> str:
        """A pgbench script; it waits at the end so that its backend can still be asked for its time."""
        heads = []
        for query, name in self.prepared.items():
            first, *others = query.split("%s")
            text = "".join([first, *(f"${n}{part}" for n, part in enumerate(others, 1))]).replace("%%", "%")
            heads.append(one_line(f"PREPARE {name} AS {text}") + ";")
        return "\n".join([*heads, *self.lines, "\\sleep 2 s", ""])


def one_line(statement: str) -> str:
    """pgbench ends a statement at its semicolon and knows its own variables by a colon."""
    return " ".join(statement.split())


def record(count: int, tag: str) -> str:
    """Place orders in this process and give the script of their SQL."""
    from orderhub import asgi

    web: Any = asgi.application.application_mapping["http"]
    recorder = Recorder()
    for number in range(5):  # fills caches
        _place(web, f"{tag}-warm{number}")
    with recorder.listening():
        for number in range(count):
            _place(web, f"{tag}-{number}")
    return recorder.script()


def _place(web: Any, name: str) -> None:
    body = json.dumps(ours(name)).encode()
    headers = {
        "host": "localhost", "content-type": "application/json", "authorization": f"Api-Key {KEY}",
        "idempotency-key": name,
    }  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/orders/", "query_string": b"", "scheme": "http",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip
    answer = web._answer(scope, io.BytesIO(body), len(body))
    if answer.status_code != 201:
        raise SystemExit(f"{answer.status_code} {answer.content[:300]!r}")


def pgbench(script: str, count: int, address: str) -> float:
    """Processor milliseconds per order of the backend that serves pgbench.

    pgbench's own time is left out: nearly all of it goes into reading our long script, which would flatter us.
    """
    import psycopg

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.sql"
        file.write_text(script)
        environment = {**os.environ, "PGAPPNAME": "bench-pgbench", "PGOPTIONS": "-c synchronous_commit=on"}
        parts = urlsplit(address)
        command = [
            "pgbench", "-n", "-M", "simple", "-c", "1", "-t", "1", "-f", str(file), "-h", str(parts.hostname),
            "-p", str(parts.port or 5432), "-U", str(parts.username), parts.path.lstrip("/"),
        ]  # fmt: skip
        run = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        spent = 0.0
        while run.poll() is None:
            spent = max(spent, sum(map(house.cpu_seconds, backends("bench-pgbench"))))
            time.sleep(0.1)
        said = run.communicate()[0]
    if run.returncode or "ERROR" in said:
        raise SystemExit(f"pgbench failed: {said[-1500:]}")
    with psycopg.connect(address) as link:
        link.execute("CHECKPOINT")
    return spent * 1000 / count


@contextmanager
def copy_of_database() -> Iterator[str]:
    """A copy of the hub's database as it is now."""
    import psycopg
    from django.db import connections
    from psycopg import sql

    connections.close_all()
    parts = urlsplit(os.environ["DATABASE_URL"])
    name, source = f"{parts.path.lstrip('/')}_copy", parts.path.lstrip("/")
    desk = urlunsplit(parts._replace(path="/postgres", query=""))

    def run(statement: sql.Composed) -> None:
        with psycopg.connect(desk, autocommit=True) as link:
            link.execute(statement)

    run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))
    try:
        yield urlunsplit(parts._replace(path=f"/{name}", query=""))
    finally:
        run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def limit(count: int, rounds: int) -> Iterator[list[Callable[[], float]]]:
    """For each round, what measures the SQL of an order without us."""
    with copy_of_database() as address:
        scripts = [record(count, f"rec{number}") for number in range(rounds)]
        # Ids are values of the script, so it does not matter that the copy's sequences lag behind.
        yield [partial(pgbench, script, count, address) for script in scripts]


# ---- all of it -----------------------------------------------------------------------------------


def seed() -> None:
    """A merchant with a network and the key of the load."""
    from orderhub.access import services as access
    from tests import make

    access.issue_key(make.network(), name="bench", key=KEY)


def main() -> None:
    """Run all rounds and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--load", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        port, form, tag, count, clients, rate = options.load
        load(int(port), form, tag, int(count), int(clients), float(rate))
        return
    house.services()
    seed()
    count, rounds = options.orders, options.rounds
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    sql, mine = list[float](), list[float]()
    with (
        limit(count, rounds) as alone,
        served("orderhub.asgi:application", options.workers) as (port, cpu),
    ):
        send(port, "ours", "warm", 200)
        # In turns, since a shared machine is not equally fast all the time: each round is compared with its neighbor.
        for number, of_sql in enumerate(alone):
            sql.append(of_sql())
            mine.append(cpu_of(port, cpu, "ours", f"cpu{number}", count))
        print("pgbench, ms CPU of the backend per order", [round(x, 2) for x in sql], flush=True)
        print("ours, ms CPU per order", [round(x, 2) for x in mine], flush=True)
        fast = [send(port, "ours", f"fast{n}", count * 2) for n in range(rounds)]
        steady = [
            send(port, "ours", f"steady{n}", RATE * SECONDS, clients=32, rate=RATE) for n in range(rounds)
        ]
        print("ours, 16 clients", fast, flush=True)
        print(f"ours, {RATE}/s", steady, flush=True)
    with served("bench.peers.drf_orders:application", options.workers) as (port, cpu):
        send(port, "theirs", "peerwarm", 100)
        peer = [cpu_of(port, cpu, "theirs", f"peer{n}", count // 2) for n in range(rounds)]
        print("idiomatic DRF, ms CPU per order", [round(x, 2) for x in peer], flush=True)
    house.end_with(
        cpu_ms=round(median(mine), 2),
        ratio_to_pgbench=round(median(ours / theirs for ours, theirs in zip(mine, sql, strict=True)), 2),
        ratio_to_idiomatic_drf=round(median(mine) / median(peer), 3),
        orders_per_s=round(median(x["per_s"] for x in fast), 1),
        p95_ms=round(median(x["p95_ms"] for x in steady), 1),
        pgbench_cpu_ms=round(median(sql), 3),
        idiomatic_drf_cpu_ms=round(median(peer), 2),
        load_average=round(os.getloadavg()[0], 1),
    )


if __name__ == "__main__":
    main()
