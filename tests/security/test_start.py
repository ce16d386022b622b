"""An insecure production does not start, and says what is missing; a complete one has nothing to warn of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {
    "DATABASE_URL": "postgresql://hub@127.0.0.1:1/hub",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "HUB_SECRET_KEY": "gZ8w!u3nR5k2Qy7xT1pV9mB4cD6fH0jL-sA_eW~iOqNzXyUv-2kJhGfDs4a",
    "HUB_ALLOWED_HOSTS": "hub.example.com",
    "HUB_PUBLIC_URL": "https://hub.example.com",
}


def start(folder: Path, *command: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run a management command in a process that knows only these settings."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    env = {**kept, "HUB_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "orderhub.settings", **values}
    words = [sys.executable, str(ROOT / "manage.py"), *command]
    return subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("missing", ["HUB_SECRET_KEY", "HUB_ALLOWED_HOSTS"])
def test_without_it_production_does_not_start(tmp_path: Path, missing: str) -> None:
    values = {key: value for key, value in COMPLETE.items() if key != missing}

    ended = start(tmp_path, "check", **values)

    assert ended.returncode != 0
    assert f"{missing} is not set." in ended.stderr


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    ended = start(tmp_path, "check", **{**COMPLETE, "HUB_SECRET_KEY": "secret"})

    assert ended.returncode != 0
    assert "at least 40 characters" in ended.stderr


def test_debug_is_off_as_soon_as_there_is_a_database(tmp_path: Path) -> None:
    ended = start(tmp_path, "demo", **COMPLETE)

    assert ended.returncode != 0
    assert "debug mode" in ended.stderr


def test_a_complete_environment_has_no_warnings(tmp_path: Path) -> None:
    ended = start(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **COMPLETE)

    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout
