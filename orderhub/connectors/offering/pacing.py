"""How slow a channel is reckoned to be, from what was measured."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from orderhub.connectors.models import ChannelPace

#: Until a channel was measured, it is believed to be this slow.
GUESS_SECONDS, GUESS_WORST_SECONDS = 30.0, 300.0
#: Between a change and its quantity leaving.
OWN_SECONDS = 2.0
#: A confirmation has settled after the lag of orders, half of it again, and this.
SETTLED, SETTLED_MORE_SECONDS = 1.5, 5.0


def paces(channel_ids: Collection[int]) -> dict[int, ChannelPace]:
    """The measured paces of these channels; those never measured are missing."""
    return {pace.channel_id: pace for pace in ChannelPace.objects.filter(channel_id__in=channel_ids)}


def blind_seconds(pace: ChannelPace | None) -> float:
    """From a sale there to the moment when a quantity that knows of it shows: measured, or guessed."""
    reply = pace.reply_seconds if pace and pace.reply_seconds is not None else GUESS_SECONDS
    return reply + order_seconds(pace) + OWN_SECONDS


def order_seconds(pace: ChannelPace | None) -> float:
    """From a sale there to the moment when we know of it: measured, or guessed."""
    return pace.order_seconds if pace and pace.order_seconds is not None else GUESS_SECONDS


def calm_at(acknowledged_at: datetime, pace: ChannelPace | None) -> datetime:
    """When sales before a confirmation are known as a rule."""
    return acknowledged_at + timedelta(seconds=SETTLED * order_seconds(pace) + SETTLED_MORE_SECONDS)


def settled_at(acknowledged_at: datetime, pace: ChannelPace | None) -> datetime:
    """When every sale before a confirmation is known, even if it takes as long as the slowest one of late."""
    worst = pace.order_worst_seconds if pace and pace.order_worst_seconds is not None else GUESS_WORST_SECONDS
    return acknowledged_at + timedelta(
        seconds=SETTLED * max(worst, order_seconds(pace)) + SETTLED_MORE_SECONDS
    )
