"""Every story is told on SQLite and (marked `services`) on PostgreSQL; its time moves only when told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhub.events import leases
from orderhub.kernel import clock
from tests import make


@pytest.fixture(autouse=True, params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def _database(request: pytest.FixtureRequest, on_postgresql: bool) -> None:
    """One run per database; the one that is not there is left out."""
    if (request.param == "postgresql") != on_postgresql:
        pytest.skip(f"this run has no {request.param}")


@pytest.fixture(autouse=True)
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """A clock of the test's own, for the hub and (as if it kept the same time) for its database."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    monkeypatch.setattr(leases, "_database_offset", lambda: timedelta(0))
    return own


@pytest.fixture(autouse=True)
def _own_places(settings: Any, tmp_path: Path) -> None:
    """The simulator in real hours, and files in a folder of the test's own."""
    settings.SIM_SPEED = 1
    settings.MEDIA_ROOT = tmp_path
