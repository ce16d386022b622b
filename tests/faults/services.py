"""A PostgreSQL cluster and a Redis server of a test's own, which it may crash and start again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

from tests.faults import hub

_PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(slots=True)
class PostgreSQL:
    """A cluster with a database `hub`, durable as in production."""

    pg_ctl: str
    data: Path
    port: int
    account: str | None

    @property
    def url(self) -> str:
        """Its address for DATABASE_URL."""
        return f"postgresql://postgres@{hub.HERE}:{self.port}/hub"

    def control(self, *words: str) -> None:
        """Run pg_ctl and wait for it."""
        options = f"-c listen_addresses={hub.HERE} -c port={self.port} -c unix_socket_directories={self.data}"
        command = [
            self.pg_ctl,
            "-D",
            str(self.data),
            "-w",
            "-l",
            str(self.data / "server.log"),
            "-o",
            options,
        ]
        nothing = subprocess.DEVNULL
        subprocess.run(
            [*command, *words], user=self.account, cwd=self.data, check=True, stdout=nothing, stderr=nothing
        )

    def crash_and_restart(self) -> None:
        """End all its processes at once, without a checkpoint, and let it recover."""
        self.control("restart", "-m", "immediate")

    def ask(self, statement: str) -> int:
        """One number."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])


def _missing(text: str) -> NoReturn:
    """A laptop may lack a server; the continuous run installs it, so there its absence is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A running cluster; skips where PostgreSQL is not installed."""
    initdb = _program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="orderhub-fault-"))
    account = "postgres" if os.geteuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    if account is not None:
        for path in (folder, data):
            os.chown(path, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
    words = [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run(words, user=account, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    server = PostgreSQL(_program("pg_ctl"), data, hub.free_port(), account)
    server.control("start")
    try:
        with psycopg.connect(server.url.replace("/hub", "/postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE hub")
        yield server
    finally:
        server.control("stop", "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = sorted(_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        _missing(f"PostgreSQL is not installed here: there is no {name} (Debian: postgresql)")
    return path


@contextlib.contextmanager
def redis_server(log: Path) -> Iterator[tuple[hub.Process, str]]:
    """A running Redis that keeps nothing on disk, and its address; skips where Redis is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        _missing("Redis is not installed here: there is no redis-server (Debian: redis-server)")
    port = hub.free_port()
    words = [program, "--bind", hub.HERE, "--port", str(port), "--save", "", "--appendonly", "no"]
    process = hub.Process(words, hub.environment(), log)
    process.start()
    url = f"redis://{hub.HERE}:{port}/0"
    try:
        hub.until(lambda: _pings(url), seconds=15, what="Redis answers")
        yield process, url
    finally:
        process.kill()


def _pings(url: str) -> bool:
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=1) as connection:
        return bool(connection.ping())
    return False
