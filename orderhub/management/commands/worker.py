"""`manage.py worker`: runs deliveries, projections and periodic jobs of some queues."""

from __future__ import annotations

import os
import platform
import secrets
import threading
import warnings
from argparse import ArgumentParser
from typing import Any

from celery.exceptions import SecurityWarning
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orderhub.celery import QUEUES, app
from orderhub.events import beats, embedded, hearing
from orderhub.management.supervisor import PARENT_VARIABLE

LESS_URGENT, MOST_NICE = 5, 19


class Command(BaseCommand):
    """A Celery worker: on Redis in production; embedded, on an in-memory broker fed by watching the
    database.
    """

    requires_system_checks = ()  # `serve`, `migrate` and CI run them; a worker that restarts should be quick
    help = "Run background work. --embedded is the child that `serve` starts where there is no Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Queues and mode."""
        parser.add_argument(
            "--queues", default=",".join(QUEUES), help="Comma-separated; all of them by default."
        )
        parser.add_argument(
            "--embedded", action="store_true", help="Watch the database; no broker is needed."
        )
        parser.add_argument("--concurrency", type=int, default=2, help="Processes (threads, if embedded).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
        if unknown := sorted(set(queues) - set(QUEUES)):
            raise CommandError(f"There is no queue {', '.join(unknown)}. Queues: {', '.join(QUEUES)}.")
        if not options["embedded"] and settings.EMBEDDED:
            raise CommandError(
                "REDIS_URL is not set. Set it, or run `manage.py serve`, which brings its own worker."
            )
        # Django's debug mode keeps and spells out every statement: a third of the time of bulk writes.
        settings.DEBUG = False
        os.environ[beats.QUEUES_VARIABLE] = ",".join(queues)
        name = f"{'-'.join(queues)[:40]}-{secrets.token_hex(3)}@{platform.node()}"
        if options["embedded"]:
            self._run_embedded(name, concurrency=options["concurrency"])
        else:
            self._run_on_broker(name, queues, concurrency=options["concurrency"])

    def _run_embedded(self, name: str, *, concurrency: int) -> None:
        parent = int(os.environ.get(PARENT_VARIABLE, "0")) or os.getppid()
        app.conf.update(broker_url="memory://localhost/", broker_transport_options={"polling_interval": 0.02})
        embedded.start(parent_pid=parent)
        _work(name, list(QUEUES), pool="threads", concurrency=concurrency)

    def _run_on_broker(self, name: str, queues: list[str], *, concurrency: int) -> None:
        # On a shared machine the doors come first, then the orders under way, then what nobody waits for.
        stands_back = 0 if {"intake", "route"} & set(queues) else LESS_URGENT
        os.nice(min(MOST_NICE, settings.WORKER_NICENESS + stands_back))
        threading.Thread(target=hearing.watch, kwargs={"name": name}, name="hearing", daemon=True).start()
        _work(name, queues, pool="prefork", concurrency=concurrency, optimization="fair")


def _work(name: str, queues: list[str], **options: Any) -> None:
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    # Celery warns of workers run by root because of pickle; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = app.Worker(
        hostname=name, queues=queues, loglevel="WARNING", quiet=True, without_gossip=True,
        without_mingle=True, without_heartbeat=True, **options,
    )  # fmt: skip
    worker.start()
    raise SystemExit(worker.exitcode)
