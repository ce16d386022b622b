"""`manage.py check_invariants`: asks every app whether what it promises holds."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orderhub.events import invariants
from orderhub.events.invariants import Result
from orderhub.management.patience import long_statements


class Command(BaseCommand):
    """Prints each invariant with its violations; exit code 1 if there is any."""

    help = "Check what must always hold (docs/reliability.md); after faults, after a restore, nightly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Output form."""
        parser.add_argument("--json", action="store_true", help="One JSON object instead of lines.")

    @long_statements()
    def handle(self, *args: Any, **options: Any) -> None:
        """Run all checks."""
        results = []
        for result in invariants.run():
            results.append(result)
            if not options["json"]:
                self._print(result)
        counts = invariants.delivery_counts()
        if options["json"]:
            self.stdout.write(
                json.dumps({"results": [_plain(each) for each in results], "deliveries": counts})
            )
        else:
            states = ", ".join(f"{number} {state}" for state, number in counts.items()) or "none"
            self.stdout.write(f"Deliveries: {sum(counts.values())} created = {states}")
        if any(result.count for result in results):
            raise SystemExit(1)

    def _print(self, result: Result) -> None:
        mark = self.style.ERROR(f"{result.count} violations") if result.count else self.style.SUCCESS("holds")
        self.stdout.write(f"{result.invariant.id:4} {result.invariant.en} — {mark} ({result.seconds:.2f} s)")
        for line in result.shown:
            self.stdout.write(f"       {line}")
        if result.count > len(result.shown):
            self.stdout.write(f"       … and {result.count - len(result.shown)} more")


def _plain(result: Result) -> dict[str, object]:
    return {
        "id": result.invariant.id, "zh": result.invariant.zh, "en": result.invariant.en,
        "violations": result.count, "shown": result.shown, "seconds": round(result.seconds, 3),
    }  # fmt: skip
