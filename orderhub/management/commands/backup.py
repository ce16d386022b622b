"""`manage.py backup <folder>`: everything the hub holds, in one folder, while it goes on serving."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orderhub.management import backups
from orderhub.management.patience import long_statements


class Command(BaseCommand):
    """Writes the folder that `restore` reads."""

    help = "Back up database, uploads and audit anchors into a new folder; the hub may go on serving."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--jobs", type=int, default=2, help="Tables dumped at once (PostgreSQL).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it and say what is in it."""
        began = monotonic()
        try:
            with long_statements():
                manifest = backups.make(options["folder"], jobs=options["jobs"])
        except backups.Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        size = sum(file["bytes"] for file in manifest["files"].values())
        self.stdout.write(
            self.style.SUCCESS(
                f"{manifest['orders']} orders, {manifest['events']} events, {size / 2**20:.1f} MB "
                f"in {monotonic() - began:.1f} s: {options['folder']}"
            )
        )
        self.stdout.write("Keep it off this machine, and HUB_SECRET_KEY elsewhere again.")
