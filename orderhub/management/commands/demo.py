"""`manage.py demo`: a living shop to look at; only in debug mode, safe to run again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from orderhub.access.models import Merchant
from orderhub.connectors import imports
from orderhub.connectors.demo import sample_file
from orderhub.connectors.models import ImportBatch
from orderhub.kernel import clock

#: Each app describes its own part of the shop; upper layers are reached by name only.
PARTS = (
    "orderhub.inventory.demo.seed",
    "orderhub.fulfillment.demo.seed",
    "orderhub.orders.demo.seed",
    "orderhub.connectors.demo.seed",
    "orderhub.orders.risk.demo.seed",
    "orderhub.orders.compliance.demo.seed",
    "routing.demo.seed",
    "carbon.demo.seed",
    "tracking.center.demo.seed",
    "tracking.everywhere.demo.seed",
)


class Command(BaseCommand):
    """Seeds the demo shop and imports its sample file."""

    help = "Seed the demo shop (debug mode only); running it again changes nothing that people edited."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make every part, then queue the sample import once."""
        if not settings.DEBUG:
            raise CommandError(
                "The demo's accounts exist only in debug mode. Set HUB_DEBUG=1 on a machine of your own."
            )
        now = clock.now()
        merchant, _created = Merchant.objects.get_or_create(
            code="demo", defaults={"name": "青禾家居", "name_en": "Qinghe Home"}
        )
        for part in PARTS:
            import_string(part)(merchant, now=now)
            self.stdout.write(f"  seeded {part.rpartition('.')[0]}")
        if not ImportBatch.objects.filter(merchant=merchant).exists():
            content = sample_file(merchant, now=now)
            batch = imports.upload(
                [("demo_orders.csv", content)],
                merchant=merchant,
                kind="orders",
                actor="demo",
                now=now,
                user=None,
            )
            self.stdout.write(f"  queued the sample file with 200 orders as import {batch.pk}")
