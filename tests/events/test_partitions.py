"""The log by months on PostgreSQL: made ahead, guarded across partitions, converted with its rows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from orderhub.events import ids, partitions
from orderhub.events.models import Event, StreamHead
from orderhub.kernel import clock
from tracking.positions import POSITIONS

on_postgresql = [
    pytest.mark.services,
    pytest.mark.skipif(not settings.ON_POSTGRESQL, reason="partitions are PostgreSQL's"),
]


def test_an_id_carries_its_month() -> None:
    november = date(2026, 11, 1)

    assert partitions.first_id(date(2020, 1, 1)) == 0
    assert partitions.first_id(november) == 82 << 40
    assert partitions.first_id(date(2702, 1, 1)) < 2**53
    assert partitions.plus_months(november, 2) == date(2027, 1, 1)
    assert partitions.plus_months(date(2027, 1, 1), -1) == date(2026, 12, 1)


def test_months_are_those_of_utc() -> None:
    assert partitions.month_of(datetime.fromisoformat("2026-12-01T07:59:00+08:00")) == date(2026, 11, 1)


class TestOnPostgreSQL:
    pytestmark = [*on_postgresql, pytest.mark.django_db]

    def test_events_land_in_the_partition_of_this_month(self, write: Any) -> None:
        (event,) = write("a")

        with connection.cursor() as cursor:
            cursor.execute("SELECT tableoid::regclass::text FROM events_event WHERE id = %s", [event.pk])
            (place,) = cursor.fetchone()
        assert place == partitions.name_of(partitions.EVENTS, partitions.month_of(clock.now()))
        assert event.pk >> 40 == ids.take(1)[0] >> 40

    def test_the_clock_makes_what_is_missing_and_no_more(self) -> None:
        now = datetime(2031, 11, 20, tzinfo=UTC)

        made = partitions.ensure(now=now, ahead=2)

        assert made == [
            f"{table}_p{month}"
            for table in ("events_event", "tracking_position", "tracking_vehiclefix")
            for month in ("203111", "203112", "203201")
        ]
        assert partitions.ensure(now=now, ahead=2) == []
        assert set(partitions.months_ahead(now=now).items()) == {
            ("events_event", 2), ("tracking_position", 2), ("tracking_vehiclefix", 2),
        }  # fmt: skip

    def test_without_a_partition_rows_are_kept_and_told(self, write: Any, capsys: Any) -> None:
        (event,) = write("a")
        event.pk = partitions.first_id(date(2040, 1, 1)) + 1
        event.seq = 2
        event.save(force_insert=True)

        assert partitions.strays() == {"events_event": 1}
        with pytest.raises(SystemExit):
            call_command("partitions", "--list")
        assert "1 rows of events_event are in its default partition." in capsys.readouterr().out

    @pytest.mark.django_db(transaction=True)
    def test_a_number_of_the_stream_cannot_be_taken_again_in_another_month(self, write: Any) -> None:
        (event,) = write("a")
        event.pk = partitions.first_id(partitions.plus_months(partitions.month_of(clock.now()), 1)) + 1

        with pytest.raises(IntegrityError, match="was written meanwhile"), transaction.atomic():
            event.save(force_insert=True)

        assert Event.objects.count() == 1

    def test_months_long_past_are_dropped(self) -> None:
        with connection.cursor() as cursor:
            for line in partitions.statements(POSITIONS, date(2025, 3, 1)):
                cursor.execute(line)

        assert partitions.drop_before(POSITIONS, clock.now()) == ["tracking_position_p202503"]
        assert partitions.drop_before(POSITIONS, clock.now()) == []

    def test_a_head_never_goes_back(self, write: Any) -> None:
        write("a", "a")

        with pytest.raises(IntegrityError, match="cannot go to 1"), transaction.atomic():
            StreamHead.objects.filter(stream="a").update(seq=1, hash="0" * 64)

        assert StreamHead.objects.get(stream="a").seq == 2


@pytest.fixture
def own_database() -> Iterator[str]:
    """The address of an empty database beside the one of the tests."""
    parts = urlsplit(os.environ.get("DATABASE_URL", ""))
    name = f"orderhub_split_{os.getpid()}"
    with psycopg.connect(parts.geturl(), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield parts._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.skipif(not settings.ON_POSTGRESQL, reason="partitions are PostgreSQL's")
def test_a_log_with_rows_is_split_and_goes_on(own_database: str, tmp_path: Any) -> None:
    def manage(*words: str) -> str:
        environment = {
            **os.environ, "DATABASE_URL": own_database, "HUB_DATA_DIR": str(tmp_path), "HUB_DEBUG": "1",
        }  # fmt: skip
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    manage("migrate", "events", "0002", "-v0")
    with psycopg.connect(own_database) as db:
        db.execute(
            "INSERT INTO events_event (stream, seq, kind, occurred_at, recorded_at, actor, payload, prev_hash, hash)"
            " SELECT 'old:' || n % 10, n / 10 + 1, 'test.happened', now(), now(), '', '{}', '', n::text"
            " FROM generate_series(0, 99) n"
        )
        db.execute(
            "INSERT INTO events_streamhead (stream, seq, hash)"
            " SELECT stream, seq, hash FROM events_event WHERE seq = 10"
        )
        db.execute(
            "INSERT INTO events_delivery (event_id, subscriber, destination, stream, ordered, state, attempts,"
            " not_before, lease_token, last_error, dead_reason, note, created_at)"
            " SELECT id, 'test', '', stream, true, 'done', 1, now(), '', '', '', '', now() FROM events_event"
        )
        before = db.execute("SELECT id, stream, seq, hash, tx FROM events_event ORDER BY id").fetchall()

    manage("migrate", "-v0")

    with psycopg.connect(own_database) as db:
        split = "SELECT id, stream, seq, hash, tx FROM events_event ORDER BY id"
        assert db.execute(split).fetchall() == before
        assert db.execute("SELECT count(*) FROM events_event_early").fetchone() == (100,)
        wrong = "SELECT count(*) FROM events_streamhead h JOIN events_event e USING (stream, seq) WHERE h.tx <> e.tx"
        assert db.execute(wrong).fetchone() == (0,)
        fresh = db.execute(
            "INSERT INTO events_event (stream, seq, kind, occurred_at, recorded_at, actor, payload, prev_hash, hash)"
            " VALUES ('old:1', 11, 'test.happened', now(), now(), '', '{}', '', '') RETURNING id >> 40"
        ).fetchone()
        assert fresh == (partitions.first_id(partitions.month_of(clock.now())) >> 40,)
        db.commit()
        with pytest.raises(psycopg.errors.UniqueViolation, match="was written meanwhile"):
            db.execute(
                "INSERT INTO events_event (stream, seq, kind, occurred_at, recorded_at, actor, payload, prev_hash,"
                " hash) VALUES ('old:2', 10, 'test.happened', now(), now(), '', '{}', '', '')"
            )
        db.rollback()
        db.execute("UPDATE events_delivery SET event_id = 12345678 WHERE id = 1")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            db.commit()
