"""Plan one wave of orders: an instance as JSON on standard input, the plan as JSON on standard output.

`manage.py` itself goes straight to the same function, because starting all apps would take most of a short limit.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from routing.world import wavedoor


class Command(BaseCommand):
    help = "Plan a wave of orders together: one instance on standard input, one plan on standard output."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer through the door and end with its status."""
        status = wavedoor.main()
        if status:
            sys.exit(status)
