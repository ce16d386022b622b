"""Migration operations: tables made at once, tables that only grow, and the transaction column that tailers order by.

A table under `AppendOnly` refuses UPDATE and DELETE unless the statement's own transaction put a row into
`events_maintenance` (see `guard.opened`); that table is no model, so Django's flush leaves it alone.
A later migration that alters such a table must end with `AppendOnly` again: SQLite copies the table,
triggers get lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

MAINTENANCE = "CREATE TABLE IF NOT EXISTS events_maintenance (reason varchar(200) NOT NULL)"

POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION hub_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM events_maintenance) THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

# A transaction may have its number before it waits for the row lock of a stream, and write after a younger
# one has. Lifting its rows to the number of their predecessor keeps (tx, id) in the order of every stream;
# a reader that sees everything below N still misses nothing, for N then lies above both.
POSTGRESQL_TX_FUNCTION = """
CREATE OR REPLACE FUNCTION events_lift_tx() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    NEW.tx := GREATEST(pg_current_xact_id(),
                       (SELECT tx FROM events_event WHERE stream = NEW.stream AND seq = NEW.seq - 1));
    RETURN NEW;
END $$
"""


class AllTables(Operation):
    """All first tables of an app in one operation: Django draws every model that hangs together with a new one again
    after each operation, which for some hundred models takes a minute.
    """

    reduces_to_sql = True
    serialization_expand_args = ["tables"]

    def __init__(self, tables: Sequence[migrations.CreateModel]) -> None:
        self.tables = tables

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Know the models; they are drawn once, when somebody asks for one."""
        state.clear_delayed_apps_cache()
        state.__dict__.pop("apps", None)
        for table in self.tables:
            table.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Make the tables in this order; keys that point ahead come with the schema editor's last statements."""
        for table in self.tables:
            table.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop them, the last first."""
        for table in reversed(self.tables):
            table.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Create {len(self.tables)} tables"


class PlainSql(Operation):
    """Statements by database vendor; the model state does not change."""

    reversible = True
    reduces_to_sql = True
    forwards: dict[str, list[str]]
    backwards: dict[str, list[str]]

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: models know nothing of this."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run the statements of this vendor."""
        for statement in self.forwards.get(schema_editor.connection.vendor, []):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Undo them."""
        for statement in self.backwards.get(schema_editor.connection.vendor, []):
            schema_editor.execute(statement, params=None)


class AppendOnly(PlainSql):
    """Refuse UPDATE and DELETE of rows of `table`, by triggers."""

    def __init__(self, table: str) -> None:
        self.table = table
        drop = [f"DROP TRIGGER IF EXISTS {name}" for name in trigger_names(table)]
        self.forwards = {
            "sqlite": [MAINTENANCE, *drop, *(_sqlite_trigger(table, verb) for verb in ("update", "delete"))],
            "postgresql": [
                MAINTENANCE,
                POSTGRESQL_FUNCTION,
                *(f"{statement} ON {table}" for statement in drop),
                *(postgresql_trigger(table, verb) for verb in ("update", "delete")),
            ],
        }
        self.backwards = {"sqlite": drop, "postgresql": [f"{statement} ON {table}" for statement in drop]}

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Refuse changes of rows in {self.table}"


class TransactionColumn(PlainSql):
    """On PostgreSQL, give `events_event` the writing transaction `tx`, never falling along a stream, and
    its index.
    """

    forwards = {
        "postgresql": [
            "ALTER TABLE events_event ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id()",
            "CREATE INDEX events_event_tx ON events_event (tx, id)",
            POSTGRESQL_TX_FUNCTION,
            "CREATE TRIGGER events_event_lift_tx BEFORE INSERT ON events_event "
            "FOR EACH ROW EXECUTE FUNCTION events_lift_tx()",
        ]
    }
    backwards = {
        "postgresql": [
            "DROP TRIGGER events_event_lift_tx ON events_event",
            "DROP INDEX events_event_tx",
            "ALTER TABLE events_event DROP COLUMN tx",
        ]
    }

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return "Order the log by transaction on PostgreSQL"


def trigger_names(table: str) -> list[str]:
    """The triggers that `AppendOnly(table)` makes."""
    return [f"{table}_no_update", f"{table}_no_delete"]


def _sqlite_trigger(table: str, verb: str) -> str:
    guard = "NOT EXISTS (SELECT 1 FROM events_maintenance)"
    refusal = f"RAISE(ABORT, 'append-only: {verb.upper()} of {table} is refused')"
    trigger = f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table}"
    return f"{trigger} WHEN {guard} BEGIN SELECT {refusal}; END"


def postgresql_trigger(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION hub_append_only()"
    )


class AddIndexBesideTraffic(AddIndexConcurrently):
    """An index on a table that may be large: concurrently on PostgreSQL, however long it takes; plainly on SQLite,
    which has one writer. For migrations with `atomic = False`.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it; the connection's limit for statements is meant for the web."""
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute("SET statement_timeout = 0")
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.execute("RESET statement_timeout")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
