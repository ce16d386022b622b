"""How many quantities a channel's system takes in one call, which decides how they are cut into messages."""

from __future__ import annotations

from collections.abc import Iterable

from orderhub.connectors import shelf
from orderhub.connectors.models import Connection

_OPERATION = "stock"


def at_once(channel_ids: Iterable[int]) -> dict[int, int]:
    """The most quantities of one message by channel, where its system sets a limit; one query, none for no channels."""
    wanted = list(channel_ids)
    if not wanted:
        return {}
    rows = Connection.objects.filter(
        channel_id__in=wanted, is_active=True, kind="profile", profile__in_force__isnull=False
    )
    found: dict[int, int] = {}
    for row in rows.select_related("profile__in_force"):
        most = of(row)
        if most and row.channel_id is not None:
            found[row.channel_id] = min(most, found.get(row.channel_id, most))
    return found


def of(connection: Connection) -> int:
    """The most quantities of one message to this system; 0 for any number."""
    endpoint = shelf.spec_of(connection).operations.get(_OPERATION)
    return endpoint.at_once if endpoint is not None else 0
