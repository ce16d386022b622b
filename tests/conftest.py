"""What every test shares: no sockets but local ones, one merchant with a small network, and its API client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from orderhub.access import keys, limits
from orderhub.fields import queries as fields
from orderhub.fulfillment import wire_catalog
from orderhub.inventory import locks
from orderhub.orders import journeys
from routing.promise import network
from tests import migrated


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """On SQLite, begin with a copy of the database that an earlier run or another process has migrated."""
    if connection.vendor == "sqlite":
        migrated.use_copies(request.config.cache.mkdir("migrated"))


@pytest.fixture(scope="session")
def place_database(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """What puts a migrated SQLite database at a path, for a hub in processes of its own."""
    return partial(migrated.place_copy, request.config.cache.mkdir("migrated"))


#: Made again after every flush just as they were.
_STANDING = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _quick_flush(django_db_setup: None, django_db_blocker: Any) -> None:
    """Between tests that commit, delete the rows there are and put back those that migrations brought: emptying all
    tables, which nearly all are empty, takes PostgreSQL seconds. Triggers that refuse deleting stay off for the flush's
    own transaction.
    """
    if getattr(connection.ops.sql_flush, "is_quick", False):
        return
    with django_db_blocker.unblock():
        shipped = _copies_of_shipped_rows()

    def sql_flush(_style: Any, tables: Sequence[str], **_options: Any) -> list[str]:
        names = [connection.ops.quote_name(name) for name in tables if name not in _STANDING]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in names))
            filled = [name for name, some in zip(names, cursor.fetchone(), strict=True) if some]
        deletes = [f"DELETE FROM {name};" for name in filled]
        deletes += [f"INSERT INTO {name} SELECT * FROM {copy};" for name, copy in shipped.items()]
        if connection.vendor == "postgresql":
            return ["SET LOCAL session_replication_role = replica;", *deletes]
        guard = "events_maintenance"
        return [f"INSERT INTO {guard} (reason) VALUES ('flush');", *deletes, f"DELETE FROM {guard};"]

    sql_flush.is_quick = True  # type: ignore[attr-defined]
    connection.ops.sql_flush = sql_flush  # type: ignore[method-assign, assignment]


def _copies_of_shipped_rows() -> dict[str, str]:
    """Tables that migrations filled, with copies of them, quoted."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            if table in _STANDING:
                continue
            name, copy = connection.ops.quote_name(table), connection.ops.quote_name(f"shipped_{table}")
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name})")
            if cursor.fetchone()[0]:
                cursor.execute(f"CREATE TABLE IF NOT EXISTS {copy} AS SELECT * FROM {name}")
                found[name] = copy
    return found


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Limits and cached versions never leak from test to test."""
    cache.clear()
    keys.forget()
    limits.reset()
    fields.forget()
    wire_catalog.forget()
    journeys.forget()
    locks.forget()
    network.forget()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _chinese_by_default(settings: Any) -> None:
    """Texts are asserted in the product's first language unless a test says otherwise."""
    settings.LANGUAGE_CODE = "zh-hans"


@pytest.fixture
def api() -> APIClient:
    """An API client without credentials."""
    return APIClient()


@pytest.fixture
def on_postgresql() -> bool:
    """Whether this run uses PostgreSQL."""
    return bool(settings.ON_POSTGRESQL)
