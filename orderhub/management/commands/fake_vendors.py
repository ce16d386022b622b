"""`manage.py fake_vendors`: warehouses, ERP, channels, carriers and a partner to connect to, none of them real."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orderhub.connectors.fakes.faults import Unknown
from orderhub.connectors.fakes.server import Server
from orderhub.connectors.fakes.universe import Universe

DEFAULT_PORT = 8970
HOST = "127.0.0.1"


class Command(BaseCommand):
    """Serves a fake world on this machine only, until stopped; its keys come from the seed and open nothing real."""

    help = "Play the vendors that OrderHub connects to (fake, this machine only); Ctrl+C stops."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, where to, and how badly."""
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 = a free one.")
        parser.add_argument(
            "--callback-url", default="", metavar="URL",
            help="Where vendors push to; {vendor} stands for the vendor's code, as in http://127.0.0.1:8000/in/{vendor}/.",
        )  # fmt: skip
        parser.add_argument(
            "--seed", type=int, default=1, help="Same seed: same keys, goods and misbehavior."
        )
        parser.add_argument(
            "--misbehave",
            type=float,
            default=0.0,
            metavar="SHARE",
            help="Share of requests and pushes that go wrong: 0 to 1.",
        )
        parser.add_argument(
            "--auto", action="store_true", help="Let channels sell and warehouses ship by themselves."
        )
        parser.add_argument(
            "--channels",
            default="taobao,douyin,shopify",
            help="With --auto: which channels sell, with commas; empty = none.",
        )
        parser.add_argument("--orders-per-minute", type=float, default=6.0, help="With --auto.")
        parser.add_argument("--factor", type=float, default=1.0, help="Virtual seconds in a real one.")
        parser.add_argument(
            "--stamps", choices=("wall", "virtual"), default="wall",
            help="Times in documents: this machine's, or the virtual clock's.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen, print what a connector needs, serve."""
        listener = _listen(options["port"])
        base = f"http://{HOST}:{listener.getsockname()[1]}"
        try:
            universe_options = _checked(options)
            Server(lambda: self._world(base, universe_options)).run(sockets=[listener])
        except KeyboardInterrupt:
            # The server has ended in good order by then, and passes the signal on.
            pass
        finally:
            listener.close()

    def _world(self, base: str, options: dict[str, Any]) -> Universe:
        universe = Universe(options["seed"], options["factor"], options["stamps"])
        _prepare(universe, options)
        self.stdout.write("Fake vendors; every key below is made from the seed and opens nothing real.")
        for code, about in universe.tell()["vendors"].items():
            keys = " ".join(f"{name}={value}" for name, value in about["keys"].items())
            self.stdout.write(f"{code:<12} {base}{about['path']}  {keys}")
        self.stdout.write(
            f"{'control':<12} {base}/_world/  pushes go to: {options['callback_url'] or 'nowhere yet'}"
        )
        self.stdout.flush()
        return universe


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options; raises CommandError for what could never work, before anything listens for long."""
    try:
        _prepare(Universe(options["seed"]), options)
    except (Unknown, ValueError) as fault:
        raise CommandError(str(fault)) from fault
    if not 0 < options["factor"] <= 1_000_000:
        raise CommandError("--factor is above 0 and at most 1,000,000.")
    return options


def _prepare(universe: Universe, options: dict[str, Any]) -> None:
    universe.set_callback(options["callback_url"])
    universe.faults.chance(options["misbehave"])
    if options["auto"]:
        channels = [one.strip() for one in options["channels"].split(",") if one.strip()]
        universe.automatic.start(channels, orders_per_minute=options["orders_per_minute"])


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as fault:
        listener.close()
        raise CommandError(
            f"Port {port} cannot be used: {fault}. Choose another with --port, or 0."
        ) from fault
    return listener
