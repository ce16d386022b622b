"""`manage.py doctor`: looks at everything OrderHub needs and says what is wrong and how to mend it."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError

from orderhub.celery import app
from orderhub.events import guard, queries, tail
from orderhub.kernel import clock


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; a remedy makes it a problem."""

    subject: str
    state: str
    remedy: str = ""


class Command(BaseCommand):
    """Examines environment, database, broker, libraries, backlog and workers; exit code 1 if anything is
    wrong.
    """

    help = "Check that OrderHub has what it needs, with a remedy for each problem."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding."""
        problems = 0
        for examine in (_environment, _database, _broker, _libraries, _work, _workers):
            for finding in _carefully(examine):
                problems += bool(finding.remedy)
                self._print(finding)
        if problems:
            raise SystemExit(1)

    def _print(self, finding: Finding) -> None:
        mark = self.style.ERROR("✗") if finding.remedy else self.style.SUCCESS("✓")
        self.stdout.write(f"{mark} {finding.subject}: {finding.state}")
        if finding.remedy:
            self.stdout.write(f"    → {finding.remedy}")


def _carefully(examine: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from examine()
    except DatabaseError as fault:
        yield Finding(examine.__name__.strip("_"), f"cannot be told ({fault})", "Mend the database first.")


def _environment() -> Iterator[Finding]:
    mode = "embedded: no Redis is needed" if settings.EMBEDDED else "production: Redis and workers"
    yield Finding("mode", f"{mode}; debug is {'on' if settings.DEBUG else 'off'}")
    yield Finding("software", f"Python {platform.python_version()}, Django {django.get_version()}")
    yield Finding("data folder", str(settings.DATA_DIR))


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except DatabaseError as fault:
        yield Finding("database", f"does not answer: {fault}", "Start it, or correct DATABASE_URL.")
        return
    if connection.vendor == "sqlite":
        yield Finding("database", f"SQLite {sqlite3.sqlite_version} at {connection.settings_dict['NAME']}")
    else:
        yield Finding("database", f"PostgreSQL at {connection.settings_dict['HOST'] or 'a local socket'}")
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    yield Finding(
        "migrations",
        f"{pending} to apply" if pending else "all applied",
        "Run `manage.py migrate`." if pending else "",
    )
    if not pending:
        yield from _log()


def _log() -> Iterator[Finding]:
    missing = guard.missing_triggers()
    remedy = (
        "A migration copied the table: add one that ends with AppendOnly(...) and migrate." if missing else ""
    )
    yield Finding(
        "append-only tables", f"unprotected: {', '.join(missing)}" if missing else "protected", remedy
    )
    if tail.is_ahead_of_database():
        yield Finding(
            "log",
            "was restored from another server: new events would not be read",
            "Run `manage.py rebase_log`.",
        )


def _broker() -> Iterator[Finding]:
    if settings.EMBEDDED:
        yield Finding("broker", "in the worker's own memory")
        return
    try:
        with app.connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=3)
        yield Finding("broker", f"answers at {link.as_uri()}")
    except (OperationalError, OSError) as fault:
        yield Finding(
            "broker",
            f"does not answer: {fault}",
            "Start Redis, or correct REDIS_URL. Nothing is lost meanwhile.",
        )


def _libraries() -> Iterator[Finding]:
    collected = (settings.STATIC_ROOT / "staticfiles.json").exists()
    if settings.DEBUG or not collected:
        here = settings.NODE_MODULES.is_dir()
        yield Finding("browser libraries", "here" if here else "missing", "" if here else "Run `make setup`.")
    if not settings.DEBUG:
        remedy = "" if collected else "Run `manage.py collectstatic --no-input`."
        yield Finding("static files", "collected" if collected else "not collected", remedy)


def _work() -> Iterator[Finding]:
    for entry in queries.backlog(now=clock.now()):
        remedy = (
            f"Look at {entry.subscriber} under Deliveries in the admin: replay or skip them."
            if entry.dead
            else ""
        )
        state = f"{entry.open} open (oldest {entry.oldest_seconds:.0f} s), {entry.dead} need a person"
        yield Finding(f"deliveries of {entry.subscriber}", state, remedy)
    for projection in queries.projections():
        remedy = (
            f"Read the error under Parked events, then `manage.py replay {projection.name}`."
            if projection.parked
            else ""
        )
        state = f"{projection.behind} events behind, {projection.parked} parked"
        yield Finding(f"projection {projection.name}", state, remedy)


def _workers() -> Iterator[Finding]:
    now = clock.now()
    for worker in queries.workers(now=now):
        state = f"last heard {(now - worker.beat_at).total_seconds():.0f} s ago"
        yield Finding(f"worker {worker.name}", state if worker.alive else f"{state}: gone")
    unserved = sorted(queries.unserved_queues(now=now))
    if unserved:
        remedy = "Start `manage.py serve`, or a worker for them: `manage.py worker --queues …`."
        yield Finding("queues without a live worker", ", ".join(unserved), remedy)
