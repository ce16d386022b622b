"""Telling open pages that something is new: a hint with a number, never the news itself.

A hint may get lost, since readers fetch by number what they lack. With Redis whoever wrote an event says so right after
the commit, and each web process that has the page open brings it up to the log at once (`tracking.following`): nobody
waits for the projection, whose worker has others to serve. Without Redis the web process asks the database for the
pages it has open.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings
from django.db import transaction
from django.db.models import F
from redis import Redis

from orderhub.kernel import clock
from tracking.models import Journey

logger = logging.getLogger(__name__)

#: So many pages are asked for in one statement.
ASKED_AT_ONCE = 500
#: The writer of an event waits no longer than this for a server of hints that is away, and then leaves it alone a while.
PATIENCE_SECONDS, REST_SECONDS = 0.5, 5.0
ORDER = "order:"
Said = Iterable[tuple[int, Mapping[str, object]]]

_servers: dict[str, Redis] = {}
_rests_until = 0.0


def group(order_id: int) -> str:
    """The channel group of an order's open pages."""
    return f"track.{order_id}"


def hint(revision: int, log: int = 0) -> dict[str, object]:
    """What pages are told: their number, and up to which event of the order's log (0: not known) they tell of."""
    return {"type": "advanced", "seq": revision, "log": log}


# ---- writers -------------------------------------------------------------------------------------


def logged(heads: Mapping[str, int]) -> None:
    """Events were committed: the processes with these orders' pages open are told how far their logs are."""
    if not settings.EMBEDDED:
        _say((int(stream.removeprefix(ORDER)), {"type": "logged", "seq": seq})
             for stream, seq in heads.items() if stream.startswith(ORDER))  # fmt: skip


def touch(order_ids: Collection[int]) -> None:
    """Count a change on these pages that is no event (a position, a carbon figure); one query, then the
    hint.
    """
    if not order_ids:
        return
    pages = Journey.objects.filter(order_id__in=order_ids)
    pages.update(revision=F("revision") + 1, changed_at=clock.now())
    if not settings.EMBEDDED:
        announce_on_commit(list(pages))


def announce_on_commit(journeys: Sequence[Journey]) -> None:
    """Hint after the commit. Embedded there is nothing to do: the web process looks by itself."""
    if journeys and not settings.EMBEDDED:
        transaction.on_commit(lambda: announce(journeys), robust=True)


def announce(journeys: Iterable[Journey]) -> None:
    """Send the hint for each page; never raises."""
    _say((row.order_id, hint(row.revision, row.seq)) for row in journeys)


def _say(messages: Said) -> None:
    global _rests_until
    if monotonic() < _rests_until:
        return
    try:
        _send(messages)
    except Exception as fault:  # whatever the layer throws: pages also ask on their own
        _rests_until = monotonic() + REST_SECONDS
        logger.warning("no hint was sent: %s", fault)


def _send(messages: Said) -> None:
    """Through the layer. To Redis from here and at one go: the layer itself would open a loop and a connection each time."""
    layer = get_channel_layer()
    if not isinstance(layer, RedisPubSubChannelLayer):
        async_to_sync(_send_slowly)(messages)
        return
    config: Any = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    pipe = _server(str(config["hosts"][0])).pipeline(transaction=False)
    for order_id, message in messages:
        # As `RedisPubSubLoopLayer.group_send` does; a test with a real Redis keeps the two alike.
        pipe.publish(f"{config['prefix']}__group__{group(order_id)}", layer.serialize(message))
    if len(pipe):
        pipe.execute()


def _server(url: str) -> Redis:
    if url not in _servers:
        _servers[url] = Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        )
    return _servers[url]


async def _send_slowly(messages: Said) -> None:
    layer = get_channel_layer()
    for order_id, message in messages:
        await layer.group_send(group(order_id), message)


# ---- readers -------------------------------------------------------------------------------------


def revisions(order_ids: Sequence[int]) -> dict[int, int]:
    """The present revision of each page that exists."""
    found: dict[int, int] = {}
    for start in range(0, len(order_ids), ASKED_AT_ONCE):
        rows = Journey.objects.filter(order_id__in=order_ids[start : start + ASKED_AT_ONCE])
        found |= dict(rows.values_list("order_id", "revision"))
    return found
