"""Turns at the ways in: leased, so that nobody else is at the same one; what was read moves on only after it was kept."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import translation

from orderhub.connectors import net, shelf, traffic
from orderhub.connectors.models import Connection, WayMark
from orderhub.connectors.speech import fetching
from orderhub.connectors.speech.fetching import Way
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.ways.reasons import Broken, Lost, trouble

logger = logging.getLogger(__name__)
#: One turn, all turns of one run; what is left is for the next.
TURN_SECONDS = 30.0
RUN_SECONDS = 100.0
#: A turn that was begun and never ended is begun again after so long: as long as a worker may run at most.
LEASE = timedelta(minutes=5)
_AT_ONCE = 50
#: After failures a way in is looked at less often, but at least so often.
_LONGEST_REST = timedelta(minutes=15)


@dataclass(slots=True)
class Turn:
    """One turn at one way in: whose it is, until when it may go on, and what it has found so far."""

    mark: WayMark
    way: Way
    spec: Spec
    until: float
    found: int = 0
    refused: int = 0
    repeated: int = 0
    trouble: Broken | None = None

    @property
    def connection(self) -> Connection:
        """The connection it is for."""
        return self.mark.connection

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return monotonic() > self.until

    def move(self, cursor: dict[str, Any]) -> None:
        """Note how far it came; raises Lost where somebody else took over."""
        moved = WayMark.objects.filter(pk=self.mark.pk, token=self.mark.token).update(cursor=cursor)
        if not moved:
            raise Lost
        self.mark.cursor = cursor


Taker = Callable[[Turn, datetime], None]
_takers: dict[str, Taker] = {}


def takes(kind: str) -> Callable[[Taker], Taker]:
    """Say who takes the turns of a kind."""

    def register(function: Taker) -> Taker:
        _takers[kind] = function
        return function

    return register


def is_on(connection: Connection, kind: str) -> bool:
    """Whether a way in is switched on in the settings of the connection."""
    return connection.config.get(fetching.on(kind)) in (True, "true", "1")


def prepare(connection: Connection, *, now: datetime) -> None:
    """Make the marks of the ways in that are used, forget those that are not; what was read stays noted."""
    if connection.profile is None or connection.profile.in_force is None:
        return
    used = [kind for kind in shelf.spec_of(connection).ways if is_on(connection, kind)]
    WayMark.objects.filter(connection=connection).exclude(kind__in=used).delete()
    for kind in used:
        WayMark.objects.get_or_create(connection=connection, kind=kind, defaults={"next_at": now})


def run_due(*, now: datetime) -> int:
    """Take the turns that are due, the longest waiting first; how many messages were found."""
    until = monotonic() + RUN_SECONDS
    due = WayMark.objects.filter(_free(now), next_at__lte=now, connection__is_active=True)
    due = due.filter(Q(connection__paused_until=None) | Q(connection__paused_until__lte=now))
    chosen = due.select_related(
        "connection__profile__in_force", "connection__merchant", "connection__channel"
    )
    found = 0
    for mark in chosen.order_by("next_at")[:_AT_ONCE]:
        if monotonic() > until:
            break
        found += run(mark, now=now)
    return found


def run(mark: WayMark, *, now: datetime) -> int:
    """Take one turn, unless somebody else is at it; a failure is noted and tried again later."""
    token = secrets.token_hex(16)
    mine = WayMark.objects.filter(_free(now), pk=mark.pk, next_at=mark.next_at)
    if not mine.update(token=token, leased_until=now + LEASE):
        return 0
    mark.refresh_from_db(fields=["cursor", "token"])
    way = shelf.spec_of(mark.connection).ways.get(mark.kind)
    if way is None or not is_on(mark.connection, mark.kind):
        WayMark.objects.filter(pk=mark.pk).delete()
        return 0
    turn = Turn(mark, way, shelf.spec_of(mark.connection), monotonic() + TURN_SECONDS)
    try:
        _takers[mark.kind](turn, now)
    except Lost:
        return turn.found
    except Broken as fault:
        turn.trouble = fault
    except (net.Forbidden, net.NotSent) as fault:
        turn.trouble = Broken("address", value=str(fault))
    except DatabaseError:
        raise
    except Exception as fault:  # whatever another system does, the others have their turns
        logger.warning("way in %s failed: %s", mark.pk, type(fault).__name__)
        turn.trouble = Broken("other", value=f"{type(fault).__name__}: {fault}")
    _finish(turn, now=now)
    return turn.found


def _free(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lt=now)


def _finish(turn: Turn, *, now: datetime) -> None:
    mark, failures = turn.mark, turn.connection.failures_in_a_row
    rest, fault = timedelta(seconds=turn.way.every_s), turn.trouble.fault if turn.trouble else {}
    if fault:
        rest = max(rest, min(rest * 2 ** min(failures, 8), _LONGEST_REST))
    with transaction.atomic():
        ended = WayMark.objects.filter(pk=mark.pk, token=mark.token).update(
            token="", leased_until=None, next_at=now + rest, last_at=now, last_found=turn.found,
            last_refused=turn.refused, fault=fault,
        )  # fmt: skip
        if not ended:
            return
        row = Connection.objects.filter(pk=mark.connection_id)
        if fault:
            with translation.override("en"):  # as calls note it: for logs and monitors
                said = trouble(fault)[:300]
            row.update(failures_in_a_row=F("failures_in_a_row") + 1, last_error=said, last_error_at=now)
        elif failures:
            row.update(failures_in_a_row=0)
        if turn.repeated:
            traffic.count(mark.connection_id, now=now, repeated=turn.repeated)
