"""`manage.py load_profiles`: brings the profiles of other systems that come with OrderHub up to date."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orderhub.connectors import shelf
from orderhub.kernel import clock


class Command(BaseCommand):
    """Safe to run again: profiles of your own, and versions in force that did not change, stay as they are."""

    help = "Bring the profiles of other systems that come with OrderHub up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, test and put in force what changed; say how many."""
        changed = shelf.load_shipped(now=clock.now())
        self.stdout.write(f"{changed} profiles brought up to date")
