"""A slow, idempotent job that leaves one row per event, and dies with its process on poison."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from django.db import connection, transaction

from orderhub.events import registry
from orderhub.events.models import Delivery, Event


@registry.on("fault.tested", name="fault.job", queue="route", batch=20)
def work(rows: Sequence[Delivery]) -> None:
    """One effect per event, 3 ms each, all in one transaction."""
    if any(row.event.payload.get("poison") for row in rows):
        os._exit(137)
    with transaction.atomic(), connection.cursor() as cursor:
        for row in rows:
            cursor.execute(
                "INSERT INTO fault_effects (event_id, stream, seq) VALUES (%s, %s, %s) "
                "ON CONFLICT DO NOTHING",
                [row.event_id, row.stream, row.event.seq],
            )
            time.sleep(0.003)


@registry.projection("fault.view", kinds=["fault.tested"], batch=50)
def view(events: Sequence[Event]) -> None:
    """One row per event, in the order they were read; a second one would break the table's key."""
    with connection.cursor() as cursor:
        for event in events:
            cursor.execute(
                "INSERT INTO fault_view (event_id, stream, seq) VALUES (%s, %s, %s)",
                [event.pk, event.stream, event.seq],
            )
