"""Once a day every system is compared with what we have, in turns that go on where the last one stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as day_time

from django.db import transaction
from django.db.models import Max

from orderhub.connectors import shelf, wishes
from orderhub.connectors.models import Connection, Difference, Reconciliation
from orderhub.connectors.models.profile import Profile
from orderhub.connectors.reconciling import bills, channels, hearsay, parcels, warehouses
from orderhub.connectors.reconciling.turns import GRACE, NoWord, Turn
from orderhub.connectors.speech.moments import zone

#: On the clock of the system, when its shops and warehouses rest.
DAILY_AT = day_time(3)
FIRST_LOOK = timedelta(days=2)
OVERLAP = timedelta(hours=1)
LONGEST_LOOK = timedelta(days=7)
TURN_SECONDS = 40.0
#: After so many turns without a word it ends as it is, and is begun afresh the next day.
MOST_FAILURES = 30
#: Ended comparisons and settled differences are kept so long.
KEPT = timedelta(days=90)
#: Their order is the order of the parts; "" begins.
Stage = Callable[[Turn, str], str]
_TOLD: tuple[tuple[str, Stage], ...] = (("messages", hearsay.messages), ("calls", hearsay.calls))
_STAGES: Mapping[str, tuple[tuple[str, Stage], ...]] = {
    Profile.Role.CHANNEL: (
        *_TOLD, ("again", channels.again), ("listed", channels.listed), ("asked", channels.asked),
    ),
    Profile.Role.WAREHOUSE: (
        *_TOLD, ("held", warehouses.held), ("told", warehouses.told), ("stock", warehouses.stock),
    ),
    Profile.Role.ERP: (*_TOLD, ("bills", bills.handed_over)),
    Profile.Role.CARRIER: (*_TOLD, ("parcels", parcels.under_way)),
}  # fmt: skip
_State = Difference.State


def run_due(*, now: datetime) -> int:
    """Begin what is due and go on with what is under way, one turn each; how many had a turn."""
    for connection in _due(now):
        begin(connection, now=now)
    rows = Reconciliation.objects.filter(ended_at=None, connection__is_active=True).order_by("pk")
    chosen = list(rows.select_related("connection__profile__in_force", "connection__merchant"))
    for run in chosen:
        go_on(run, now=now)
    _forget(now)
    return len(chosen)


def begin(connection: Connection, *, now: datetime) -> Reconciliation:
    """A comparison of this connection, from where the last complete one ended; the one under way if there is one."""
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        open_one = Reconciliation.objects.filter(connection=connection, ended_at=None).first()
        if open_one is not None:
            return open_one
        done = Reconciliation.objects.filter(connection=connection, is_complete=True)
        last = done.aggregate(until=Max("until"))["until"]
        since = now - FIRST_LOOK if last is None else max(last - OVERLAP, now - LONGEST_LOOK)
        return Reconciliation.objects.create(
            connection=connection,
            merchant_id=connection.merchant_id,
            began_at=now,
            since=since,
            until=now - GRACE,
        )


def go_on(run: Reconciliation, *, now: datetime, seconds: float = TURN_SECONDS) -> None:
    """One turn: part after part, until the time is up, the end is reached or the system has no word for us."""
    role = run.connection.profile.role if run.connection.profile is not None else ""
    stages = _STAGES.get(role, _TOLD)
    turn = Turn(run, now, time.monotonic() + seconds)
    try:
        shelf.spec_of(run.connection)
        while run.ended_at is None:
            _advance(turn, stages)
            if not turn.has_time:
                return
    except (NoWord, KeyError) as no:
        run.failures += 1
        run.error = str(no)[:300]
        if run.failures >= MOST_FAILURES:
            run.ended_at = now
        run.save(update_fields=["failures", "error", "ended_at"])


def _advance(turn: Turn, stages: Sequence[tuple[str, Stage]]) -> None:
    """Compare the next chunk and keep what came of it, together with how far it came."""
    run, names = turn.run, [name for name, _stage in stages]
    at = names.index(run.stage) if run.stage in names else 0
    after = stages[at][1](turn, run.after)
    with transaction.atomic():
        turn.note()
        run.after = after[:80]
        if after:
            run.stage = names[at]
        elif at + 1 < len(names):
            run.stage = names[at + 1]
        else:
            _end(run, now=turn.now)
        run.save()


def _end(run: Reconciliation, *, now: datetime) -> None:
    """Whatever was not found any more has settled by itself."""
    gone = Difference.objects.filter(
        connection=run.connection, state__in=[_State.OPEN, _State.FETCHING], last_at__lt=run.began_at
    )
    run.settled = gone.update(state=_State.SETTLED, settled_at=now)
    run.ended_at, run.is_complete, run.error = now, True, ""


def _due(now: datetime) -> list[Connection]:
    """Active connections whose last comparison began before the last three o'clock of theirs."""
    rows = Connection.objects.filter(
        is_active=True, kind=wishes.KIND, profile__in_force__isnull=False, merchant__is_active=True
    ).annotate(last=Max("reconciliations__began_at"))
    return [
        row
        for row in rows.select_related("profile__in_force", "merchant")
        if row.last is None or row.last < _last_turn(row, now)
    ]


def _last_turn(connection: Connection, now: datetime) -> datetime:
    there = now.astimezone(zone(shelf.spec_of(connection).zone))
    today = there.replace(hour=DAILY_AT.hour, minute=0, second=0, microsecond=0)
    return today if today <= there else today - timedelta(days=1)


def _forget(now: datetime) -> None:
    Reconciliation.objects.filter(ended_at__lt=now - KEPT).delete()
    Difference.objects.filter(state=_State.SETTLED, settled_at__lt=now - KEPT).delete()
