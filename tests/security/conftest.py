"""A clock that stands still for the tests of terms and graces."""

from __future__ import annotations

import pytest

from orderhub.kernel import clock
from tests import make


@pytest.fixture
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """The hub's time, moved by the test."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    return own
