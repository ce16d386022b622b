"""A system that hangs or is slow keeps nobody else waiting: it is called in a lane of its own (PostgreSQL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from orderhub.events import breaker, lanes, relay
from orderhub.events.models import Delivery
from orderhub.events.registry import Partly
from orderhub.kernel import clock

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
SLOW, QUICK = "7", "8"


class Two:
    """Two systems; one keeps its caller waiting until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.told: dict[str, list[str]] = {SLOW: [], QUICK: []}
        self.is_broken = False

    def push(self, rows: Any) -> None:
        destination = rows[0].destination
        if destination == SLOW:
            self.let_go.wait(20)
            if self.is_broken:
                raise Partly({row.pk: TimeoutError("no answer") for row in rows})
        self.told[destination] += [row.stream for row in rows]


@pytest.fixture
def two(job: Any) -> Iterator[Two]:
    assert connection.vendor == "postgresql"
    system = Two()
    job(system.push, outside=True, destinations=lambda events: [[SLOW, QUICK] for _event in events])
    lanes._took_seconds.clear()
    yield system
    system.let_go.set()
    _until_idle()
    lanes._took_seconds.clear()
    breaker.resume("test.job", SLOW)


def _until_idle() -> None:
    for _try in range(400):
        if not lanes._busy:
            return
        time.sleep(0.02)
    raise AssertionError("a lane never ends")


def _seconds(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_a_slow_system_is_called_beside_the_others(write: Any, two: Two) -> None:
    lanes._took_seconds["test.job", SLOW] = 3.0
    write("a", "b")

    assert _seconds(lambda: relay.run_queue("low")) < 2
    write("c")
    assert _seconds(lambda: relay.run_queue("low")) < 2

    assert two.told == {SLOW: [], QUICK: ["a", "b", "c"]}
    leased = Delivery.objects.filter(state="leased").values_list("destination", "stream")
    assert sorted(leased) == [(SLOW, "a"), (SLOW, "b")]

    two.let_go.set()
    _until_idle()
    relay.run_queue("low")
    _until_idle()
    assert sorted(two.told[SLOW]) == ["a", "b", "c"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_whether_a_system_is_back_is_tried_beside_the_others(write: Any, two: Two) -> None:
    two.is_broken = True
    breaker.rest("test.job", SLOW, now=clock.now() - timedelta(seconds=60))
    write("a", "b")

    assert _seconds(lambda: relay.run_queue("low")) < 2
    assert two.told == {SLOW: [], QUICK: ["a", "b"]}

    two.let_go.set()
    _until_idle()
    rest = breaker.is_out("test.job", SLOW)
    assert rest is not None
    assert rest["times"] == 2
    assert sorted(Delivery.objects.filter(destination=SLOW).values_list("attempts", flat=True)) == [0, 1]


def test_one_that_became_quick_again_needs_no_lane(write: Any, two: Two) -> None:
    two.let_go.set()
    lanes._took_seconds["test.job", SLOW] = 3.0
    write("a")
    relay.run_queue("low")
    _until_idle()
    write("b")
    relay.run_queue("low")

    assert two.told[SLOW] == ["a", "b"]
    assert lanes._took_seconds["test.job", SLOW] < lanes.SLOW_SECONDS


def test_when_all_lanes_are_taken_the_rows_come_back_uncounted(
    write: Any, two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MOST", 0)
    lanes._took_seconds["test.job", SLOW] = 3.0
    write("a")
    relay.run_queue("low")

    row = Delivery.objects.get(destination=SLOW)
    assert (row.state, row.attempts) == ("ready", 0)
