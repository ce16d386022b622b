"""Measure the router from outside: speaks the routing benchmark's protocol with the engine, prices and waves
of the product. No database is read or written."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from routing.world.door import serve


class Command(BaseCommand):
    """One JSON message per line on standard input, one answer per question on standard output."""

    help = "Route a benchmark world given line by line on standard input (docs/routing.md)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until the input ends."""
        sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        serve(sys.stdin, sys.stdout)
