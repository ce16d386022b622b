"""The door in the append-only wall: open within one transaction only, for maintenance that must rewrite the
log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from orderhub.events import partitions
from orderhub.events.operations import trigger_names

#: The tables that only grow.
TABLES = ("events_event", "carbon_ledgerentry", "carbon_calculationrun", "carbon_activityrecord")


@contextmanager
def opened(reason: str) -> Iterator[None]:
    """Let this transaction, and no other, change rows of append-only tables; rolled back or closed, the
    wall stands.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO events_maintenance (reason) VALUES (%s)", [reason])
        yield
        cursor.execute("DELETE FROM events_maintenance")


def missing_triggers() -> list[str]:
    """The triggers of append-only tables that are not in the database (a migration that copied a table lost
    them); on PostgreSQL those of each partition too.
    """
    catalog = (
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalog)
        present = {(table, name) for table, name in cursor.fetchall()}
    missing = []
    for table in TABLES:
        wanted = [*trigger_names(table), *_more_triggers(table)]
        missing += [name for name in wanted if (table, name) not in present]
        for part in partitions.parts(table):
            missing += [f"{name} of {part}" for name in wanted if (part, name) not in present]
    if connection.vendor == "postgresql" and ("events_streamhead", "events_head_guard") not in present:
        missing.append("events_head_guard")
    return missing


def _more_triggers(table: str) -> list[str]:
    if connection.vendor == "postgresql" and table == partitions.EVENTS.table:
        return ["events_event_guard"]
    return []
