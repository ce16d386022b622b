"""Uploads of tests go to a folder of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderhub.kernel import clock
from tests import make


@pytest.fixture
def hub_clock(monkeypatch: pytest.MonkeyPatch) -> make.Clock:
    """A clock of the test's own."""
    own = make.Clock()
    monkeypatch.setattr(clock, "now", own.now)
    return own


@pytest.fixture(autouse=True)
def _uploads(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "uploads"
