"""`manage.py restore <folder>`: a backup into an empty database, and the proof that it is whole."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from orderhub.events import tail
from orderhub.events.models import Event
from orderhub.management import backups
from orderhub.management.patience import long_statements
from orderhub.orders.models import Order


class Command(BaseCommand):
    """Refuses a database that is not empty; ends with exit code 1 if anything is missing or broken."""

    requires_system_checks = ()
    help = (
        "Restore a backup into an empty database, then migrate, check sequences, invariants and audit trail."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--jobs", type=int, default=2, help="Tables restored at once (PostgreSQL).")
        parser.add_argument("--json", action="store_true", help="End with the times as one JSON line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, then verify."""
        began = monotonic()
        try:
            manifest = backups.read(options["folder"])
            backups.load(options["folder"], jobs=options["jobs"])
        except backups.Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        call_command("migrate", interactive=False, verbosity=0)
        with long_statements():
            if tail.is_ahead_of_database():
                self.stdout.write(f"The log comes from another server: {tail.rebase()} events rebased.")
            restored = monotonic()
            self._verify(manifest)
        if options["json"]:
            times = {"restore_s": round(restored - began, 1), "verify_s": round(monotonic() - restored, 1)}
            self.stdout.write(json.dumps(times))

    def _verify(self, manifest: dict[str, Any]) -> None:
        counts = {"orders": Order.objects.count(), "events": Event.objects.count()}
        # They were counted a moment after the dump, which the hub may have used.
        for name, count in counts.items():
            self.stdout.write(f"{count} {name} ({manifest[name]} when the backup was finished)")
        if behind := backups.sequences_behind():
            raise CommandError(f"These sequences are behind their rows: {', '.join(behind)}.")
        call_command("check_invariants", stdout=self.stdout)
        call_command("verify_audit", stdout=self.stdout)
        self.stdout.write(self.style.SUCCESS("Restored and verified."))
