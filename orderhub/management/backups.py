"""A backup as a folder: the database, the uploads, the audit anchors, and a manifest with the hash of each file.

    manifest.json   versions, counts, and bytes and SHA-256 of everything below
    database/       a directory dump of pg_dump; or database.sqlite3
    uploads/        the files people uploaded
    audit-anchors.jsonl

Both databases are read at one moment while the hub goes on serving. Keys are not in it: sealed credentials of
connections need the HUB_SECRET_KEY they were written with.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from orderhub.events import audit
from orderhub.events.models import Event
from orderhub.kernel import clock
from orderhub.orders.models import Order

MANIFEST = "manifest.json"
DUMP = "database"
SQLITE = "database.sqlite3"
UPLOADS = "uploads"
ANCHORS = "audit-anchors.jsonl"
FORMAT = 1


class Trouble(Exception):
    """A backup cannot be made or used; the text says why and what to do."""


# ---- making --------------------------------------------------------------------------------------


def make(folder: Path, *, jobs: int) -> dict[str, Any]:
    """Write a backup into an empty or new folder and return its manifest."""
    if folder.exists() and any(folder.iterdir()):
        raise Trouble(f"{folder} is not empty. Name a new folder for each backup.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before the dump, so that the anchor speaks of what is certainly in it.
    audit.anchor()
    if connection.vendor == "postgresql":
        _run("pg_dump", "--format=directory", f"--jobs={jobs}", "--no-owner", "--no-privileges",
             "--file", str(folder / DUMP))  # fmt: skip
    else:
        _copy_sqlite(Path(str(connection.settings_dict["NAME"])), folder / SQLITE)
    if audit.ANCHORS.exists():
        shutil.copy2(audit.ANCHORS, folder / ANCHORS)
    # After the database: whatever it refers to is there by then, and a file more does no harm.
    if settings.MEDIA_ROOT.exists():
        shutil.copytree(settings.MEDIA_ROOT, folder / UPLOADS)
    manifest = {
        "format": FORMAT, "made_at": clock.now().isoformat(), "engine": connection.vendor,
        "server": _server_version(), "migrations": sorted(_applied()), "orders": Order.objects.count(),
        "events": Event.objects.count(), "files": dict(_hashed(folder)),
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return manifest


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")


def _applied() -> Iterator[str]:
    for app, name in MigrationRecorder(connection).applied_migrations():
        yield f"{app}.{name}"


def _server_version() -> str:
    if connection.vendor == "sqlite":
        return sqlite3.sqlite_version
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _hashed(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            yield file.relative_to(folder).as_posix(), {"bytes": file.stat().st_size, "sha256": digest}


# ---- using ---------------------------------------------------------------------------------------


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a backup whose files are all as they were written; Trouble otherwise."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise Trouble(f"{folder} is no finished backup: {fault}") from fault
    if manifest.get("format") != FORMAT:
        raise Trouble(f"The backup has format {manifest.get('format')}; this version reads {FORMAT}.")
    found = dict(_hashed(folder))
    found.pop(MANIFEST, None)
    differing = sorted(
        name
        for name in found.keys() | manifest["files"].keys()
        if found.get(name) != manifest["files"].get(name)
    )
    if differing:
        raise Trouble(f"The backup was changed or is incomplete: {', '.join(differing[:5])}.")
    if manifest["engine"] != connection.vendor:
        raise Trouble(f"The backup is of {manifest['engine']}, this database is {connection.vendor}.")
    return manifest


def load(folder: Path, *, jobs: int) -> None:
    """Put the contents of a backup into an empty database and an empty upload folder; Trouble if they are not."""
    if tables := connection.introspection.table_names():
        raise Trouble(
            f"The database is not empty ({len(tables)} tables). Restore into a new one and point DATABASE_URL to it."
        )
    if settings.MEDIA_ROOT.exists() and any(settings.MEDIA_ROOT.iterdir()):
        raise Trouble(f"{settings.MEDIA_ROOT} is not empty. Move it away; uploads come from the backup.")
    if connection.vendor == "postgresql":
        _run("pg_restore", f"--jobs={jobs}", "--no-owner", "--no-privileges", "--exit-on-error",
             "--dbname", str(connection.settings_dict["NAME"]), str(folder / DUMP), has_name=False)  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    else:
        connection.close()
        target = Path(str(connection.settings_dict["NAME"]))
        for leftover in (f"{target}-wal", f"{target}-shm"):
            Path(leftover).unlink(missing_ok=True)
        _copy_sqlite(folder / SQLITE, target)
    if (folder / UPLOADS).exists():
        shutil.copytree(folder / UPLOADS, settings.MEDIA_ROOT, dirs_exist_ok=True)
    if (folder / ANCHORS).exists() and not audit.ANCHORS.exists():
        audit.ANCHORS.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / ANCHORS, audit.ANCHORS)


def sequences_behind() -> list[str]:
    """Columns whose sequence would hand out a number that is taken; none on SQLite, which asks the rows."""
    if connection.vendor == "sqlite":
        return []
    owned = """
        SELECT c.oid::regclass::text, a.attname, pg_get_serial_sequence(c.oid::regclass::text, a.attname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
          AND pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL ORDER BY 1"""
    behind = []
    with connection.cursor() as cursor:
        cursor.execute(owned)
        for table, column, sequence in cursor.fetchall():
            cursor.execute(
                f'SELECT (SELECT max("{column}") FROM {table}) > last_value FROM {sequence}'  # noqa: S608
            )
            if cursor.fetchone()[0]:
                behind.append(f"{table}.{column}")
        # The number in the lower bits of an event's id.
        cursor.execute(
            "SELECT (SELECT max(id & 1099511627775) FROM events_event WHERE id >= 1099511627776) > last_value"
            " FROM events_event_number"
        )
        if cursor.fetchone()[0]:
            behind.append("events_event.id")
    return behind


def _run(program: str, *words: str, has_name: bool = True) -> None:
    """A program of PostgreSQL, told by the environment where and who; the password is on no command line."""
    told = connection.settings_dict
    environment = {
        **os.environ, "PGHOST": str(told["HOST"]), "PGPORT": str(told["PORT"] or 5432),
        "PGUSER": str(told["USER"]), "PGPASSWORD": str(told["PASSWORD"]),
    }  # fmt: skip
    if has_name:
        environment["PGDATABASE"] = str(told["NAME"])
    path = shutil.which(program)
    if path is None:
        raise Trouble(f"{program} is not installed here (Debian: postgresql-client).")
    done = subprocess.run([path, *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"{program} failed: {done.stderr.strip()[-2000:]}")
