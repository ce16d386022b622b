"""`manage.py lint_migrations`: refuses migrations that would stop a hub that serves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orderhub.management import migration_rules


class Command(BaseCommand):
    """Reads migrations only, no database; part of `make check`."""

    requires_system_checks = ()
    help = "Check migrations against the rules for changes without downtime (docs/operations.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding; exit code 1 if there is any, or an exception that covers nothing."""
        found, idle = migration_rules.check()
        for finding in found:
            self.stdout.write(self.style.ERROR(f"{finding.key}  {finding.says}"))
        for key in idle:
            self.stdout.write(self.style.ERROR(f"{key}  this exception covers nothing: remove it"))
        if found or idle:
            self.stdout.write("Excuse one in orderhub/management/migration_exceptions.json, with the reason.")
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS("All migrations can run while the hub serves."))
