"""`manage.py replay`: lets a projection read again, or a parked stream go on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orderhub.events import registry, tail
from orderhub.events.models import ParkedEvent


class Command(BaseCommand):
    """Works off parked events; with --from-start, the whole log once more."""

    help = "Apply parked events of a projection again, or rebuild it from the start of the log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which projection, and from where."""
        parser.add_argument("projection", nargs="?", default="")
        parser.add_argument("--stream", default="", help="One parked stream only, for example order:17.")
        parser.add_argument("--from-start", action="store_true", help="Read the whole log again.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, or list what there is."""
        name = options["projection"]
        if name not in registry.projections:
            known = "\n  ".join(sorted(registry.projections)) or "(none)"
            raise CommandError(f"Name one of the projections:\n  {known}")
        if options["from_start"]:
            tail.rewind(name)
            applied = tail.project(name, budget_seconds=float("inf"))
        else:
            applied = tail.unpark(name, stream=options["stream"])
            applied += tail.project(name, budget_seconds=float("inf"))
        parked = ParkedEvent.objects.filter(cursor_id=name).count()
        self.stdout.write(f"{name}: {applied} events applied, {parked} still parked")
