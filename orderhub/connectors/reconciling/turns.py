"""What the parts of a comparison share: a turn with its budget, questions to the other system, and what was found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orderhub.connectors import inbox, net, shelf, speaking
from orderhub.connectors.applying import fetching
from orderhub.connectors.base import Incoming
from orderhub.connectors.meant import Told
from orderhub.connectors.models import Connection, Difference, Reconciliation, SyncMark
from orderhub.connectors.speech import answers, calls, mapping, reading, trees
from orderhub.connectors.speech.moments import zone
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.connectors.speech.profile import Schedule
from orderhub.events import rows

#: What changed a moment ago may still be on its way to us.
GRACE = timedelta(minutes=10)
#: So many things are compared, and their outcome kept, at once.
CHUNK = 50
#: A question is asked so often before the turn ends; the next turn begins there again.
TIMES = 3
MOST_PAGES = 200
#: So often a difference is asked for again before a person has to look.
MOST_TRIES = 3
Sort, Evidence, State = Difference.Sort, Difference.Evidence, Difference.State


class NoWord(Exception):
    """The other system cannot be asked just now."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. `fetch` is what asks for it again: a message of ours that is kept in the inbox, or a hint."""

    sort: str
    subject: str
    ours: str = ""
    theirs: str = ""
    order_id: int | None = None
    call_id: int | None = None
    evidence: str = Evidence.ASKED
    fetching: bool = False


@dataclass(slots=True)
class Turn:
    """A stretch of one comparison: what it is about, until when it may last, and what it found."""

    run: Reconciliation
    now: datetime
    until: float
    found: list[Found] = field(default_factory=list)
    kept: list[Incoming] = field(default_factory=list)
    #: Numbers of orders that are asked for as a whole, and those whose known version is forgotten first.
    wished: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    asked: int = 0
    told: int = 0
    explained: int = 0

    @property
    def connection(self) -> Connection:
        """The system that is compared with."""
        return self.run.connection

    @property
    def spec(self) -> Spec:
        """How it speaks."""
        return shelf.spec_of(self.connection)

    @property
    def has_time(self) -> bool:
        """Whether another chunk may begin."""
        return time.monotonic() < self.until

    @property
    def unsettled(self) -> set[str]:
        """What was different the last time: it is compared again, however long ago it is."""
        rows = Difference.objects.filter(connection=self.connection, state__in=[State.OPEN, State.FETCHING])
        return set(rows.exclude(sort__in=[Sort.UNANSWERED, Sort.APART]).values_list("subject", flat=True))

    def can(self, operation: str) -> bool:
        """Whether it can be asked that."""
        return operation in self.spec.operations

    def ask(self, operation: str, message: Mapping[str, Any]) -> answers.Answer:
        """Its answer, acked or refused, at the pace it takes; raises NoWord after three times without one."""
        said = {"key": "", "reference": "", **message}
        fault = ""
        for _time in range(TIMES):
            while wait := speaking.wait_for(self.connection):
                time.sleep(wait)
            try:
                answer, _answered = speaking.try_once(self.connection, operation, said, now=self.now)
            except (net.NotSent, net.NoAnswer) as no:
                fault = f"{type(no).__name__}: {no}"
                continue
            except (net.Forbidden, calls.CannotBuild, KeyError) as no:
                raise NoWord(f"{type(no).__name__}: {no}") from no
            if answer.means in ("acked", "refused"):
                return answer
            fault = answer.message or f"the answer was {answer.means}"
        raise NoWord(fault)

    def read(self, operation: str, tree: Any) -> reading.Part | None:
        """What an answer says by the map of its operation; None where there is no map or it cannot be read."""
        name = self.spec.operations[operation].map
        if not name:
            return None
        part = reading.understand(self.spec, name, self.stamped(tree), speaking.config_of(self.connection))
        return None if part.faults else part

    def stamped(self, tree: Any) -> Any:
        """An answer with the moment it was asked for, as that system writes it; for those that carry no time."""
        if not isinstance(tree, dict):
            return tree
        at = self.now.astimezone(zone(str(speaking.config_of(self.connection).get("zone") or self.spec.zone)))
        return {**tree, "asked_at": f"{at:%Y-%m-%d %H:%M:%S}"}

    def keep(self, operation: str, subject: str, tree: Any) -> None:
        """Let an answer go the way of all messages."""
        text = trees.json_text(self.stamped(tree))
        key = f"compared/{self.run.pk}/{operation}/{subject}"[-120:]
        self.kept.append(Incoming(key, {}, text.encode(), {"fetched": self.spec.operations[operation].map}))

    def pages(self, schedule: Schedule, since: datetime, until: datetime) -> Iterator[list[reading.Part]]:
        """What a schedule lists between two moments, a page at a time, each item as its map reads it."""
        name = schedule.map or self.spec.operations[schedule.operation].map
        where = schedule.items or self.spec.operations[schedule.operation].items
        config = speaking.config_of(self.connection)
        begin, after, seen = since.isoformat(), "", set[str]()
        for page in range(1, MOST_PAGES + 1):
            message = {"since": begin, "until": until.isoformat(), "page": page, "after": after}
            answer = self.ask(schedule.operation, message)
            if answer.means != "acked":
                raise NoWord(answer.message or "the list was refused")
            scope = mapping.scope(answer.tree, {})
            found = answers.pick(where, scope) if where is not None else scope["_body"]
            items = found if isinstance(found, list) else [] if found is None else [found]
            parts = [reading.understand(self.spec, name, item, config) for item in items]
            # Pages overlap where the list moves under the question, and where it is asked on from a moment.
            told = {f"{part.value.get('ext_id')} {part.version}": part for part in parts}
            yield [part for key, part in told.items() if key not in seen]
            seen |= told.keys()
            if schedule.next is not None:
                after = answers.said(schedule.next, scope)
                if not after or after in ("false", "0"):
                    return
                continue
            newest = max((str(one.value.get(schedule.cursor) or "") for one in parts), default="")
            if not schedule.cursor or newest <= begin:
                return
            begin = newest  # without pages it is asked on from the last one it told

    def note(self) -> None:
        """Keep what was found since the last time, and owe what is asked for again; inside a transaction."""
        fetched = _upsert(self.run, self.found, now=self.now)
        subjects = [f"order:{number}"[:120] for number in self.forgotten]
        SyncMark.objects.filter(connection=self.connection, subject__in=subjects).delete()
        hints = [Told("hint", {"operation": "fetch_order", "ext_id": number}) for number in self.wished]
        fetching.wish(self.connection, hints, now=self.now)
        for start in range(0, len(self.kept), inbox.BATCH):
            inbox.receive(self.connection, self.kept[start : start + inbox.BATCH], now=self.now)
        self.run.asked += self.asked
        self.run.told += self.told
        self.run.found += len(self.found)
        self.run.explained += self.explained
        self.run.fetched += fetched
        self.asked = self.told = self.explained = 0
        self.found, self.kept, self.wished, self.forgotten = [], [], [], []


def _upsert(run: Reconciliation, found: Sequence[Found], *, now: datetime) -> int:
    """Write each difference once; what a person let be stays so while it is the same. How many are asked for again."""
    subjects = {one.subject[:120] for one in found}
    known = {
        (row.sort, row.subject): row
        for row in Difference.objects.filter(connection=run.connection, subject__in=subjects)
    }
    fresh: list[Difference] = []
    changed: list[Difference] = []
    for one in found:
        key = (str(one.sort), one.subject[:120])
        row = known.get(key)
        if row is None:
            row = known[key] = Difference(
                connection=run.connection, merchant_id=run.merchant_id, sort=one.sort, subject=one.subject[:120],
                first_at=now,
            )  # fmt: skip
            fresh.append(row)
        elif row.pk is not None:
            changed.append(row)
        _write(row, one, now=now)
    rows.insert(fresh)
    rows.save(changed, [
        "evidence", "order_id", "call_id", "ours", "theirs", "state", "tries", "first_at", "last_at", "settled_at",
    ])  # fmt: skip
    return sum(one.fetching for one in found)


def _write(row: Difference, one: Found, *, now: datetime) -> None:
    ours, theirs = one.ours[:200], one.theirs[:200]
    is_same = (row.ours, row.theirs) == (ours, theirs)
    if row.state == State.SETTLED:
        row.first_at, row.tries, row.settled_at = now, 0, None
    if row.state != State.DISMISSED or not is_same:
        row.state = (State.FETCHING if one.fetching and row.tries < MOST_TRIES else State.OPEN).value
    row.tries = min(row.tries + one.fetching, 999)
    row.ours, row.theirs, row.last_at = ours, theirs, now
    row.evidence, row.order_id, row.call_id = str(one.evidence), one.order_id, one.call_id
