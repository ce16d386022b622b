"""Projections: batches, cursors, parking, replay, and on PostgreSQL commits that come late or cross over."""

from __future__ import annotations

from threading import Event as Signal
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction

from orderhub.events import registry, relay, tail
from orderhub.events.log import Fact, record
from orderhub.events.models import Cursor, Event, ParkedEvent
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db


def collect(into: list[tuple[str, int]]) -> registry.ProjectionHandler:
    return lambda events: into.extend((event.stream, event.seq) for event in events)


def test_reads_everything_once_in_log_order(write: Any, view: Any) -> None:
    seen: list[tuple[str, int]] = []
    view(collect(seen), batch=2)
    write("a", "b", "a", "a", "b")

    first = relay.project("test.view")
    second = relay.project("test.view")

    assert (first, second) == (5, 0)
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("b", 2)]


def test_passes_over_other_kinds_to_the_end_of_the_log(write: Any) -> None:
    registry.projection("test.other", kinds=["test.never"])(lambda events: pytest.fail("not its kind"))
    events = write("a", "b")

    assert relay.project("test.other") == 0

    assert Cursor.objects.get().event_id == events[-1].pk
    assert tail.behind() == set()


def test_a_failing_stream_is_parked_and_the_rest_goes_on(write: Any, view: Any) -> None:
    seen: list[tuple[str, int]] = []

    def apply(events: Any) -> None:
        if any((event.stream, event.seq) == ("b", 2) for event in events):
            raise ValueError("cannot read this")
        seen.extend((event.stream, event.seq) for event in events)

    view(apply)
    write("a", "b", "c")
    relay.project("test.view")
    write("a", "b", "c", "b")

    relay.project("test.view")
    write("b")
    relay.project("test.view")

    assert seen == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("c", 2)]
    parked = ParkedEvent.objects.order_by("pk").values_list("stream", "event__seq", "error")
    assert list(parked) == [
        ("b", 2, "ValueError: cannot read this"), ("b", 3, "ValueError: cannot read this"), ("b", 4, ""),
    ]  # fmt: skip


def test_a_repaired_stream_goes_on_where_it_stopped(write: Any, view: Any) -> None:
    broken, seen = [True], list[tuple[str, int]]()

    def apply(events: Any) -> None:
        if broken:
            raise ValueError
        seen.extend((event.stream, event.seq) for event in events)

    view(apply)
    write("a", "a", "b")
    relay.project("test.view")
    still = tail.unpark("test.view")
    broken.clear()

    mended = tail.unpark("test.view")

    assert (still, mended) == (0, 3)
    assert seen == [("a", 1), ("a", 2), ("b", 1)]
    assert not ParkedEvent.objects.exists()


def test_what_failed_halfway_leaves_nothing_behind(write: Any, view: Any) -> None:
    def apply(events: Any) -> None:
        Cursor.objects.create(name=f"written for {events[0].stream}")
        if events[0].stream == "a":
            raise ValueError

    view(apply)
    write("a", "b")

    relay.project("test.view")

    assert sorted(Cursor.objects.values_list("name", flat=True)) == ["test.view", "written for b"]


def test_rewinding_reads_the_log_again(write: Any, view: Any) -> None:
    seen: list[tuple[str, int]] = []
    view(collect(seen))
    write("a", "b")
    relay.project("test.view")

    tail.rewind("test.view")
    relay.project("test.view")

    assert seen == [("a", 1), ("b", 1)] * 2


def _project_all(expected: int) -> int:
    """Project until so many were applied: transactions of other databases on the same server hold the
    reader up.
    """
    ends, applied = monotonic() + 60, 0
    while applied < expected and monotonic() < ends:
        applied += relay.project("test.view")
        sleep(0.05)
    return applied


def _write_in_thread(stream: str, *, written: Signal, may_commit: Signal) -> Thread:
    def work() -> None:
        with transaction.atomic():
            record([Fact(stream, "test.happened")], now=clock.now(), actor="system")
            written.set()
            may_commit.wait(10)
        connection.close()

    thread = Thread(target=work)
    thread.start()
    return thread


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_late_commit_of_an_early_id_is_not_missed(write: Any, view: Any) -> None:
    seen: list[tuple[str, int]] = []
    view(collect(seen))
    written, may_commit = Signal(), Signal()
    slow = _write_in_thread("slow", written=written, may_commit=may_commit)
    written.wait(10)
    write("fast")

    before = relay.project("test.view")
    may_commit.set()
    slow.join()
    after = _project_all(2)

    assert (before, after) == (0, 2)
    assert seen == [("slow", 1), ("fast", 1)]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_old_transaction_that_writes_last_keeps_its_place_in_the_stream(write: Any, view: Any) -> None:
    """It took its number first, waited for the row lock, and wrote the second event of the stream."""
    seen: list[tuple[str, int]] = []
    view(collect(seen), batch=1)
    started, other_done = Signal(), Signal()

    def old() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            started.set()
            other_done.wait(10)
            record([Fact("a", "test.happened")] * 2, now=clock.now(), actor="system")
        connection.close()

    thread = Thread(target=old)
    thread.start()
    started.wait(10)
    write("a", "a")
    other_done.set()
    thread.join()

    _project_all(4)

    assert seen == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert Event.objects.count() == 4
