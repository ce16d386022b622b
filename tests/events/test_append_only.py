"""The log refuses changes, in both databases, and opens only for maintenance."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from orderhub.events import guard, partitions
from orderhub.events.models import Event

pytestmark = pytest.mark.django_db


def test_update_is_refused(write: Any) -> None:
    (event,) = write("a")

    with pytest.raises(DatabaseError, match="append-only: UPDATE of events_event"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(kind="test.forged")

    event.refresh_from_db()
    assert event.kind == "test.happened"


def test_delete_is_refused(write: Any) -> None:
    (event,) = write("a")

    with pytest.raises(DatabaseError, match="append-only: DELETE of events_event"), transaction.atomic():
        event.delete()

    assert Event.objects.count() == 1


def test_maintenance_opens_the_door_and_shuts_it(write: Any) -> None:
    (event,) = write("a")

    with guard.opened("restore drill"):
        Event.objects.filter(pk=event.pk).update(actor="restored")

    assert Event.objects.get().actor == "restored"
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.update(actor="forged")


def test_all_triggers_survive_all_migrations() -> None:
    assert guard.missing_triggers() == []


def test_a_lost_trigger_is_found() -> None:
    with connection.cursor() as cursor:
        on = " ON events_event" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER events_event_no_update{on}")

    missing = guard.missing_triggers()
    assert missing[0] == "events_event_no_update"
    # Dropped from the whole, it is gone from every partition.
    parts = partitions.parts("events_event")
    assert missing[1:] == [f"events_event_no_update of {part}" for part in parts]


@pytest.mark.django_db(transaction=True)
def test_flush_between_tests_still_works(write: Any) -> None:
    write("a", "b")

    call_command("flush", interactive=False, verbosity=0)

    assert Event.objects.count() == 0
    write("a")
    with pytest.raises(DatabaseError):
        Event.objects.all().delete()
