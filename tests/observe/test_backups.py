"""A backup while the hub serves, restored into an empty database and proven whole; nothing is overwritten."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

pytestmark = pytest.mark.slow

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def homes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two empty databases: where the hub lives, and where it is restored."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/one.sqlite3", f"sqlite://{tmp_path}/two.sqlite3"
        return
    if not settings.ON_POSTGRESQL:
        pytest.skip("DATABASE_URL names no PostgreSQL")
    parts = urlsplit(os.environ["DATABASE_URL"])
    names = [f"orderhub_backup_{os.getpid()}_{number}" for number in (1, 2)]
    with psycopg.connect(parts.geturl(), autocommit=True) as server:
        for name in names:
            server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            one, two = (parts._replace(path=f"/{name}").geturl() for name in names)
            yield one, two
        finally:
            for name in names:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def manage(url: str, data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the hub on that database."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"DATABASE_URL": url, "HUB_DATA_DIR": str(data), "HUB_DEBUG": "1"}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_there_and_back(
    homes: tuple[str, str], tmp_path: Path, place_database: Callable[[Path], None]
) -> None:
    here, there = homes
    data, backup = tmp_path / "data", tmp_path / "backup"
    if here.startswith("sqlite"):
        place_database(tmp_path / "one.sqlite3")
    assert manage(here, data, "migrate", "-v0").returncode == 0
    assert manage(here, data, "demo").returncode == 0

    made = manage(here, data, "backup", str(backup))
    assert made.returncode == 0, made.stderr
    manifest = json.loads((backup / "manifest.json").read_text())
    assert manifest["orders"] >= 0
    assert manifest["events"] >= 1
    assert any(name.startswith("uploads/") for name in manifest["files"])
    assert "audit-anchors.jsonl" in manifest["files"]

    restored = manage(there, tmp_path / "restored", "restore", str(backup), "--json")

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "Restored and verified." in restored.stdout
    assert json.loads(restored.stdout.splitlines()[-1]).keys() == {"restore_s", "verify_s"}
    uploads = sorted(name for name in manifest["files"] if name.startswith("uploads/"))
    assert all((tmp_path / "restored" / name).exists() for name in uploads)
    # A second time would overwrite: refused, and nothing happens.
    again = manage(there, tmp_path / "third", "restore", str(backup))
    assert again.returncode == 1
    assert "The database is not empty" in again.stderr


def test_a_backup_that_was_touched_is_refused(tmp_path: Path, place_database: Callable[[Path], None]) -> None:
    here, backup = f"sqlite://{tmp_path}/one.sqlite3", tmp_path / "backup"
    place_database(tmp_path / "one.sqlite3")
    assert manage(here, tmp_path / "data", "backup", str(backup)).returncode == 0
    with sqlite3.connect(backup / "database.sqlite3") as database:
        database.execute("CREATE TABLE slipped_in (id integer)")

    refused = manage(f"sqlite://{tmp_path}/two.sqlite3", tmp_path / "data2", "restore", str(backup))

    assert refused.returncode == 1
    assert "was changed or is incomplete: database.sqlite3" in refused.stderr
    with sqlite3.connect(tmp_path / "two.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine.txt").write_text("keep")

    refused = manage(
        f"sqlite://{tmp_path}/one.sqlite3", tmp_path / "data", "backup", str(tmp_path / "backup")
    )

    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert [file.name for file in (tmp_path / "backup").iterdir()] == ["mine.txt"]
