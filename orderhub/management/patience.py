"""Long statements for maintenance: the limits of the web would end a check of a large log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LONGEST = "30min"


@contextmanager
def long_statements() -> Iterator[None]:
    """Let statements of this connection run for half an hour; afterwards the usual limit holds again."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{LONGEST}'")
    try:
        yield
    finally:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")
