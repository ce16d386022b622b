"""Time that moves only when told, and the simulator in real hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from carbon.factors import loading
from orderhub.events import leases
from orderhub.kernel import clock
from tests import make


@pytest.fixture
def hub_clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> make.Clock:
    """A clock of the test's own, for the hub and for its database."""
    own = make.Clock()
    settings.SIM_SPEED = 1
    monkeypatch.setattr(clock, "now", own.now)
    monkeypatch.setattr(leases, "_database_offset", lambda: timedelta(0))
    return own


@pytest.fixture(autouse=True)
def _bundled_factors() -> Iterator[None]:
    """Each test begins and ends with the factors that travel with the product."""
    loading.forget()
    yield
    loading.forget()
