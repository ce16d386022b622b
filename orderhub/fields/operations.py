"""Migration operations of custom fields."""

from __future__ import annotations

from orderhub.events.operations import PlainSql


class IndexCustom(PlainSql):
    """Find records of `table` by the values in `custom`: on PostgreSQL, beside the traffic, and of those only that have
    any, so that records without fields cost nothing. For migrations with `atomic = False`.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        self.forwards = {
            "postgresql": [
                "SET statement_timeout = 0",
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {table}_custom ON {table} "
                "USING gin (custom jsonb_path_ops) WHERE NOT (custom = '{}')",
                "RESET statement_timeout",
            ]
        }
        self.backwards = {"postgresql": [f"DROP INDEX CONCURRENTLY IF EXISTS {table}_custom"]}

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Index the custom fields of {self.table} on PostgreSQL"
