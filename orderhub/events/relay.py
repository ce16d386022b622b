"""Deliveries: claimed at the head of each stream, leased, run, and then done, put off or dead (see
docs/reliability.md).

All state changes are compare-and-swap on (state, lease token), so a worker that was thought dead and comes
back late changes nothing. Attempts are counted in the claim, before anything runs.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from orderhub.events import breaker, doorbell, leases, registry, tables, tail
from orderhub.events.models import Delivery, Event
from orderhub.events.registry import Backlog, GiveUp, Later, Partly, Subscriber
from orderhub.events.tail import project
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

__all__ = [
    "bury_lost",
    "claim",
    "due_queues",
    "project",
    "replay",
    "ring_due",
    "ring_if_due",
    "run_queue",
    "skip",
]

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 3600.0

_READY = "d.state = 'ready' AND d.not_before <= %(now)s"
_LOST = "d.state = 'leased' AND d.lease_until < %(now)s AND d.attempts < %(max_attempts)s"
#: A comparison, not NOT EXISTS: PostgreSQL makes a join of that, which without fresh statistics reads the whole
#: backlog for each row (30 a second at 30,000 waiting); this is one look into the index, whatever it believes.
_HEAD = """d.id = (
    SELECT min(e.id) FROM events_delivery e
    WHERE e.subscriber = d.subscriber AND e.destination = d.destination AND e.stream = d.stream
      AND e.state IN ('ready', 'leased', 'dead'))"""
# MATERIALIZED: PostgreSQL may otherwise run the inner query again per row and lease more than the limit.
_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT d.id FROM events_delivery d
    WHERE d.subscriber = %(subscriber)s AND d.state IN ('ready', 'leased') AND {conditions}
    ORDER BY d.id LIMIT %(limit)s {lock})
UPDATE events_delivery
SET state = 'leased', attempts = attempts + 1, lease_until = %(until)s, lease_token = %(token)s
WHERE id IN (SELECT id FROM picked)
RETURNING *"""
#: Asked of all subscribers of a queue at once, two columns each.
_DUE = """EXISTS (SELECT 1 FROM events_delivery d
                  WHERE d.subscriber = %s AND d.state IN ('ready', 'leased')
                    AND d.state = 'ready' AND d.not_before <= %s),
          EXISTS (SELECT 1 FROM events_delivery d
                  WHERE d.subscriber = %s AND d.state IN ('ready', 'leased')
                    AND d.state = 'leased' AND d.lease_until < %s AND d.attempts < %s)"""


# ---- claiming ------------------------------------------------------------------------------------


def claim(subscriber: Subscriber, *, limit: int, now: datetime) -> list[Delivery]:
    """Lease up to `limit` deliveries for 30 s, events attached, oldest first; one statement, its own
    transaction.

    Ready rows come first. If there is none, one row whose worker was lost is taken, alone: should it be the
    one that kills workers, it takes no neighbors with it.
    """
    return _claim(subscriber, _READY, limit=limit, now=now) or _claim(subscriber, _LOST, limit=1, now=now)


def _claim(subscriber: Subscriber, state: str, *, limit: int, now: datetime) -> list[Delivery]:
    parameters = _parameters(subscriber, now)
    parameters |= {"limit": limit, "token": leases.new_token(), "until": _moment(now + leases.LEASE)}
    conditions = [state, *([_HEAD] if subscriber.ordered else [])]
    resting = breaker.resting(subscriber.name, now=now) if subscriber.outside else []
    for number, destination in enumerate({*resting, *_paused_destinations(subscriber)}):
        conditions.append(f"d.destination <> %(paused{number})s")
        parameters[f"paused{number}"] = destination
    lock = "FOR UPDATE OF d SKIP LOCKED" if connection.vendor == "postgresql" else ""
    statement = _CLAIM.format(conditions=" AND ".join(conditions), lock=lock)
    rows = sorted(Delivery.objects.raw(statement, parameters), key=lambda row: row.pk)
    events = Event.objects.in_bulk({row.event_id for row in rows})
    for row in rows:
        row.event = events[row.event_id]
    return rows


def _paused_destinations(subscriber: Subscriber) -> list[str]:
    if subscriber.is_paused is None:
        return []
    waiting = Delivery.objects.filter(subscriber=subscriber.name, state__in=["ready", "leased"])
    names = sorted(set(waiting.values_list("destination", flat=True).distinct()))
    return [name for name in names if subscriber.is_paused(name)]


def _parameters(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    return {"subscriber": subscriber.name, "now": _moment(now), "max_attempts": subscriber.max_attempts}


def _moment(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


# ---- running -------------------------------------------------------------------------------------


def run_queue(queue: str, *, budget_seconds: float = 20.0) -> int:
    """Run deliveries and projections of this queue until nothing is due or the time is up; returns how
    many.
    """
    deadline = monotonic() + budget_seconds
    handled = 0
    while True:
        due, lying = _due(registry.served_by(queue), registry.lying_in(queue), leases.db_now())
        this_round = sum(_run_batch(subscriber, deadline, *found) for subscriber, found in due)
        this_round += sum(one.run() for one in lying)
        this_round += sum(tail.advance(projection) for projection in registry.projected_by(queue))
        handled += this_round
        if not this_round or monotonic() > deadline:
            return handled


def _run_batch(subscriber: Subscriber, deadline: float, ready: bool, lost: bool) -> int:
    now = leases.db_now()
    rows = _claim(subscriber, _READY, limit=subscriber.batch, now=now) if ready else []
    strays = _claim(subscriber, _LOST, limit=1, now=now) if lost else []
    for batch in (rows, strays):
        _run_claimed(subscriber, batch, deadline)
    return len(rows) + len(strays)


def _run_claimed(subscriber: Subscriber, rows: Sequence[Delivery], deadline: float) -> None:
    if not rows:
        return
    with leases.kept(rows[0].lease_token):
        for group in _groups(subscriber, rows):
            if monotonic() > deadline and group[0].pk != rows[0].pk:
                _give_back(group, delay=timedelta(0))
            else:
                Run(subscriber, group[0].destination).settle(group)


def _groups(subscriber: Subscriber, rows: Sequence[Delivery]) -> list[list[Delivery]]:
    if not subscriber.outside:
        return [list(rows)]
    groups: dict[str, list[Delivery]] = {}
    for row in rows:
        groups.setdefault(row.destination, []).append(row)
    return list(groups.values())


class Run:
    """One batch of one destination: who succeeded, who failed and why, who was not tried."""

    def __init__(self, subscriber: Subscriber, destination: str = "") -> None:
        self.subscriber = subscriber
        self.destination = destination
        self.patience = breaker.patience(subscriber.name, destination) if subscriber.outside else 0
        self.done: list[Delivery] = []
        self.failed: list[tuple[Delivery, Exception]] = []
        self.untried: list[Delivery] = []
        self.failures_in_a_row = 0

    def settle(self, rows: Sequence[Delivery]) -> None:
        """Run the rows and write down the outcome of each."""
        self._run(rows)
        rest = self._note_outage() if self.subscriber.outside else timedelta(0)
        _finish(self.done)
        _put_off(self.subscriber, self.failed)
        _give_back(self.untried, delay=rest)

    def _note_outage(self) -> timedelta:
        """Let a destination rest that is out, and say how long; hurry what was put off once it is back."""
        if self.failures_in_a_row >= self.patience:
            return breaker.rest(self.subscriber.name, self.destination, now=leases.db_now())
        if self.done and breaker.recovered(self.subscriber.name, self.destination):
            put_off = Delivery.objects.filter(
                subscriber=self.subscriber.name, destination=self.destination, state=Delivery.State.READY
            )
            put_off.update(not_before=leases.db_now())
        return timedelta(0)

    def _run(self, rows: Sequence[Delivery]) -> None:
        if self.subscriber.outside and self.failures_in_a_row >= self.patience:
            self.untried.extend(rows)
            return
        try:
            self.subscriber.handle(rows)
        except Partly as partly:
            self._sort(rows, partly.failures)
        except Exception as fault:  # whatever it is, it is kept on the row and tried again
            self._blame(rows, fault)
        else:
            self.done += rows
            self.failures_in_a_row = 0

    def _sort(self, rows: Sequence[Delivery], failures: Mapping[int, Exception]) -> None:
        """Tell the done, the failed and those that were not tried apart; a refusal is an answer, so no outage."""
        done = [row for row in rows if row.pk not in failures]
        paced = [(row, fault) for row in rows if isinstance(fault := failures.get(row.pk), Later)]
        failed = [
            (row, failures[row.pk])
            for row in rows
            if row.pk in failures and not isinstance(failures[row.pk], Later)
        ]
        self.done += done
        self.failed += failed
        if paced:
            seconds = max(fault.seconds for _row, fault in paced)
            breaker.pause(self.subscriber.name, self.destination, seconds=seconds, now=leases.db_now())
            _give_back([row for row, _fault in paced], delay=timedelta(0))
        if done or any(isinstance(fault, GiveUp) for _row, fault in failed):
            self.failures_in_a_row = 0
        else:
            self.failures_in_a_row += len(failed)

    def _blame(self, rows: Sequence[Delivery], fault: Exception) -> None:
        """Find the row at fault by halves, so that a bad one costs its neighbors some repetition and
        nothing else.
        """
        if len(rows) == 1:
            self.failed.append((rows[0], fault))
            # Whoever refuses a message for good is there to refuse it.
            self.failures_in_a_row = 0 if isinstance(fault, GiveUp) else self.failures_in_a_row + 1
            return
        middle = len(rows) // 2
        self._run(rows[:middle])
        self._run(rows[middle:])


# ---- outcomes, all fenced by the lease token -----------------------------------------------------


def _held(rows: Sequence[Delivery]) -> dict[str, object]:
    return {
        "pk__in": [row.pk for row in rows], "state": Delivery.State.LEASED, "lease_token":
        rows[0].lease_token, }  # fmt: skip


def _finish(rows: Sequence[Delivery]) -> None:
    if not rows:
        return
    changed = Delivery.objects.filter(**_held(rows)).update(
        state=Delivery.State.DONE, finished_at=clock.now(), lease_until=None, lease_token="", last_error=""
    )
    if changed != len(rows):
        logger.warning(
            "%s: %d of %d leases were lost meanwhile", rows[0].subscriber, len(rows) - changed, len(rows)
        )


def _put_off(subscriber: Subscriber, failures: Sequence[tuple[Delivery, Exception]]) -> None:
    if not failures:
        return
    now = leases.db_now()
    with transaction.atomic():
        for row, fault in failures:
            text = f"{type(fault).__name__}: {fault}"[:4000].replace("\x00", "")
            if isinstance(fault, GiveUp):
                _bury(row, reason=str(fault), error=text)
            elif row.attempts >= subscriber.max_attempts:
                _bury(row, reason=f"failed {row.attempts} times: {text}", error=text)
            else:
                Delivery.objects.filter(**_held([row])).update(
                    state=Delivery.State.READY, not_before=now + _delay(row.attempts), last_error=text,
                    lease_until=None, lease_token="",
                )  # fmt: skip


def _give_back(rows: Sequence[Delivery], *, delay: timedelta) -> None:
    """Return rows that were not tried; their attempt does not count."""
    if rows:
        Delivery.objects.filter(**_held(rows)).update(
            state=Delivery.State.READY, not_before=leases.db_now() + delay, attempts=F("attempts") - 1,
            lease_until=None, lease_token="",
        )  # fmt: skip


def _bury(row: Delivery, *, reason: str, error: str) -> int:
    # The reason stays on the row: it may quote what another system said about a customer.
    logger.error("%s needs a person after %d attempts", row, row.attempts)
    return Delivery.objects.filter(**_held([row])).update(
        state=Delivery.State.DEAD, dead_reason=reason[:200].replace("\x00", ""), last_error=error,
        finished_at=clock.now(), lease_until=None, lease_token="",
    )  # fmt: skip


def _delay(attempts: int) -> timedelta:
    """Full jitter: anything up to 5 s doubled with each attempt, at most an hour."""
    ceiling = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 20))
    return timedelta(seconds=random.uniform(0, ceiling))


# ---- the sweep -----------------------------------------------------------------------------------


def due_queues(queues: Iterable[str] | None = None) -> set[str]:
    """The queues with a delivery to run or a projection behind the log, just now; reads only."""
    now = leases.db_now()
    wanted = set(queues) if queues is not None else None
    asked = [one for one in registry.subscribers.values() if wanted is None or one.queue in wanted]
    rows = [one for one in registry.backlogs.values() if wanted is None or one.queue in wanted]
    due, lying = _due(asked, rows, now)
    found = {subscriber.queue for subscriber, _ready_or_lost in due} | {one.queue for one in lying}
    behind = {registry.projections[name].queue for name in tail.behind()}
    return found | (behind if wanted is None else behind & wanted)


def ring_due() -> int:
    """Ring for every queue with something due; returns how many."""
    queues = due_queues()
    doorbell.ring(queues)
    return len(queues)


def ring_if_due(queue: str) -> None:
    """Ring again for a queue whose turn ended before its work did."""
    if due_queues([queue]):
        doorbell.ring([queue])


def _due(
    subscribers: Iterable[Subscriber], backlogs: Sequence[Backlog], now: datetime
) -> tuple[list[tuple[Subscriber, tuple[bool, bool]]], list[Backlog]]:
    """Those for whom ready rows, or rows of lost workers, wait, and the backlogs with something in them; one statement,
    since an idle look is the usual one.
    """
    asked = list(subscribers)
    if not asked and not backlogs:
        return [], []
    at = str(_moment(now))
    parameters = [
        value for one in asked for value in (one.name, at, one.name, at, one.max_attempts)
    ]  # fmt: skip
    (told,) = tables.ask(
        "SELECT " + ", ".join([_DUE] * len(asked) + [one.waits for one in backlogs]), parameters
    )
    row, end = [bool(value) for value in told], 2 * len(asked)
    found = zip(asked, zip(row[:end:2], row[1:end:2], strict=True), strict=True)
    lying = [one for one, waits in zip(backlogs, row[end:], strict=True) if waits]
    return [(subscriber, flags) for subscriber, flags in found if any(flags)], lying


def bury_lost(*, now: datetime) -> int:
    """Rows whose workers were lost as often as they may be tried become dead; returns how many."""
    buried = 0
    with transaction.atomic():  # locked, so that no late renewal comes in between
        expired = Delivery.objects.select_for_update().filter(
            state=Delivery.State.LEASED, lease_until__lt=now
        )
        for row in expired.order_by("pk")[:1000]:
            subscriber = registry.subscribers.get(row.subscriber)
            if subscriber is not None and row.attempts >= subscriber.max_attempts:
                buried += _bury(row, reason=f"worker lost {row.attempts} times", error=row.last_error)
    return buried


# ---- a person decides ----------------------------------------------------------------------------


def replay(delivery: Delivery, *, actor: str, note: str = "") -> None:
    """Try a dead (or backed-off) delivery again from its first attempt; raises Refused if it is not
    waiting.
    """
    _decide(delivery, actor=actor, note=note, state=Delivery.State.READY, attempts=0,
            not_before=leases.db_now(), dead_reason="", finished_at=None)  # fmt: skip


def skip(delivery: Delivery, *, actor: str, note: str) -> None:
    """Let a dead (or backed-off) delivery go for good, which frees its stream; the note says why, Refused
    without.
    """
    if not note.strip():
        raise Refused(
            "note_missing", _("Skipping a delivery needs a note that says why."), field="note", status=422
        )
    _decide(delivery, actor=actor, note=note, state=Delivery.State.SKIPPED, finished_at=clock.now())


def _decide(delivery: Delivery, *, actor: str, note: str, **changes: object) -> None:
    waiting = Delivery.objects.filter(pk=delivery.pk, state__in=[Delivery.State.DEAD, Delivery.State.READY])
    signed = f"{actor}: {note}" if note else actor
    if not waiting.update(note=signed[:200], **changes):
        raise Refused(
            "not_waiting",
            _("Delivery %(id)s is neither stopped nor waiting, so there is nothing to decide.")
            % {"id": delivery.pk},
            remedy=_("Reload the page to see its present state."),
        )
    transaction.on_commit(lambda: _ring_for(delivery), robust=True)


def _ring_for(delivery: Delivery) -> None:
    subscriber = registry.subscribers.get(delivery.subscriber)
    if subscriber is not None:
        doorbell.ring([subscriber.queue])
