"""`manage.py partitions`: makes monthly partitions ahead and shows them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orderhub.events import partitions
from orderhub.kernel import clock


class Command(BaseCommand):
    """The clock makes partitions by itself; this is for looking, and for a hub whose clock stood still."""

    help = "Make the monthly partitions of the log and of positions ahead (PostgreSQL), and list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far ahead."""
        parser.add_argument("--ahead", type=int, default=partitions.AHEAD, help="Months after this one.")
        parser.add_argument("--list", action="store_true", help="Show only; make nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, then show; exit code 1 if rows lie in a default partition."""
        if not partitions.declared():
            self.stdout.write("Tables are split on PostgreSQL only; nothing to do here.")
            return
        if not options["list"]:
            for name in partitions.ensure(now=clock.now(), ahead=options["ahead"]):
                self.stdout.write(self.style.SUCCESS(f"{name} made"))
        for table in partitions.declared():
            for part in partitions.listing(table):
                size = f"{part.size_bytes / 2**20:.1f} MB"
                self.stdout.write(f"{part.name:32} {part.rows:>12} rows {size:>12}  {part.bounds}")
        strays = partitions.strays()
        for name, rows in strays.items():
            self.stdout.write(self.style.ERROR(f"{rows} rows of {name} are in its default partition."))
        if strays:
            raise SystemExit(1)
