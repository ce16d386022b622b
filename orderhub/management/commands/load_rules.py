"""`manage.py load_rules`: adds the starter rows of the cross-border checks that are not there yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orderhub.kernel import clock
from orderhub.orders.compliance import checking, rulebook


class Command(BaseCommand):
    """Safe to run again: rules that were edited or ended stay as they are."""

    help = "Add the starter rules of the cross-border checks."

    def handle(self, *args: Any, **options: Any) -> None:
        """Add them, check open orders again, say how many."""
        added = rulebook.start(now=clock.now())
        changed = checking.recheck_open(now=clock.now(), actor="system") if added else 0
        self.stdout.write(f"{added} rules added; {changed} open orders changed")
