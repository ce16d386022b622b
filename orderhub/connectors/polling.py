"""Asking systems that do not push: page after page, and the cursor moves only when the last one was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from orderhub.connectors import inbox, net, shelf, speaking
from orderhub.connectors.base import Incoming
from orderhub.connectors.models import Connection, PollMark
from orderhub.connectors.speech import answers, calls, mapping, reading, trees
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.speech.profile import Schedule

#: Pages of one turn; a system with more is asked on with the next turn.
MOST_PAGES = 200
#: A first look reaches back so far.
FIRST_LOOK = timedelta(days=1)
_AT_ONCE = 20
_LONGEST_CURSOR = 500
#: A turn that was begun and never ended is begun again after so long.
_TURN = timedelta(minutes=10)


@dataclass(slots=True)
class _Turn:
    """What one turn of a schedule has found so far."""

    found: int = 0
    newest: str = ""
    remembered: str = ""


def prepare(connection: Connection, *, now: datetime) -> None:
    """Make the marks of a connection's schedules; those that are there stay as they are."""
    if connection.profile is None or connection.profile.in_force is None:
        return
    for schedule in shelf.spec_of(connection).schedules:
        PollMark.objects.get_or_create(
            connection=connection, schedule=schedule.name, defaults={"next_at": now}
        )


def run_due(*, now: datetime) -> int:
    """Take the turns that are due, at most 20 at once; how many messages were found."""
    due = PollMark.objects.filter(next_at__lte=now, connection__is_active=True)
    chosen = due.select_related("connection__profile__in_force", "connection__merchant").order_by("next_at")
    return sum(run(mark, now=now) for mark in chosen[:_AT_ONCE])


def run(mark: PollMark, *, now: datetime) -> int:
    """Take one turn, unless somebody else is at it; a failure is noted and tried at the next turn."""
    taken = PollMark.objects.filter(pk=mark.pk, next_at=mark.next_at).update(next_at=now + _TURN)
    if not taken:
        return 0
    spec = shelf.spec_of(mark.connection)
    schedule = next((one for one in spec.schedules if one.name == mark.schedule), None)
    if schedule is None:
        PollMark.objects.filter(pk=mark.pk).delete()
        return 0
    turn, error = _Turn(), ""
    try:
        _walk(mark, spec, schedule, turn, now=now)
    except (net.Forbidden, net.NotSent, net.NoAnswer, calls.CannotBuild, KeyError, RuntimeError) as fault:
        error = f"{type(fault).__name__}: {fault}"[:300]
    changes: dict[str, Any] = {
        "next_at": now + timedelta(seconds=schedule.every_s), "last_at": now, "last_found": turn.found,
        "last_error": error,
    }  # fmt: skip
    if not error:
        changes["cursor"] = turn.remembered or turn.newest or _since(mark, schedule, now)
    with transaction.atomic():
        PollMark.objects.filter(pk=mark.pk).update(**changes)
        if error:
            Connection.objects.filter(pk=mark.connection_id).update(
                failures_in_a_row=F("failures_in_a_row") + 1, last_error=error, last_error_at=now
            )
        else:
            Connection.objects.filter(pk=mark.connection_id).update(failures_in_a_row=0)
    return turn.found


def _walk(mark: PollMark, spec: Spec, schedule: Schedule, turn: _Turn, *, now: datetime) -> None:
    since, page, after = _reach(mark, schedule, now), 1, ""
    while page <= MOST_PAGES:
        message = {
            "since": since, "until": now.isoformat(), "page": page, "offset": turn.found, "after": after, "key": "",
            "reference": schedule.name,
        }  # fmt: skip
        answer, answered = speaking.try_once(mark.connection, schedule.operation, message, now=now)
        if answer.means != "acked":
            raise RuntimeError(answer.message or f"the answer was {answer.means}")
        scope = mapping.scope(answer.tree, {"_headers": dict(answered.headers), "_page": page})
        turn.found += _keep(mark, spec, schedule, scope, turn, now=now)
        if schedule.remember is not None:
            turn.remembered = answers.said(schedule.remember, scope) or turn.remembered
            if len(turn.remembered) > _LONGEST_CURSOR:
                raise RuntimeError(f"its cursor is longer than {_LONGEST_CURSOR} signs")
        after = answers.said(schedule.next, scope) if schedule.next is not None else ""
        if not after or after in ("false", "0"):
            return
        page += 1


def _keep(
    mark: PollMark, spec: Spec, schedule: Schedule, scope: Mapping[str, Any], turn: _Turn, *, now: datetime
) -> int:
    """Keep the items of a page; one that was seen in just this form before is not new."""
    endpoint = spec.operations[schedule.operation]
    name, where = schedule.map or endpoint.map, schedule.items or endpoint.items
    found = answers.pick(where, scope) if where is not None else scope["_body"]
    items = found if isinstance(found, list) else [] if found is None else [found]
    messages = []
    for item in items:
        text = trees.json_text(item, sort_keys=True)
        key = f"{schedule.name}/{reading.content_key({'_': text})}"[:120]
        messages.append(Incoming(key, {}, text.encode(), {"fetched": name}))
        turn.newest = max(turn.newest, _cursor(spec, schedule, name, item, mark), key=_grows)
    for start in range(0, len(messages), inbox.BATCH):
        inbox.receive(mark.connection, messages[start : start + inbox.BATCH], now=now)
    return len(messages)


def _cursor(spec: Spec, schedule: Schedule, name: str, item: Any, mark: PollMark) -> str:
    if not schedule.cursor:
        return ""
    part = reading.understand(spec, name, item, speaking.config_of(mark.connection))
    value = part.value.get(schedule.cursor)
    return "" if value is None else str(value)[:80]


def _grows(cursor: str) -> tuple[int, str]:
    """How cursors follow each other: numbers by what they count, not by their first digit."""
    is_number = cursor.isascii() and cursor.isdigit()
    return (len(cursor.lstrip("0")), cursor.lstrip("0")) if is_number else (0, cursor)


def _since(mark: PollMark, schedule: Schedule, now: datetime) -> str:
    return mark.cursor if schedule.cursor or schedule.remember else now.isoformat()


def _reach(mark: PollMark, schedule: Schedule, now: datetime) -> str:
    """Where the question begins: the cursor less the overlap, since systems sort late changes in."""
    if schedule.remember is not None:
        return mark.cursor
    if not mark.cursor:
        return (now - FIRST_LOOK).isoformat()
    known = parse_datetime(mark.cursor)
    return mark.cursor if known is None else (known - timedelta(seconds=schedule.overlap_s)).isoformat()
