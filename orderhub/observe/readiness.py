"""What the hub depends on, each with whether it is well; asked by `/readyz`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from orderhub.events import beats, hearing, partitions, queries
from orderhub.kernel import clock

OLDEST_SECONDS = 300.0
LEAST_FREE_RATIO = 0.05
BROKER_SECONDS = 1.0
_migrated: dict[str, float] = {}
_MIGRATED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Dependency:
    """`fatal`: without it no request can be answered, so this process must get none; otherwise orders are
    still taken, and a person should look.
    """

    name: str
    is_well: bool
    says: str
    fatal: bool = False


def ask() -> list[Dependency]:
    """Everything; what lies behind a dead database is not asked."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        pending = _pending_migrations()
        found = [
            Dependency("database", True, "answers", fatal=True),
            Dependency(
                "migrations", not pending, f"{pending} to apply" if pending else "applied", fatal=True
            ),
        ]
        if not pending:
            found += [*_work(), *_partitions()]
    except DatabaseError as fault:
        found = [Dependency("database", False, type(fault).__name__, fatal=True)]
    return [*found, *_broker(), _disk()]


def _pending_migrations() -> int:
    """Asked of the database once a minute: what is applied stays so."""
    name = str(connection.settings_dict["NAME"])
    if monotonic() - _migrated.get(name, -_MIGRATED_SECONDS) < _MIGRATED_SECONDS:
        return 0
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not pending:
        _migrated[name] = monotonic()
    return pending


def _work() -> Iterator[Dependency]:
    now = clock.now()
    unserved = sorted(queries.unserved_queues(now=now))
    yield Dependency("workers", not unserved, f"none for {', '.join(unserved)}" if unserved else "heard")
    if not settings.EMBEDDED:
        heard = [worker for worker in queries.workers(now=now) if worker.name == hearing.CLOCK_NAME]
        ticks = any(worker.alive for worker in heard)
        says = "ticks" if ticks else f"not heard for {beats.LOST_SECONDS:.0f} s"
        yield Dependency("clock", ticks, says)
    backlog = queries.backlog(now=now)
    oldest = max((row.oldest_seconds for row in backlog), default=0.0)
    yield Dependency("deliveries", oldest < OLDEST_SECONDS, f"the oldest open one waits for {oldest:.0f} s")
    dead = sum(row.dead for row in backlog)
    yield Dependency("dead_deliveries", not dead, f"{dead} need a person")


def _partitions() -> Iterator[Dependency]:
    if not partitions.declared():
        return
    strays = partitions.strays()
    told = ", ".join(f"{rows} rows of {table}" for table, rows in strays.items())
    yield Dependency("default_partitions", not strays, told or "empty")
    least = min(partitions.months_ahead(now=clock.now()).values())
    yield Dependency("partitions", least >= 1, f"made for {least} months ahead")


def _broker() -> Iterator[Dependency]:
    if settings.EMBEDDED:
        return
    waits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **waits) as client:
            client.ping()
    except (redis.RedisError, OSError) as fault:
        yield Dependency("broker", False, type(fault).__name__)
    else:
        yield Dependency("broker", True, "answers")


def _disk() -> Dependency:
    usage = shutil.disk_usage(settings.DATA_DIR)
    ratio = usage.free / usage.total
    return Dependency("disk", ratio >= LEAST_FREE_RATIO, f"{ratio:.0%} free")
