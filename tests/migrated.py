"""A migrated SQLite database to copy: migrating takes a quarter of a minute, copying no time."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

ROOT = Path(settings.BASE_DIR)
OWN = ("orderhub", "rules", "routing", "tracking", "carbon")


def use_copies(folder: Path) -> None:
    """Let the test database of this process begin as a copy of the one in the folder, where migrating then finds
    nothing left to do; the first process to come makes that one, others wait for it.
    """
    creation: Any = connection.creation
    make_empty, make = creation._create_test_db, creation.create_test_db
    template = folder / f"{_fingerprint()}.sqlite3"

    def fill(*arguments: Any, **options: Any) -> str:
        name: str = make_empty(*arguments, **options)
        if template.exists():
            for left in ("-wal", "-shm"):  # of a run that was killed; SQLite would replay it into the copy
                Path(f"{name}{left}").unlink(missing_ok=True)
            shutil.copyfile(template, name)
        return name

    def create_test_db(*arguments: Any, **options: Any) -> str:
        with _alone(folder):
            if not template.exists():
                name: str = make(*arguments, **options)
                _keep(template)
                return name
        return str(make(*arguments, **options))

    creation._create_test_db, creation.create_test_db = fill, create_test_db


def _keep(template: Path) -> None:
    for old in template.parent.glob("*.sqlite3"):
        old.unlink()
    unfinished = template.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    connection.ensure_connection()
    with closing(sqlite3.connect(unfinished)) as copy:
        connection.connection.backup(copy)
    unfinished.rename(template)


def place_copy(folder: Path, database: Path) -> None:
    """Put a migrated database there for a hub of its own, made first if no test run has left one in the folder."""
    template = folder / f"{_fingerprint()}.sqlite3"
    with _alone(folder):
        if not template.exists():
            unfinished = template.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            elsewhere = {"DATABASE_URL", "REDIS_URL", "MQTT_URL", "DJANGO_SETTINGS_MODULE"}
            environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
            subprocess.run(
                [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
                env={**environment, "DATABASE_URL": f"sqlite://{unfinished}", "HUB_DEBUG": "1"}, check=True,
            )  # fmt: skip
            unfinished.rename(template)
    shutil.copyfile(template, database)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint() -> str:
    """Changes with every migration, and with what of ours a migration calls."""
    found = {ROOT / "requirements.txt"}
    for migration in MigrationLoader(None).disk_migrations.values():
        module = inspect.getmodule(type(migration))
        if module is not None:
            found |= {Path(str(one.__file__)) for one in [module, *_own(module)]}
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _own(module: ModuleType) -> Iterator[ModuleType]:
    for value in vars(module).values():
        origin = inspect.getmodule(value)
        if origin is not None and origin.__name__.partition(".")[0] in OWN:
            yield origin
