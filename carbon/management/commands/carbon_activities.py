"""`manage.py carbon_activities meters.csv --merchant alice [--dry-run]`: take a file of meter readings and other facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from carbon.activity import services, sheet
from carbon.activity.api import message_of
from orderhub.access.models import Merchant
from orderhub.kernel import clock


class Command(BaseCommand):
    """Sound rows are kept, each once however often the file comes; refused rows are named and end in an error."""

    help = "Take meter readings, temperatures, trips and other activity data from a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file and whose it is."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--merchant", required=True, help="the merchant's code")
        parser.add_argument("--dry-run", action="store_true", help="only say what would become of each row")

    def handle(self, *args: Any, **options: Any) -> None:
        """A line a refused row, and the counts."""
        merchant = Merchant.objects.filter(code=options["merchant"]).first()
        if merchant is None:
            raise CommandError(f"No merchant has the code {options['merchant']!r}. Give one that is there.")
        try:
            found = sheet.read(options["file"].read_bytes())
        except OSError as fault:
            raise CommandError(f"The file cannot be read: {fault}") from None
        faults = list(found.faults)
        repeated = accepted = 0
        with transaction.atomic():
            for first in range(0, len(found.facts), services.MOST_RECORDS):
                rows = found.facts[first : first + services.MOST_RECORDS]
                facts = [one for _number, one in rows]
                taken = services.take(merchant, facts, actor=f"file:{options['file'].name}", now=clock.now())
                for (number, _one), what in zip(rows, taken, strict=True):
                    faults += [sheet.Fault(number, column, code) for column, code in what.faults]
                    repeated += what.is_repeated
                    accepted += what.record is not None and not what.is_repeated
            transaction.set_rollback(options["dry_run"])
        for one in sorted(faults):
            self.stderr.write(f"row {one.row}, {one.column or 'file'}: {message_of(one.code)}")
        self.stdout.write(
            f"{accepted} accepted, {repeated} known already, {len({f.row for f in faults})} refused"
        )
        if faults:
            raise CommandError("Correct the rows named above and send the file again; the others are kept.")
