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
from functools import partial
from time import monotonic

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from orderhub.events import breaker, claiming, doorbell, lanes, leases, registry, tail
from orderhub.events.claiming import Due, claim
from orderhub.events.models import Delivery
from orderhub.events.registry import Busy, GiveUp, Later, Partly, Subscriber
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
    "ring_resumed",
    "run_queue",
    "skip",
]

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 3600.0
#: A delay from a table is stretched or cut by so much, that not all of an outage comes back in one moment.
JITTER = 0.1
#: Another worker is trying whether the destination is back; its rows wait so long for the outcome.
TRIED_ELSEWHERE = timedelta(seconds=1)

# ---- running -------------------------------------------------------------------------------------


def run_queue(queue: str, *, budget_seconds: float = 20.0) -> int:
    """Run deliveries and projections of this queue until nothing is due or the time is up; returns how
    many.
    """
    deadline = monotonic() + budget_seconds
    handled = 0
    while True:
        due, lying = claiming.waiting(registry.served_by(queue), registry.lying_in(queue), leases.db_now())
        this_round = sum(_run_batch(one, deadline) for one in due)
        this_round += sum(one.run() for one in lying)
        this_round += sum(tail.advance(projection) for projection in registry.projected_by(queue))
        handled += this_round
        if not this_round or monotonic() > deadline:
            return handled


def _run_batch(due: Due, deadline: float) -> int:
    subscriber, now = due.subscriber, leases.db_now()
    rows, strays = list[Delivery](), list[Delivery]()
    if due.ready:
        rows = claiming.claim_ready(subscriber, limit=subscriber.batch, now=now, urgent=due.urgent)
    if due.lost:
        strays = claiming.claim_lost(subscriber, now=now)
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
            elif not lanes.wants_own(subscriber, group[0].destination):
                lanes.timed(subscriber, group[0].destination, partial(_settle, subscriber, group))
            elif not lanes.run(subscriber, group[0].destination, partial(_settle_kept, subscriber, group)):
                _give_back(group, delay=TRIED_ELSEWHERE)


def _settle(subscriber: Subscriber, group: Sequence[Delivery]) -> None:
    Run(subscriber, group[0].destination).settle(group)


def _settle_kept(subscriber: Subscriber, group: Sequence[Delivery]) -> None:
    with leases.kept(group[0].lease_token):
        _settle(subscriber, group)


def _groups(subscriber: Subscriber, rows: Sequence[Delivery]) -> list[list[Delivery]]:
    if not subscriber.outside:
        return [list(rows)]
    groups: dict[str, list[Delivery]] = {}
    for row in rows:
        groups.setdefault(row.destination, []).append(row)
    # Whoever may still be out comes last: the others do not wait for its time-out.
    out = breaker.known_out(subscriber.name)
    return [groups[name] for name in sorted(groups, key=lambda name: name in out)]


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
        self.has_enough = False

    def settle(self, rows: Sequence[Delivery]) -> None:
        """Run the rows and write down the outcome of each."""
        if self.subscriber.outside and self.patience == 1:
            if not self._try(rows):
                return
        else:
            self._run(rows)
        rest = self._note_outage() if self.subscriber.outside else timedelta(0)
        _finish(self.done)
        _put_off(self.subscriber, self.failed)
        _give_back(self.untried, delay=rest)

    def _try(self, rows: Sequence[Delivery]) -> bool:
        """Whoever was out is tried with one row, by one worker; the others follow if it is back. False: another does."""
        name, destination = self.subscriber.name, self.destination
        if not breaker.begin_trial(name, destination):
            _give_back(rows, delay=TRIED_ELSEWHERE)
            return False
        self._run(rows[:1])
        if not self.failures_in_a_row:
            self.patience = breaker.OUTAGE_FAILURES
            self._note_outage()
        breaker.end_trial(name, destination)
        self._run(rows[1:])
        return True

    def _note_outage(self) -> timedelta:
        """Let a destination rest that is out, and say how long; hurry what was put off once it is back."""
        now = leases.db_now()
        if self.failures_in_a_row >= self.patience:
            return breaker.rest(self.subscriber.name, self.destination, now=now)
        answered = self.done or any(isinstance(fault, GiveUp) for _row, fault in self.failed)
        if answered and breaker.recovered(self.subscriber.name, self.destination):
            put_off = Delivery.objects.filter(
                subscriber=self.subscriber.name, destination=self.destination, state=Delivery.State.READY
            )
            put_off.filter(not_before__gt=now).update(not_before=now)
        return timedelta(0)

    def _run(self, rows: Sequence[Delivery]) -> None:
        is_out = self.subscriber.outside and self.failures_in_a_row >= self.patience
        if is_out or self.has_enough or not rows:
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
        found = [(row, failures[row.pk]) for row in rows if row.pk in failures]
        paced = [(row, fault) for row, fault in found if isinstance(fault, Later)]
        failed = [(row, fault) for row, fault in found if not isinstance(fault, Later)]
        busy = [fault for _row, fault in failed if isinstance(fault, Busy)]
        self.done += done
        self.failed += failed
        if paced:
            self._leave_alone(max(fault.seconds for _row, fault in paced))
            _give_back([row for row, _fault in paced], delay=timedelta(0))
        if busy:
            self._leave_alone(max(fault.seconds for fault in busy))
        if done or any(isinstance(fault, GiveUp) for _row, fault in failed):
            self.failures_in_a_row = 0
        else:
            self.failures_in_a_row += len(failed) - len(busy)

    def _leave_alone(self, seconds: float) -> None:
        self.has_enough = self.has_enough or seconds > 0
        breaker.pause(self.subscriber.name, self.destination, seconds=seconds, now=leases.db_now())

    def _blame(self, rows: Sequence[Delivery], fault: Exception) -> None:
        """Find the row at fault by halves, so that a bad one costs its neighbors some repetition and
        nothing else.
        """
        if len(rows) == 1:
            self._sort(rows, {rows[0].pk: fault})
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
                delay = _delay_of(subscriber, row.attempts)
                if isinstance(fault, Busy):
                    delay = max(delay, timedelta(seconds=fault.seconds))
                Delivery.objects.filter(**_held([row])).update(
                    state=Delivery.State.READY, not_before=now + delay, last_error=text,
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


def _delay_of(subscriber: Subscriber, attempts: int) -> timedelta:
    """As the subscriber's own table says, else as for everybody."""
    if not subscriber.delays:
        return _delay(attempts)
    seconds = subscriber.delays[min(attempts, len(subscriber.delays)) - 1]
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))


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
    due, lying = claiming.waiting(asked, rows, now)
    found = {one.subscriber.queue for one in due} | {one.queue for one in lying}
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


def ring_resumed(*, since: datetime, now: datetime) -> int:
    """Ring for the queues of destinations whose rest or pause ended since then; returns how many."""
    queues = resumed_queues(since=since, now=now)
    doorbell.ring(queues)
    return len(queues)


def resumed_queues(*, since: datetime, now: datetime) -> set[str]:
    """The queues of destinations whose rest or pause ended since then; asks the cache only."""
    outside = [one for one in registry.subscribers.values() if one.outside]
    return {one.queue for one in outside if breaker.has_resumed(one.name, since=since, now=now)}


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
