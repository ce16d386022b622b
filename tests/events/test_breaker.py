"""A destination that is out rests, the others go on, and what waited is drained in order once it is back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orderhub.events import breaker, relay
from orderhub.events.models import Delivery
from orderhub.events.registry import Busy, GiveUp, Partly
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db
DEAD, ALIVE = "7", "8"


class Outside:
    """Two systems; one of them can be down."""

    def __init__(self) -> None:
        self.is_down = True
        self.tries = 0
        self.arrived: dict[str, list[tuple[str, int]]] = {DEAD: [], ALIVE: []}

    def push(self, rows: Any) -> None:
        destination = rows[0].destination
        if destination == DEAD and self.is_down:
            self.tries += len(rows) == 1
            raise ConnectionRefusedError
        self.arrived[destination] += [(row.stream, row.event.seq) for row in rows]


@pytest.fixture
def outside(job: Any) -> Outside:
    system = Outside()
    job(system.push, outside=True, destinations=lambda events: [[DEAD, ALIVE] for _event in events])
    return system


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`later(5)` moves the clock on by 5 s."""
    moved = [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: timezone.now() + moved[0])

    def move(seconds: float) -> None:
        moved[0] += timedelta(seconds=seconds)

    return move


def attempts() -> list[int]:
    rows = Delivery.objects.filter(destination=DEAD).order_by("pk")
    return list(rows.values_list("attempts", flat=True))


def test_a_dead_system_burns_no_more_attempts_while_the_others_go_on(
    write: Any, outside: Outside, later: Any
) -> None:
    write(*(f"s{number}" for number in range(10)))
    relay.run_queue("low")
    assert (outside.tries, sum(attempts())) == (3, 3)
    assert breaker.resting("test.job", now=clock.now()) == [DEAD]

    write("s0", "s1", "new")
    later(1)
    relay.run_queue("low")

    assert (outside.tries, sum(attempts())) == (3, 3)
    assert len(outside.arrived[ALIVE]) == 13


def test_a_system_that_rested_is_tried_once_and_rests_longer(
    write: Any, outside: Outside, later: Any
) -> None:
    write(*(f"s{number}" for number in range(10)))
    relay.run_queue("low")

    for seconds in (3, 5, 9):
        later(seconds)
        relay.run_queue("low")

    assert outside.tries == 3 + 3
    later(15)
    assert breaker.resting("test.job", now=clock.now()) == [DEAD]
    later(2)
    assert breaker.resting("test.job", now=clock.now()) == []


def test_once_it_is_back_everything_is_drained_in_the_order_of_each_stream(
    write: Any, outside: Outside, later: Any
) -> None:
    for _round in range(4):
        write("a", "b", "c", "d")
    relay.run_queue("low")
    outside.is_down = False
    later(10)

    for _round in range(6):
        relay.run_queue("low")

    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    for stream in "abcd":
        assert [seq for name, seq in outside.arrived[DEAD] if name == stream] == [1, 2, 3, 4]
    assert breaker.patience("test.job", DEAD) == breaker.OUTAGE_FAILURES


def test_one_row_at_fault_is_no_outage(write: Any, job: Any) -> None:
    def push(rows: Any) -> None:
        if any(row.stream == "bad" for row in rows):
            raise ValueError("bad address")

    job(push, outside=True)
    write("a", "bad", "c", "d")

    relay.run_queue("low")

    assert breaker.resting("test.job", now=clock.now()) == []
    assert Delivery.objects.filter(state="done").count() == 3


def test_a_trial_is_one_row_however_many_the_handler_would_take(write: Any, job: Any, later: Any) -> None:
    """A handler that calls for a whole batch at once does not send all of it to somebody who may still be out."""
    tries: list[int] = []

    def push(rows: Any) -> None:
        tries.append(len(rows))
        raise Partly({row.pk: ConnectionRefusedError() for row in rows})

    job(push, outside=True, destinations=lambda events: [[DEAD] for _event in events])
    write(*(f"s{number}" for number in range(20)))
    relay.run_queue("low")
    before = sum(attempts())
    later(6)
    relay.run_queue("low")

    assert tries[-1] == 1
    assert sum(attempts()) == before + 1


def test_two_workers_do_not_try_the_same_destination_at_once(
    write: Any, outside: Outside, later: Any
) -> None:
    write(*(f"s{number}" for number in range(5)))
    relay.run_queue("low")
    later(3)
    assert breaker.begin_trial("test.job", DEAD)

    relay.run_queue("low")

    assert outside.tries == 3
    breaker.end_trial("test.job", DEAD)


def test_who_asks_to_be_left_alone_is_and_it_is_no_outage(write: Any, job: Any, later: Any) -> None:
    tries: list[str] = []

    def push(rows: Any) -> None:
        tries.extend(row.stream for row in rows)
        raise Partly({row.pk: Busy("too many", 90) for row in rows})

    job(push, outside=True, batch=2, destinations=lambda events: [[DEAD] for _event in events])
    write(*(f"s{number}" for number in range(6)))
    relay.run_queue("low")
    assert len(tries) == 2
    assert breaker.resting("test.job", now=clock.now()) == [DEAD]
    assert breaker.is_out("test.job", DEAD) is None

    later(80)
    relay.run_queue("low")
    assert len(tries) == 2
    later(15)
    relay.run_queue("low")

    assert len(tries) == 4
    waits = Delivery.objects.filter(attempts=1).values_list("not_before", "created_at")
    assert all((not_before - created).total_seconds() > 85 for not_before, created in waits)


def test_a_table_of_delays_is_kept_within_a_tenth(write: Any, job: Any, later: Any) -> None:
    def push(rows: Any) -> None:
        raise Partly({row.pk: OSError("down") for row in rows})

    job(
        push,
        outside=True,
        delays=(5, 300, 1800),
        max_attempts=4,
        destinations=lambda events: [[DEAD] for _e in events],
    )
    write("a")
    waited = []
    for _try in range(4):
        relay.run_queue("low")
        row = Delivery.objects.get()
        if row.state == "ready":
            waited.append((row.not_before - clock.now()).total_seconds())
            later(waited[-1] + 61)

    assert [
        round(seconds / wanted, 1) for seconds, wanted in zip(waited, (5, 300, 1800), strict=True)
    ] == pytest.approx([1, 1, 1], abs=0.11)
    assert Delivery.objects.get().state == "dead"


def test_a_dead_row_that_does_not_block_lets_its_stream_go_on(write: Any, job: Any) -> None:
    told: list[int] = []

    def push(rows: Any) -> None:
        for row in rows:
            if row.event.seq == 1:
                raise GiveUp("no")
            told.append(row.event.seq)

    job(push, outside=True, dead_blocks=False, batch=1)
    write("a", "a")

    relay.run_queue("low")

    assert told == [2]


def test_the_end_of_a_rest_is_noticed_without_a_sweep(write: Any, outside: Outside, later: Any) -> None:
    write(*(f"s{number}" for number in range(5)))
    relay.run_queue("low")
    start = clock.now()

    assert relay.resumed_queues(since=start, now=start + timedelta(seconds=1)) == set()
    assert relay.resumed_queues(since=start + timedelta(seconds=1), now=start + timedelta(seconds=3)) == {
        "low"
    }
