"""`manage.py verify_audit`: proves that no event was changed, removed or slipped in."""

from __future__ import annotations

from argparse import ArgumentParser
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand

from orderhub.events import audit, guard
from orderhub.events.models import Event
from orderhub.management.patience import long_statements


class Command(BaseCommand):
    """Recomputes every hash; exit code 1 on any difference."""

    help = "Recompute the hash chains of the log and compare them with the anchors kept beside the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scope, and writing an anchor."""
        parser.add_argument("--stream", default="", help="One stream only, for example order:17.")
        parser.add_argument("--anchor", action="store_true", help="Write an anchor if all is well.")

    @long_statements()
    def handle(self, *args: Any, **options: Any) -> None:
        """Print each difference."""
        findings = audit.verify(stream=options["stream"])
        if not options["stream"]:
            triggers = (f"trigger {name} is missing" for name in guard.missing_triggers())
            findings = chain(findings, audit.head_differences(), audit.broken_anchors(), triggers)
        found = 0
        for finding in findings:
            found += 1
            self.stdout.write(self.style.ERROR(finding))
        if found:
            self.stdout.write(
                f"{found} differences. Compare with the last backup; docs/reliability.md says how."
            )
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS(f"{Event.objects.count()} events are as they were written."))
        if options["anchor"]:
            audit.anchor()
