"""`manage.py verify_carbon`: proves that no figure of the carbon ledger was changed, removed or slipped in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from carbon.restating import checking
from orderhub.access.models import Merchant


class Command(BaseCommand):
    """Compares every hash; exit code 1 on any difference."""

    help = "Recompute the hashes of the carbon ledger, its calculations and its closed periods."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each difference."""
        count = entries = 0
        for merchant in Merchant.objects.order_by("pk"):
            read, found = checking.faults(merchant.pk)
            entries += read
            count += len(found)
            for fault in found:
                self.stdout.write(self.style.ERROR(f"{merchant.code}: {fault}"))
        if count:
            self.stdout.write(f"{count} differences. Compare with the last backup.")
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS(f"{entries} entries are as they were written."))
