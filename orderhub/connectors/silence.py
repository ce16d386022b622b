"""Systems that have gone quiet: compared with the usual gap between their messages at this hour, told once a silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from orderhub.connectors.facts import CONNECTION_SILENT
from orderhub.connectors.models import Connection, Traffic
from orderhub.events import log
from orderhub.events.log import Fact
from orderhub.events.models import Event
from orderhub.events.registry import every
from orderhub.kernel import clock

#: So many days tell what is usual, and so many of them must have had messages at this hour.
DAYS = 14
FEWEST_DAYS = 3
#: So many times the usual gap is a silence, but never less than this.
TIMES = 3
LEAST = timedelta(minutes=15)
CHECK_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Quiet:
    """A connection without word: since when, and the usual gap between its messages at this hour (None: not known)."""

    connection: Connection
    since: datetime
    usual: timedelta | None
    limit: timedelta

    def minutes(self, now: datetime) -> int:
        """How long it has been quiet."""
        return int((now - self.since).total_seconds() // 60)


def usual_gaps(connection_ids: Sequence[int], *, now: datetime) -> dict[int, timedelta]:
    """The mean gap between messages at this hour over the last two weeks; one query, only where enough days had any."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(days=day) for day in range(1, DAYS + 1)]
    rows = Traffic.objects.filter(connection_id__in=connection_ids, hour__in=hours, received__gt=0)
    found: dict[int, list[int]] = {}
    for pk, count in rows.values_list("connection_id", "received"):
        found.setdefault(pk, []).append(count)
    return {
        pk: timedelta(hours=1) * len(counts) / sum(counts)
        for pk, counts in found.items()
        if len(counts) >= FEWEST_DAYS
    }


def may_be_quiet(now: datetime) -> Q:
    """The connections that are worth a look."""
    return Q(is_active=True, last_message_at__lt=now - LEAST)


def quiet(*, now: datetime, known: Sequence[Connection] | None = None) -> list[Quiet]:
    """Active connections (of those `known`) without word for too long, the longest first; a query, and one for these."""
    if known is None:
        known = list(Connection.objects.filter(may_be_quiet(now)))
    chosen = sorted(
        (row for row in known if row.last_message_at is not None and now - row.last_message_at > LEAST),
        key=lambda row: row.last_message_at or now,
    )
    gaps = usual_gaps([row.pk for row in chosen if row.silent_minutes is None], now=now) if chosen else {}
    found = []
    for row in chosen:
        limit = limit_of(row, gaps.get(row.pk))
        if limit is not None and row.last_message_at is not None and now - row.last_message_at > limit:
            found.append(Quiet(row, row.last_message_at, gaps.get(row.pk), limit))
    return found


def limit_of(connection: Connection, gap: timedelta | None) -> timedelta | None:
    """After how long without a message somebody is told; None where nothing is known of what is usual."""
    if connection.silent_minutes is not None:
        return timedelta(minutes=connection.silent_minutes)
    return None if gap is None else max(LEAST, TIMES * gap)


def tell(*, now: datetime) -> int:
    """Write each new silence into the log, once a silence; how many were new."""
    told = 0
    for one in quiet(now=now):
        stream = f"connection:{one.connection.pk}"
        with transaction.atomic():
            Connection.objects.select_for_update(no_key=True).get(pk=one.connection.pk)
            known = Event.objects.filter(
                stream=stream, kind=CONNECTION_SILENT.name, occurred_at__gt=one.since
            )
            if known.exists():
                continue
            usual = round(one.usual.total_seconds() / 60, 1) if one.usual is not None else None
            fact = Fact(
                stream, CONNECTION_SILENT.name,
                {"connection": one.connection.pk, "minutes": one.minutes(now), "usual": usual},
                one.connection.merchant_id,
            )  # fmt: skip
            log.record([fact], now=now, actor="system")
        told += 1
    return told


@every(CHECK_SECONDS, name="connectors.silence")
def listen() -> int:
    """Look for systems that have gone quiet."""
    return tell(now=clock.now())
