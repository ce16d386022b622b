"""Secrets of connections: sealed at rest, never shown again, and two valid at once while one takes over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from orderhub.connectors.models import Connection
from orderhub.kernel import secrets

#: How long the secret before is still taken after a new one was entered.
OVERLAP = timedelta(days=2)


def put(connection: Connection, name: str, value: str, *, now: datetime) -> None:
    """Make this the value in use; the one before is accepted for two more days. The row is not saved."""
    before = connection.sealed_secrets.get(name, [])[:1]
    kept = [{**entry, "until": (now + OVERLAP).isoformat()} for entry in before]
    entry = {
        "sealed": secrets.seal(value, keys=settings.SECRET_KEYS),
        "since": now.isoformat(),
        "until": None,
    }
    connection.sealed_secrets = {**connection.sealed_secrets, name: [entry, *kept]}


def valid(connection: Connection, name: str, *, now: datetime) -> list[str]:
    """The values that are taken now, the one in use first; none if none was entered."""
    entries = connection.sealed_secrets.get(name, [])
    return [
        secrets.unseal(entry["sealed"], keys=settings.SECRET_KEYS)
        for entry in entries
        if entry["until"] is None or datetime.fromisoformat(entry["until"]) > now
    ]


def current(connection: Connection, name: str) -> str:
    """The value in use; empty if none was entered."""
    entries = connection.sealed_secrets.get(name, [])
    return secrets.unseal(entries[0]["sealed"], keys=settings.SECRET_KEYS) if entries else ""


def since(connection: Connection, name: str) -> datetime | None:
    """When the value in use was entered."""
    entries = connection.sealed_secrets.get(name, [])
    return datetime.fromisoformat(entries[0]["since"]) if entries else None


def drop_before(connection: Connection, name: str) -> None:
    """Stop taking the secret before at once. The row is not saved."""
    connection.sealed_secrets = {
        **connection.sealed_secrets,
        name: connection.sealed_secrets.get(name, [])[:1],
    }
