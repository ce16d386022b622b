"""The watch that needs no broker: it sends a pump only where something is due, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from orderhub.events import embedded, leases, registry, relay, tasks
from orderhub.events.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """The tasks sent, with the queue of each."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(embedded.app, "send_task", lambda task, kwargs, queue: found.append((task, queue)))
    monkeypatch.setattr(embedded, "ASK_SECONDS", -1.0)  # PostgreSQL is asked by time, here at every tick
    monkeypatch.setattr(embedded, "_in_flight", {})
    monkeypatch.setattr(embedded, "_asked_again", set())
    embedded._look_again.clear()
    yield found
    embedded._look_again.clear()


def test_a_change_sends_one_pump_to_the_queue_that_has_work(write: Any, job: Any, sent: Any) -> None:
    job(lambda rows: None, queue="route")
    watch = embedded.Watch()
    watch.tick()

    write("a")
    watch.tick()
    write("b")
    watch.tick()

    assert sent == [("events.pump", "route")]


def test_an_unchanged_database_is_not_asked(
    write: Any, job: Any, sent: Any, django_assert_num_queries: Any
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has a change counter")
    job(lambda rows: None)
    watch = embedded.Watch()
    watch.tick()

    with django_assert_num_queries(0):
        for _tick in range(50):
            watch.tick()

    assert sent == []


def test_what_was_asked_for_during_a_run_is_looked_at_again(write: Any, job: Any, sent: Any) -> None:
    job(lambda rows: None)
    watch = embedded.Watch()
    write("a")
    watch.tick()
    with embedded.running("pump:low"):
        relay.run_queue("low")
        write("b")
        watch.tick()

    watch.tick()

    assert sent == [("events.pump", "low")] * 2


def test_rows_behind_a_stopped_one_do_not_keep_the_watch_busy(write: Any, job: Any, sent: Any) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL without a broker is asked by time")
    subscriber = job(lambda rows: None)
    write("a", "a")
    relay.claim(subscriber, limit=1, now=leases.db_now())
    Delivery.objects.filter(state="leased").update(state="dead")
    watch = embedded.Watch()

    for _tick in range(20):
        watch.tick()
        if sent:
            tasks.pump("low")

    assert len(sent) <= 2


def test_a_forgotten_task_may_be_sent_again(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.enqueue("pump:low", "events.pump", {"queue": "low"}, queue="low")
    monkeypatch.setattr(embedded, "FORGOTTEN_SECONDS", 0.0)

    assert embedded.enqueue("pump:low", "events.pump", {"queue": "low"}, queue="low") is True


def test_periodic_jobs_come_by_their_interval(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(embedded, "monotonic", lambda: now[0])
    monkeypatch.setattr(embedded.os, "getppid", lambda: 1)
    registry.every(10, name="test.tidy", queue="import")(lambda: 0)
    timekeeper = embedded.Timekeeper(parent_pid=1)

    for _second in range(30):
        now[0] += 1
        timekeeper.tick()
        embedded._in_flight.clear()

    assert sent == [("events.periodic", "import")] * 3
