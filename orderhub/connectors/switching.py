"""The switch of a connection: the other side may turn it off by wanting nothing more; what is owed to it waits."""

from __future__ import annotations

from datetime import datetime

from orderhub.connectors import facts
from orderhub.connectors.models import Connection
from orderhub.events import breaker, log, registry


def off_by_them(connection: Connection, *, now: datetime) -> bool:
    """Switch it off because the other side said so; whether it was on. Runs inside the caller's transaction, which then
    holds the connection's row.
    """
    if not Connection.objects.filter(pk=connection.pk, is_active=True).update(is_active=False):
        return False
    fact = log.Fact(
        f"connection:{connection.pk}", facts.CONNECTION_GONE.name, {"connection": connection.pk}, connection.merchant_id
    )  # fmt: skip
    log.record([fact], now=now, actor=f"connection:{connection.code}"[:80])
    return True


def resume(connection: Connection) -> None:
    """What is owed to it is tried now: a person switched it on."""
    for subscriber in registry.subscribers.values():
        if subscriber.outside:
            breaker.resume(subscriber.name, str(connection.pk))
