"""Who listens: projections of ours (behind a cursor) and messages or jobs (a delivery row each)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orderhub.events.models import Delivery, Event

#: Applies a batch of events in log order inside the transaction that moves the cursor; idempotent, no
#: outside calls.
ProjectionHandler = Callable[[Sequence["Event"]], None]
#: Handles a batch of claimed deliveries; returns nothing, raises to retry. See JobSubscriber and
#: MessageSubscriber.
DeliveryHandler = Callable[[Sequence["Delivery"]], None]


class To(NamedTuple):
    """Where a delivery goes, what it is about there (`topic`), and what it waits for in its stream.

    `waits_for` None: everything that was owed to the destination before; else only what has one of these topics or
    its own. What `is_urgent` goes before what was owed earlier in other streams.
    """

    destination: str
    topic: str = ""
    waits_for: tuple[str, ...] | None = None
    is_urgent: bool = False


#: Names the destinations (connection codes or ids) one batch of events is owed to, per event.
Destinations = Callable[[Sequence["Event"]], Sequence[Iterable[str | To]]]
#: Says whether a destination rests just now (its breaker is open): its deliveries are not claimed, no
#: attempt is burned.
IsPaused = Callable[[str], bool]
#: Told, after the commit, how far the logs of these streams are.
LoggedListener = Callable[[Mapping[str, int]], None]
#: A periodic job; answers how much it did, for the log.
PeriodicJob = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Projection:
    """A fast, idempotent view of the log (timeline, carbon ledger, statistics)."""

    name: str
    kinds: frozenset[str]
    apply: ProjectionHandler
    queue: str
    batch: int


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A job of ours or a message to somebody else, run from delivery rows.

    The handler gets claimed deliveries with their events at hand, heads of their streams only when
    `ordered`. It returns and all are done, or raises: then halves and at last single rows are tried, so one
    bad row fails alone. `outside=False`: a job of ours; the handler manages its own short transactions and
    is idempotent. `outside=True`: the handler calls another system between two short transactions, one
    delivery at a time or in a batch per destination, with `event:<id>/<subscriber>` as the key the other
    side deduplicates by. It may raise `Partly` to say which rows failed; `is_paused(destination)` keeps a
    resting destination from being claimed. `delays` are the seconds before each further try where the usual
    back-off does not fit; with `dead_blocks=False` a row that needs a person does not hold up its stream.
    """

    name: str
    kinds: frozenset[str]
    handle: DeliveryHandler
    queue: str
    batch: int
    ordered: bool
    outside: bool
    max_attempts: int
    destinations: Destinations | None = field(default=None)
    is_paused: IsPaused | None = field(default=None)
    delays: tuple[float, ...] = ()
    dead_blocks: bool = True


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job the clock runs every so many seconds, one run at a time."""

    name: str
    seconds: float
    run: PeriodicJob
    queue: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work that lies in rows of an app's own, where an event and a delivery a row would cost more than the work.

    `waits` is an SQL condition without parameters, cheap by an index; `run` does one round of it, in short transactions
    of its own, and answers how much it did. Whoever adds a row rings the queue after the commit; a lost ring is found by
    the sweep.
    """

    name: str
    waits: str
    run: PeriodicJob
    queue: str


class GiveUp(Exception):
    """Raised by a handler: this delivery can never succeed; it goes to dead at once with this reason."""


class Later(Exception):
    """In `Partly`: this delivery was not tried, since its destination takes no more just now; no attempt is counted.

    The destination is left alone for `seconds`.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.1f} s")
        self.seconds = seconds


class Busy(Exception):
    """Raised by a handler, or in `Partly`: it was tried, and whoever is there asks to be left alone for `seconds`.

    The attempt counts; nothing goes to the destination before, and its silence is no outage.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Partly(Exception):
    """Raised by a handler: the deliveries of these ids failed (or are for `Later`), each with its own fault; the others
    are done.
    """

    def __init__(self, failures: Mapping[int, Exception]) -> None:
        super().__init__(f"{len(failures)} failed")
        self.failures = dict(failures)


projections: dict[str, Projection] = {}
subscribers: dict[str, Subscriber] = {}
periodics: dict[str, Periodic] = {}
backlogs: dict[str, Backlog] = {}
logged: list[LoggedListener] = []


def projection(
    name: str, *, kinds: Iterable[str], queue: str = "low", batch: int = 500
) -> Callable[[ProjectionHandler], ProjectionHandler]:
    """Declare a projection of the log under a cursor of that name."""

    def register(function: ProjectionHandler) -> ProjectionHandler:
        projections[name] = Projection(name, frozenset(kinds), function, queue, batch)
        return function

    return register


def on(
    *kinds: str,
    name: str,
    queue: str,
    batch: int = 200,
    ordered: bool = True,
    outside: bool = False,
    max_attempts: int | None = None,
    destinations: Destinations | None = None,
    is_paused: IsPaused | None = None,
    delays: Sequence[float] = (),
    dead_blocks: bool = True,
) -> Callable[[DeliveryHandler], DeliveryHandler]:
    """Declare a subscriber: each event of these kinds makes one delivery row (per destination, if given)."""

    def register(function: DeliveryHandler) -> DeliveryHandler:
        subscribers[name] = Subscriber(
            name=name, kinds=frozenset(kinds), handle=function, queue=queue, batch=batch, ordered=ordered,
            outside=outside, max_attempts=max_attempts or (20 if outside else 5), destinations=destinations,
            is_paused=is_paused, delays=tuple(delays), dead_blocks=dead_blocks,
        )  # fmt: skip
        return function

    return register


def listening_to(kind: str) -> list[Subscriber]:
    """The subscribers that are owed an event of this kind, by name."""
    return [subscribers[name] for name in sorted(subscribers) if kind in subscribers[name].kinds]


def every(seconds: float, *, name: str, queue: str = "low") -> Callable[[PeriodicJob], PeriodicJob]:
    """Declare a job of ours that the clock runs every so many seconds in that queue, never twice at once."""

    def register(function: PeriodicJob) -> PeriodicJob:
        periodics[name] = Periodic(name, seconds, function, queue)
        return function

    return register


def backlog(name: str, *, queue: str, waits: str) -> Callable[[PeriodicJob], PeriodicJob]:
    """Declare rows of an app's own that are worked off in that queue whenever the condition holds."""

    def register(function: PeriodicJob) -> PeriodicJob:
        backlogs[name] = Backlog(name, waits, function, queue)
        return function

    return register


def when_logged(function: LoggedListener) -> LoggedListener:
    """Have `function({stream: number})` called by whoever recorded events, right after the commit; for hints only.

    Streams that this transaction began are left out: nobody follows them yet. A hint may be lost (the process dies), so
    nothing may depend on it, and the function must be quick and must not raise.
    """
    if function not in logged:
        logged.append(function)
    return function


def served_by(queue: str) -> list[Subscriber]:
    """The subscribers whose deliveries run in that queue, by name."""
    return [subscribers[name] for name in sorted(subscribers) if subscribers[name].queue == queue]


def projected_by(queue: str) -> list[Projection]:
    """The projections that run in that queue, by name."""
    return [projections[name] for name in sorted(projections) if projections[name].queue == queue]


def lying_in(queue: str) -> list[Backlog]:
    """The backlogs that are worked off in that queue, by name."""
    return [backlogs[name] for name in sorted(backlogs) if backlogs[name].queue == queue]


def listeners() -> list[Subscriber | Projection]:
    """Everybody who listens to the log."""
    return [*subscribers.values(), *projections.values()]


def queues_for(kinds: Iterable[str]) -> set[str]:
    """The queues with something to do once events of these kinds are written, projections included."""
    known = set(kinds)
    return {listener.queue for listener in listeners() if listener.kinds & known}
