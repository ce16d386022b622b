"""What a person has used of a yearly limit, exact under concurrency: the row is locked while an order is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from orderhub.orders.compliance.models import YearUsage

#: merchant, buyer, year, measure.
Name = tuple[int, str, int, str]
_MOST_PARAMETERS = 30_000


def lock(names: Collection[Name]) -> dict[Name, int]:
    """What stands now under these names, made where missing, locked until the transaction ends; one statement."""
    return _add(dict.fromkeys(names, 0))


def add(amounts: Mapping[Name, int]) -> None:
    """Add to locked rows; amounts below 0 give back. One statement, none where nothing changes."""
    _add({name: amount for name, amount in amounts.items() if amount})


def _add(amounts: Mapping[Name, int]) -> dict[Name, int]:
    table = connection.ops.quote_name(YearUsage._meta.db_table)
    found: dict[Name, int] = {}
    ordered = sorted(amounts.items())
    at_once = _MOST_PARAMETERS // 5
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), at_once):
            part = ordered[start : start + at_once]
            values: list[Any] = [value for name, amount in part for value in (*name, amount)]
            # Only the table's own name is put into the text; every value is a parameter.
            cursor.execute(
                f"INSERT INTO {table} (merchant_id, buyer, year, measure, amount) VALUES "  # noqa: S608
                f"{', '.join(['(%s, %s, %s, %s, %s)'] * len(part))} "
                "ON CONFLICT (merchant_id, buyer, year, measure) "
                f"DO UPDATE SET amount = {table}.amount + excluded.amount "
                "RETURNING merchant_id, buyer, year, measure, amount",
                values,
            )
            found.update(((row[0], row[1], row[2], row[3]), row[4]) for row in cursor.fetchall())
    return found
