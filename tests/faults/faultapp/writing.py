"""Run inside `manage.py shell`: makes the tables and writes events."""

from __future__ import annotations

from django.db import connection, transaction

from orderhub.events.log import Fact, record
from orderhub.kernel import clock


def tables() -> None:
    """The two tables of effects; `place` numbers them in the order they happened."""
    place = "serial" if connection.vendor == "postgresql" else "integer PRIMARY KEY AUTOINCREMENT"
    with connection.cursor() as cursor:
        for name in ("fault_effects", "fault_view"):
            cursor.execute(
                f"CREATE TABLE {name} (place {place}, event_id bigint UNIQUE, stream text, seq int)"
            )


def write(rounds: int, streams: int, *, poison: str = "") -> None:
    """`rounds` transactions with one event for each of `streams` streams."""
    for _round in range(rounds):
        facts = [
            Fact(f"fault:{number}", "fault.tested", {"poison": True} if f"fault:{number}" == poison else {})
            for number in range(streams)
        ]
        with transaction.atomic():
            record(facts, now=clock.now(), actor="system")
