"""Which connection a door's key belongs to: read again only when one of its rows is another than it was."""

from __future__ import annotations

import threading
from functools import cache

from django.db import connection as database

from orderhub.access.models import Merchant
from orderhub.connectors.models import Connection, Profile
from orderhub.events.tables import ask

_MOST_KEPT = 2000
_kept: dict[tuple[str, str], tuple[object, Connection]] = {}
_lock = threading.Lock()


def find(key: str) -> Connection | None:
    """The active connection behind a key, with its merchant and its profile's version in force; None where there is none.

    On PostgreSQL one statement if nothing changed since this process read it. What comes is shared by all requests of
    the process, so nobody may change it.
    """
    if database.vendor != "postgresql":
        return _read(key)
    found = ask(_statement(), [key])
    if not found:
        return None
    name = str(database.settings_dict["NAME"]), key
    known = _kept.get(name)
    if known is not None and known[0] == found[0]:
        return known[1]
    row = _read(key)
    if row is not None:
        with _lock:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            # Asked before it was read: what is kept may be newer than its mark, and is then read once more.
            _kept[name] = found[0], row
    return row


def _read(key: str) -> Connection | None:
    chosen = Connection.objects.select_related("profile__in_force", "merchant")
    # Documents are read once a version, by `shelf`.
    chosen = chosen.defer("profile__in_force__document", "profile__draft")
    return chosen.filter(door_key=key, is_active=True, merchant__is_active=True).first()


@cache
def _statement() -> str:
    """The place and the writer of each version of a row, which tell every change however it was made."""
    connections, profiles, merchants = (model._meta.db_table for model in (Connection, Profile, Merchant))
    marks = ", ".join(f"{one}.xmin::text, {one}.ctid::text" for one in ("c", "p", "m"))
    return (
        f"SELECT {marks} FROM {connections} c JOIN {merchants} m ON m.id = c.merchant_id "  # noqa: S608  (own names)
        f"LEFT JOIN {profiles} p ON p.id = c.profile_id WHERE c.door_key = %s AND c.is_active AND m.is_active"
    )
