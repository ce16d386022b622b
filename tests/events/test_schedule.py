"""The clock's schedule, jobs that run alone, signs of life, and the checks of registrations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orderhub import checks
from orderhub.events import beats, hearing, queries, registry, schedule, tasks
from orderhub.events.models import WorkerBeat
from orderhub.kernel import clock

pytestmark = pytest.mark.django_db


def test_the_schedule_has_the_sweep_an_echo_per_queue_and_every_job() -> None:
    registry.every(60, name="test.tidy", queue="import")(lambda: 0)

    entries = schedule.schedule()

    assert sorted(entries) == [
        "beat carbon", "beat import", "beat intake", "beat low", "beat outbox", "beat route", "sweep",
        "test.tidy",
    ]  # fmt: skip
    assert entries["test.tidy"] == {
        "task": "events.periodic", "schedule": 60, "kwargs": {"name": "test.tidy"},
        "options": {"queue": "import", "expires": 60, "ignore_result": True},
    }  # fmt: skip


def test_a_periodic_job_never_runs_twice_at_once() -> None:
    inner: list[int] = []
    registry.every(60, name="test.tidy")(lambda: inner.append(tasks.periodic("test.tidy")) or 5)

    outer = tasks.periodic("test.tidy")

    assert (outer, inner) == (5, [0])
    assert tasks.periodic("test.tidy") == 5


def test_the_tasks_run_what_is_due(write: Any, job: Any, view: Any) -> None:
    seen: list[str] = []
    job(lambda rows: seen.append("job"))
    view(lambda events: seen.append("view"))
    write("a")

    assert (tasks.sweep(), tasks.pump("low"), tasks.project("test.view")) == (1, 2, 0)
    assert seen == ["job", "view"]


def test_workers_are_alive_for_90_seconds(job: Any) -> None:
    now = clock.now()
    job(lambda rows: None, queue="route")
    beats.beat("a", queues="route,low")
    WorkerBeat.objects.create(name="b", queues="import", beat_at=now - timedelta(seconds=91))

    assert [(worker.name, worker.alive) for worker in queries.workers(now=now)] == [("a", True), ("b", False)]
    assert queries.unserved_queues(now=now) == set()
    assert queries.unserved_queues(now=now + timedelta(seconds=100)) == {"route"}


@pytest.mark.parametrize(
    ("clock_age", "own_age", "deaf"), [(5, 5, False), (5, 100, True), (5, None, True), (100, 100, False)]
)
def test_a_worker_is_deaf_only_while_the_clock_ticks(clock_age: int, own_age: int | None, deaf: bool) -> None:
    now = clock.now()
    WorkerBeat.objects.create(name=hearing.CLOCK_NAME, beat_at=now - timedelta(seconds=clock_age))
    if own_age is not None:
        WorkerBeat.objects.create(name="me", beat_at=now - timedelta(seconds=own_age))

    assert hearing.is_deaf("me", started_at=now - timedelta(hours=1), now=now) is deaf


def test_backlog_counts_open_and_dead_by_subscriber(write: Any, job: Any) -> None:
    job(lambda rows: None, queue="route")
    write("a", "b")

    (entry,) = queries.backlog(now=clock.now() + timedelta(seconds=30))

    assert (entry.subscriber, entry.queue, entry.open, entry.dead) == ("test.job", "route", 2, 0)
    assert 30 <= entry.oldest_seconds < 60


def test_checks_name_unknown_kinds_queues_and_steps(monkeypatch: pytest.MonkeyPatch, job: Any) -> None:
    job(lambda rows: None, queue="rout")
    registry.on("test.nonsense", name="test.other", queue="low")(lambda rows: None)
    monkeypatch.setattr(checks, "JOURNEY", ("order.dance",))

    assert [message.id for message in checks.listeners()] == ["orderhub.E004", "orderhub.E005"]
    assert "order.dance" in checks.journey()[0].msg


def test_missing_browser_libraries_name_make_setup(settings: Any, tmp_path: Any) -> None:
    settings.NODE_MODULES, settings.STATIC_ROOT = tmp_path / "node_modules", tmp_path / "static"

    (message,) = checks.browser_libraries()

    assert "make setup" in str(message.hint)
