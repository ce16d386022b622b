"""`manage.py carbon_calculate < case.json > result.json`: one carbon case or an array of them; decimals are strings."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from carbon.cases import calculate_case

UNREADABLE = 2


class Command(BaseCommand):
    """Reads cases, writes results in the same order; touches no database and no network."""

    help = "Calculate carbon cases from standard input; exit code 2 only for unreadable JSON."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """One object in, one out; an array in, an array out."""
        try:
            given = json.loads(sys.stdin.buffer.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as fault:
            self.stderr.write(f"unreadable JSON: {fault}")
            sys.exit(UNREADABLE)
        answer = [calculate_case(one) for one in given] if isinstance(given, list) else calculate_case(given)
        self.stdout.write(json.dumps(answer, ensure_ascii=False))
