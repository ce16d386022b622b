"""Answers that serve later calls too (access tokens): kept sealed until they run out, and asked for by one at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from orderhub.connectors import net, secretbox
from orderhub.connectors.models import Connection
from orderhub.connectors.speech.calls import Prepare
from orderhub.kernel import clock, secrets

#: What one process may do to get an answer before another tries.
_ALONE_S = 30
_log = logging.getLogger("orderhub.connectors")
_locks: dict[str, threading.Lock] = {}
_guard = threading.Lock()

#: Asks the other side; gives what is taken, and for how many seconds it serves.
Ask = Callable[[], tuple[Mapping[str, Any], int]]


def taken(connection: Connection, step: Prepare, ask: Ask, *, may_write: bool) -> dict[str, Any]:
    """What the step takes: kept from before, else asked for now. Raises what asking raises, and NotSent where secrets would
    have to be written (`rotates`) and may not be here, or where another process is just asking.
    """
    key = _key(connection, step)
    with _lock_of(key):
        known = _known(key)
        if known is not None:
            return known
        if step.rotates and not may_write:
            raise net.NotSent(f"{step.operation} ran out and is asked for before the next try")
        if step.rotates and not _is_alone(key):
            raise net.NotSent(f"{step.operation} is being asked for elsewhere")
        found, seconds = ask()
        if step.rotates:
            _rotate(connection, step, found)
            _drop(f"{key}:asking")
        if seconds > 0:
            _keep(key, found, seconds)
        return dict(found)


def forget(connection: Connection, step: Prepare) -> None:
    """Let go of what is kept: the other side takes it no more."""
    _drop(_key(connection, step))


def _drop(key: str) -> None:
    try:
        cache.delete(key)
    except redis.RedisError:
        _log.warning("the cache cannot be reached; what is kept there runs out by itself")


def _rotate(connection: Connection, step: Prepare, found: Mapping[str, Any]) -> None:
    """Write the secrets that replace those just used: without them nothing could be asked for again."""
    now = clock.now()
    with transaction.atomic():
        row = Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        for secret, name in step.rotates:
            if found.get(name):
                secretbox.put(row, secret, str(found[name]), now=now)
                secretbox.drop_before(row, secret)
        row.save(update_fields=["sealed_secrets"])
    connection.sealed_secrets = row.sealed_secrets


def _key(connection: Connection, step: Prepare) -> str:
    """Another secret, setting or version of the profile asks anew; a rotated secret is no other one."""
    rotated = {name for name, _taken in step.rotates}
    own = {name: value for name, value in connection.sealed_secrets.items() if name not in rotated}
    version = connection.profile.in_force_id if connection.profile is not None else None
    text = json.dumps([own, connection.config, version], sort_keys=True, default=str)
    return f"kept:{connection.pk}:{step.operation}:{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _known(key: str) -> dict[str, Any] | None:
    try:
        sealed = cache.get(key)
    except redis.RedisError:
        return None
    if not isinstance(sealed, str):
        return None
    found: dict[str, Any] = json.loads(secrets.unseal(sealed, keys=settings.SECRET_KEYS))
    return found


def _keep(key: str, found: Mapping[str, Any], seconds: int) -> None:
    try:
        cache.set(
            key,
            secrets.seal(json.dumps(dict(found), default=str), keys=settings.SECRET_KEYS),
            timeout=seconds,
        )
    except redis.RedisError:
        _log.warning("the cache cannot be reached; a token is asked for with each call")


def _is_alone(key: str) -> bool:
    try:
        return bool(cache.add(f"{key}:asking", 1, timeout=_ALONE_S))
    except redis.RedisError:
        return True


def _lock_of(key: str) -> threading.Lock:
    with _guard:
        if len(_locks) > 1000:
            _locks.clear()
        return _locks.setdefault(key, threading.Lock())
