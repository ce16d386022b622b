"""Rows of tables on real PostgreSQL and MariaDB: ties, late commits, kills, read only, and only where one may."""

from __future__ import annotations

import json
import os
import shutil
import socket as plain
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
from django.db import connection

from orderhub.connectors import envelopes
from orderhub.connectors.console import trying
from orderhub.connectors.models import Connection, InboxMessage
from orderhub.connectors.ways import databases, turns
from orderhub.connectors.ways.reasons import Broken
from orderhub.kernel import clock
from orderhub.orders.models import Order
from tests import make
from tests.connectors import systems
from tests.connectors.ways import cast, servers
from tests.make import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
PASSWORD = "word-of-the-reader"
_MARIADBD = shutil.which("mariadbd") or shutil.which("mysqld")


@dataclass
class Other:
    """Another database: how it is written to, and what a connection is told of it."""

    engine: str
    port: int
    database: str
    user: str
    open: Callable[[], Any]

    def run(self, *statements: str) -> None:
        """Run these as the owner."""
        with self.open() as line, line.cursor() as cursor:
            for one in statements:
                cursor.execute(one)
            line.commit()

    def put(self, number: int, at: str, *, rev: int = 1, table: str = "jobs") -> None:
        """A row of an order, new or changed."""
        self.run(statement(number, at, rev=rev, table=table, engine=self.engine))


def statement(number: int, at: str, *, rev: int = 1, table: str = "jobs", engine: str = "postgresql") -> str:
    """What writes an order into the table."""
    document = systems.order(id=number, rev=rev)
    goods, place = (
        json.dumps(document[one], ensure_ascii=False).replace("'", "''") for one in ("goods", "to")
    )
    values = f"({number}, '{at}', {rev}, 'paid', 1800, 1800.50, '{goods}', '{place}')"
    if engine == "postgresql":
        newer = "changed_at = excluded.changed_at, rev = excluded.rev"
        return f"INSERT INTO {table} VALUES {values} ON CONFLICT (id) DO UPDATE SET {newer}"
    return f"REPLACE INTO {table} VALUES {values}"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Other]:
    parts = urlsplit(os.environ.get("DATABASE_URL") or "postgresql://postgres@127.0.0.1:5432/postgres")
    port, name = parts.port or 5432, f"other_{os.getpid()}"
    owner = {"host": parts.hostname, "port": port, "user": parts.username, "password": parts.password}
    with psycopg.connect(**owner, dbname="postgres", autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
        line.execute(f"CREATE ROLE reader_{name} LOGIN PASSWORD '{PASSWORD}'")
    found = Other("postgresql", port, name, f"reader_{name}", lambda: psycopg.connect(**owner, dbname=name))
    yield found
    with psycopg.connect(**owner, dbname="postgres", autocommit=True) as line:
        line.execute(f"DROP DATABASE {name} WITH (FORCE)")
        line.execute(f"DROP ROLE reader_{name}")


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    if _MARIADBD is None:
        pytest.skip("no MariaDB is installed here")
    with _mariadbd(tmp_path_factory.mktemp("mariadb")) as (port, socket):
        found = Other(
            "mysql",
            port,
            "other",
            "reader",
            lambda: pymysql.connect(unix_socket=socket, user="root", database="other", charset="utf8mb4"),
        )
        with pymysql.connect(unix_socket=socket, user="root") as line, line.cursor() as cursor:
            cursor.execute("CREATE DATABASE other CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE USER reader@'%' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute("GRANT SELECT ON other.* TO reader@'%'")
        yield found


@contextmanager
def _mariadbd(folder: Path) -> Iterator[tuple[int, str]]:
    data, socket, port = folder / "data", str(folder / "s.sock"), servers.free_port()
    own = ["--user=root"] if os.getuid() == 0 else []
    cert, key = servers.certificate(folder)
    installer = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
    assert installer is not None
    subprocess.run(
        [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", *own],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server = subprocess.Popen(
        [str(_MARIADBD), "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1",
         "--skip-name-resolve", f"--ssl-cert={cert}", f"--ssl-key={key}", "--innodb-flush-log-at-trx-commit=0", *own],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _try in range(300):
            with suppress(OSError), plain.create_connection((servers.HERE, port), timeout=1):
                break
            time.sleep(0.1)
        yield port, socket
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(params=["postgresql", "mariadb"])
def other(request: Any, hub_clock: Clock, settings: Any) -> Other:
    make.network()
    settings.TABLE_HOSTS = ["127.0.0.0/8"]
    found: Other = request.getfixturevalue(request.param)
    text = "text" if found.engine == "postgresql" else "longtext CHARACTER SET utf8mb4"
    moment = "timestamp" if found.engine == "postgresql" else "datetime(6)"
    mark = '"' if found.engine == "postgresql" else "`"
    found.run(
        "DROP TABLE IF EXISTS jobs",
        f"CREATE TABLE jobs (id bigint PRIMARY KEY, changed_at {moment}, rev int, state varchar(20), fen int,"
        f" grams numeric(12,2), goods {text}, {mark}to{mark} {text})",
        *(["GRANT SELECT ON jobs TO " + found.user] if found.engine == "postgresql" else []),
    )  # fmt: skip
    return found


def _connect(other: Other, *, document: dict[str, Any] = cast.TABLE, **config: Any) -> Connection:
    return cast.connect(
        document, on="table", secrets={"table_password": PASSWORD}, **{
            "table_engine": other.engine, "table_host": "127.0.0.1", "table_port": other.port, "table_tls": "none",
            "table_database": other.database, "table_user": other.user, "table_name": "jobs", "table_moved_by": "changed_at",
            "table_id": "id", "table_from": "all", **config},
    )  # fmt: skip


def _taken() -> list[int]:
    """The orders of the messages, in the order they came."""
    return [json.loads(envelope)["id"] for envelope in _bodies()]


def _bodies() -> list[str]:
    return [envelopes.body_of(one).decode() for one in InboxMessage.objects.order_by("id")]


def test_rows_become_orders_page_after_page_and_ties_lose_none(other: Other, hub_clock: Clock) -> None:
    """Ten rows of the same moment over pages of three: each once, decimals digit by digit."""
    row = _connect(other)
    for number in range(1, 11):
        other.put(number, "2026-11-11 08:00:00.123456")
    other.put(11, "2026-11-11 08:00:01")

    found = cast.look(hub_clock, times=1)

    assert cast.error(row) == ""
    assert (found, _taken()) == (11, list(range(1, 12)))
    assert json.loads(_bodies()[0], parse_float=str)["grams"] == "1800.50"
    assert cast.look(hub_clock, times=3) == 0


def test_a_changed_row_is_told_again(other: Other, hub_clock: Clock) -> None:
    row = _connect(other)
    other.put(1001, "2026-11-11 08:00:00")
    cast.look(hub_clock, times=1)
    make.run_until_idle()
    other.put(1001, "2026-11-11 08:05:00", rev=2)
    cast.look(hub_clock, times=1)
    make.run_until_idle()

    assert Order.objects.get().external_id == "1001"
    assert InboxMessage.objects.filter(connection=row).count() == 2


def test_a_row_that_was_committed_late_is_found_by_the_overlap(other: Other, hub_clock: Clock) -> None:
    """It got its moment before others that were seen first; 300 s of overlap meet it."""
    row = _connect(other)
    other.put(1, "2026-11-11 08:00:00")
    other.put(3, "2026-11-11 08:04:00")
    cast.look(hub_clock, times=1)

    other.put(2, "2026-11-11 08:02:00")
    cast.look(hub_clock, times=1)
    assert sorted(_taken()) == [1, 2, 3]

    # Long after, the last minutes are not read again and again.
    cast.look(hub_clock, times=12)
    assert cast.mark(row).cursor["settled"] is True
    other.put(4, "2026-11-11 09:00:00")
    cast.look(hub_clock, times=1)
    assert sorted(_taken()) == [1, 2, 3, 4]


def test_a_walk_that_runs_out_of_time_goes_on_where_it_was(
    other: Other, hub_clock: Clock, monkeypatch: Any
) -> None:
    """A whole table of one moment, larger than a turn: it is read to the end, and then left alone."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)
    row = _connect(other)
    for number in range(1, 11):
        other.put(number, "2026-11-11 08:00:00")

    counts = [cast.look(hub_clock, times=1) for _turn in range(5)]

    assert counts == [3, 3, 3, 1, 0]
    for _turn in range(30):
        cast.look(hub_clock, times=1)
    assert cast.mark(row).cursor["settled"] is True
    assert InboxMessage.objects.count() == 10


def test_a_number_that_only_grows_needs_no_other_column(other: Other, hub_clock: Clock) -> None:
    _connect(other, table_moved_by="id", table_id="")
    for number in (5, 6, 8):
        other.put(number, "2026-11-11 08:00:00")
    cast.look(hub_clock, times=1)
    other.put(7, "2026-11-11 08:00:00")  # given out before 8 and committed after it
    other.put(9, "2026-11-11 08:00:00")
    cast.look(hub_clock, times=1)

    assert sorted(_taken()) == [5, 6, 7, 8, 9]


def test_new_rows_only_where_that_was_chosen(other: Other, hub_clock: Clock) -> None:
    for number in range(1, 6):
        other.put(number, f"2026-11-1{number} 08:00:00")
    _connect(other, table_from="new")
    cast.look(hub_clock, times=1)
    other.put(6, "2026-11-20 08:00:00")
    cast.look(hub_clock, times=1)

    assert _taken() == [5, 6]


@pytest.mark.parametrize("where", ["kept", "moved"])
def test_a_kill_between_pages_loses_and_repeats_nothing(
    other: Other, hub_clock: Clock, monkeypatch: Any, where: str
) -> None:
    row = _connect(other)
    for number in range(1, 8):
        other.put(number, "2026-11-11 08:00:00")

    class Killed(BaseException):
        """What no handler catches."""

    own, moves = turns.Turn.move, []

    def killed(self: turns.Turn, cursor: dict[str, Any]) -> None:
        moves.append(cursor)
        if len(moves) == 3 and where == "kept":
            raise Killed
        own(self, cursor)
        if len(moves) == 3:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(turns.Turn, "move", killed)
        hub_clock.advance(seconds=1)
        with pytest.raises(Killed):
            turns.run_due(now=clock.now())
    assert 0 < InboxMessage.objects.count() < 7
    cast.abandon(row)
    cast.look(hub_clock, times=2)

    assert sorted(_taken()) == list(range(1, 8))


def test_nothing_can_be_written_and_no_name_is_sql(other: Other, hub_clock: Clock) -> None:
    row = _connect(other, table_name='jobs"; DROP TABLE jobs; --')
    cast.look(hub_clock, times=1)
    assert cast.error(row).startswith("The database says:")

    row.config = {**row.config, "table_name": "jobs"}
    with _table(row) as table, pytest.raises(Broken):
        table._asked("DELETE FROM jobs", ())
    other.put(1, "2026-11-11 08:00:00")


@contextmanager
def _table(row: Connection) -> Iterator[databases.Table]:
    table = databases.open_table(row)
    try:
        yield table
    finally:
        table.close()


def test_odd_names_of_tables_and_columns_are_found(other: Other, hub_clock: Clock) -> None:
    mark = '"' if other.engine == "postgresql" else "`"
    odd = f"{mark}订单 100%s {mark * 2}x{mark}"
    other.run(f"DROP VIEW IF EXISTS {odd}", f"CREATE VIEW {odd} AS SELECT * FROM jobs")
    if other.engine == "postgresql":
        other.run(f"GRANT SELECT ON {odd} TO {other.user}")
    _connect(other, table_name=f"订单 100%s {mark}x")
    other.put(1, "2026-11-11 08:00:00")

    assert cast.look(hub_clock, times=1) == 1
    other.run(f"DROP VIEW {odd}")


def test_a_database_that_is_gone_is_told_and_asked_less_often_and_goes_on(
    other: Other, hub_clock: Clock
) -> None:
    row = _connect(other, table_port=servers.free_port())
    cast.look(hub_clock, times=1)
    mark = cast.mark(row)
    assert "No connection" in cast.error(row)
    assert PASSWORD not in json.dumps(mark.fault)
    assert mark.leased_until is None
    Connection.objects.filter(pk=row.pk).update(failures_in_a_row=6)
    cast.look(hub_clock, times=1)
    assert cast.mark(row).next_at - clock.now() == timedelta(minutes=15)

    row.refresh_from_db()
    row.config = {**row.config, "table_port": other.port}
    row.save()
    other.put(1, "2026-11-11 08:00:00")
    assert cast.look(hub_clock, times=1, seconds=1000) == 1
    row.refresh_from_db()
    assert row.failures_in_a_row == 0


def test_a_database_in_a_private_network_is_only_asked_where_the_operator_named_it(
    other: Other, hub_clock: Clock, settings: Any
) -> None:
    settings.TABLE_HOSTS = ["10.0.0.0/8", "db.example"]
    row = _connect(other)
    cast.look(hub_clock, times=1)
    assert "HUB_TABLE_HOSTS" in cast.error(row)


def test_the_test_button_shows_columns_and_tries_the_last_row(other: Other, hub_clock: Clock) -> None:
    row = _connect(other)
    other.put(1001, "2026-11-11 08:00:00")

    said = trying.test(row, now=clock.now())

    assert [one.tone for one in said] == ["ok", "ok", "ok"]
    assert "changed_at" in said[1].text
    assert InboxMessage.objects.count() == 0
    row.config = {**row.config, "table_moved_by": "altered"}
    assert any("altered" in one.text for one in trying.test(row, now=clock.now()))


def test_moments_no_clock_shows_are_texts(postgresql: Other, hub_clock: Clock, settings: Any) -> None:
    settings.TABLE_HOSTS = ["127.0.0.1"]
    make.network()
    postgresql.run(
        "DROP TABLE IF EXISTS odd", "CREATE TABLE odd (n int, until timestamptz, day date, it uuid, b bytea, j jsonb, f float8)",
        f"GRANT SELECT ON odd TO {postgresql.user}",
        "INSERT INTO odd VALUES (1, 'infinity', '0044-03-15 BC', '00000000-0000-0000-0000-000000000001',"
        " '\\xff00', '{\"a\": [1.50]}', 'NaN')",
    )  # fmt: skip
    _connect(postgresql, table_name="odd", table_moved_by="n", table_id="")

    assert cast.look(hub_clock, times=1) == 1

    said = json.loads(_bodies()[0])
    assert (said["until"], said["f"], said["b"], said["j"]) == ("infinity", None, "/wA=", {"a": [1.5]})
    assert "BC" in said["day"]


def test_four_workers_at_once_read_every_row_once(other: Other, hub_clock: Clock) -> None:
    row = _connect(other)
    for number in range(1, 13):
        other.put(number, "2026-11-11 08:00:00")
    hub_clock.advance(seconds=1)
    start, found = threading.Barrier(4), list[int]()

    def work() -> None:
        try:
            start.wait(10)
            found.append(turns.run_due(now=clock.now()))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(found) == [0, 0, 0, 12]
    assert cast.error(row) == ""
    assert sorted(_taken()) == list(range(1, 13))


def test_a_certificate_is_checked_unless_that_was_waived(
    mariadb: Other, hub_clock: Clock, settings: Any, monkeypatch: Any
) -> None:
    """The server's certificate is its own: refused where it is to be checked, taken where only encryption was asked."""
    settings.TABLE_HOSTS = ["127.0.0.1"]
    make.network()
    mariadb.run("DROP TABLE IF EXISTS jobs", "CREATE TABLE jobs (id int PRIMARY KEY, changed_at datetime(6))")
    row = _connect(mariadb, table_tls="checked")
    cast.look(hub_clock, times=1)
    assert "certificate" in cast.error(row).lower()

    row.config = {**row.config, "table_tls": "encrypted"}
    with _table(row) as table:
        (said,) = table._rows("SHOW STATUS LIKE 'Ssl_cipher'", ())
    assert said["Value"]
