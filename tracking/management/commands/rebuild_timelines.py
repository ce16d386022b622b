"""`manage.py rebuild_timelines`: every tracking page's entries once more from the log, and whether they are the same."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tracking import rebuilding


class Command(BaseCommand):
    """Writes the entries anew; exit code 1 where they were not what the log says."""

    help = "Rebuild the entries of tracking pages from the log, and say which were not what it says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All orders, or some."""
        parser.add_argument("--order", type=int, action="append", help="The id of an order; may be repeated.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, and print one JSON line."""
        done = rebuilding.rebuild(options["order"])
        line = {"journeys": done.journeys, "entries": done.entries, "differing": done.differing}
        self.stdout.write(json.dumps(line))
        if done.differing:
            raise SystemExit(1)
