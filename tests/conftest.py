"""What every test shares: no sockets but local ones, one merchant with a small network, and its API client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient

from orderhub.access import keys, limits
from orderhub.fulfillment import wire_catalog
from orderhub.orders import journeys
from routing.promise import network


@pytest.fixture(scope="session", autouse=True)
def _flush_opens_the_guard(django_db_setup: None) -> None:
    """SQLite's flush deletes row by row, which the triggers refuse: open the guard within the flush's
    transaction.
    """
    original = connection.ops.sql_flush
    if connection.vendor != "sqlite" or getattr(original, "opens_guard", False):
        return

    def sql_flush(*arguments: Any, **options: Any) -> list[str]:
        return [
            "INSERT INTO events_maintenance (reason) VALUES ('flush');",
            *original(*arguments, **options),
            "DELETE FROM events_maintenance;",
        ]

    sql_flush.opens_guard = True  # type: ignore[attr-defined]
    connection.ops.sql_flush = sql_flush  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Limits and cached versions never leak from test to test."""
    cache.clear()
    keys.forget()
    limits.reset()
    wire_catalog.forget()
    journeys.forget()
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
