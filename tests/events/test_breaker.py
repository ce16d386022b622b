"""A destination that is out rests, the others go on, and what waited is drained in order once it is back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orderhub.events import breaker, relay
from orderhub.events.models import Delivery
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
