"""What a delivery waits for in its stream, by random histories: nothing overtakes what it waits for, nothing waits for more."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from orderhub.events import relay
from orderhub.events.models import Delivery
from orderhub.events.registry import GiveUp, Partly, To
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db
TOPICS = ("release", "cancel", "subscribe:1", "subscribe:2", "intercept:1", "")
HISTORIES = 60


@dataclass
class Line:
    """Destinations as the test says them: one `To` an event, in order."""

    said: list[To]

    def destinations(self, events: Sequence[Any]) -> list[list[To]]:
        return [[self.said[event.payload["number"]]] for event in events]


def _random_line(chance: random.Random, length: int) -> Line:
    def one() -> To:
        topic = chance.choice(TOPICS)
        others = chance.sample([name for name in TOPICS if name], chance.randrange(3))
        waits_for = None if not topic or chance.random() < 0.3 else tuple(others)
        return To(chance.choice("xy"), topic, waits_for, chance.random() < 0.3)

    return Line([one() for _n in range(length)])


def _waits_for(later: Delivery, earlier: Delivery, said: Sequence[To]) -> bool:
    """The rule in plain words, written apart from the statement that keeps it."""
    if (later.destination, later.stream) != (earlier.destination, earlier.stream) or earlier.pk >= later.pk:
        return False
    mine, theirs = (said[row.event.payload["number"]] for row in (later, earlier))
    return mine.waits_for is None or not theirs.topic or theirs.topic in (mine.topic, *mine.waits_for)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_exactly_what_has_nothing_to_wait_for_is_claimed(write: Any, job: Any, seed: int) -> None:
    chance = random.Random(seed)
    line = _random_line(chance, 14)
    subscriber = job(lambda rows: None, outside=True, destinations=line.destinations)
    write(*(chance.choice(("a", "b")) for _n in range(14)))
    now = clock.now()
    for row in Delivery.objects.order_by("pk"):
        state = chance.choice(("ready", "ready", "done", "dead", "leased", "resting", "skipped"))
        Delivery.objects.filter(pk=row.pk).update(
            state="ready" if state == "resting" else state, lease_until=now + timedelta(seconds=30),
            not_before=now + timedelta(hours=1 if state == "resting" else -1),
        )  # fmt: skip
    rows = list(Delivery.objects.select_related("event").order_by("pk"))
    is_open = {row.pk for row in rows if row.state in ("ready", "leased", "dead")}
    free = {
        row.pk for row in rows
        if row.state == "ready" and row.not_before < now
        and not any(other.pk in is_open and _waits_for(row, other, line.said) for other in rows)
    }  # fmt: skip
    urgent = {row.pk for row in rows if row.pk in free and row.is_urgent}

    first = {row.pk for row in relay.claim(subscriber, limit=50, now=now)}
    second = {row.pk for row in relay.claim(subscriber, limit=50, now=now)} if urgent else set()

    assert first == (urgent or free)
    assert first | second == free


@pytest.mark.parametrize("seed", range(20))
def test_whatever_fails_and_whenever_nothing_arrives_before_what_it_waits_for(
    write: Any, job: Any, seed: int
) -> None:
    chance = random.Random(seed)
    line = _random_line(chance, 20)
    ended: list[int] = []

    def handle(rows: Sequence[Delivery]) -> None:
        failures: dict[int, Exception] = {}
        for row in rows:
            mishap = chance.random()
            if mishap < 0.3:
                failures[row.pk] = GiveUp("no") if mishap < 0.1 else OSError("down")
            else:
                ended.append(row.pk)
        if failures:
            raise Partly(failures)

    job(handle, outside=True, batch=3, destinations=line.destinations)
    write(*(chance.choice(("a", "b")) for _n in range(20)))
    rows = list(Delivery.objects.select_related("event").order_by("pk"))
    for _round in range(60):
        Delivery.objects.filter(state="ready").update(not_before=clock.now() - timedelta(seconds=1))
        relay.run_queue("low")

    place = {pk: number for number, pk in enumerate(ended)}
    assert len(place) == len(ended)
    for later in rows:
        for earlier in rows:
            if later.pk in place and _waits_for(later, earlier, line.said):
                assert earlier.pk in place
                assert place[earlier.pk] < place[later.pk]


def test_a_row_that_knows_no_topics_is_waited_for(write: Any, job: Any) -> None:
    line = Line([To("x"), To("x", "intercept:1", ())])
    subscriber = job(lambda rows: None, outside=True, destinations=line.destinations)
    write("a", "a")

    assert [row.event.seq for row in relay.claim(subscriber, limit=9, now=clock.now())] == [1]


def test_what_goes_first_goes_before_a_backlog_of_others(write: Any, job: Any) -> None:
    line = Line([*(To("x", "release") for _n in range(30)), To("x", "cancel", None, True)])
    seen: list[str] = []
    job(
        lambda rows: seen.extend(row.stream for row in rows), outside=True, batch=5,
        destinations=line.destinations,
    )  # fmt: skip
    write(*(f"s{number}" for number in range(30)), "recalled")

    relay.run_queue("low")

    assert seen[0] == "recalled"
    assert len(seen) == 31


@pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="the plan of PostgreSQL is in docs/query-plans.md"
)
def test_the_head_is_one_look_into_the_index(write: Any, job: Any) -> None:
    subscriber = job(lambda rows: None, outside=True, destinations=lambda events: [["x"] for _e in events])
    write(*(f"s{number}" for number in range(200)))
    plans: list[str] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "WITH picked" in sql and not plans:
            plans.append("")
            with connection.cursor() as own:
                own.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                plans[0] = " ".join(str(row) for row in own.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        relay.claim(subscriber, limit=5, now=clock.now())

    assert "SEARCH e USING" in plans[0]
    assert "events_delivery_head" in plans[0]
