from __future__ import annotations

from typing import Any

from django.db import migrations

# The default comes after the column, so that no row is rewritten: earlier movements have none, and whoever starts
# reading begins with the stock rows themselves.
FORWARDS = (
    "ALTER TABLE inventory_movement ADD COLUMN IF NOT EXISTS tx xid8",
    "ALTER TABLE inventory_movement ALTER COLUMN tx SET DEFAULT pg_current_xact_id()",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS inventory_movement_tx ON inventory_movement (tx, id)",
)
BACKWARDS = (
    "DROP INDEX IF EXISTS inventory_movement_tx",
    "ALTER TABLE inventory_movement DROP COLUMN IF EXISTS tx",
)


def _run(schema_editor: Any, statements: tuple[str, ...]) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in statements:
            schema_editor.execute(statement, params=None)


def order(apps: Any, schema_editor: Any) -> None:
    """Give every movement its transaction, which readers order by."""
    _run(schema_editor, FORWARDS)


def forget(apps: Any, schema_editor: Any) -> None:
    """Take it away."""
    _run(schema_editor, BACKWARDS)


class Migration(migrations.Migration):
    atomic = False

    replaces = [("inventory", "0003_movement_order")]
    dependencies = [("inventory", "0001_start")]

    operations = [migrations.RunPython(order, forget)]
