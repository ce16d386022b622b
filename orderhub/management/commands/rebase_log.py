"""`manage.py rebase_log`: after a restore into another PostgreSQL server, makes the log readable again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orderhub.events import tail


class Command(BaseCommand):
    """Transaction numbers belong to one server; a restored log carries those of another."""

    help = "After restoring a dump into another PostgreSQL server: start the log's transaction numbers anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebase if needed."""
        if not tail.is_ahead_of_database():
            self.stdout.write("The log belongs to this server; nothing to do.")
            return
        events = tail.rebase()
        self.stdout.write(self.style.SUCCESS(f"{events} events rebased; projections go on where they were."))
