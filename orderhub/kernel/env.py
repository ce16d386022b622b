"""Settings from the environment, read strictly: a wrong value stops the start with its name and a remedy."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(RuntimeError):
    """A variable of the environment is missing or unusable; the text says which and what to do."""


def text(name: str, default: str = "") -> str:
    """The variable's text; `NAME_FILE` may point to a file holding a secret."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text("utf-8").strip()
        except OSError as fault:
            raise BadSetting(
                f"{name}_FILE={file} cannot be read: {fault}. Point it to a readable file."
            ) from fault
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    """A yes/no variable; anything but 1/0, true/false, yes/no, on/off is refused."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name}={value!r} is neither yes nor no. Use 1 or 0.")


def number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within [low, high]."""
    value = text(name)
    if not value:
        return default
    try:
        result = int(value)
    except ValueError as fault:
        raise BadSetting(f"{name}={value!r} is not a whole number.") from fault
    if not low <= result <= high:
        raise BadSetting(f"{name}={result} is outside {low}…{high}.")
    return result


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks trimmed, empty items dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(url: str, *, sqlite_path: Path, is_worker: bool = False) -> dict[str, object]:
    """Django's database dict for a postgresql:// URL, or SQLite in WAL mode when the URL is empty.

    The web waits 2 s for a lock, for somebody is waiting there, and keeps its connections; a worker waits 5 s,
    for its batches meet each other, and lets go of its connection between tasks, which may be far apart.
    """
    if not url:
        return _sqlite(sqlite_path)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadSetting(f"DATABASE_URL must start with postgresql:// or sqlite://, not {parts.scheme}://")
    options: dict[str, object] = dict(parse_qsl(parts.query))
    options["options"] = (
        f"-c statement_timeout=15000 -c lock_timeout={5000 if is_worker else 2000} "
        "-c idle_in_transaction_session_timeout=30000 -c synchronous_commit=on"
    )
    options.setdefault("connect_timeout", "3")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0 if is_worker else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728;"
            ),
        },
        # A file, not shared memory: several connections of one test process must see one database.
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
    }
