"""Claims, outcomes, fences and back-off of deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.events import leases, relay
from orderhub.events.models import Delivery
from orderhub.events.registry import GiveUp, Partly
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

pytestmark = pytest.mark.django_db
States = Delivery.State


def states(**wanted: object) -> list[str]:
    return list(Delivery.objects.filter(**wanted).order_by("pk").values_list("state", flat=True))


def expire(*rows: Delivery) -> None:
    keys = [row.pk for row in rows]
    Delivery.objects.filter(pk__in=keys).update(lease_until=clock.now() - timedelta(seconds=1))


def make_due() -> None:
    Delivery.objects.filter(state="ready").update(not_before=clock.now() - timedelta(seconds=1))


def nothing(rows: Any) -> None:
    """A handler that has nothing to do."""


def test_claims_only_the_head_of_each_stream(write: Any, job: Any) -> None:
    subscriber = job(nothing)
    write("a", "a", "b")

    rows = relay.claim(subscriber, limit=10, now=clock.now())

    assert [(row.stream, row.event.seq, row.attempts) for row in rows] == [("a", 1, 1), ("b", 1, 1)]
    assert relay.claim(subscriber, limit=10, now=clock.now()) == []


def test_unordered_subscribers_claim_everything(write: Any, job: Any) -> None:
    subscriber = job(nothing, ordered=False)
    write("a", "a", "b")

    rows = relay.claim(subscriber, limit=2, now=clock.now())

    assert [(row.stream, row.event.seq) for row in rows] == [("a", 1), ("a", 2)]


def test_runs_every_stream_in_order_to_its_end(write: Any, job: Any) -> None:
    seen: list[tuple[str, int]] = []
    job(lambda rows: seen.extend((row.stream, row.event.seq) for row in rows), batch=2)
    write("a", "b", "a", "c", "a", "b")

    handled = relay.run_queue("low")

    assert handled == 6
    assert [seq for stream, seq in seen if stream == "a"] == [1, 2, 3]
    assert [seq for stream, seq in seen if stream == "b"] == [1, 2]
    assert set(states()) == {States.DONE}


def test_destinations_are_ordered_each_for_itself(write: Any, job: Any) -> None:
    subscriber = job(nothing, outside=True, destinations=lambda events: [["x", "y"] for _event in events])
    write("a", "a")

    rows = relay.claim(subscriber, limit=10, now=clock.now())

    assert [(row.destination, row.event.seq) for row in rows] == [("x", 1), ("y", 1)]


def test_a_paused_destination_is_not_claimed_and_burns_no_attempt(write: Any, job: Any) -> None:
    subscriber = job(
        nothing, outside=True, destinations=lambda events: [["x", "y"] for _event in events],
        is_paused=lambda destination: destination == "x",
    )  # fmt: skip
    write("a")

    rows = relay.claim(subscriber, limit=10, now=clock.now())

    assert [row.destination for row in rows] == ["y"]
    assert Delivery.objects.get(destination="x").attempts == 0


def test_a_poison_row_fails_alone(write: Any, job: Any) -> None:
    done: list[str] = []

    def handle(rows: Any) -> None:
        if any(row.stream == "s13" for row in rows):
            raise ValueError("thirteen")
        done.extend(row.stream for row in rows)

    job(handle)
    write(*(f"s{number}" for number in range(50)))

    relay.run_queue("low")

    assert sorted(done) == sorted(f"s{number}" for number in range(50) if number != 13)
    poison = Delivery.objects.get(stream="s13")
    assert (poison.state, poison.attempts, poison.last_error) == (States.READY, 1, "ValueError: thirteen")
    assert states(state="done") == ["done"] * 49


def test_partly_names_the_rows_that_failed(write: Any, job: Any) -> None:
    calls: list[int] = []

    def handle(rows: Any) -> None:
        calls.append(len(rows))
        raise Partly({rows[1].pk: RuntimeError("no stock there")})

    job(handle)
    write("a", "b", "c")

    relay.run_queue("low")

    assert calls == [3]
    assert states() == [States.DONE, States.READY, States.DONE]


def test_giving_up_is_dead_at_once_and_blocks_its_own_stream_only(write: Any, job: Any) -> None:
    def handle(rows: Any) -> None:
        if rows[0].stream == "a":
            raise GiveUp("410 gone")

    job(handle, batch=1)
    write("a", "a", "b", "b")

    relay.run_queue("low")

    assert [(row.stream, row.state) for row in Delivery.objects.order_by("pk")] == [
        ("a", "dead"), ("a", "ready"), ("b", "done"), ("b", "done"),
    ]  # fmt: skip
    assert Delivery.objects.get(state="dead").dead_reason == "410 gone"


def test_backs_off_and_dies_after_the_last_attempt(write: Any, job: Any) -> None:
    def handle(rows: Any) -> None:
        raise OSError("refused")

    job(handle, max_attempts=3)
    write("a")

    for _attempt in range(5):
        relay.run_queue("low")
        make_due()

    row = Delivery.objects.get()
    assert (row.state, row.attempts) == (States.DEAD, 3)
    assert row.dead_reason == "failed 3 times: OSError: refused"


@pytest.mark.parametrize(("attempts", "ceiling"), [(1, 5), (2, 10), (5, 80), (11, 3600), (60, 3600)])
def test_back_off_is_full_jitter_under_a_doubling_ceiling(attempts: int, ceiling: int) -> None:
    delays = [relay._delay(attempts).total_seconds() for _ in range(400)]

    assert 0 <= min(delays) < ceiling * 0.1
    assert ceiling * 0.9 < max(delays) <= ceiling


def test_an_outage_gives_the_rest_of_the_batch_back_untried(write: Any, job: Any) -> None:
    tried: list[str] = []

    def handle(rows: Any) -> None:
        tried.extend(row.stream for row in rows if len(rows) == 1)
        raise TimeoutError

    job(handle, outside=True)
    write(*(f"s{number:02}" for number in range(16)))

    relay.run_queue("low")

    assert tried == ["s00", "s01", "s02"]
    assert list(Delivery.objects.order_by("pk").values_list("attempts", flat=True)) == [1] * 3 + [0] * 13
    assert Delivery.objects.filter(state="ready", not_before__gt=clock.now()).count() == 16


def test_an_expired_lease_is_claimed_again_alone(write: Any, job: Any) -> None:
    subscriber = job(nothing)
    write("a", "b", "c")
    lost = relay.claim(subscriber, limit=10, now=clock.now())
    expire(*lost)

    again = relay.claim(subscriber, limit=10, now=clock.now())

    assert [(row.stream, row.attempts) for row in again] == [("a", 2)]
    assert again[0].lease_token != lost[0].lease_token


def test_a_lease_that_still_runs_is_left_alone(write: Any, job: Any) -> None:
    subscriber = job(nothing)
    write("a")
    now = clock.now()
    relay.claim(subscriber, limit=1, now=now)

    early = relay.claim(subscriber, limit=1, now=now + timedelta(seconds=29))
    late = relay.claim(subscriber, limit=1, now=now + timedelta(seconds=31))

    assert (len(early), len(late)) == (0, 1)


def test_a_worker_that_lost_its_lease_changes_nothing(write: Any, job: Any) -> None:
    subscriber = job(nothing)
    write("a")
    slow = relay.claim(subscriber, limit=1, now=clock.now())
    expire(*slow)
    fast = relay.claim(subscriber, limit=1, now=clock.now())

    relay._finish(slow)
    relay._put_off(subscriber, [(slow[0], GiveUp("late"))])

    row = Delivery.objects.get()
    assert (row.state, row.lease_token) == (States.LEASED, fast[0].lease_token)


def test_a_row_whose_workers_keep_dying_is_buried(write: Any, job: Any) -> None:
    subscriber = job(nothing, max_attempts=2)
    write("a")
    for _attempt in range(2):
        expire(*relay.claim(subscriber, limit=1, now=clock.now()))

    third = relay.claim(subscriber, limit=1, now=clock.now())
    buried = relay.bury_lost(now=clock.now())

    assert (third, buried) == ([], 1)
    assert Delivery.objects.get().dead_reason == "worker lost 2 times"


def test_leases_of_a_dead_worker_are_freed_at_once(
    write: Any, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber = job(nothing)
    write("a", "b")
    monkeypatch.setenv(leases.WORKER_VARIABLE, "aaaaaaaaaaaa")
    relay.claim(subscriber, limit=1, now=clock.now())
    monkeypatch.setenv(leases.WORKER_VARIABLE, "bbbbbbbbbbbb")
    relay.claim(subscriber, limit=1, now=clock.now())

    freed = leases.free("aaaaaaaaaaaa")

    assert freed == 1
    assert [row.stream for row in relay.claim(subscriber, limit=9, now=clock.now())] == ["a"]


def test_replay_starts_from_the_first_attempt(write: Any, job: Any) -> None:
    fail = [GiveUp("broken")]

    def handle(rows: Any) -> None:
        if fail:
            raise fail[0]

    job(handle)
    write("a")
    relay.run_queue("low")
    fail.clear()

    relay.replay(Delivery.objects.get(), actor="user:ann", note="mapping repaired")
    relay.run_queue("low")

    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.note) == (States.DONE, 1, "user:ann: mapping repaired")


def test_skipping_frees_the_stream_and_needs_a_note(write: Any, job: Any) -> None:
    def handle(rows: Any) -> None:
        if rows[0].event.seq == 1:
            raise GiveUp("broken")

    job(handle)
    write("a", "a")
    relay.run_queue("low")
    dead = Delivery.objects.get(state="dead")

    with pytest.raises(Refused) as refusal:
        relay.skip(dead, actor="user:ann", note=" ")
    relay.skip(dead, actor="user:ann", note="sent by hand")
    relay.run_queue("low")

    assert refusal.value.code == "note_missing"
    assert states() == [States.SKIPPED, States.DONE]


def test_a_done_delivery_is_not_replayed(write: Any, job: Any) -> None:
    job(nothing)
    write("a")
    relay.run_queue("low")

    with pytest.raises(Refused):
        relay.replay(Delivery.objects.get(), actor="user:ann")

    assert states() == [States.DONE]


def test_due_queues_reads_what_waits(write: Any, job: Any, view: Any) -> None:
    job(nothing, queue="route")
    view(nothing, queue="carbon")

    before = relay.due_queues()
    write("a")
    after = relay.due_queues()

    assert (before, after) == (set(), {"route", "carbon"})


def test_a_batch_costs_the_same_queries_whatever_its_size(
    write: Any, job: Any, django_assert_num_queries: Callable[..., Any]
) -> None:
    job(nothing)
    write(*(f"s{number}" for number in range(100)))
    leases.db_now()  # PostgreSQL is asked for its time once a minute

    with django_assert_num_queries(5):  # due, claim, events, done; due
        relay.run_queue("low")

    assert set(states()) == {States.DONE}


@pytest.mark.django_db(transaction=True)
def test_threads_run_each_delivery_once_and_in_order(write: Any, job: Any) -> None:
    seen: list[tuple[str, int]] = []
    job(lambda rows: seen.extend((row.stream, row.event.seq) for row in rows), batch=7)
    for _round in range(5):
        write(*(f"s{number}" for number in range(40)))

    def work() -> None:
        try:
            relay.run_queue("low")
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    relay.run_queue("low")
    assert len(seen) == 200
    for number in range(40):
        assert [seq for stream, seq in seen if stream == f"s{number}"] == [1, 2, 3, 4, 5]


@pytest.mark.services
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan is PostgreSQL's")
def test_a_claim_looks_up_each_head_in_the_index_even_without_statistics(write: Any, job: Any) -> None:
    subscriber = job(nothing)
    write(*(f"s{number}" for number in range(50)))

    with CaptureQueriesContext(connection) as made:
        relay.claim(subscriber, limit=10, now=clock.now())

    (statement,) = [query["sql"] for query in made if "picked AS" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        plan = [line for (line,) in cursor.fetchall()]
    assert any("Index Cond" in line and "d.stream" in line for line in plan), "\n".join(plan)
