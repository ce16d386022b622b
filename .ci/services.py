"""Run a command with PostgreSQL, Redis and an MQTT broker at hand: `services.py pytest -m services`.

A service named in the environment (DATABASE_URL, REDIS_URL, MQTT_URL) is used; else PostgreSQL and Redis at
their usual ports on this machine; else one is started from what is installed, on a free port, and stopped at
the end. The command gets a database of its own, dropped afterwards, and a Redis database that was empty,
emptied afterwards.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

HERE = "127.0.0.1"
PATIENCE_SECONDS = 30.0
DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")


def main(command: list[str]) -> int:
    """Run the command with the services' addresses in its environment; returns its exit code."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhub-services-")))
        environment = {
            **os.environ,
            "DATABASE_URL": stack.enter_context(own_database(stack.enter_context(postgresql(folder)))),
            "REDIS_URL": stack.enter_context(own_number(stack.enter_context(redis_server()))),
        }
        mqtt = stack.enter_context(mqtt_broker())
        if mqtt:
            environment["MQTT_URL"] = mqtt
        for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL"):
            print(f"{name}={environment.get(name, '(none)')}", flush=True)
        return subprocess.run(command, env=environment, check=False).returncode


# --- PostgreSQL ---


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Yield the address of a PostgreSQL server."""
    usual = f"postgresql://postgres@{HERE}:5432/postgres"
    given = os.environ.get("DATABASE_URL") or (usual if opens(usual) else "")
    if given:
        yield given
        return
    port, data = free_port(), folder / "postgresql"
    data.mkdir()
    make, serve = binary("initdb"), binary("postgres")
    account = server_account(folder, data)
    initdb = [make, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, user=account, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    # Durability off: this cluster lives as long as one test run.
    settings = ["-c", "fsync=off", "-c", f"listen_addresses={HERE}", "-c", f"unix_socket_directories={data}"]
    server = [serve, "-D", str(data), "-p", str(port), *settings]
    address = f"postgresql://postgres@{HERE}:{port}/postgres"
    with started(server, answers=lambda: opens(address), account=account, folder=folder):
        yield address


@contextlib.contextmanager
def own_database(address: str) -> Iterator[str]:
    """Make a database for this run and yield its address; drop it, and the test databases made from it."""
    name = f"orderhub_run_{os.getpid()}"
    execute(address, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
    finally:
        for database in (name, *databases_like(address, prefix=f"test_{name}")):
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            execute(address, drop)


def databases_like(address: str, *, prefix: str) -> list[str]:
    """List the databases whose names begin so."""
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        return [str(name) for (name,) in rows]


def execute(address: str, statement: sql.Composed) -> None:
    """Run one statement outside a transaction."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def opens(address: str) -> bool:
    """Tell whether a PostgreSQL server lets us in."""
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def server_account(*folders: Path) -> str | None:
    """Return the account to start PostgreSQL with, and give it the folders; None for our own account."""
    if os.geteuid() != 0:
        return None
    # PostgreSQL refuses to run as root; its package makes this account.
    account = pwd.getpwnam("postgres")
    for folder in folders:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return account.pw_name


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, which Debian keeps off PATH."""
    found = sorted(DEBIAN_POSTGRESQL.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise SystemExit("No PostgreSQL here: set DATABASE_URL or install it (Debian: postgresql).")
    return path


# --- Redis and MQTT ---


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """Yield the address of a Redis server, without a database number."""
    usual = f"redis://{HERE}:6379"
    given = os.environ.get("REDIS_URL") or (usual if pings(usual) else "")
    if given:
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("No Redis here: set REDIS_URL or install it (Debian: redis-server).")
    address = f"redis://{HERE}:{(port := free_port())}"
    command = [program, "--bind", HERE, "--port", str(port), "--save", "", "--appendonly", "no"]
    with started(command, answers=lambda: pings(address)):
        yield address


@contextlib.contextmanager
def own_number(address: str) -> Iterator[str]:
    """Yield the address of an empty database of the Redis server, and leave it empty."""
    # Redis has 0 to 15, and the channel layer takes the number after the broker's.
    for number in range(14, 0, -2):
        candidate = urlunsplit(urlsplit(address)._replace(path=f"/{number}"))
        with redis.Redis.from_url(candidate) as client:
            if client.dbsize() == 0:
                try:
                    yield candidate
                finally:
                    client.flushdb()
                return
    raise SystemExit("Every database number of the Redis server is in use.")


def pings(address: str) -> bool:
    """Tell whether a Redis server answers."""
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextlib.contextmanager
def mqtt_broker() -> Iterator[str | None]:
    """Yield the address of an MQTT broker, or None where there is none: its tests then say so."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    given = os.environ.get("MQTT_URL")
    if given or program is None:
        yield given
        return
    port = free_port()
    with started([program, "-p", str(port)], answers=lambda: listens(port)):
        yield f"mqtt://{HERE}:{port}"


# --- small things ---


@contextlib.contextmanager
def started(
    command: list[str], *, answers: Callable[[], bool], account: str | None = None, folder: Path | None = None
) -> Iterator[None]:
    """Keep a server running for the block; fails when it does not answer in time."""
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, user=account, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers():
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} did not start.")
            time.sleep(0.1)
        yield
    finally:
        # An interrupt is what makes PostgreSQL stop without waiting for its clients.
        server.send_signal(signal.SIGINT)
        try:
            server.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()


def listens(port: int) -> bool:
    """Tell whether something on this machine accepts connections at the port."""
    with contextlib.suppress(OSError), socket.create_connection((HERE, port), timeout=1):
        return True
    return False


def free_port() -> int:
    """Return a TCP port that nobody uses now."""
    with socket.create_server((HERE, 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    # A time limit ends us with SIGTERM: leave through the clean-up all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
