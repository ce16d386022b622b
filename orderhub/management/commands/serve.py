"""`manage.py serve`: the whole hub with one command: database, web, background work and clock."""

from __future__ import annotations

import errno
import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any, NoReturn

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from uvicorn.supervisors import Multiprocess

from orderhub.access.models import Merchant
from orderhub.management.demo_world import DemoWorld
from orderhub.management.supervisor import Child, stop_all

#: Longer than partners' pools and proxies keep idle connections: else a request meets one that is just being closed.
KEEP_ALIVE_SECONDS = 75


class Command(BaseCommand):
    """Brings the database up to date, then runs uvicorn here and background work in supervised children."""

    help = "Start OrderHub: web, background work and clock; Ctrl+C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Address and demo."""
        parser.add_argument("--demo", action="store_true", help="Seed the demo shop first (debug mode only).")
        parser.add_argument("--port", type=int, default=settings.HUB_PORT)
        parser.add_argument(
            "--workers", type=int, default=settings.WEB_WORKERS,
            help="Web processes that share the port; more than one needs PostgreSQL, Redis and debug off.",
        )  # fmt: skip
        parser.add_argument("--host", default="127.0.0.1" if settings.DEBUG else "0.0.0.0")  # noqa: S104  (behind a proxy)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, start, and stop everything at the end."""
        workers = _workers(options["workers"])
        listener = _listen(options["host"], options["port"])
        self._prepare_database()
        self._prepare_static_files()
        if options["demo"]:
            self.stdout.write("Preparing the demo shop …")
            call_command("demo", stdout=self.stdout)
            os.environ.setdefault("HUB_DEMO_SHOPPERS", "1")
        signal.signal(signal.SIGTERM, _leave)
        children = [Child("worker", "--embedded")] if settings.EMBEDDED else [Child("worker"), Child("clock")]
        if settings.MQTT_URL:
            children.append(Child("listen_positions"))
        world = _world(options) if options["demo"] and settings.EMBEDDED else None
        try:
            for child in children:
                child.start()
            self._announce(options["port"], is_demo=options["demo"])
            if world is not None:
                self._introduce_world(world.start())
            proxy_headers = not settings.DEBUG
            # From here on as in production: Django's debug mode would keep and spell out every statement.
            settings.DEBUG = False
            config = uvicorn.Config(
                "orderhub.asgi:application", log_level="warning", lifespan="off", ws="auto",
                timeout_graceful_shutdown=3, proxy_headers=proxy_headers, timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )  # fmt: skip
            server = uvicorn.Server(config)
            if workers == 1:
                server.run(sockets=[listener])
            else:  # each is started anew when it ends; the port is theirs together
                config.workers = workers
                Multiprocess(config, sockets=[listener]).run()
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            self.stdout.write("Stopping …")
            if world is not None:
                world.close()
            stop_all(children)

    def _prepare_database(self) -> None:
        try:
            connection.ensure_connection()
            executor = MigrationExecutor(connection)
            pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        except DatabaseError as fault:
            where = "DATABASE_URL" if settings.DATABASE_URL else str(settings.DATABASES["default"]["NAME"])
            raise CommandError(f"The database ({where}) does not answer: {fault}") from fault
        if pending:
            self.stdout.write(f"Bringing the database up to date: {pending} migrations …")
            call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
            call_command("load_profiles", stdout=self.stdout)
        connection.close()

    def _prepare_static_files(self) -> None:
        if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
            self.stdout.write("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)

    def _announce(self, port: int, *, is_demo: bool) -> None:
        home = f"http://localhost:{port}" if settings.DEBUG else settings.PUBLIC_URL
        self.stdout.write(self.style.SUCCESS(f"OrderHub is at {home}/ and its admin at {home}/admin/"))
        if is_demo:
            self._introduce_demo(home)
        self.stdout.write("Press Ctrl+C to stop.")
        self.stdout.flush()

    def _introduce_demo(self, home: str) -> None:
        """Say how to get in."""
        for line in (
            f"  operators   {home}/admin/     log-in admin, password {settings.DEMO_PASSWORD}",
            f"  merchant    {home}/merchant/  log-in merchant, password {settings.DEMO_PASSWORD}",
            f"  API         {home}/api/docs/  Authorization: Api-Key {settings.DEMO_API_KEY}",
            f"  The simulated warehouse works {settings.SIM_SPEED} times faster than real (HUB_SIM_SPEED).",
        ):
            self.stdout.write(line)

    def _introduce_world(self, address: str) -> None:
        """Say how to make the connected systems misbehave."""
        self.stdout.write(
            f"  Its Taobao shop and its ERP are played at {address} (docs/fake-vendors.md says how to trouble them)."
        )
        self.stdout.flush()


def _world(options: dict[str, Any]) -> DemoWorld | None:
    """The systems the demo is connected to; HUB_DEMO_WORLD=0 leaves them out."""
    if os.environ.get("HUB_DEMO_WORLD", "1") == "0":
        return None
    return DemoWorld(Merchant.objects.get(code="demo"), f"http://127.0.0.1:{options['port']}")


def _workers(wanted: int) -> int:
    """How many web processes there may be: the laptop's database and live pages know one only."""
    if wanted < 1 or wanted > 64:
        raise CommandError("--workers is a number from 1 to 64.")
    if wanted > 1 and (settings.EMBEDDED or settings.DEBUG or not settings.ON_POSTGRESQL):
        raise CommandError(
            "Several web processes need DATABASE_URL (PostgreSQL), REDIS_URL and HUB_DEBUG=0. "
            "Set them, or leave out --workers."
        )
    return wanted


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started, so that a taken one is told at once."""
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as fault:
        listener.close()
        reason = (
            "is taken by another program" if fault.errno == errno.EADDRINUSE else f"cannot be used ({fault})"
        )
        raise CommandError(
            f"Port {port} on {host} {reason}. Stop that program, or choose another: "
            f"`manage.py serve --port {port + 1}`."
        ) from fault
    listener.set_inheritable(False)
    return listener


def _leave(signum: int, frame: object) -> NoReturn:
    raise SystemExit(0)
